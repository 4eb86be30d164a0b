#include "eval/recordings/plans.h"

#include <algorithm>

#include "eval/recordings/windows.h"

namespace orrery {

std::vector<ProbePlan> RecordingPlans(const std::string& world, int64_t scale) {
  constexpr int64_t kFrames = 24, kDrift = 64, kGap = 128, kTwin = 24, kCost = 256, kLongCost = 4096;
  constexpr int64_t kClip = 16, kLeastFilms = 8;
  constexpr int64_t kLasting = 8, kHorizon = 2048, kLeastHorizon = 64, kLeastWatched = 24;
  const auto recording = MakeRecording(world);
  const std::string spec = recording->Facts().spec;
  ProbePlan base;
  base.world = spec;
  base.scenarios = 12 * scale;
  // As many as there are, up to twice the scenarios; or says why not.
  const int64_t fit = std::ssize(RecordedScenarios(spec, 2 * base.scenarios, base.context, kFrames, base.seed));
  const int64_t episodes = std::min(base.scenarios, fit);
  // As long as wanted, or as `count` episodes have it; in whole windows of 8.
  const auto most = [&](int64_t wanted, int64_t count) {
    return std::min(wanted, (LongestWindow(*recording, count) - base.context) / 8 * 8);
  };
  std::vector<ProbePlan> plans;
  const auto add = [&](const char* probe, int64_t frames) {
    plans.push_back(base);
    plans.back().probe = probe;
    plans.back().frames = frames;
  };
  add("similarity", kFrames);
  plans.back().scenarios = fit;  // recorded episodes differ more than a world's, and these two are cheap
  add("drift", most(kDrift * scale, episodes));
  add("revisit", most(kGap, episodes));
  const int64_t lasting = std::min<int64_t>(kLasting * scale, episodes), horizon = most(scale == 1 ? kCost : kHorizon, lasting);
  if (horizon >= kLeastHorizon) {
    add("endurance", horizon);
    plans.back().scenarios = lasting;
  }
  if (const int64_t watched = most(kGap, episodes); watched >= kLeastWatched) add("motion", watched - 7);  // odd: alike backwards
  add("control", kFrames);
  plans.back().scenarios = fit;
  add("following", kFrames);
  plans.back().scenarios = fit;
  add("future-leak", kFrames);
  plans.back().scenarios = lasting;
  if (fit >= 2 * kLeastFilms) {  // as many films again are what is real
    add("distribution", kClip);
    plans.back().scenarios = fit / 2;
  }
  add("recorded-twins", kTwin);
  add("cost", most(scale == 1 ? kCost : kLongCost, 1));
  plans.back().scenarios = 1;
  return plans;
}

}  // namespace orrery
