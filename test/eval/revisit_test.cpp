// Probes of places that are come back to, on subjects whose memory is known.
#include <gtest/gtest.h>

#include "eval/suite/probe.h"
#include "scenes.h"

namespace orrery {
namespace {

const Metric& MetricIn(const ProbeResult& result, const std::string& id) {
  for (const Metric& m : result.metrics)
    if (m.id == id) return m;
  Fail("no metric {}", id);
}

ProbePlan Revisits() {
  ProbePlan plan;
  plan.probe = "revisit";
  plan.world = "maze";
  plan.scenarios = 4;
  plan.frames = 64;
  return plan;
}

TEST(Revisits, OfTheTruthLoseNothing) {
  const ProbeResult result = ProbeRevisit(*Judged("dummy:copy"), Revisits());
  const Metric& gain = MetricIn(result, "persistence.revisit.gain");
  ASSERT_EQ(gain.by.size(), 3u) << "gaps of 16, 32 and 64 frames";
  for (const auto& [gap, part] : gain.by) EXPECT_NEAR(part.value.value(), 1, 1e-12) << gap;
  const Metric& life = MetricIn(result, "persistence.revisit.half-life");
  EXPECT_NEAR(life.value.value(), 64, 1e-9);
  EXPECT_NE(life.notes.back().find("a lower bound"), std::string::npos);
}

TEST(Revisits, TellWhenForgetForgets) {
  const Metric gain = MetricIn(ProbeRevisit(*Judged("dummy:forget"), Revisits()), "persistence.revisit.gain");
  EXPECT_NEAR(gain.by.at("gap=0016").value.value(), 1, 1e-12);
  EXPECT_NEAR(gain.by.at("gap=0032").value.value(), 1, 1e-12);
  EXPECT_LT(gain.value.value(), 0.5);
  const Metric longer = MetricIn(ProbeRevisit(*Judged("dummy:forget(frames=100)"), Revisits()), "persistence.revisit.gain");
  EXPECT_NEAR(longer.value.value(), 1, 1e-12);
}

// Whoever remembers the place shows another's instead; whoever shows another place anyway loses nothing.
TEST(Revisits, AForeignMemoryCostsWhatIsRemembered) {
  const auto loss = [](const char* subject) {
    return *MetricIn(ProbeRevisit(*Judged(subject), Revisits()), "persistence.revisit.swap-loss").value;
  };
  EXPECT_GT(loss("dummy:copy"), 60);
  EXPECT_NEAR(loss("dummy:random"), 0, 3);
}

TEST(Revisits, NeedGapsBeyondTheContext) {
  ProbePlan plan = Revisits();
  plan.frames = 15;
  EXPECT_THROW(ProbeRevisit(*Judged("dummy:copy"), plan), Error);
}

TEST(SelfConsistency, ComparesOwnFramesWithOwnFrames) {
  const ProbePlan plan = ScenePlan("self-consistency", "maze-out-and-back", 3, 0);
  const auto score = [&](const char* dummy, const char* name) {
    return *MetricIn(ProbeSelfConsistency(*Judged(dummy), plan), std::string("persistence.self-consistency.out-and-back.") + name).value;
  };
  EXPECT_NEAR(score("dummy:copy", "psnr"), 100, 1e-9);
  EXPECT_NEAR(score("dummy:blur", "psnr"), 100, 1e-9) << "wrong, but always alike";
  EXPECT_NEAR(score("dummy:frozen", "psnr"), 100, 1e-9);
  EXPECT_NEAR(score("dummy:frozen", "motion-ratio"), 0, 1e-9);
  EXPECT_NEAR(score("dummy:copy", "motion-ratio"), 1, 1e-9);
  // Two draws of sigma 0.05 differ by 0.05 sqrt(2): 23.0 dB; clamping takes a little of it.
  EXPECT_NEAR(score("dummy:noise", "psnr"), 23.0, 0.3);
  EXPECT_LT(score("dummy:forget", "psnr"), 90);
}

}  // namespace
}  // namespace orrery
