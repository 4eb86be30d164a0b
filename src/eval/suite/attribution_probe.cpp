// attribution: two agents, of whom one acts otherwise: is it that one whose doings change? (evaluation 3.11)
#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "eval/causality/object_effects.h"
#include "eval/suite/films.h"
#include "eval/suite/probe.h"
#include "eval/suite/seen_objects.h"
#include "worlds/keys.h"

namespace orrery {

namespace {

constexpr ObjectEffectOptions kOptions{.delta = 0.5};  // places are whole tiles, headings and doors whole numbers
constexpr std::array kAgents = {"a", "b"};

// The same film, but from the context's end on agent `who` does something else at every step; the other one does the same.
Scenario OtherwiseBy(Scenario s, int64_t who) {
  Rng rng(DeriveSeed(s.seed, static_cast<uint64_t>(who)), "attribution");
  for (auto t = static_cast<size_t>(s.context - 1); t < s.actions.size(); ++t) {
    const int64_t both = std::lround(s.actions[t][0]);
    std::array<int64_t, 2> each = {both / Keys::kActions, both % Keys::kActions};
    int64_t& own = each[static_cast<size_t>(who)];
    own = (own + 1 + rng.Below(Keys::kActions - 1)) % Keys::kActions;
    s.actions[t][0] = static_cast<float>(Keys::kActions * each[0] + each[1]);
  }
  return s;
}

ObjectFilm Only(const ObjectFilm& film, int64_t id) {
  ObjectFilm only;
  for (const auto& frame : film) {
    only.emplace_back();
    std::copy_if(frame.begin(), frame.end(), std::back_inserter(only.back()), [&](const WorldObject& o) { return o.id == id; });
  }
  return only;
}

// Sums of one scenario, for one agent who acts otherwise.
struct Sums {
  double error = 0, power = 0;        // of its own displacement
  double other = 0, other_still = 0;  // of the twins in which the other one is left alone in truth (0 or 1): those that show it changed
  double spilled = 0, untouched = 0;  // of the things that are left alone in truth: those that change
  double found = 0, affected = 0;     // of the things that change in truth: those that do
  Sums& operator+=(const Sums& s) {
    error += s.error, power += s.power, other += s.other, other_still += s.other_still;
    spilled += s.spilled, untouched += s.untouched, found += s.found, affected += s.affected;
    return *this;
  }
};

struct TwinFilms {
  ObjectFilm truth, truth_changed, made, made_changed;
};

Sums Compare(const TwinFilms& f, int64_t who) {
  Sums sums;
  const int64_t actor = 1 + who, other = 2 - who;
  const ObjectEffects own =
      CompareObjectEffects(Only(f.truth, actor), Only(f.truth_changed, actor), Only(f.made, actor), Only(f.made_changed, actor), kOptions);
  sums.error = own.error;
  sums.power = own.power;
  const ObjectEffects all = CompareObjectEffects(f.truth, f.truth_changed, f.made, f.made_changed, kOptions);
  sums.untouched = static_cast<double>(all.untouched);
  sums.spilled = static_cast<double>(all.spilled);
  sums.affected = static_cast<double>(all.true_onset.size());
  for (const auto& [id, onset] : all.true_onset) sums.found += all.read_onset.contains(id);
  sums.other_still = !all.true_onset.contains(other);
  sums.other = sums.other_still > 0 && all.read_onset.contains(other);
  return sums;
}

Estimate Ratio(const std::vector<Sums>& scenarios, double Sums::*above, double Sums::*below, const char* cause) {
  std::vector<double> a, b;
  for (const Sums& s : scenarios) {
    a.push_back(s.*above);
    b.push_back(s.*below);
  }
  return RatioEstimate(a, b, cause);
}

struct Row {
  const char* name;
  double Sums::*above;
  double Sums::*below;
  const char* direction;
  std::map<std::string, double> anchors;
  const char *cause, *note;
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      {"own-error",
       &Sums::error,
       &Sums::power,
       "lower",
       {{"perfect", 0}, {"ignore", 1}},
       "nobody goes elsewhere",
       "Of the agent who acts otherwise: squared error of its displacement over the squared true one (CNE)."},
      {"other",
       &Sums::other,
       &Sums::other_still,
       "lower",
       {{"perfect", 0}},
       "in every twin one agent changes the other's way in truth",
       "Share of twins in which the other agent changes although in truth it does not."},
      {"spill",
       &Sums::spilled,
       &Sums::untouched,
       "lower",
       {{"perfect", 0}},
       "every thing is affected in truth",
       "Share of the things that the change leaves alone in truth, and that change."},
      {"recall",
       &Sums::found,
       &Sums::affected,
       "higher",
       {{"perfect", 1}, {"ignore", 0}},
       "nothing is affected in truth",
       "Share of the things that the change affects in truth, and that change."}};
  return rows;
}

}  // namespace

ProbeResult ProbeAttribution(const Subject& subject, const ProbePlan& plan) {
  std::array<std::vector<Sums>, 2> by_agent;
  std::vector<Sums> both;
  std::vector<SeenObjects> films;
  std::string reading;
  for (const Scenario& s : MakeScenarios(plan)) {
    const auto end = ContextEnd(s);
    if (const auto* rooms = dynamic_cast<const Keys*>(end.get()); !rooms || rooms->State().agents.size() != 2)
      Fail("attribution: a world of two agents expected (pair), got {}", s.world);
    const auto tail = [&](const Film& film) { return ObjectFilm(film.objects.begin() + s.context, film.objects.end()); };
    const SeenObjects seen = ObjectsIn(Imagine(subject, s, 0), s);
    if (!seen.cause.empty()) {
      std::vector<std::string> ids;
      for (const Row& row : Rows()) ids.push_back(fmt::format("causality.attribution.{}", row.name));
      return {Missing(plan, ids, seen.cause), {}};
    }
    films.push_back(seen);
    both.emplace_back();
    for (int64_t who = 0; who < 2; ++who) {
      const Scenario changed = OtherwiseBy(s, who);
      films.push_back(ObjectsIn(Imagine(subject, changed, 0), changed));
      by_agent[static_cast<size_t>(who)].push_back(
          Compare({tail(MakeTruth(s).film), tail(MakeTruth(changed).film), seen.objects, films.back().objects}, who));
      both.back() += by_agent[static_cast<size_t>(who)].back();
    }
    if (std::ssize(both) == plan.scenarios) reading = ReadingNote(films, s, Future(MakeTruth(s), s));
  }
  ProbeResult result;
  for (const Row& row : Rows()) {
    Metric m = MetricOf(plan, fmt::format("causality.attribution.{}", row.name), Ratio(both, row.above, row.below, row.cause),
                        row.direction, row.anchors, "1", "own", row.note);
    for (size_t who = 0; who < kAgents.size(); ++who) {
      const Estimate e = Ratio(by_agent[who], row.above, row.below, row.cause);
      if (e.value) m.by[fmt::format("agent={}", kAgents[who])] = {e.value, e.interval, e.count - e.failed};
    }
    if (!reading.empty()) m.notes.push_back(reading);
    result.metrics.push_back(std::move(m));
  }
  return result;
}

}  // namespace orrery
