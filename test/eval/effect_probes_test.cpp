// Doses, attribution, leaks from the future: closed forms, and subjects whose faults are known.
#include <gtest/gtest.h>

#include <algorithm>

#include "../core/error_of.h"
#include "eval/causality/pixel_effects.h"
#include "eval/suite/probe.h"
#include "scenes.h"

namespace orrery {
namespace {

ProbePlan Asked(const char* probe, const char* world, int64_t scenarios, int64_t frames, const char* trajectory = "",
                std::vector<std::string> interventions = {}) {
  ProbePlan plan;
  plan.probe = probe;
  plan.world = world;
  plan.scenarios = scenarios;
  plan.frames = frames;
  plan.trajectory = trajectory;
  plan.interventions = std::move(interventions);
  return plan;
}

const char* const kRest = "script(actions=\"none*90\")";

Metric Scored(const ProbePlan& plan, const char* dummy, const std::string& id) {
  const ProbeResult result = Probes().Make(std::string_view(plan.probe)).run(*Judged(dummy), plan);
  for (const Metric& m : result.metrics)
    if (m.id == id) return Check(m), m;
  Fail("{} gives no {}", plan.probe, id);
}

// Frames of 8x8 black pixels, lit where the list says: frame, row, column.
std::vector<uint8_t> Lit(size_t frames, std::initializer_list<std::array<size_t, 3>> spots) {
  std::vector<uint8_t> film(frames * 8 * 8 * 3);
  for (const auto& [t, y, x] : spots) film[((t * 8 + y) * 8 + x) * 3] = 200;
  return film;
}

TEST(LightCone, ByHand) {
  const auto black = Lit(6, {}), truth = Lit(6, {{1, 0, 0}, {4, 7, 7}});
  const auto shown = [&](std::initializer_list<std::array<size_t, 3>> spots) {
    const auto made = Lit(6, spots);
    return *ComparePixelEffects({black, 8, 8}, {truth, 8, 8}, {black, 8, 8}, {made, 8, 8}, 1, {.dilate = 1}).After().Ahead();
  };
  EXPECT_EQ(shown({{1, 0, 0}, {4, 7, 7}}), 0);
  EXPECT_EQ(shown({{2, 7, 7}}), 0) << "two frames early are allowed";
  EXPECT_EQ(shown({{1, 7, 7}}), 1) << "three are not";
  EXPECT_EQ(shown({{5, 1, 1}}), 0) << "what has been reached stays so";
  EXPECT_EQ(shown({{1, 0, 0}, {5, 4, 4}, {5, 0, 2}, {5, 6, 6}}), 0.5) << "two pixels off lies beyond a dilation of one";
}

TEST(DoseProbe, AsksWhetherMoreDoesMore) {
  const ProbePlan plan = Asked("dose", "pendulum", 4, 16, kRest, {"kick(2)", "kick(0.5)", "kick(1)"});
  EXPECT_NEAR(*Scored(plan, "truth", "causality.dose.kick.ranks").value, 1, 1e-12);
  EXPECT_EQ(Scored(plan, "dummy:ignore", "causality.dose.kick.ranks").value, 0);
  EXPECT_EQ(Scored(plan, "dummy:ignore", "causality.dose.kick.slope").value, 0);
  const Metric late = Scored(plan, "dummy:lag2", "causality.dose.kick.slope");
  EXPECT_GT(*late.value, 0.3);
  EXPECT_LT(*late.value, 1);
  ASSERT_TRUE(late.curve);
  EXPECT_TRUE(std::is_sorted(late.curve->x.begin(), late.curve->x.end()));
  EXPECT_NE(ErrorOf([&] { Scored(Asked("dose", "pendulum", 2, 16, kRest, {"kick(1)"}), "truth", ""); }).find("at least three doses"),
            std::string::npos);
}

TEST(AttributionProbe, FindsTheAgentWhoActs) {
  const ProbePlan plan = Asked("attribution", "pair", 6, 16);
  const auto score = [&](const char* dummy, const char* name) {
    return *Scored(plan, dummy, fmt::format("causality.attribution.{}", name)).value;
  };
  for (const char* name : {"own-error", "other", "spill"}) EXPECT_EQ(score("truth", name), 0) << name;
  EXPECT_EQ(score("truth", "recall"), 1);
  EXPECT_NEAR(score("dummy:ignore", "own-error"), 1, 1e-12);
  EXPECT_EQ(score("dummy:ignore", "other"), 0);
  EXPECT_EQ(score("dummy:ignore", "recall"), 0);
  EXPECT_GT(score("dummy:mixup", "own-error"), 0.8);
  EXPECT_GT(score("dummy:mixup", "other"), 0.8);
  EXPECT_TRUE(Scored(plan, "truth", "causality.attribution.recall").by.contains("agent=b"));
  EXPECT_NE(ErrorOf([&] { Scored(Asked("attribution", "keys", 2, 16), "truth", ""); }).find("two agents expected"), std::string::npos);
}

TEST(FutureLeakProbe, IsZeroForWhoKnowsOnlyThePast) {
  const ProbePlan plan = Asked("future-leak", "billiards", 4, 16);
  for (const char* causal : {"truth", "dummy:noise", "dummy:lag2", "dummy:ignore", "dummy:frozen"})
    EXPECT_EQ(Scored(plan, causal, "causality.future-leak.before").value, 0) << causal;
  EXPECT_EQ(Scored(plan, "truth", "causality.future-leak.after").value, 1);
  EXPECT_EQ(Scored(plan, "dummy:ignore", "causality.future-leak.after").value, 0);
  for (const char* seer : {"dummy:leak", "dummy:reverse", "dummy:random"})
    EXPECT_GT(*Scored(plan, seer, "causality.future-leak.before").value, 0) << seer;
}

TEST(LeakDummy, ShowsAQuarterOfWhatComesFourFramesLater) {
  const Scenario s = PolicyScenario("billiards", 3, 6, 30);
  const at::Tensor film = Imagine(*Judged("dummy:leak"), s, 0).frames, truth = Future(s).to(at::kInt);
  const int64_t n = truth.size(0);
  for (const int64_t t : {int64_t{0}, int64_t{7}, n - 3, n - 1}) {
    const at::Tensor mixed = (3 * truth[t] + truth[std::min(t + 4, n - 1)] + 2).div(4, "floor").to(at::kByte);
    EXPECT_TRUE(at::equal(film[t], mixed)) << t;
  }
  EXPECT_EQ(Imagine(*Judged("dummy:leak"), s, 0).objects, Imagine(*Judged("dummy:copy"), s, 0).objects);
}

TEST(MixupDummy, IsTheTruthOfSwappedActions) {
  const Scenario s = PolicyScenario("pair", 3, 6, 30);
  Scenario swapped = s;
  for (size_t t = 5; t < s.actions.size(); ++t) {
    const int both = static_cast<int>(s.actions[t][0]);
    swapped.actions[t][0] = static_cast<float>(both % 7 * 7 + both / 7);
  }
  EXPECT_TRUE(at::equal(Imagine(*Judged("dummy:mixup"), s, 0).frames, Future(swapped)));
  EXPECT_FALSE(at::equal(Future(swapped), Future(s)));
  EXPECT_NE(Judged("dummy:mixup")->Unfit(PolicyScenario("keys", 3, 6, 30)).find("no two agents"), std::string::npos);
}

}  // namespace
}  // namespace orrery
