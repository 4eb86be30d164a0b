#include "eval/quality/feature_net.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <sstream>

#include "core/error.h"
#include "core/sha256.h"
#include "core/shape.h"
#include "core/tensor_rng.h"
#include "eval/memory/one_thread.h"
#include "eval/quality/feature_files.h"
#include "eval/quality/frames.h"

namespace orrery {

namespace {

using Module = torch::jit::Module;

// The line of libtorch's long messages that says what is wrong.
std::string LastLine(const std::exception& error) {
  const auto* with_trace = dynamic_cast<const c10::Error*>(&error);
  std::istringstream text(with_trace ? with_trace->what_without_backtrace() : error.what());
  std::string last;
  for (std::string line; std::getline(text, line);)
    if (line.find_first_not_of(" \t^~<-") != std::string::npos && !line.starts_with("Exception raised")) last = line;
  return last;
}

void ToSinglePrecision(const at::Tensor& tensor) {
  if (tensor.is_floating_point()) tensor.set_data(tensor.to(at::kFloat));
}

Module Load(std::string_view bytes, const std::string& where) {
  std::istringstream in{std::string(bytes)};
  try {
    Module module = torch::jit::load(in, at::kCPU);
    module.eval();
    for (const at::Tensor& t : module.parameters()) ToSinglePrecision(t);
    for (const at::Tensor& t : module.buffers()) ToSinglePrecision(t);
    return module;
  } catch (const std::exception& error) {
    Fail("{}: a TorchScript file (torch.jit.script(net).save(...)) expected: {}", where, LastLine(error));
  }
}

// Without the optimiser, which rewrites a graph after the first runs and with it the order of sums.
at::IValue Call(const Module& module, const char* method, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  const OneThread one;
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  return module.get_method(method)({x});
}

at::Tensor Features(const Module& module, const at::Tensor& x) {
  const at::IValue out = Call(module, "forward", x);
  if (!out.isTensor()) Fail("a tensor [{}, d] expected, got {}", x.size(0), out.tagKind());
  return out.toTensor();
}

// Frames [T, H, W, 3] uint8 -> [T, 3, H, W] fp32 in [0, 1]
at::Tensor Planes(const at::Tensor& film) {
  CheckFilm(film, "features");
  return film.permute({0, 3, 1, 2}).to(at::kFloat).contiguous() / 255;
}

at::Tensor AsClip(const at::Tensor& planes) { return planes.narrow(0, 0, kClipFrames).transpose(0, 1).unsqueeze(0).contiguous(); }

// Width of the features of 17 noise frames, or of one clip; or why there are none.
int64_t Try(const Module& module, bool clips, std::string& why) {
  Rng rng(1, "feature net");
  const at::Tensor noise = UniformTensor({17, 3, 64, 64}, rng).to(at::kFloat);
  const at::Tensor x = clips ? AsClip(noise) : noise;
  try {
    const at::Tensor rows = Features(module, x);
    if (rows.dim() != 2 || rows.size(0) != x.size(0) || rows.size(1) < 1)
      Fail("[{}, d] expected, got {}", x.size(0), ShapeText(rows.sizes()));
    if (!rows.isfinite().all().item<bool>()) Fail("the features are not finite");
    return rows.size(1);
  } catch (const std::exception& error) {
    why = LastLine(error);
    return 0;
  }
}

}  // namespace

struct FeatureNet::Impl {
  std::string name, hash;
  Module module;
  bool built_in = false, clips = false, stages = false;
  int64_t width = 0;
};

FeatureNet::FeatureNet(std::string name, std::string_view bytes, const std::string& where, bool built_in) {
  auto impl = std::make_shared<Impl>();
  impl->name = std::move(name);
  impl->hash = Sha256(bytes);
  impl->module = Load(bytes, where);
  impl->built_in = built_in;
  std::string of_frames, of_clips;
  impl->width = Try(impl->module, false, of_frames);
  if (impl->width == 0) {
    impl->clips = true;
    impl->width = Try(impl->module, true, of_clips);
  }
  if (impl->width == 0)
    Fail("{}: a net from frames [N, 3, H, W] or clips [N, 3, {}, H, W] to features [N, d] expected; of frames: {}; of clips: {}", where,
         kClipFrames, of_frames, of_clips);
  impl->stages = !impl->clips && impl->module.find_method("stages").has_value();
  impl_ = std::move(impl);
}

const std::string& FeatureNet::Name() const { return impl_->name; }
const std::string& FeatureNet::Hash() const { return impl_->hash; }
bool FeatureNet::BuiltIn() const { return impl_->built_in; }
bool FeatureNet::OfClips() const { return impl_->clips; }
int64_t FeatureNet::Width() const { return impl_->width; }
bool FeatureNet::HasStages() const { return impl_->stages; }

at::Tensor FeatureNet::Embed(const at::Tensor& film) const {
  const at::Tensor planes = Planes(film);
  if (OfClips() && planes.size(0) < kClipFrames)
    Fail("features {}: a film of at least {} frames expected, got {}", Name(), kClipFrames, planes.size(0));
  const at::Tensor x = OfClips() ? AsClip(planes) : planes;
  try {
    const at::Tensor rows = Features(impl_->module, x);
    CheckShape(rows, {x.size(0), Width()}, "features");
    return rows;
  } catch (const std::exception& error) {
    Fail("features {}: frames of {} x {} were refused: {}", Name(), film.size(1), film.size(2), LastLine(error));
  }
}

at::Tensor FeatureNet::PairDistance(const at::Tensor& a, const at::Tensor& b) const {
  ORRERY_CHECK(HasStages());
  CheckFilms(a, b, "features");
  const std::vector<at::Tensor> xs = Call(impl_->module, "stages", Planes(a)).toTensorVector();
  const std::vector<at::Tensor> ys = Call(impl_->module, "stages", Planes(b)).toTensorVector();
  const auto unit = [](const at::Tensor& stage) {
    const at::Tensor x = stage.to(at::kDouble);
    return x / (x.square().sum(1, true).sqrt() + 1e-10);
  };
  at::Tensor sum = at::zeros({a.size(0)}, at::kDouble);
  for (size_t i = 0; i < xs.size(); ++i) sum += (unit(xs[i]) - unit(ys[i])).square().mean({1, 2, 3});
  return sum;
}

}  // namespace orrery
