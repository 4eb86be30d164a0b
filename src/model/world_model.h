// A world model: codec + state + dynamics, and what it was trained on. Immutable while running; sessions hold the state.
#pragma once
#include <filesystem>

#include "codec/codec.h"
#include "core/action_space.h"
#include "data/episode.h"
#include "dynamics/noise_path.h"
#include "dynamics/objective.h"
#include "dynamics/rollouts/options.h"
#include "dynamics/transition.h"
#include "model/odometry.h"
#include "state/memory.h"

namespace orrery {

struct ModelConfig {
  std::string codec;  // spec, checked against codec.safetensors
  std::string codec_hash;
  std::string state = "window(16)";
  std::string path = "flow";
  TransitionOptions transition;
  std::string objective = "diffusion_forcing";  // spec of what it was trained with
  RolloutOptions rollout;
  LatentShape latent;
  DatasetFacts data;  // what it was trained on: actions, fps, frame size, source
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ModelConfig, codec, codec_hash, state, path, transition, objective, rollout, latent, data)

class Executor;

class WorldModel {
 public:
  // New weights, seeded by `seed`.
  WorldModel(ModelConfig config, std::shared_ptr<Codec> codec, uint64_t seed);

  // A model folder: config.json, model.safetensors, codec.safetensors. Throws Error on a missing file, a tensor of
  // another shape, a missing or unknown tensor, another codec than the one it was trained with.
  static std::shared_ptr<WorldModel> Load(const std::filesystem::path& folder, at::Device device = at::kCPU);
  // config.json and model.safetensors; floating weights as `type` (kFloat, or kHalf to ship).
  void Save(const std::filesystem::path& folder, at::ScalarType type = at::kFloat) const;

  const ModelConfig& Config() const { return config_; }
  const ActionSpace& Actions() const { return config_.data.actions; }
  Codec& GetCodec() const { return *codec_; }
  // Frames [n, H, W, 3] uint8 -> latents [n, C, h, w] fp32 on its device, some at a time, for the codec's activations are larger than
  // frames.
  at::Tensor Encode(const at::Tensor& frames) const;
  Transition& Network() const { return *network_; }
  const std::shared_ptr<Transition>& SharedNetwork() const { return network_; }
  const std::shared_ptr<Memory>& GetMemory() const { return memory_; }
  const std::shared_ptr<NoisePath>& Path() const { return path_; }
  int64_t Parameters() const;  // of the transition, the memory and the odometry
  // Whether every frame must come with its pose: for the network, or for what the memory looks up by it.
  bool NeedsPose() const { return config_.transition.pose || memory_->Declared().needs_pose; }
  // Guesses the poses that nobody gives. Null unless NeedsPose, and in models that were saved before they had one.
  const std::shared_ptr<Odometry>& GetOdometry() const { return odometry_; }
  // Takes the transition's weights of a trained model, to train another memory on them. Throws Error when sizes, actions or codec differ.
  void AdoptNetwork(const WorldModel& trained);
  at::Device Device() const;

  // What its training allows it to be run with.
  const Capabilities& Able() const { return able_; }
  Executor Rollout(const RolloutOptions& options) const;

 private:
  ModelConfig config_;
  std::shared_ptr<Codec> codec_;
  std::shared_ptr<NoisePath> path_;
  Capabilities able_;
  std::shared_ptr<Transition> network_;
  std::shared_ptr<Memory> memory_;
  std::shared_ptr<Odometry> odometry_;
};

}  // namespace orrery
