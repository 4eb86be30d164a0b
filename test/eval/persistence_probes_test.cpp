// Probes of persistence on subjects whose faults are known, through the door that learned models use as well.
#include <gtest/gtest.h>

#include "../core/error_of.h"
#include "eval/dummies/stand_in.h"
#include "eval/quality/similarity.h"
#include "eval/suite/probe.h"
#include "scenes.h"

namespace orrery {
namespace {

ProbePlan Plan(const char* probe, const char* world, int64_t scenarios, int64_t context, int64_t frames, const char* trajectory = "") {
  ProbePlan plan;
  plan.probe = probe;
  plan.world = world;
  plan.scenarios = scenarios;
  plan.context = context;
  plan.frames = frames;
  plan.trajectory = trajectory;
  return plan;
}

Metric Number(const ProbePlan& plan, const Subject& subject, const std::string& id) {
  for (const Metric& m : Probes().Make(std::string_view(plan.probe)).run(subject, plan).metrics) {
    Check(m);
    if (m.id == id) return m;
  }
  Fail("no metric {}", id);
}
Metric Number(const ProbePlan& plan, const char* dummy, const std::string& id) { return Number(plan, *Judged(dummy), id); }

// The truth, whose frames carry no objects, as those of a learned model.
class Bare : public StandIn {
 public:
  explicit Bare(const Scenario& s) : StandIn("bare", s, ContextEnd(s)) {}
  std::vector<WorldObject> Objects() const override { return {}; }
};
// Expects of every frame that it is like the last one that was shown: a frame difference as a model.
class Last : public StandIn {
 public:
  explicit Last(const Scenario& s) : StandIn("last", s, ContextEnd(s)) {}
  void Render(std::span<uint8_t> rgb) const override {
    if (shown_.empty()) return Inner().Render(rgb);
    std::copy(shown_.begin(), shown_.end(), rgb.begin());
  }
  void Show(std::span<const uint8_t> rgb) { shown_.assign(rgb.begin(), rgb.end()); }

 protected:
  void Prepare() override {
    shown_.assign(static_cast<size_t>(3 * Facts().height * Facts().width), 0);
    Inner().Render(shown_);
  }
  void Save(SnapshotWriter& out) const override { out.PutAll(std::span<const uint8_t>(shown_)); }
  void Load(SnapshotReader& in) override { in.GetAll(std::span<uint8_t>(shown_)); }

 private:
  std::vector<uint8_t> shown_;
};

template <class Shown>
class Model : public Subject {
 public:
  std::string Name() const override { return "test"; }
  SubjectKind Kind() const override { return SubjectKind::kModel; }
  std::string Unfit(const Scenario&) const override { return ""; }
  std::unique_ptr<World> Begin(const Scenario& s, uint64_t sample) const override {
    auto world = std::make_unique<Shown>(s);
    world->Reset(SampleSeed(s, sample));
    return world;
  }
  bool Observe(World& begun, std::span<const uint8_t> rgb, std::span<const float> action) const override {
    begun.Step(action);
    if constexpr (std::is_same_v<Shown, Last>) static_cast<Last&>(begun).Show(rgb);
    return true;
  }
};

TEST(RisingNoise, LosesAsManyDecibelsAsItSays) {
  const Scenario s = PolicyScenario("maze", 3, 4, 83);
  for (const double rise : {10.0, 20.0}) {
    const at::Tensor psnr = FramePsnr(Imagine(*Judged(fmt::format("dummy:rising-noise(rise={})", rise)), s, 0).frames, Future(s));
    std::vector<double> t, y;
    for (int64_t i = 0; i < psnr.numel(); ++i) t.push_back(static_cast<double>(i)), y.push_back(psnr[i].item<double>());
    EXPECT_NEAR(TheilSen(t, y) * 100, -rise, 0.07 * rise) << "rounding and clamping take a little";
    EXPECT_NEAR(y[0], 40 - rise / 100, 0.6);
  }
  EXPECT_THROW(Judged("dummy:rising-noise(rise=0)")->Begin(s, 0), Error);
}

TEST(Endurance, TellsLastingFromBreakingFilms) {
  const ProbePlan plan = Plan("endurance", "maze", 4, 8, 96);
  EXPECT_EQ(*Number(plan, "dummy:copy", "persistence.collapse.survival").value, 1);
  EXPECT_NE(Number(plan, "dummy:copy", "persistence.collapse.median").cause.find("censored"), std::string::npos);
  EXPECT_EQ(*Number(plan, "dummy:frozen", "persistence.collapse.survival").value, 1);
  EXPECT_EQ(*Number(plan, "dummy:frozen", "persistence.stagnation.median").value, 0);
  EXPECT_EQ(*Number(plan, "dummy:copy", "persistence.stagnation.survival").value, 1);
  const Metric worse = Number(plan, "dummy:rising-noise(rise=60)", "persistence.collapse.median");
  ASSERT_TRUE(worse.value);
  EXPECT_GT(*worse.value, 16);
  const Metric better = Number(plan, "dummy:rising-noise(rise=40)", "persistence.collapse.median");
  EXPECT_TRUE(!better.value || *better.value > *worse.value) << "what grows slower lasts longer";
  EXPECT_EQ(*Number(plan, "dummy:frozen", "persistence.start-end.sharpness").value, 0);
  const Metric copy = Number(plan, "dummy:copy", "persistence.start-end.sharpness");
  EXPECT_NEAR(*copy.value, copy.anchors.at("real"), 1e-12);
  EXPECT_NE(ErrorOf([] { Number(Plan("endurance", "maze", 4, 8, 31), "dummy:copy", ""); }).find("at least 32"), std::string::npos);
}

TEST(Endurance, ErrorIsMeasuredInSecondTakes) {
  const ProbePlan plan = Plan("endurance", "billiards(speed=8, friction=0)", 4, 8, 48);
  EXPECT_EQ(*Number(plan, "dummy:copy", "persistence.predictability").value, 0);
  EXPECT_NEAR(*Number(plan, "dummy:take2", "persistence.predictability").value, 1, 1e-12);
  EXPECT_GT(*Number(plan, "dummy:frozen", "persistence.predictability").value, 2);
  const Metric read = Number(plan, Model<Bare>(), "persistence.predictability");
  ASSERT_TRUE(read.value) << read.cause;
  EXPECT_LT(*read.value, 0.5) << "the reader's own error";
  EXPECT_NE(read.notes.back().find("read from frames"), std::string::npos);
  EXPECT_NE(Number(Plan("endurance", "maze", 2, 8, 32), Model<Bare>(), "persistence.predictability").cause, "");
}

TEST(Hidden, ThingsGoOnOrDoNot) {
  const ProbePlan plan = Plan("hidden", "occluder(discs=3)", 6, 17, 36, "hide(by=light, before=16, hold=32, after=4)");
  const auto value = [&](const char* dummy, const char* name) {
    return *Number(plan, dummy, fmt::format("persistence.hidden.{}", name)).value;
  };
  EXPECT_NEAR(value("dummy:copy", "progress"), 1, 1e-12);
  EXPECT_NEAR(value("dummy:stale", "progress"), 0, 0.1);
  EXPECT_EQ(value("dummy:frozen", "progress"), 0);
  EXPECT_EQ(value("dummy:frozen", "paused"), 1);
  EXPECT_EQ(value("dummy:copy", "paused"), 0);
  EXPECT_EQ(value("dummy:copy", "identity"), 1);
  EXPECT_LT(value("dummy:forget(frames=8)", "identity"), 0.3);
  EXPECT_NEAR(value("dummy:take2", "error"), 1, 1e-12);
  const Metric curve = Number(plan, "dummy:copy", "persistence.hidden.progress");
  EXPECT_TRUE(curve.by.contains("hidden=032") && curve.by.contains("hidden=008"));
  EXPECT_EQ(curve.by.at("hidden=032").value, curve.value);
  EXPECT_THROW(Number(Plan("hidden", "occluder", 2, 8, 16), "dummy:copy", ""), Error) << "nothing is hidden";
}

TEST(Hidden, ReadersFindThingsInPicturesWithoutObjects) {
  const ProbePlan plan = Plan("hidden", "occluder(discs=3)", 6, 17, 36, "hide(by=light, before=16, hold=32, after=4)");
  const Metric progress = Number(plan, Model<Bare>(), "persistence.hidden.progress");
  ASSERT_TRUE(progress.value) << progress.cause;
  EXPECT_NEAR(*progress.value, 1, 0.15);
  EXPECT_NE(progress.notes.back().find("read from frames"), std::string::npos);
  EXPECT_GT(*Number(plan, Model<Bare>(), "persistence.hidden.identity").value, 0.8);
}

TEST(Updated, TheNewStateTheOldOneOrNeither) {
  for (const ProbePlan& plan : {Plan("updated", "maze", 4, 8, 40, "look-away(degrees=180, hold=24)"),
                                Plan("updated", "pair(view=7)", 4, 8, 41, "behind-back(before=7, hold=36, after=1)")}) {
    const auto value = [&](const char* dummy, const char* name) {
      return *Number(plan, dummy, fmt::format("persistence.updated.{}", name)).value;
    };
    EXPECT_EQ(value("dummy:copy", "new"), 1);
    EXPECT_EQ(value("dummy:copy", "old"), 0);
    EXPECT_EQ(value("dummy:stale", "new"), 0);
    EXPECT_EQ(value("dummy:stale", "old"), 1);
    EXPECT_EQ(value("dummy:random", "old") + value("dummy:random", "new"), 0);
    EXPECT_GT(value("dummy:noise", "preference"), 3);
    // A learned model is not told of a hand: it sees it.
    const Metric shown = Number(plan, Model<Bare>(), "persistence.updated.new");
    EXPECT_EQ(*shown.value, 1) << plan.world;
    EXPECT_EQ(shown.notes.back().find("in sight") != std::string::npos, plan.world == "maze") << shown.notes.back();
  }
}

TEST(SurpriseProbe, TruthKnowsAndAFrameDifferenceDoesNot) {
  for (const ProbePlan& plan : {Plan("surprise", "occluder", 6, 8, 24), Plan("surprise", "occluder(post=true)", 3, 8, 24)}) {
    for (const char* name : {"relative", "relative-max", "absolute"}) {
      const std::string id = fmt::format("persistence.surprise.{}", name);
      EXPECT_EQ(*Number(plan, "dummy:copy", id).value, 100) << name << plan.world;
      EXPECT_EQ(*Number(plan, Model<Last>(), id).value, 50) << name << plan.world;
      EXPECT_EQ(*Number(plan, "dummy:stale", id).value, 50) << name << plan.world;
    }
    EXPECT_EQ(*Number(plan, Model<Last>(), "persistence.surprise.auroc").value, 0.5);
    EXPECT_EQ(*Number(plan, Model<Bare>(), "persistence.surprise.auroc").value, 1);
  }
  const Metric relative = Number(Plan("surprise", "occluder", 6, 8, 24), "dummy:copy", "persistence.surprise.relative");
  EXPECT_EQ(relative.by.at("hidden=long").count, 3);
  EXPECT_EQ(relative.method, "wilson");
}

}  // namespace
}  // namespace orrery
