// Doses, order in time, attribution, leaks from the future: closed forms, and subjects whose faults are known.
#include <gtest/gtest.h>

#include <algorithm>

#include "../core/error_of.h"
#include "core/tensor_rng.h"
#include "eval/causality/arrow.h"
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

TEST(TwinsProbe, AsksWhenAndInWhichOrderThingsAreReachedAndWhatIsLeftAlone) {
  const ProbePlan plan = Asked("twins", "dominoes", 3, 80, "script(actions=\"none*4, push-first, none*115\")", {"remove(3)", "remove(5)"});
  const auto score = [&](const char* who, const char* name) {
    return Scored(plan, who, fmt::format("causality.twin.remove.{}", name)).value;
  };
  for (const char* name : {"order", "f1", "cosine", "slope"}) EXPECT_NEAR(*score("truth", name), 1, 1e-12) << name;
  for (const char* name : {"early", "onset-error", "objects-spill"}) EXPECT_EQ(score("truth", name), 0) << name;
  EXPECT_EQ(score("truth", "invariance"), 100);
  EXPECT_EQ(score("dummy:lag2", "early"), 0);
  EXPECT_NEAR(*score("dummy:lag2", "onset-error"), 2, 0.5);
  EXPECT_GT(*score("dummy:reverse", "early"), 0.5);
  EXPECT_LT(*score("dummy:random", "invariance"), 40);
  EXPECT_GT(*score("dummy:random", "objects-spill"), 0);
  const Metric recall = Scored(plan, "dummy:lag2", "causality.twin.remove.recall");
  ASSERT_TRUE(recall.curve && recall.curve->x.size() > 2);
  EXPECT_LT(recall.curve->y.front(), recall.curve->y.back()) << "what is late catches up";
}

TEST(TwinsProbe, AFloorOfAnotherTintMovesNothing) {
  const ProbePlan plan = Asked("twins", "keys", 4, 16, "", {"floor(1)"});
  EXPECT_EQ(Scored(plan, "truth", "causality.twin.floor.objects-spill").value, 0);
  EXPECT_GT(*Scored(plan, "dummy:random", "causality.twin.floor.objects-spill").value, 0);
  EXPECT_EQ(Scored(plan, "dummy:ignore", "causality.twin.floor.recall").value, 0);
  EXPECT_EQ(Scored(plan, "truth", "causality.twin.floor.recall").value, 1);
  EXPECT_FALSE(Scored(plan, "truth", "causality.twin.floor.cne").value) << "nothing is displaced in truth";
}

// Dots that wander by (down, right) pixels a frame over [frames, 32, 32].
at::Tensor Dots(uint64_t seed, int64_t down, int64_t right, int64_t frames = 16) {
  Rng rng(seed, "dots");
  const at::Tensor picture = (UniformTensor({32, 32}, rng) > 0.9).to(at::kByte) * 200;
  std::vector<at::Tensor> film;
  for (int64_t t = 0; t < frames; ++t) film.push_back(picture.roll({down * t, right * t}, {0, 1}));
  return at::stack(film).unsqueeze(3).expand({frames, 32, 32, 3}).contiguous();
}

TEST(ArrowOfTime, HasNoOpinionOfItsOwn) {
  std::vector<at::Tensor> films;
  for (uint64_t seed = 0; seed < 12; ++seed) films.push_back(Dots(seed, 1, 0));
  const ArrowJudge judge(films);
  const at::Tensor film = Dots(50, 1, 1);
  EXPECT_EQ(judge.Score(film), -judge.Score(film.flip({0})));
  EXPECT_NE(judge.Score(film), 0);
  EXPECT_EQ(judge.Score(film[3].unsqueeze(0).expand_as(film)), 0) << "nothing moves";
  EXPECT_THROW(judge.Score(film.narrow(0, 0, 4)), Error);
  EXPECT_NE(ErrorOf([&] { ArrowJudge(std::span(films).first(7)); }).find("at least 8 films, got 7"), std::string::npos);
  EXPECT_NE(ErrorOf([&] {
              films[5] = films[5].narrow(0, 0, 12);
              ArrowJudge{films};
            }).find("[16, 32, 32, 3] and [12, 32, 32, 3]"),
            std::string::npos);
}

TEST(ArrowOfTime, SeesRainFallAndLightsGoOut) {
  std::vector<at::Tensor> rain, dusk;
  const auto fading = [](uint64_t seed) {
    const at::Tensor film = Dots(seed, 0, seed % 2 ? 1 : -1).to(at::kFloat);
    return (film * at::linspace(1, 0.6, 16).view({-1, 1, 1, 1})).round().to(at::kByte);
  };
  for (uint64_t seed = 0; seed < 24; ++seed) {
    rain.push_back(Dots(seed, 1, static_cast<int64_t>(seed % 3) - 1));
    dusk.push_back(fading(seed));
  }
  const ArrowJudge of_rain(rain), of_dusk(dusk);
  for (uint64_t seed = 100; seed < 110; ++seed) {
    EXPECT_GT(of_rain.Score(Dots(seed, 1, 1)), 0);
    EXPECT_LT(of_rain.Score(Dots(seed, -1, 1)), 0) << "rain that rises";
    EXPECT_GT(of_dusk.Score(fading(seed)), 0);
  }
}

TEST(OrderProbe, SaysThatElasticDiscsHaveNoArrow) {
  const Metric m = Scored(Asked("order", "billiards(speed=8, friction=0, restitution=1, solver=exact)", 12, 40, kRest), "dummy:copy",
                          "causality.order.arrow");
  EXPECT_FALSE(m.value);
  EXPECT_NE(m.cause.find("forward and backward look alike here"), std::string::npos) << m.cause;
}

TEST(OrderProbe, TurnsWithTheFilm) {
  const ProbePlan plan = Asked("order", "growth(frames=60)", 6, 32, kRest);
  EXPECT_EQ(Scored(plan, "truth", "causality.order.arrow").value, 1);
  EXPECT_EQ(Scored(plan, "dummy:reverse", "causality.order.arrow").value, 0);
  EXPECT_EQ(Scored(plan, "dummy:frozen", "causality.order.arrow").value, 0);
  EXPECT_NEAR(*Scored(plan, "dummy:reverse", "causality.order.progress").value, -1, 1e-9);
  EXPECT_EQ(Scored(plan, "dummy:frozen", "causality.order.progress").value, 0);
  EXPECT_FALSE(Scored(plan, "dummy:frozen", "causality.order.monotonicity").value);
}

TEST(OrderProbe, SeesDominoesFallInOrderAndPendulumsTire) {
  const ProbePlan fall = Asked("order", "dominoes", 4, 60, "script(actions=\"none*4, push-first, none*115\")");
  EXPECT_EQ(Scored(fall, "truth", "causality.order.events").value, 1);
  EXPECT_EQ(Scored(fall, "dummy:frozen", "causality.order.events").value, 0);
  const ProbePlan swing = Asked("order", "pendulum(damping=0.3)", 4, 72, kRest);
  EXPECT_EQ(Scored(swing, "truth", "causality.order.entropy").value, 1);
  EXPECT_EQ(Scored(swing, "dummy:reverse", "causality.order.entropy").value, 0);
  EXPECT_EQ(Scored(swing, "dummy:frozen", "causality.order.entropy").value, 0);
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
