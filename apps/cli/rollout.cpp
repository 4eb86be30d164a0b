#include "cli/verbs.h"

#include <iostream>

#include "core/file.h"
#include "core/progress.h"
#include "core/signals.h"
#include "data/loader.h"
#include "data/video.h"
#include "eval/action_score.h"
#include "eval/drift.h"
#include "eval/one_step.h"
#include "eval/pixels.h"
#include "eval/statistics.h"
#include "model/starts.h"

namespace orrery::cli {
namespace {

struct RolloutArguments {
  std::string model, data, out, strip, score, rollout;
  int64_t episode = -1, first = 0, context = 8, frames = 128, steps = 0, scale = 4, every = 8;
  double guidance = 0, validation_share = 0.1;
  uint64_t seed = 0;
};

RolloutOptions RolloutFor(const RolloutArguments& a, const WorldModel& model) {
  RolloutOptions r = model.Config().rollout;
  if (a.steps) r.steps = a.steps;
  if (a.guidance) r.guidance = a.guidance;
  if (!a.rollout.empty()) r.spec = a.rollout;
  return r;
}

void Score(const RolloutArguments& a, const std::shared_ptr<const WorldModel>& model, const Dataset& set) {
  const auto held_out = SplitEpisodes(set.Episodes(), LoaderOptions::Split::kValidation, a.validation_share);
  const auto train = SplitEpisodes(set.Episodes(), LoaderOptions::Split::kTrain, a.validation_share);
  const RolloutOptions rollout = RolloutFor(a, *model);
  const auto& episodes = held_out.empty() ? train : held_out;
  Json out{{"model", a.model}, {"data", a.data}, {"score", a.score}, {"seed", a.seed}, {"rollout", rollout}};
  if (a.score == "one-step")
    out["result"] = ScoreOneStep(model, set, episodes, {.windows = 256, .context = a.context, .seed = a.seed, .rollout = rollout});
  else if (a.score == "drift")
    out["result"] = ScoreDrift(model, set, episodes, {.frames = a.frames, .context = a.context, .seed = a.seed, .rollout = rollout});
  else if (a.score == "actions")
    out["result"] = ScoreActions(model, set, train, episodes, {.context = a.context, .seed = a.seed, .rollout = rollout});
  else
    FailUnknown("score", a.score, std::vector<std::string>{"one-step", "drift", "actions"});
  std::cout << out.dump(2) << "\n";
}

constexpr int64_t kGap = 2;  // white pixels between truth and dream

// Truth and dream side by side, [H, 2 W + kGap, 3].
at::Tensor Beside(const at::Tensor& dream, const at::Tensor& truth) {
  return at::cat({truth, at::full({dream.size(0), kGap, 3}, 255, at::kByte), dream}, 1).contiguous();
}

void Film(const RolloutArguments& a, const std::shared_ptr<const WorldModel>& model, const Dataset& set) {
  if (a.out.empty() && a.strip.empty()) Fail("rollout: give --out FILM.mp4, --strip FILM.png or --score NAME");
  const auto held_out = SplitEpisodes(set.Episodes(), LoaderOptions::Split::kValidation, a.validation_share);
  const int64_t e = a.episode >= 0 ? a.episode : held_out.empty() ? 0 : held_out.front();
  if (e >= set.Episodes()) Fail("rollout: --episode must lie in 0..{}, got {}", set.Episodes() - 1, e);
  const int64_t length = set.Frames(e);
  if (a.context < 1 || a.first < 0 || a.first + a.context >= length)
    Fail("rollout: episode {} has {} frames; --first {} and --context {} leave none to imagine", e, length, a.first, a.context);
  const Episode truth = set.Read(e, a.first, length - a.first);
  const auto head = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, 0, a.context).unsqueeze(0) : t; };
  // After the recording's end its actions go round; the truth then ends.
  const auto row = [&](const at::Tensor& t, int64_t i) { return t.defined() ? t[1 + (i - 1) % (t.size(0) - 1)].unsqueeze(0) : t; };

  // Frames in flight are told the recorded actions and poses that they are under, as far as they go.
  const auto ahead = [&](const at::Tensor& t, int64_t i, int64_t n) {
    std::vector<at::Tensor> rows;
    for (int64_t k = i; k < i + n; ++k) rows.push_back(row(t, k));
    return rows.empty() || !t.defined() ? at::Tensor() : at::stack(rows, 1);
  };

  Session session(model, RolloutFor(a, *model));
  session.Reset(head(truth.frames), head(truth.actions), head(truth.pose), {a.seed});
  const DatasetFacts& facts = set.Facts();
  std::unique_ptr<VideoWriter> writer;
  if (!a.out.empty())
    writer =
        std::make_unique<VideoWriter>(a.out, facts.height, 2 * facts.width + kGap, VideoWriteOptions{.fps = facts.fps, .scale = a.scale});
  std::vector<at::Tensor> dreams, truths;
  std::vector<double> psnr;
  Progress progress("rolling out", a.frames, "frames");
  for (int64_t t = 0; t < a.frames; ++t) {
    ThrowIfStopRequested();
    const int64_t i = a.context + t;
    const int64_t n = session.Plan().ReactionLatency();
    session.Step(row(truth.actions, i), row(truth.pose, i), {ahead(truth.actions, i + 1, n), {}, ahead(truth.pose, i + 1, n), {}});
    const at::Tensor dream = session.Frame()[0];
    const at::Tensor real = i < truth.Frames() ? truth.frames[i] : at::zeros_like(dream);
    if (i < truth.Frames()) psnr.push_back(Psnr(ImageMse(dream, real).item<double>()));
    if (writer) writer->Add(Beside(dream, real));
    if (!a.strip.empty() && t % a.every == 0) {
      dreams.push_back(dream);
      truths.push_back(real);
    }
    progress.Update(t + 1);
  }
  if (writer) writer->Finish();
  progress.Finish();
  if (!a.strip.empty()) WritePng(a.strip, FilmStrip({at::stack(truths), at::stack(dreams)}, std::min<int64_t>(a.scale, 2), kGap));
  std::cout << Json{{"episode", e},
                    {"first", a.first},
                    {"context", a.context},
                    {"frames", a.frames},
                    {"rollout", session.Plan().spec},
                    {"frame_forwards", session.Count().denoise + session.Count().commit},
                    {"psnr_first", psnr.empty() ? 0.0 : psnr.front()},
                    {"psnr_mean", Mean(psnr)},
                    {"film", a.out},
                    {"strip", a.strip}}
                   .dump()
            << "\n";
}

}  // namespace

void AddRollout(CLI::App& app) {
  auto a = std::make_shared<RolloutArguments>();
  CLI::App* verb = app.add_subcommand("rollout", "Imagine frames after a real beginning: a film beside the truth, a strip, or a score");
  verb->add_option("--model", a->model, "Model or run folder")->required();
  verb->add_option("--data", a->data, "Data set with the beginning, the actions and the truth")->required();
  verb->add_option("--out", a->out, "Film: .mp4, .webm or .gif; left the truth, right the dream");
  verb->add_option("--strip", a->strip, "Film strip: .png; above the truth, below the dream");
  verb->add_option("--score", a->score, "Print a score as JSON instead: one-step, actions or drift");
  verb->add_option("--frames", a->frames, "Frames to imagine (also of --score drift)")->capture_default_str();
  verb->add_option("--episode", a->episode, "Episode (default: the first held-out one)");
  verb->add_option("--first", a->first, "First context frame in the episode")->capture_default_str();
  verb->add_option("--context", a->context, "Real frames given")->capture_default_str();
  verb->add_option("--steps", a->steps, "Denoising steps a frame (default: the model's own)");
  verb->add_option("--guidance", a->guidance, "Guidance on actions (default: the model's own; 1: none)");
  verb->add_option("--rollout", a->rollout,
                   "In which order frames are denoised, \"pyramid(u=1)\" (see 'orrery dynamics'; default: the model's own)");
  verb->add_option("--seed", a->seed, "Seed of the imagined frames")->capture_default_str();
  verb->add_option("--scale", a->scale, "Enlarge pixels in films")->capture_default_str();
  verb->add_option("--every", a->every, "Take every n-th frame into the strip")->capture_default_str();
  verb->add_option("--validation-share", a->validation_share, "Share of held-out episodes, as in training")->capture_default_str();
  Example(*verb, "orrery rollout --model runs/doom --data data/doom --frames 256 --out film.mp4");
  verb->callback([a] {
    const std::shared_ptr<const WorldModel> model = WorldModel::Load(a->model);
    const Dataset set(a->data);
    if (set.Facts().actions.Width() != model->Actions().Width() || set.Facts().actions.count != model->Actions().count)
      Fail("rollout: {} has other actions than {} was trained with", a->data, a->model);
    if (a->score.empty())
      Film(*a, model, set);
    else
      Score(*a, model, set);
  });
}

}  // namespace orrery::cli
