#include "dynamics/objectives/teacher_forcing.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"

namespace orrery {

namespace {

constexpr const char* kTogether = "frames that are made together see each other both ways";

// The first `frames` frames of a window.
ClipWindow Head(const ClipWindow& window, int64_t frames) {
  const auto head = [&](const at::Tensor& t) { return t.defined() ? t.narrow(1, 0, frames) : t; };
  const FrameCondition& c = window.clip.condition;
  return {{head(window.clip.latent), {head(c.action), head(c.known), head(c.pose), {}}}, window.first, window.before, window.after};
}

// The past with noise of up to `highest`, and its levels.
std::pair<at::Tensor, at::Tensor> Roughened(const Clip& clip, const NoisePath& path, double highest, Rng& rng) {
  const int64_t B = clip.latent.size(0), T = clip.latent.size(1);
  if (highest == 0) return {clip.latent, at::zeros({B, T}, clip.latent.options())};
  const at::Tensor level = (UniformTensor({B, T}, rng) * highest).to(clip.latent.device());
  const at::Tensor noise = NormalTensor(clip.latent.sizes(), rng).to(clip.latent.device());
  return {path.Mix(clip.latent, noise, PerFrame(level)), level};
}

}  // namespace

TeacherForcing::TeacherForcing(const TeacherForcingOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(std::move(path)), options_(options) {
  CheckShare("teacher_forcing", options.aug, "aug");
  CheckShare("teacher_forcing", options.action_drop, "action_drop");
  if (options.block < 1) Fail("teacher_forcing: block must be >= 1 frame, got {}", options.block);
}

Facts TeacherForcing::Describe() {
  const TeacherForcingOptions o;
  return {"teacher_forcing",
          "every frame beside the true past, the clip shown twice: clean and noisy",
          "arXiv 2506.08009, 2412.07772",
          {{"aug", o.aug, "highest noise level of the past, labelled so; against drift"},
           {"action_drop", o.action_drop, "share of hidden actions, for guidance"},
           {"block", o.block, "frames that are made together"}}};
}

void TeacherForcing::Begin(const Transition& network, const Memory& memory, const Teacher* teacher) {
  Objective::Begin(network, memory, teacher);
  if (options_.block > 1) NeedWholeFrames(memory, "teacher_forcing", kTogether);
}

at::Tensor TeacherForcing::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& whole, Rng& rng, LossTerms*) {
  const int64_t frames = whole.clip.latent.size(1) / options_.block * options_.block;
  if (frames == 0) Fail("teacher_forcing: clips of at least {} frames expected, got {}", options_.block, whole.clip.latent.size(1));
  const ClipWindow window = Head(whole, frames);
  const at::Tensor& clean = window.clip.latent;
  const TwinDraws draws = DrawTwins(window.clip, *path_, options_.block, options_.action_drop, rng);
  const auto [past, past_level] = Roughened(window.clip, *path_, options_.aug, rng);
  const at::Tensor u = PerFrame(draws.level), x = path_->Mix(clean, draws.noise, u);
  const Answer answer = AskTwins(network, memory, *path_, window, {past, past_level, x, draws.level, draws.condition, options_.block});
  return AddOwn(FrameError(answer.out, path_->Target(clean, draws.noise, u)).mean(), answer);
}

VideoGpt::VideoGpt(const VideoGptOptions& options, std::shared_ptr<const NoisePath> path) : Objective(std::move(path)), options_(options) {
  CheckShare("video_gpt", options.context_noise, "context_noise");
  CheckShare("video_gpt", options.action_drop, "action_drop");
  if (options.shortest < 1 || options.longest < options.shortest)
    Fail("video_gpt: 1 <= shortest <= longest expected, got {} and {}", options.shortest, options.longest);
}

Facts VideoGpt::Describe() {
  const VideoGptOptions o;
  return {"video_gpt",
          "a few frames at a time beside the nearly clean past; loss on clean latents",
          "arXiv 2505.12489",
          {{"shortest", o.shortest, "fewest frames that are made together, drawn anew for every batch"},
           {"longest", o.longest, "most of them"},
           {"context_noise", o.context_noise, "highest noise level of the past"},
           {"action_drop", o.action_drop, "share of hidden actions, for guidance"}}};
}

void VideoGpt::Begin(const Transition& network, const Memory& memory, const Teacher* teacher) {
  Objective::Begin(network, memory, teacher);
  NeedWholeFrames(memory, "video_gpt", kTogether);
}

at::Tensor VideoGpt::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& whole, Rng& rng, LossTerms*) {
  const int64_t block = options_.shortest + rng.Below(options_.longest - options_.shortest + 1);
  const int64_t frames = whole.clip.latent.size(1) / block * block;
  if (frames == 0) Fail("video_gpt: clips of at least {} frames expected, got {}", block, whole.clip.latent.size(1));
  if (whole.after) Fail("video_gpt: clips are cut to whole parts; leave --windows at 1");
  const ClipWindow window = Head(whole, frames);
  const at::Tensor& clean = window.clip.latent;
  const TwinDraws draws = DrawTwins(window.clip, *path_, block, options_.action_drop, rng);
  const auto [past, past_level] = Roughened(window.clip, *path_, options_.context_noise, rng);
  const at::Tensor u = PerFrame(draws.level), x = path_->Mix(clean, draws.noise, u);
  const Answer answer = AskTwins(network, memory, *path_, window, {past, past_level, x, draws.level, draws.condition, block});
  return AddOwn(FrameError(path_->ToClean(x, answer.out, u), clean).mean(), answer);
}

}  // namespace orrery
