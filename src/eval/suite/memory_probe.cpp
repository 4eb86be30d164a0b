// memory-probe: what can be read off what a subject remembers? (evaluation 2.6; after Memory Maze, arXiv 2210.13383)
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/rng.h"
#include "eval/dummies/sight.h"
#include "eval/memory/linear_probe.h"
#include "eval/memory/mlp_probe.h"
#include "eval/memory/vector.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kEvery = 4, kFirst = 24;  // frames after the context at which the memory is read: kFirst, kFirst + kEvery ..
constexpr int64_t kTrainShare = 4;          // training episodes a test episode
constexpr uint64_t kTrainSeeds = 50'000'000;
constexpr int64_t kThumb = 16;  // pixels a side of the single frame, as a control sees it
constexpr std::array<std::pair<int64_t, int64_t>, 5> kSince = {{{0, 0}, {1, 5}, {6, 10}, {11, 50}, {51, 1000}}};

// What is so at one moment of one episode. `since`: frames since it was last in view; 0: in view; -1: never seen.
struct Moment {
  std::vector<double> walls, around, position, objects;  // 0 and 1; cells; [n, 2] cells ahead and to the left
  std::vector<int64_t> walls_since, around_since, objects_since;
  std::vector<double> thumb;  // the frame, small
};
using Episode = std::vector<Moment>;

class Sightings {
 public:
  void See(const std::vector<uint8_t>& sight, int64_t frame) {
    last_.resize(sight.size(), -1);
    for (size_t i = 0; i < sight.size(); ++i)
      if (sight[i]) last_[i] = frame;
  }
  int64_t Since(int64_t index, int64_t frame) const {
    const int64_t last = index < 0 ? -1 : last_[static_cast<size_t>(index)];
    return last < 0 ? -1 : frame - last;
  }
  size_t Count() const { return last_.size(); }

 private:
  std::vector<int64_t> last_;
};

// Means over squares of the picture, [kThumb * kThumb * 3].
std::vector<double> Thumb(const World& world) {
  const int64_t height = world.Facts().height, width = world.Facts().width;
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * height * width));
  world.Render(rgb);
  std::vector<double> thumb(static_cast<size_t>(3 * kThumb * kThumb), 0);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < 3; ++c)
        thumb[static_cast<size_t>(3 * (y * kThumb / height * kThumb + x * kThumb / width) + c)] +=
            rgb[static_cast<size_t>(3 * (y * width + x) + c)];
  return thumb;
}

Moment Look(const Maze& maze, const Sightings& places, const Sightings& things, int64_t frame) {
  Moment m;
  const std::vector<StateVariable> state = maze.TrueState();
  const MazeMap& map = maze.State().map;
  for (int32_t y = 1; y < map.size - 1; ++y)  // the outer ring is always wall
    for (int32_t x = 1; x < map.size - 1; ++x) {
      m.walls.push_back(map.Wall(x, y));
      m.walls_since.push_back(places.Since(static_cast<int64_t>(map.Index(x, y)), frame));
    }
  const Surroundings around = SurroundingsOf(state);
  m.around.assign(around.walls.begin(), around.walls.end());
  for (const int64_t cell : around.cells) m.around_since.push_back(places.Since(cell, frame));
  m.objects = around.objects;
  for (size_t i = 0; i < things.Count(); ++i) m.objects_since.push_back(things.Since(static_cast<int64_t>(i), frame));
  const Pose pose = *maze.TruePose();
  m.position = {pose.x, pose.y};
  m.thumb = Thumb(maze);
  return m;
}

bool Asked(const Scenario& s, int64_t frame) {
  const int64_t after = frame - (s.context - 1);
  return after >= kFirst && (after - kFirst) % kEvery == 0;
}

Episode TrueEpisode(const Scenario& s) {
  const auto world = StartWorld(s);
  const auto* maze = dynamic_cast<const Maze*>(world.get());
  if (!maze) Fail("memory-probe: knows the world maze, got {}", s.world);
  Episode episode;
  Sightings places, things;
  for (int64_t t = 0;; ++t) {
    const Sight sight = MazeSight(*maze);
    places.See(sight.places, t);
    things.See(sight.things, t);
    if (Asked(s, t)) episode.push_back(Look(*maze, places, things, t));
    if (t == s.Last()) return episode;
    world->Step(s.actions[static_cast<size_t>(t)]);
  }
}

// Training episodes first, then test episodes, in one table: a row a moment.
struct Table {
  int64_t train = 0, rows = 0, episodes = 0;  // rows of training; all; of test
  at::Tensor walls, around, position, objects, thumb;
  at::Tensor walls_since, around_since, objects_since;  // int64
  at::Tensor episode;                                   // [rows] number of the test episode, -1: training
};

at::Tensor Rows(const std::vector<Episode>& episodes, std::vector<double> Moment::*field) {
  std::vector<at::Tensor> rows;
  for (const Episode& e : episodes)
    for (const Moment& m : e) rows.push_back(at::tensor(m.*field, at::kDouble));
  return at::stack(rows);
}
at::Tensor Rows(const std::vector<Episode>& episodes, std::vector<int64_t> Moment::*field) {
  std::vector<at::Tensor> rows;
  for (const Episode& e : episodes)
    for (const Moment& m : e) rows.push_back(at::tensor(m.*field, at::kLong));
  return at::stack(rows);
}

std::vector<Scenario> AllScenarios(const ProbePlan& plan) {
  if (plan.frames < kFirst) Fail("memory-probe: at least {} frames expected, got {}", kFirst, plan.frames);
  ProbePlan train = plan;
  train.scenarios = kTrainShare * plan.scenarios;
  train.seed = plan.seed + kTrainSeeds;
  std::vector<Scenario> all = MakeScenarios(train);
  const std::vector<Scenario> test = MakeScenarios(plan);
  all.insert(all.end(), test.begin(), test.end());
  return all;
}

const Table& Labels(const ProbePlan& plan) {
  return OncePerPlan<Table>(plan, "memory labels", [&] {
    std::vector<Episode> episodes;
    for (const Scenario& s : AllScenarios(plan)) episodes.push_back(TrueEpisode(s));
    Table t;
    const auto moments = static_cast<int64_t>(episodes[0].size());
    t.episodes = plan.scenarios;
    t.train = kTrainShare * plan.scenarios * moments;
    t.rows = t.train + plan.scenarios * moments;
    t.walls = Rows(episodes, &Moment::walls);
    t.around = Rows(episodes, &Moment::around);
    t.position = Rows(episodes, &Moment::position);
    t.objects = Rows(episodes, &Moment::objects);
    t.thumb = Rows(episodes, &Moment::thumb);
    t.walls_since = Rows(episodes, &Moment::walls_since);
    t.around_since = Rows(episodes, &Moment::around_since);
    t.objects_since = Rows(episodes, &Moment::objects_since);
    t.episode = at::floor_divide(at::arange(t.rows, at::kLong), moments) - kTrainShare * plan.scenarios;
    return t;
  });
}

// What the subject remembers at the moments asked, [rows of one episode, d]. A model is shown the true frames all along.
at::Tensor Remember(const Subject& subject, const Scenario& s) {
  const auto begun = subject.Begin(s, 0);
  const auto truth = ContextEnd(s);
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * truth->Facts().height * truth->Facts().width));
  std::vector<at::Tensor> rows;
  for (int64_t t = s.context - 1;; ++t) {
    if (Asked(s, t)) {
      const auto memory = subject.Memory(*begun);
      if (!memory) Fail("memory-probe: {} tells nothing of what it remembers", subject.Name());
      rows.push_back(*memory);
    }
    if (t == s.Last()) return at::stack(rows);
    const auto& action = s.actions[static_cast<size_t>(t)];
    truth->Step(action);
    if (subject.Kind() == SubjectKind::kModel) truth->Render(rgb);
    if (!subject.Observe(*begun, rgb, action)) begun->Step(action);
  }
}

enum class Answer { kWalls, kPlaces };

// One question: its targets, which answers count, and what the controls say.
struct Question {
  const char *id, *unit, *direction, *note;
  Answer answer;
  at::Tensor targets, known, counts, since;  // counts, since: [test rows, answers]
  bool pose = false;                         // the probe is told the true pose as well
  std::map<std::string, at::Tensor> controls;
};

at::Tensor Read(bool deep, bool walls, const at::Tensor& inputs, const at::Tensor& targets, const at::Tensor& known,
                const at::Tensor& asked) {
  if (!deep) return LinearProbe(inputs, targets, known).Predict(asked);
  MlpProbeOptions options;
  options.binary = walls;
  return MlpProbe(inputs, targets, known, options).Predict(asked);
}

// How far off each answer is, [test rows, answers]: 1 - right of walls, distance of places.
at::Tensor Errors(const Table& t, bool deep, const at::Tensor& inputs, const Question& q, const at::Tensor& order = {}) {
  const auto& [targets, known, answer] = std::tie(q.targets, q.known, q.answer);
  const auto train = [&](const at::Tensor& x) { return x.defined() ? x.narrow(0, 0, t.train) : x; };
  const auto mixed = [&](const at::Tensor& x) { return order.defined() && x.defined() ? train(x).index_select(0, order) : train(x); };
  const at::Tensor right = targets.narrow(0, t.train, t.rows - t.train);
  at::Tensor said;
  if (inputs.defined()) {
    said = Read(deep, answer == Answer::kWalls, train(inputs), mixed(targets), mixed(known), inputs.narrow(0, t.train, t.rows - t.train));
  } else {  // the same answer always
    const at::Tensor weight = known.defined() ? train(known).to(at::kDouble) : at::ones_like(train(targets));
    said = ((train(targets) * weight).sum(0) / weight.sum(0).clamp_min(1)).unsqueeze(0).expand_as(right);
  }
  if (answer == Answer::kWalls) return ((said > 0.5) != (right > 0.5)).to(at::kDouble);
  return (said - right).view({right.size(0), -1, 2}).square().sum(-1).sqrt();
}

// Mean over each test episode's answers that count; none where there are none.
std::vector<std::optional<double>> PerEpisode(const Table& t, const at::Tensor& errors, const at::Tensor& counts) {
  std::vector<std::optional<double>> means;
  const at::Tensor episode = t.episode.narrow(0, t.train, t.rows - t.train);
  for (int64_t e = 0; e < t.episodes; ++e) {
    const at::Tensor mask = counts & (episode == e).unsqueeze(1);
    const auto n = mask.sum().item<int64_t>();
    means.push_back(n ? std::optional((errors * mask).sum().item<double>() / static_cast<double>(n)) : std::nullopt);
  }
  return means;
}

at::Tensor Test(const Table& t, const at::Tensor& x) { return x.narrow(0, t.train, t.rows - t.train); }

std::vector<Question> Questions(const Table& t) {
  const at::Tensor around = Test(t, t.around_since), objects = Test(t, t.objects_since), walls = Test(t, t.walls_since);
  const at::Tensor place = at::ones({t.rows - t.train, 1}, at::kBool);
  const at::Tensor seen = (t.objects_since >= 0).repeat_interleave(2, 1);
  return {{"walls",
           "1",
           "higher",
           "Share of the maze's cells, seen so far, of which it is read whether they are wall; the pose is told too.",
           Answer::kWalls,
           t.walls,
           {},
           walls >= 0,
           walls,
           true,
           {}},
          {"around",
           "1",
           "higher",
           "The same of 5 x 5 cells around the agent, in its own axes, that were seen and are not in view now.",
           Answer::kWalls,
           t.around,
           {},
           around > 0,
           around,
           false,
           {}},
          {"position", "cells", "lower", "Distance of the agent's place as read.", Answer::kPlaces, t.position, {}, place, {}, false, {}},
          {"objects",
           "cells",
           "lower",
           "Distance of objects' places as read, in the agent's axes, of those seen so far.",
           Answer::kPlaces,
           t.objects,
           seen,
           objects >= 0,
           objects,
           false,
           {}}};
}

at::Tensor WithPose(const Table& t, const at::Tensor& inputs, bool pose) { return pose ? at::cat({inputs, t.position}, 1) : inputs; }

// Questions with the controls that hang on no subject.
const std::vector<Question>& Asked(const ProbePlan& plan, bool deep) {
  return OncePerPlan<std::vector<Question>>(plan, deep ? "memory questions, deep" : "memory questions", [&] {
    const Table& t = Labels(plan);
    std::vector<Question> questions = Questions(t);
    for (Question& q : questions) {
      q.controls["constant"] = Errors(t, deep, {}, q);
      q.controls["single-frame"] = Errors(t, deep, WithPose(t, t.thumb, q.pose), q);
    }
    return questions;
  });
}

// Labels change places among the training moments, so that nothing is left to learn.
at::Tensor ShuffledRows(const Table& t) {
  std::vector<int64_t> from(static_cast<size_t>(t.train));
  std::iota(from.begin(), from.end(), int64_t{0});
  Rng rng(0, "memory-probe labels");
  for (int64_t i = t.train - 1; i > 0; --i) std::swap(from[static_cast<size_t>(i)], from[static_cast<size_t>(rng.Below(i + 1))]);
  return at::tensor(from, at::kLong);
}

double Shown(const Question& q, double error) { return q.answer == Answer::kWalls ? 1 - error : error; }

MetricPart Part(const ProbePlan& plan, const Table& t, const Question& q, const at::Tensor& errors, const at::Tensor& counts) {
  const Estimate e = MeanEstimate(PerEpisode(t, errors, counts), "none");
  MetricPart part;
  part.count = plan.scenarios - e.failed;
  if (!e.value || !e.interval) return part;
  part.value = Shown(q, *e.value);
  part.interval = q.answer == Answer::kWalls ? Interval{1 - e.interval->high, 1 - e.interval->low} : *e.interval;
  return part;
}

ProbeResult Ask(const Subject& subject, const ProbePlan& plan, bool deep) {
  const Table& t = Labels(plan);
  std::vector<at::Tensor> memories;
  for (const Scenario& s : AllScenarios(plan)) memories.push_back(Remember(subject, s));
  const at::Tensor memory = at::cat(memories);
  const at::Tensor order = ShuffledRows(t);
  ProbeResult result;
  for (const Question& q : Asked(plan, deep)) {
    const at::Tensor inputs = WithPose(t, memory, q.pose);
    const at::Tensor errors = Errors(t, deep, inputs, q);
    Estimate e = MeanEstimate(PerEpisode(t, errors, q.counts), "nothing that is asked for was seen in the test episodes");
    if (q.answer == Answer::kWalls) e = Mapped(std::move(e), [](double error) { return 1 - error; });
    std::map<std::string, at::Tensor> controls = q.controls;
    controls["shuffled"] = Errors(t, deep, inputs, q, order);
    std::map<std::string, double> anchors = {{"perfect", q.answer == Answer::kWalls ? 1.0 : 0.0}};
    std::map<std::string, MetricPart> by;
    for (const auto& [name, control] : controls) {
      const MetricPart part = Part(plan, t, q, control, q.counts);
      by["control=" + name] = part;
      if (part.value) anchors[name] = *part.value;
    }
    const double constant = *by.at("control=constant").value, perfect = q.answer == Answer::kWalls ? 1 : 0;
    const auto skill = [&](const std::string& name, const std::optional<double>& value) {
      if (value) by["skill=" + name] = {(*value - constant) / (perfect - constant), std::nullopt, e.count - e.failed};
    };
    skill("memory", e.value);
    for (const char* name : {"single-frame", "shuffled"}) skill(name, by.at(fmt::format("control={}", name)).value);
    Curve fading;
    fading.x_label = "frames since it was last in view (from)";
    fading.y_label = q.unit == std::string("1") ? "share read right" : q.unit;
    for (const auto& [from, to] : kSince) {
      if (!q.since.defined()) break;
      const at::Tensor counts = q.counts & (q.since >= from) & (q.since <= to);
      if (!counts.any().item<bool>()) continue;
      const MetricPart part = Part(plan, t, q, errors, counts);
      by[fmt::format("since={}-{}", from, to)] = part;
      if (!part.value) continue;
      fading.x.push_back(static_cast<double>(from));
      fading.y.push_back(*part.value);
      fading.low.push_back(part.interval->low);
      fading.high.push_back(part.interval->high);
    }
    if (q.since.defined() && (q.since < 0).any().item<bool>()) by["since=never"] = Part(plan, t, q, errors, q.since < 0);
    Metric m = MetricOf(plan, fmt::format("persistence.{}.{}", deep ? "memory-mlp" : "memory", q.id), e, q.direction, std::move(anchors),
                        q.unit, "arXiv 2210.13383", q.note);
    m.by = std::move(by);
    if (fading.x.size() > 1) m.curve = std::move(fading);
    m.notes.push_back(
        "Parts: controls; skill is 0 where the constant answer is, 1 where all is right; since: frames since it was last in view.");
    m.notes.push_back(fmt::format("{} of {} numbers, {} moments of {} training episodes.", deep ? "Four layers" : "Linear probe",
                                  memory.size(1), t.train, kTrainShare * plan.scenarios));
    result.metrics.push_back(std::move(m));
  }
  return result;
}

}  // namespace

ProbeResult ProbeMemory(const Subject& subject, const ProbePlan& plan) { return Ask(subject, plan, false); }
ProbeResult ProbeMemoryDeep(const Subject& subject, const ProbePlan& plan) { return Ask(subject, plan, true); }

}  // namespace orrery
