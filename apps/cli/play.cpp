#include "cli/verbs.h"

#include "core/file.h"
#include "data/video.h"
#include "dynamics/rollouts/executor.h"
#include "model/dream_world.h"
#include "serve/serve.h"
#include "worlds/registry.h"

namespace orrery::cli {
namespace {

struct PlayOptions {
  std::string model, world, rollout;
  int64_t steps = 0;
  double guidance = 0;
  ServeOptions serve;
};

PlayWorld Truth(const std::string& spec) {
  PlayWorld play;
  const std::unique_ptr<World> world = MakeWorld(spec);
  play.title = spec;
  play.model = "the simulator itself";
  play.facts = {{"world", world->Facts().spec}, {"frame", fmt::format("{}x{}", world->Facts().height, world->Facts().width)}};
  play.make = [spec] { return MakeWorld(spec); };
  for (uint64_t seed = 0; seed < 8; ++seed) play.starts.push_back({seed, fmt::format("seed {}", seed), ""});
  return play;
}

PlayWorld Dream(const PlayOptions& o) {
  const std::shared_ptr<const WorldModel> model = WorldModel::Load(o.model);
  const auto starts = std::make_shared<const Starts>(LoadStarts(o.model));
  const ModelConfig& config = model->Config();
  RolloutOptions rollout = config.rollout;
  if (o.steps) rollout.steps = o.steps;
  if (o.guidance) rollout.guidance = o.guidance;
  if (!o.rollout.empty()) rollout.spec = o.rollout;
  const RolloutPlan plan = model->Rollout(rollout).Plan();
  PlayWorld play;
  play.title = config.data.name;
  play.model = o.model;
  play.facts = {{"trained on", config.data.source},
                {"parameters", model->Parameters()},
                {"state", config.state},
                {"path", config.path},
                {"rollout", plan.spec},
                {"denoising steps", plan.Steps()},
                {"reaction latency", fmt::format("{} frames", plan.ReactionLatency())},
                {"codec", config.codec}};
  play.make = [=] { return std::make_unique<DreamWorld>(model, starts, rollout); };
  DreamWorld(model, starts, rollout);  // an unplayable model fails here, not at the first visitor
  for (int64_t s = 0; s < starts->Count(); ++s)
    play.starts.push_back(
        {static_cast<uint64_t>(s), fmt::format("start {}", s + 1), EncodePng(starts->frames[s][starts->frames.size(1) - 1].contiguous())});
  return play;
}

}  // namespace

void AddPlay(CLI::App& app) {
  auto o = std::make_shared<PlayOptions>();
  CLI::App* verb = app.add_subcommand("play", "Serve the play page: a trained model, or a built-in world itself");
  CLI::Option* model = verb->add_option("--model", o->model, "Model or run folder: models/doom, runs/mine");
  verb->add_option("--world", o->world, "Play a built-in world's simulator instead of a model")->excludes(model);
  verb->add_option("--steps", o->steps, "Denoising steps a frame (default: the model's own)");
  verb->add_option("--guidance", o->guidance, "Guidance on actions (default: the model's own; 1: none)");
  verb->add_option("--rollout", o->rollout,
                   "In which order frames are denoised, \"pyramid(u=1)\" (see 'orrery dynamics'; default: the model's own)");
  verb->add_option("--host", o->serve.host, "Address to bind to")->capture_default_str();
  verb->add_option("--port", o->serve.port, "Port; 0: any free one")->capture_default_str();
  verb->add_option("--fps", o->serve.fps, "Frames a second (default: the world's own)");
  verb->add_option("--page", o->serve.page, "Folder to serve the page from, while working on it");
  verb->add_option("--sessions", o->serve.max_sessions, "Sessions at a time")->capture_default_str();
  Example(*verb, "orrery play --model models/doom");
  verb->callback([o] {
    if (o->model.empty() && o->world.empty()) Fail("play: give --model FOLDER or --world SPEC");
    CheckOptions(o->serve);
    const int code = Serve(o->serve, o->model.empty() ? Truth(o->world) : Dream(*o));
    if (code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace orrery::cli
