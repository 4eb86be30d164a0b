// Small data sets out of built-in worlds, for the tests of recordings: their truth can be asked of the world itself.
#pragma once
#include <gtest/gtest.h>

#include "data/dataset_writer.h"
#include "eval/recordings/recording.h"
#include "scenes.h"

namespace orrery {

constexpr const char* kRecorded = "maze(size=5, height=16, width=16)";

// `count` episodes of `steps` actions; from frame `fork` on each has a twin of `after` steps in which the action is another one, if
// after > 0. Episode e (twins not counted) is PolicyScenario(world, e, ...).
inline void RecordSet(const std::filesystem::path& folder, int64_t count, int64_t steps, int64_t fork = 0, int64_t after = 0,
                      const std::string& world = kRecorded, bool pose = true) {
  const WorldFacts facts = MakeWorld(world)->Facts();
  DatasetWriter writer(folder, {"recorded", world, facts.height, facts.width, facts.fps, facts.actions, pose && facts.has_pose});
  const auto film = [&](const Scenario& s, int64_t first) {
    const Truth truth = MakeTruth(s);
    Episode e;
    e.seed = s.seed;
    e.frames = truth.film.frames.slice(0, first).contiguous();
    e.actions = at::zeros({e.Frames(), facts.actions.Width()});
    if (pose && facts.has_pose) e.pose = at::empty({e.Frames(), 3});
    for (int64_t t = 0; t < e.Frames(); ++t) {
      if (t > 0)
        for (int64_t a = 0; a < facts.actions.Width(); ++a) e.actions[t][a] = s.actions[first + t - 1][a];
      const Pose* p = e.pose.defined() ? &truth.film.poses[first + t] : nullptr;
      if (p) e.pose[t].copy_(at::tensor({p->x, p->y, p->angle}));
    }
    return e;
  };
  for (int64_t e = 0; e < count; ++e) {
    Scenario s = PolicyScenario(world, static_cast<uint64_t>(e), 1, steps);
    const int64_t of = writer.Episodes();
    writer.Add(film(s, 0));
    if (after == 0) continue;
    s.actions.resize(static_cast<size_t>(fork + after));
    float& action = s.actions[static_cast<size_t>(fork)][0];
    action = static_cast<float>((static_cast<int64_t>(action) + 1 + e % (facts.actions.count - 1)) % facts.actions.count);
    const int64_t begin = fork / 2;
    Episode twin = film(s, begin);
    twin.twin = TwinMark{of, begin, fork - begin};
    writer.Add(twin);
  }
  writer.Finish();
}

class Recorded : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string Set(const std::string& name) const { return (folder_ / name).string(); }
  std::string Spec(const std::string& name, const char* split = "all") const {
    return fmt::format("recording(path=\"{}\", split=\"{}\", share=0.1)", Set(name), split);
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / fmt::format("orrery-recorded-{}", ::getpid());
};

}  // namespace orrery
