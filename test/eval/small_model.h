// A tiny world model of a tiny maze, untrained.
#pragma once
#include "../dynamics/awake.h"
#include "codec/registry.h"
#include "model/world_model.h"
#include "worlds/registry.h"

namespace orrery {

inline constexpr const char* kSmallMaze = "maze(size=5, height=16, width=16)";

inline std::shared_ptr<WorldModel> MazeModel() {
  ModelConfig config;
  config.state = "window(3)";
  config.transition = {.dim = 32, .depth = 2, .heads = 2, .patch = 1};
  config.rollout = {.steps = 2};
  config.data = {"maze", kSmallMaze, 16, 16, 15, MakeWorld(kSmallMaze)->Facts().actions, false};
  auto model = std::make_shared<WorldModel>(config, MakeCodec("identity(patch=8)", 16, 16, 0), 1);
  const at::NoGradGuard guard;
  at::manual_seed(3);
  Awaken(model->Network(), 0.05);
  return model;
}

}  // namespace orrery
