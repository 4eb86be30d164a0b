#include "model/latents.h"

#include <cstring>
#include <fstream>
#include <numeric>

#include "core/autocast.h"
#include "core/file.h"
#include "core/progress.h"
#include "core/safetensors.h"
#include "core/signals.h"
#include "model/odometry.h"

namespace orrery {

namespace fs = std::filesystem;

LatentStore::LatentStore(const Dataset& dataset, Codec& codec, std::string_view codec_hash, const fs::path& folder) {
  begin_.push_back(0);
  for (int64_t e = 0; e < dataset.Episodes(); ++e) begin_.push_back(begin_.back() + dataset.Frames(e));
  const LatentShape shape = codec.Latent();
  const Json identity{{"codec", codec_hash}, {"data", dataset.Facts()}, {"latent", shape}, {"begin", begin_}};
  const bool cached = fs::exists(folder / "index.json") && ReadJson(folder / "index.json") == identity;
  if (!cached) Encode(dataset, codec, folder, identity);

  const int64_t frames = begin_.back(), size = shape.channels * shape.height * shape.width;
  const fs::path file = folder / "latents.f16";
  if (fs::file_size(file) != static_cast<uintmax_t>(frames * size * 2))
    Fail("{}: expected {} bytes, got {}; remove the folder {} to encode again", file.string(), frames * size * 2, fs::file_size(file),
         folder.string());
  latent_ = at::from_file(file.string(), /*shared=*/false, frames * size, at::TensorOptions().dtype(at::kHalf))
                .view({frames, shape.channels, shape.height, shape.width});
  const TensorFile conditions = LoadSafetensors(folder / "conditions.safetensors");
  if (const at::Tensor* t = conditions.Find("action")) action_ = *t;
  if (const at::Tensor* t = conditions.Find("pose")) pose_ = *t;
}

void LatentStore::Encode(const Dataset& dataset, Codec& codec, const fs::path& folder, const Json& identity) {
  const at::NoGradGuard guard;
  const at::Device device = codec.LatentMean().device();
  const Autocast scope(device, true);
  MakeFolder(folder);
  std::error_code ignored;
  fs::remove(folder / "index.json", ignored);  // written again last: its presence says that the rest is whole
  AtomicFile file(folder / "latents.f16");
  std::ofstream out(file.Path(), std::ios::binary);
  const int64_t chunk = 256;
  std::vector<at::Tensor> actions, poses;
  Progress progress("encoding", dataset.TotalFrames(), "frames");
  int64_t done = 0;
  for (int64_t e = 0; e < dataset.Episodes(); ++e) {
    for (int64_t first = 0; first < dataset.Frames(e); first += chunk) {
      ThrowIfStopRequested();
      const Episode part = dataset.Read(e, first, std::min(chunk, dataset.Frames(e) - first));
      const at::Tensor z = codec.Encode(BytesToFrames(part.frames).to(device)).to(at::kHalf).cpu().contiguous();
      out.write(static_cast<const char*>(z.const_data_ptr()), static_cast<std::streamsize>(z.nbytes()));
      if (part.actions.defined()) actions.push_back(part.actions);
      if (part.pose.defined()) poses.push_back(part.pose);
      done += part.Frames();
      progress.Update(done);
    }
  }
  out.close();
  if (!out) Fail("cannot write {}: {}", (folder / "latents.f16").string(), std::strerror(errno));
  file.Commit();
  progress.Finish();
  NamedTensors conditions;
  if (!actions.empty()) conditions.emplace_back("action", at::cat(actions));
  if (!poses.empty()) conditions.emplace_back("pose", at::cat(poses));
  SaveSafetensors(folder / "conditions.safetensors", conditions);
  WriteJson(folder / "index.json", identity);
}

Clip LatentStore::Read(int64_t episode, int64_t first, int64_t count) const {
  ORRERY_CHECK(first >= 0 && count >= 1 && first + count <= Frames(episode));
  const int64_t row = begin_[episode] + first;
  const auto rows = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, row, count).unsqueeze(0) : t; };
  Clip clip{rows(latent_).to(at::kFloat), {rows(action_), {}, rows(pose_)}};
  if (action_.defined()) {
    clip.condition.known = at::ones({1, count}, at::kBool);
    if (first == 0) clip.condition.known[0][0] = false;
  }
  return clip;
}

Clip LatentStore::Sample(const std::vector<int64_t>& episodes, int64_t batch, int64_t length, Rng& rng) const {
  std::vector<int64_t> windows;  // cumulative count of windows
  int64_t total = 0;
  for (const int64_t e : episodes) windows.push_back(total += std::max<int64_t>(0, Frames(e) - length + 1));
  if (total == 0) Fail("no episode has {} frames; record longer episodes or train with shorter clips (--clip)", length);
  std::vector<at::Tensor> latent, action, known, pose;
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t pick = rng.Below(total);
    const auto at = std::upper_bound(windows.begin(), windows.end(), pick);
    const int64_t e = episodes[at - windows.begin()];
    const Clip clip = Read(e, pick - (at == windows.begin() ? 0 : *(at - 1)), length);
    latent.push_back(clip.latent);
    action.push_back(clip.condition.action);
    known.push_back(clip.condition.known);
    pose.push_back(clip.condition.pose);
  }
  const auto join = [](const std::vector<at::Tensor>& t) { return t[0].defined() ? at::cat(t) : at::Tensor(); };
  return {join(latent), {join(action), join(known), join(pose)}};
}

std::pair<at::Tensor, at::Tensor> LatentStore::PoseScale() const {
  if (!pose_.defined()) return {};
  const at::Tensor place = pose_.narrow(1, 0, 2);
  return {place.mean(0), place.std(0)};
}

at::Tensor LatentStore::MotionScale() const {
  if (!pose_.defined()) return {};
  at::Tensor sum = at::zeros({3}, at::kDouble);
  int64_t count = 0;
  for (int64_t e = 0; e < Episodes(); ++e) {
    const int64_t n = Frames(e) - 1;
    if (n < 1) continue;
    sum += MotionBetween(pose_.narrow(0, begin_[e], n), pose_.narrow(0, begin_[e] + 1, n)).to(at::kDouble).square().sum(0);
    count += n;
  }
  return (sum / static_cast<double>(std::max<int64_t>(1, count))).sqrt().to(at::kFloat);
}

}  // namespace orrery
