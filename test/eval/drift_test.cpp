// Drift over long films: windows tell what the whole film would.
#include <gtest/gtest.h>

#include <algorithm>

#include "eval/dummies/stand_in.h"
#include "eval/suite/probe.h"
#include "scenes.h"
#include "small_model.h"

namespace orrery {
namespace {

std::map<std::string, Metric> Drift(const Subject& subject, int64_t frames) {
  ProbePlan plan;
  plan.probe = "drift";
  plan.world = kSmallMaze;
  plan.scenarios = 2;
  plan.frames = frames;
  plan.trajectory = "policy(explore, frames=2000)";
  std::map<std::string, Metric> by;
  for (Metric& m : Probes().Make(std::string_view("drift")).run(subject, plan).metrics) {
    Check(m);
    by[m.id] = m;
  }
  return by;
}

double At(const Metric& m, double x) {
  const auto& xs = m.curve->x;
  const auto found = std::find(xs.begin(), xs.end(), x);
  return found == xs.end() ? -1 : m.curve->y[static_cast<size_t>(found - xs.begin())];
}

// 512 frames are looked at whole, 520 in windows; those that end at frames 8, 120, 240, 360 and 480 are in both.
void ExpectWindowsLikeTheWhole(const Subject& subject) {
  const auto whole = Drift(subject, 512), windows = Drift(subject, 520);
  for (const char* id : {"persistence.forced.psnr", "persistence.free.psnr", "persistence.exposure-gap"})
    for (const double x : {4.0, 116.0, 236.0, 356.0, 476.0}) {
      EXPECT_NE(At(whole.at(id), x), -1) << x;
      EXPECT_EQ(At(windows.at(id), x), At(whole.at(id), x)) << id << " at " << x;
    }
  EXPECT_EQ(whole.at("persistence.forced.psnr").curve->x.size(), 64u);
  EXPECT_EQ(windows.at("persistence.forced.psnr").curve->x.size(), 9u);
}

TEST(Drift, OfAModelInWindows) {
  const auto model = MazeModel();
  ExpectWindowsLikeTheWhole(*ModelSubject("small", model, model->Config().rollout));
}

TEST(Drift, OfSimulatorsInWindows) { ExpectWindowsLikeTheWhole(*Judged("dummy:frozen")); }

TEST(Drift, LongFilmsTellOfTheLandmarks) {
  const auto by = Drift(*Judged("dummy:rising-noise"), 1810);
  for (const char* id : {"persistence.forced.psnr", "persistence.free.psnr", "persistence.exposure-gap"}) {
    const Metric& m = by.at(id);
    ASSERT_EQ(m.by.size(), 2u) << id;
    EXPECT_EQ(*m.by.at("frame=0600").value, At(m, 596));
    EXPECT_EQ(*m.by.at("frame=1800").value, At(m, 1796));
  }
  EXPECT_GT(*by.at("persistence.forced.psnr").value, *by.at("persistence.free.psnr").value + 5);
  // The slope is that of the first 64 frames, however long the film.
  EXPECT_NEAR(*by.at("persistence.exposure-slope").value, *Drift(*Judged("dummy:rising-noise"), 64).at("persistence.exposure-slope").value,
              3);
  EXPECT_NEAR(*by.at("persistence.exposure-slope").value, 20, 5) << "as injected";
}

}  // namespace
}  // namespace orrery
