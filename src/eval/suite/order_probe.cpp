// order: whether films run forward and things happen in their order (evaluation 3.3).
#include <ATen/ATen.h>

#include <algorithm>
#include <array>

#include "eval/causality/arrow.h"
#include "eval/causality/order.h"
#include "eval/causality/pendulum_laws.h"
#include "eval/persistence/object_events.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"
#include "worlds/dominoes.h"
#include "worlds/growth.h"

namespace orrery {

namespace {

constexpr int64_t kTrainingFilms = 96, kHeldOut = 48;
constexpr uint64_t kTrainingSeed = 500'000'000, kHeldOutSeed = 700'000'000;  // beyond those of the scenarios
constexpr double kQualified = 0.9;  // share of held-out true films on which a judge must be right, or the world has no arrow to see
constexpr int64_t kEdge = 3;        // frames at both ends whose rates lean on one side
constexpr int64_t kStride = 8;      // frames between energies that are compared: near a turning point a single step loses none
const char* const kChrono = "arXiv 2406.18522";

using Values = std::vector<std::optional<double>>;  // one a scenario

struct Judge {
  std::shared_ptr<const ArrowJudge> judge;
  int64_t qualified = 0;  // held-out true films on which it is right
  int64_t right = 0;      // true films of the plan
};

std::vector<Scenario> Other(ProbePlan plan, int64_t count, uint64_t seed) {
  plan.scenarios = count;
  plan.seed = seed;
  return MakeScenarios(plan);
}

int64_t Right(const ArrowJudge& judge, const std::vector<Scenario>& scenarios) {
  return std::count_if(scenarios.begin(), scenarios.end(), [&](const Scenario& s) { return judge.Score(Future(MakeTruth(s), s)) > 0; });
}

// About as a blur of 1.5 px.
at::Tensor Softened(const at::Tensor& film) {
  const at::Tensor planes = film.permute({0, 3, 1, 2}).to(at::kFloat);
  return at::avg_pool2d(planes, 5, 1, 2, false, false).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

// A third of the films as they are, a third with noise, a third blurred: what is imagined is never as clean as the truth.
Judge Train(const ProbePlan& plan) {
  const auto noise = MakeSubjects("dummy:noise");
  std::vector<at::Tensor> films;
  for (const Scenario& s : Other(plan, kTrainingFilms, kTrainingSeed)) {
    const size_t turn = films.size() % 3;
    if (turn == 0)
      films.push_back(Imagine(*noise.front(), s, 0).frames);
    else
      films.push_back(turn == 1 ? Softened(Future(MakeTruth(s), s)) : Future(MakeTruth(s), s));
  }
  Judge made{std::make_shared<const ArrowJudge>(films)};
  made.qualified = Right(*made.judge, Other(plan, kHeldOut, kHeldOutSeed));
  made.right = Right(*made.judge, MakeScenarios(plan));
  return made;
}

Estimate Forward(int64_t forward, int64_t films) {
  Estimate e;
  e.count = films;
  e.value = static_cast<double>(forward) / static_cast<double>(films);
  e.interval = Wilson(forward, films);
  e.method = "wilson";
  return e;
}

Metric ArrowMetric(const ProbePlan& plan, const Judge& judge, int64_t forward) {
  const char* id = "causality.order.arrow";
  const double held_out = static_cast<double>(judge.qualified) / kHeldOut;
  if (held_out < kQualified)
    return Missing(
        plan, {id},
        fmt::format("{}the judge is right on {} of {} held-out true films, at least {:.0f} % are asked: forward and backward look "
                    "alike here",
                    kOfNoSubject, judge.qualified, kHeldOut, 100 * kQualified))[0];
  const double real = static_cast<double>(judge.right) / static_cast<double>(plan.scenarios);
  Metric m = MetricOf(plan, id, Forward(forward, plan.scenarios), "higher", {{"real", real}, {"reverse", 1 - real}}, "of films", "own",
                      "Films that a linear judge of pictures takes to run forward; one that stands still does not.");
  m.notes.push_back(
      fmt::format("The judge was trained on {} true films of other seeds, a third of them with noise and a third blurred; it is "
                  "right on {} of {} more, and on {} of {} of the true films here.",
                  kTrainingFilms, judge.qualified, kHeldOut, judge.right, plan.scenarios));
  return m;
}

// Of growth: how far it is, at frames context .. T. Where that is not seen, it is taken to be where it was at the context's end.
std::vector<double> ProgressIn(const ObjectFilm& film, const WorldObject& start) {
  std::vector<double> progress;
  for (const auto& frame : film) progress.push_back(frame.empty() ? start.more[0] : frame[0].more[0]);
  return progress;
}

// Of a damped pendulum: share of stretches over which it does not gain energy; 0 of a film that is of no use.
double LosesEnergy(const Scenario& s, const PendulumView& view, const ObjectFilm& truth, const ObjectFilm& made) {
  const int64_t bob = truth.front().front().id;
  const std::optional<Track> track = TrackOf(made, bob);
  if (Discarded(std::array{track}, std::array{*TrackOf(truth, bob)})) return 0;
  const std::vector<double> all = SwingEnergy(ReadSwing(*track, view), view.fps);
  std::vector<double> energy;
  for (int64_t t = kEdge; t < std::ssize(all) - kEdge; t += kStride) energy.push_back(all[static_cast<size_t>(t)]);
  if (energy.size() < 2) Fail("order: at least {} frames expected of {}, got {}", 2 * kEdge + kStride + 1, s.world, all.size());
  return *EntropySign(energy, std::vector<bool>(energy.size() - 1)).value;
}

// When dominoes fall, from frame context on.
std::vector<std::vector<WorldEvent>> Falls(const ObjectFilm& whole, const Dominoes& chain, int64_t context) {
  EventEyes eyes;
  eyes.lean = 0.35 * chain.Bodies().front().half_height * chain.Scale();  // an angle of 20 degrees, as the world's own topple
  std::vector<std::vector<WorldEvent>> falls(whole.size() - static_cast<size_t>(context));
  for (const SeenEvent& e : SeeEvents(whole, eyes))
    if (e.frame >= context) falls[static_cast<size_t>(e.frame - context)].push_back({e.kind, e.subject, e.object});
  return falls;
}

// A scenario, and what is true of it.
struct Known {
  Scenario scenario;
  std::shared_ptr<const World> end;  // of the context
  ObjectFilm things;                 // of all frames
  at::Tensor future;
};

const std::vector<Known>& AllKnown(const ProbePlan& plan) {
  return OncePerPlan<std::vector<Known>>(plan, "order known", [&] {
    std::vector<Known> all;
    for (const Scenario& s : MakeScenarios(plan)) {
      const Truth truth = MakeTruth(s);
      all.push_back({s, ContextEnd(s), truth.film.objects, Future(truth, s)});
    }
    return all;
  });
}

struct Table {
  Values progress, monotonicity, tau, entropy, events;
};

void Look(const Known& known, const ObjectFilm& made, Table& table) {
  const int64_t context = known.scenario.context;
  const ObjectFilm truth(known.things.begin() + context, known.things.end());
  if (dynamic_cast<const Growth*>(known.end.get())) {
    const WorldObject start = known.end->Objects()[0];
    const ProgressScores scores = ScoreProgress(ProgressIn(truth, start), ProgressIn(made, start));
    table.progress.push_back(scores.progress.value);
    table.monotonicity.push_back(scores.monotonicity.value);
    table.tau.push_back(scores.order.value);
  } else if (const auto* chain = dynamic_cast<const Dominoes*>(known.end.get())) {
    ObjectFilm shown(known.things.begin(), known.things.begin() + context);  // what leads up to the first fall
    shown.insert(shown.end(), made.begin(), made.end());
    table.events.push_back(CompareEvents(Falls(known.things, *chain, context), Falls(shown, *chain, context)).Accuracy());
  } else if (const auto view = ViewPendulum(*known.end); view && view->damping > 0) {
    table.entropy.push_back(LosesEnergy(known.scenario, *view, truth, made));
  }
}

}  // namespace

ProbeResult ProbeOrder(const Subject& subject, const ProbePlan& plan) {
  const auto& judge = OncePerPlan<Judge>(plan, "order", [&] { return Train(plan); });
  int64_t forward = 0;
  Table table;
  std::vector<SeenObjects> films;
  std::string reading;
  for (const Known& known : AllKnown(plan)) {
    const Scenario& s = known.scenario;
    const Film made = Imagine(subject, s, 0);
    forward += judge.judge->Score(made.frames) > 0;
    const SeenObjects seen = ObjectsIn(made, s);
    if (!seen.cause.empty()) continue;
    Look(known, seen.objects, table);
    films.push_back(seen);
    if (std::ssize(films) == plan.scenarios) reading = ReadingNote(films, s, known.future);
  }
  ProbeResult result{{ArrowMetric(plan, judge, forward)}, {}};
  const auto add = [&](const char* name, const Values& values, std::map<std::string, double> anchors, const char* source,
                       const char* note) {
    if (values.empty()) return;
    result.metrics.push_back(MetricOf(plan, fmt::format("causality.order.{}", name), MeanEstimate(values, "nothing moves"), "higher",
                                      std::move(anchors), "1", source, note));
    if (!reading.empty()) result.metrics.back().notes.push_back(reading);
  };
  add("progress", table.progress, {{"perfect", 1}, {"reverse", -1}}, kChrono, "Net progress over that of the truth.");
  add("monotonicity", table.monotonicity, {{"perfect", 1}, {"reverse", 0}}, kChrono, "One less the share of steps, by size, that go back.");
  add("tau", table.tau, {{"perfect", 1}, {"reverse", -1}}, kChrono, "Kendall's tau of progress and time.");
  add("entropy", table.entropy, {{"perfect", 1}, {"reverse", 0}}, "own", "Share of stretches of 8 frames over which no energy is gained.");
  add("events", table.events, {{"perfect", 1}, {"frozen", 0}}, "own",
      "Share of pairs of falling dominoes that fall in the true order; half for two in one frame.");
  return result;
}

}  // namespace orrery
