// following: whether the actions that were given can be read off the film (evaluation 3.6).
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "core/tensor_rng.h"
#include "eval/causality/action_reading.h"
#include "eval/causality/context_reading.h"
#include "eval/causality/maze_pose.h"
#include "eval/inverse_model.h"
#include "eval/memory/one_thread.h"
#include "eval/recordings/windows.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kTrainingFilms = 48, kTrainingFrames = 48, kEpochs = 8;
constexpr int64_t kContextFilms = 192, kContextStarts = 16;  // of the reader that sees no film
constexpr uint64_t kTrainingSeed = 500'000'000;              // beyond those of the scenarios
constexpr int64_t kShrink = 2;                               // the inverse model sees frames of half the size
const char* const kSource = "arXiv 2601.17067; evaluation 3.6";

// [N, H, W, 3] -> [N, H / 2, W / 2, 3], uint8.
at::Tensor Shrunk(const at::Tensor& frames) {
  const at::Tensor planes = frames.permute({0, 3, 1, 2}).to(at::kFloat);
  return at::avg_pool2d(planes, {kShrink, kShrink}).permute({0, 2, 3, 1}).round().to(at::kByte).contiguous();
}

// A third of the films as they are, a third with noise, a third blurred: what is imagined is never as clean as the truth.
at::Tensor Spoiled(const at::Tensor& frames, uint64_t index) {
  if (index % 3 == 0) return frames;
  const at::Tensor x = frames.to(at::kFloat);
  if (index % 3 == 1) {
    Rng rng(index, "spoil");
    return (x + 255 * 0.05 * NormalTensor(x.sizes(), rng)).clamp(0, 255).round().to(at::kByte);
  }
  const at::Tensor planes = x.permute({0, 3, 1, 2});
  return at::avg_pool2d(planes, {3, 3}, {1, 1}, {1, 1}, false, false).permute({0, 2, 3, 1}).round().to(at::kByte);
}

struct Reader {
  std::shared_ptr<InverseModel> model;
  int64_t pairs = 0;                         // that it learnt from
  ActionRows labels, on_real, from_context;  // of the plan's scenarios
};

// What was done between the imagined frames context .. T.
std::vector<int64_t> Labels(const Scenario& s) {
  std::vector<int64_t> labels;
  for (auto t = static_cast<size_t>(s.context); t < s.actions.size(); ++t) labels.push_back(std::lround(s.actions[t][0]));
  return labels;
}

// film: frames context .. T.
std::vector<int64_t> ReadActions(InverseModel& model, const at::Tensor& film) {
  const at::Tensor small = Shrunk(film);
  const int64_t pairs = small.size(0) - 1;
  const at::Tensor read = model.Predict(small.narrow(0, 0, pairs), small.narrow(0, 1, pairs)).to(at::kLong).contiguous();
  return {read.const_data_ptr<int64_t>(), read.const_data_ptr<int64_t>() + pairs};
}

struct TrainingFilm {
  at::Tensor frames;   // [T + 1, H, W, 3]
  at::Tensor actions;  // [T] int64
};

at::Tensor Actions(const Scenario& s) {
  at::Tensor done = at::empty({s.Last()}, at::kLong);
  for (int64_t t = 0; t < s.Last(); ++t) done[t] = std::lround(s.actions[static_cast<size_t>(t)][0]);
  return done;
}

// Where readers learn: the same world, or the episodes of a recording that are not judged. Empty: there are none.
std::string TrainingWorld(const std::string& world) {
  if (!IsRecording(world)) return world;
  auto options = Bind(ParseSpec(world).front(), RecordingWorld::Describe()).get<RecordingOptions>();
  if (options.split != "validation") return "";
  options.split = "train";
  return FormatSpec("recording", Json(options));
}

int64_t TrainingFrames(const ProbePlan& plan) { return std::max(kTrainingFrames, plan.context + plan.frames + kContextStarts); }

std::string NothingToLearnFrom(const ProbePlan& plan) {
  if (!IsRecording(plan.world)) return "";
  const std::string world = TrainingWorld(plan.world);
  if (world.empty()) return "no episodes are left to train a reader on: judge those that training held out, --split validation";
  if (LongestWindow(*MakeRecording(world), kLeastEpisodes) > TrainingFrames(plan)) return "";
  return fmt::format("a reader learns from {} or more episodes of {} frames, which were not recorded", kLeastEpisodes,
                     TrainingFrames(plan) + 1);
}

std::vector<TrainingFilm> TrainingFilms(const ProbePlan& plan) {
  ProbePlan training = plan;
  training.world = TrainingWorld(plan.world);
  training.scenarios = kContextFilms;
  training.context = 1;
  training.frames = TrainingFrames(plan);
  training.trajectory.clear();
  training.seed = kTrainingSeed;
  std::vector<TrainingFilm> films;
  for (const Scenario& s : MakeScenarios(training)) films.push_back({MakeTruth(s).film.frames, Actions(s)});
  return films;
}

std::shared_ptr<InverseModel> TrainInverse(const std::vector<TrainingFilm>& films, size_t count, const WorldFacts& facts) {
  std::vector<at::Tensor> before, after, actions;
  for (size_t i = 0; i < count; ++i) {
    const at::Tensor film = Spoiled(Shrunk(films[i].frames.narrow(0, 0, kTrainingFrames + 1)), i);
    before.push_back(film.narrow(0, 0, kTrainingFrames));
    after.push_back(film.narrow(0, 1, kTrainingFrames));
    actions.push_back(films[i].actions.narrow(0, 0, kTrainingFrames).to(at::kFloat).unsqueeze(1));
  }
  const uint64_t seed = DeriveSeed(kTrainingSeed, "following");
  auto model = std::make_shared<InverseModel>(facts.actions, facts.height / kShrink, facts.width / kShrink, seed);
  model->Fit(at::cat(before), at::cat(after), at::cat(actions), kEpochs, seed);
  return model;
}

// Every film gives kContextStarts contexts: frame number `last` ends one, after context - 1 actions; the next action leads to the first
// imagined frame and is not asked for.
ContextReader TrainContext(const std::vector<TrainingFilm>& films, const ProbePlan& plan, int64_t count) {
  std::vector<at::Tensor> pictures, before, after;
  for (const TrainingFilm& film : films)
    for (int64_t last = plan.context - 1; last < plan.context - 1 + kContextStarts; ++last) {
      pictures.push_back(film.frames[last]);
      before.push_back(film.actions.narrow(0, last - (plan.context - 1), plan.context - 1));
      after.push_back(film.actions.narrow(0, last + 1, plan.frames - 1));
    }
  return {at::stack(pictures), at::stack(before), at::stack(after), count};
}

std::vector<int64_t> ReadContext(const ContextReader& reader, const Scenario& s, const Truth& truth) {
  const at::Tensor before = Actions(s).narrow(0, 0, s.context - 1).unsqueeze(0);
  const at::Tensor read = reader.Read(truth.film.frames.narrow(0, s.context - 1, 1), before).contiguous();
  return {read.const_data_ptr<int64_t>(), read.const_data_ptr<int64_t>() + read.numel()};
}

Reader Train(const ProbePlan& plan, const WorldFacts& facts) {
  const OneThread alone;
  const std::vector<TrainingFilm> films = TrainingFilms(plan);
  Reader reader;
  // A built-in world is learnt from fewer; recorded ones are harder to read.
  const size_t count = IsRecording(plan.world) ? films.size() : kTrainingFilms;
  reader.pairs = static_cast<int64_t>(count) * kTrainingFrames;
  reader.model = TrainInverse(films, count, facts);
  const ContextReader context = TrainContext(films, plan, facts.actions.count);
  for (const Scenario& s : MakeScenarios(plan)) {
    const Truth truth = MakeTruth(s);
    reader.labels.push_back(Labels(s));
    reader.on_real.push_back(ReadActions(*reader.model, Future(truth, s)));
    reader.from_context.push_back(ReadContext(context, s, truth));
  }
  return reader;
}

void AddActions(Metric& m, const ActionScores& scores, const ActionSpace& space) {
  for (const ActionRates& a : scores.actions) {
    const auto index = static_cast<size_t>(a.action);
    const std::string name = index < space.names.size() ? space.names[index] : std::to_string(a.action);
    if (a.Precision()) m.by[name + ": precision"] = {a.Precision(), Wilson(a.right, a.read), a.read};
    if (a.Recall()) m.by[name + ": recall"] = {a.Recall(), Wilson(a.right, a.labels), a.labels};
  }
}

// Mean errors of the steps of one film, of which every picture is sought.
StepError PoseErrors(const Scenario& s, const Maze& start, const Film& made, double& match) {
  std::vector<Pose> truth = MakeTruth(s).film.poses, read = {*start.TruePose()};
  truth.erase(truth.begin(), truth.begin() + s.context - 1);
  const PoseFilm film = ReadMazePoses(start, Span(made.frames));
  read.insert(read.end(), film.poses.begin(), film.poses.end());
  match += Mean(film.psnr);
  StepError sum;
  for (size_t t = 1; t < truth.size(); ++t) {
    const StepError e = CompareSteps(truth[t - 1], truth[t], read[t - 1], read[t]);
    sum.cells += e.cells;
    sum.degrees += e.degrees;
  }
  const auto steps = static_cast<double>(truth.size() - 1);
  return {sum.cells / steps, sum.degrees / steps};
}

std::vector<Metric> PoseMetrics(const ProbePlan& plan, const std::vector<std::optional<double>>& cells,
                                const std::vector<std::optional<double>>& degrees, const std::string& cause) {
  const char *id_cells = "causality.following.pose-cells", *id_degrees = "causality.following.pose-degrees";
  if (!cause.empty()) return Missing(plan, {id_cells, id_degrees}, cause);
  return {MetricOf(plan, id_cells, MeanEstimate(cells, "no film"), "lower", {{"perfect", 0}}, "cells", "arXiv 2602.08025",
                   "Relative pose error a frame: where the camera went, against where the same actions take it in truth."),
          MetricOf(plan, id_degrees, MeanEstimate(degrees, "no film"), "lower", {{"perfect", 0}}, "degrees", "arXiv 2602.08025",
                   "The same of its turns.")};
}

// ids: of AF, accuracy, F1 and `obeyed`; the inverse model learnt from `pairs`.
std::vector<Metric> ReadingMetrics(const ProbePlan& plan, const std::vector<std::string>& ids, const ActionScores& scores,
                                   const ActionSpace& actions, int64_t pairs) {
  std::vector<Metric> metrics = {
      MetricOf(plan, ids[0], scores.following, "higher", {{"perfect", 1}, {"ignore", 0}}, "1", kSource,
               "Accuracy of an inverse model on the subject's frames, between chance (0) and what it has on real ones (1)."),
      MetricOf(plan, ids[1], scores.made, "higher", {{"real", scores.real}, {"chance", scores.floor}}, "1", kSource,
               "The accuracy itself, balanced over the actions that occur."),
      MetricOf(plan, ids[2], scores.f1, "higher", {{"perfect", 1}}, "1", "arXiv 2504.08388",
               "Mean F1 over the actions that occur; by action: precision and recall."),
      MetricOf(plan, ids[3], scores.obeyed, "higher", {{"perfect", 1}, {"blind", 0}}, "1", "own",
               "Accuracy between what is read without obeying (0) and real films (1).")};
  for (const auto& [part, e] : {std::pair{"habit", &scores.above_habit}, std::pair{"context", &scores.above_context}})
    if (e->value) metrics[3].by[part] = {e->value, e->interval, e->count};
  metrics[3].notes.push_back(
      fmt::format("Read without obeying: by chance {:.3f}, the right actions at the wrong time {:.3f}, from the context alone {:.3f}.",
                  scores.floor, scores.habit, scores.context));
  metrics[0].notes.push_back(fmt::format("The inverse model was trained on {} pairs of true frames of other seeds or episodes.", pairs));
  AddActions(metrics[2], scores, actions);
  return metrics;
}

}  // namespace

ProbeResult ProbeFollowing(const Subject& subject, const ProbePlan& plan) {
  const auto scenarios = MakeScenarios(plan);
  const auto first = ContextEnd(scenarios.front());
  const WorldFacts& facts = first->Facts();
  const std::vector<std::string> ids = {"causality.following.af", "causality.following.accuracy", "causality.following.f1",
                                        "causality.following.obeyed"};
  if (!facts.actions.Discrete() || facts.actions.count < 2 || facts.height % kShrink || facts.width % kShrink)
    return {Missing(plan, ids, "actions are read where there are at least two to choose from, off frames of even sides"), {}};
  if (const std::string cause = NothingToLearnFrom(plan); !cause.empty()) return {Missing(plan, ids, cause), {}};
  const auto& reader = OncePerPlan<Reader>(plan, "following", [&] { return Train(plan, facts); });
  const auto* maze = dynamic_cast<const Maze*>(first.get());
  const std::string unposed = maze && !maze->State().dark ? "" : "only in mazes of lattice steps a picture tells the pose";
  ActionRows on_made;
  std::vector<std::optional<double>> cells, degrees;
  double match = 0;
  for (const Scenario& s : scenarios) {
    const Film made = Imagine(subject, s, 0);
    {
      const OneThread alone;
      on_made.push_back(ReadActions(*reader.model, made.frames));
    }
    if (!unposed.empty() || 2 * cells.size() >= scenarios.size()) continue;  // half of them: a frame is sought among some twenty poses
    const auto start = ContextEnd(s);
    const StepError e = PoseErrors(s, dynamic_cast<const Maze&>(*start), made, match);
    cells.push_back(e.cells);
    degrees.push_back(e.degrees);
  }
  const ActionScores scores = ScoreActionReading(reader.labels, reader.on_real, on_made, reader.from_context);
  ProbeResult result{ReadingMetrics(plan, ids, scores, facts.actions, reader.pairs), {}};
  for (Metric& m : PoseMetrics(plan, cells, degrees, unposed)) {
    if (!cells.empty())
      m.notes.push_back(
          fmt::format("Poses are those whose true picture is nearest: {:.1f} dB on average.", match / static_cast<double>(cells.size())));
    result.metrics.push_back(std::move(m));
  }
  return result;
}

}  // namespace orrery
