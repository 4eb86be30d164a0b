#include "cli/verbs.h"

#include <ATen/ATen.h>

#include <iostream>

#include "core/progress.h"
#include "core/signals.h"
#include "data/dataset_writer.h"
#include "worlds/policy.h"
#include "worlds/registry.h"
#include "worlds/trajectory.h"

namespace orrery::cli {
namespace {

struct RecordOptions {
  std::string world, policy = "explore", out, name;
  std::vector<std::string> ways;  // in place of the policy
  int64_t episodes = 200, frames = 256;
  uint64_t seed = 0;
  bool overwrite = false;
};

Episode RecordEpisode(World& world, const RecordOptions& o, uint64_t seed) {
  const WorldFacts& facts = world.Facts();
  const int64_t A = facts.actions.Width();
  Episode episode{at::empty({o.frames, facts.height, facts.width, 3}, at::kByte), at::zeros({o.frames, A}),
                  facts.has_pose ? at::empty({o.frames, 3}) : at::Tensor(), seed};
  const std::unique_ptr<Policy> policy = MakePolicy(o.policy);
  Rng rng(seed, "policy");
  world.Reset(seed);
  const ActionList planned = o.ways.empty() ? ActionList() : PlanWays(o.ways, world, seed, o.frames - 1);
  const size_t bytes = static_cast<size_t>(facts.height * facts.width * 3);
  for (int64_t t = 0; t < o.frames; ++t) {
    if (t > 0) {
      const std::vector<float> action = planned.empty() ? policy->Act(world, rng) : planned[static_cast<size_t>(t - 1)];
      world.Step(action);
      std::copy(action.begin(), action.end(), episode.actions.mutable_data_ptr<float>() + t * A);
    }
    world.Render({episode.frames.mutable_data_ptr<uint8_t>() + static_cast<size_t>(t) * bytes, bytes});
    if (const std::optional<Pose> pose = world.TruePose(); pose && facts.has_pose) {
      float* row = episode.pose.mutable_data_ptr<float>() + 3 * t;
      row[0] = static_cast<float>(pose->x);
      row[1] = static_cast<float>(pose->y);
      row[2] = static_cast<float>(pose->angle);
    }
  }
  if (A == 0) episode.actions = at::Tensor();
  return episode;
}

void Record(const RecordOptions& o) {
  if (o.episodes < 1 || o.frames < 2) Fail("record: --episodes >= 1 and --frames >= 2 expected, got {} and {}", o.episodes, o.frames);
  const std::unique_ptr<World> world = MakeWorld(o.world);
  MakePolicy(o.policy);
  for (const std::string& way : o.ways) Trajectories().Make(way);
  const WorldFacts& facts = world->Facts();
  const std::string name = o.name.empty() ? std::filesystem::path(o.out).filename().string() : o.name;
  DatasetWriter writer(o.out, {name, facts.spec, facts.height, facts.width, facts.fps, facts.actions, facts.has_pose},
                       {.overwrite = o.overwrite});
  Progress progress("recording " + name, o.episodes * o.frames, "frames");
  for (int64_t e = 0; e < o.episodes && !StopRequested(); ++e) {
    writer.Add(RecordEpisode(*world, o, DeriveSeed(o.seed, static_cast<uint64_t>(e))));
    progress.Update((e + 1) * o.frames);
  }
  if (writer.Episodes() > 0) writer.Finish();
  progress.Finish(StopRequested() ? "interrupted" : "");
  std::cout << fmt::format("{}: {} episodes of {} frames\n", o.out, writer.Episodes(), o.frames);
  ThrowIfStopRequested();
}

}  // namespace

void AddRecord(CLI::App& app) {
  auto o = std::make_shared<RecordOptions>();
  CLI::App* verb = app.add_subcommand("record", "Record a built-in world into a data set (Gymnasium worlds: orrery-record)");
  verb->add_option("world", o->world, "World spec, as 'orrery worlds' lists: maze, \"maze(size=9)\", billiards")->required();
  verb->add_option("--out", o->out, "Folder of the new data set")->required();
  verb->add_option("--episodes", o->episodes, "Episodes")->capture_default_str();
  verb->add_option("--frames", o->frames, "Frames an episode")->capture_default_str();
  verb->add_option("--policy", o->policy, "Who acts: random, sticky or explore, with parameters")->capture_default_str();
  verb->add_option(
          "--way", o->ways,
          "Trajectory to act by instead, e.g. \"look-away(degrees=180, hold=8)\"; given several times, one after another is drawn: "
          "ways that come back teach a memory")
      ->allow_extra_args(false);
  verb->add_option("--seed", o->seed, "Seed of worlds and policy")->capture_default_str();
  verb->add_option("--name", o->name, "Name of the data set (default: the folder's)");
  verb->add_flag("--overwrite", o->overwrite, "Replace an existing data set");
  Example(*verb, "orrery record \"maze(size=9)\" --episodes 400 --frames 256 --out data/maze");
  verb->callback([o] { Record(*o); });
}

}  // namespace orrery::cli
