// Motion masks and their scores for the Python tests.
//   physics_iq_tool IN OUT KERNEL REDUCE   IN: safetensors with real, made [T, H, W, 3] uint8, heights and widths may differ
// OUT: safetensors with real, made: masks [T, H, W] 0 or 1 at the films' own size; small_real, small_made: masks, and
// frames_real, frames_made, as they are compared; scores: spatial, spatiotemporal, weighted, mse in double precision.
#include <ATen/Functions.h>

#include <cstdio>

#include "core/error.h"
#include "core/safetensors.h"
#include "eval/causality/physics_iq.h"

namespace orrery {
namespace {

FrameSpan SpanOf(const at::Tensor& film) {
  if (film.dim() != 4 || film.size(3) != 3 || film.scalar_type() != at::kByte) Fail("a film [T, H, W, 3] of bytes expected");
  return {{film.const_data_ptr<uint8_t>(), static_cast<size_t>(film.numel())}, film.size(1), film.size(2)};
}

at::Tensor Bytes(std::span<const uint8_t> bytes, at::IntArrayRef sizes) {
  at::Tensor out = at::empty(sizes, at::kByte);
  std::copy(bytes.begin(), bytes.end(), out.mutable_data_ptr<uint8_t>());
  return out;
}

void Run(const std::string& in, const std::string& out, const PhysicsIqOptions& options) {
  const TensorFile file = LoadSafetensors(in);
  const at::Tensor films[] = {file.At("real", in).contiguous(), file.At("made", in).contiguous()};
  const FrameSpan real = SpanOf(films[0]), made = SpanOf(films[1]);
  const MotionClip a = MakeMotionClip(real, options), b = MakeMotionClip(made, options, a.height, a.width);
  const MotionScores scores = CompareMotion(a, b);
  NamedTensors tensors;
  for (const auto& [name, film, clip] : {std::tuple{std::string("real"), &real, &a}, std::tuple{std::string("made"), &made, &b}}) {
    tensors.emplace_back(name, Bytes(MotionMasks(*film, options.mask).on, {film->frames, film->height, film->width}));
    tensors.emplace_back("small_" + name, Bytes(clip->masks.on, {film->frames, clip->height, clip->width}));
    tensors.emplace_back("frames_" + name, Bytes(clip->bytes, {film->frames, clip->height, clip->width, 3}));
  }
  tensors.emplace_back("scores", at::tensor({scores.spatial, scores.spatiotemporal, scores.weighted, scores.mse}, at::kDouble));
  SaveSafetensors(out, tensors);
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  try {
    if (argc != 5) orrery::Fail("expected IN OUT KERNEL REDUCE");
    orrery::Run(argv[1], argv[2], {{.kernel = std::stoll(argv[3])}, std::stoll(argv[4])});
  } catch (const orrery::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
