#include "model/world_model.h"

#include "codec/checkpoint.h"
#include "core/file.h"
#include "core/tensor_rng.h"
#include "dynamics/objectives/registry.h"
#include "dynamics/rollouts/executor.h"
#include "nn/module_tensors.h"
#include "state/registry.h"

namespace orrery {

namespace fs = std::filesystem;

WorldModel::WorldModel(ModelConfig config, std::shared_ptr<Codec> codec, uint64_t seed)
    : config_(std::move(config)), codec_(std::move(codec)) {
  config_.codec = codec_->Spec();
  config_.codec_hash = CodecHash(*codec_);
  config_.latent = codec_->Latent();
  const DatasetFacts& data = config_.data;
  if (data.height != codec_->FrameHeight() || data.width != codec_->FrameWidth())
    Fail("the codec is for {}x{} frames, the data has {}x{}; train a codec on this data", codec_->FrameHeight(), codec_->FrameWidth(),
         data.height, data.width);
  path_ = NoisePaths().Make(config_.path);
  config_.path = path_->Spec();
  const std::shared_ptr<Objective> objective = Objectives().Make(config_.objective, path_);
  config_.objective = objective->Spec();
  objective->Require(config_.transition);
  able_ = objective->Trained();
  {
    const DefaultGeneratorScope seeded(seed);
    network_ = std::make_shared<Transition>(config_.transition, config_.latent, data.actions);
    memory_ = MakeMemory(config_.state, network_->Geometry());
    memory_->AdoptEmbedding(network_->Embedding());
    if (NeedsPose()) odometry_ = std::make_shared<Odometry>(config_.latent, data.actions);
  }
  config_.state = memory_->Spec();
  codec_->eval();
  for (at::Tensor& p : codec_->parameters()) p.set_requires_grad(false);
}

std::shared_ptr<WorldModel> WorldModel::Load(const fs::path& folder, at::Device device) {
  if (!fs::exists(folder / "config.json"))
    Fail("{}: not a model folder (no config.json); train one with 'orrery train model', or give a folder of models/", folder.string());
  Json json = ReadJson(folder / "config.json");
  if (json.contains("objective") && json["objective"].is_object())  // files from before objectives had specs
    json["objective"] = FormatSpec("diffusion_forcing", json["objective"]);
  const auto config = FromJson<ModelConfig>(json, (folder / "config.json").string());
  std::shared_ptr<Codec> codec = LoadCodec(folder / "codec.safetensors");
  if (const std::string hash = CodecHash(*codec); hash != config.codec_hash)
    Fail("{}: this codec (hash {}) is not the one the model was trained with (hash {})", (folder / "codec.safetensors").string(), hash,
         config.codec_hash);
  auto model = std::make_shared<WorldModel>(config, codec, 0);
  const fs::path weights = folder / "model.safetensors";
  NamedTensors network, memory, odometry;
  for (const auto& [name, tensor] : MapSafetensors(weights).tensors) {
    if (name.starts_with("memory."))
      memory.emplace_back(name.substr(7), tensor);
    else if (name.starts_with("odometry."))
      odometry.emplace_back(name.substr(9), tensor);
    else
      network.emplace_back(name, tensor);
  }
  LoadModule(*model->network_, network, weights.string());
  LoadModule(*model->memory_, memory, weights.string());
  if (odometry.empty()) model->odometry_ = nullptr;
  if (model->odometry_) LoadModule(*model->odometry_, odometry, weights.string());
  model->network_->eval();
  model->memory_->eval();
  model->codec_->to(device);
  model->network_->to(device);
  model->memory_->to(device);
  if (model->odometry_) model->odometry_->to(device);
  return model;
}

void WorldModel::Save(const fs::path& folder, at::ScalarType type) const {
  MakeFolder(folder);
  NamedTensors tensors = ModuleTensors(*network_);
  for (const auto& [name, tensor] : ModuleTensors(*memory_)) tensors.emplace_back("memory." + name, tensor);
  if (odometry_)
    for (const auto& [name, tensor] : ModuleTensors(*odometry_)) tensors.emplace_back("odometry." + name, tensor);
  for (auto& [name, tensor] : tensors)
    if (tensor.is_floating_point()) tensor = tensor.to(type);
  SaveSafetensors(folder / "model.safetensors", tensors, {{"format", "orrery.model/1"}});
  WriteJson(folder / "config.json", config_);
}

int64_t WorldModel::Parameters() const {
  int64_t count = 0;
  for (const at::Tensor& p : network_->parameters()) count += p.numel();
  for (const at::Tensor& p : memory_->parameters()) count += p.numel();
  if (odometry_)
    for (const at::Tensor& p : odometry_->parameters()) count += p.numel();
  return count;
}

void WorldModel::AdoptNetwork(const WorldModel& trained) {
  if (trained.config_.codec_hash != config_.codec_hash)
    Fail("a network can be adapted with the codec it was trained with alone (hash {}), this one has {}", trained.config_.codec_hash,
         config_.codec_hash);
  NamedTensors weights = ModuleTensors(*trained.network_);
  // Conditions that it never had are silent until they are learned.
  for (const auto& [name, tensor] : ModuleTensors(*network_)) {
    if (config_.transition.step && !trained.config_.transition.step && name.starts_with("step_")) weights.emplace_back(name, tensor);
    if (config_.transition.pose && !trained.config_.transition.pose && name.starts_with("pose"))
      weights.emplace_back(name, name.starts_with("pose.") ? at::zeros_like(tensor) : tensor);
  }
  LoadModule(*network_, weights, "the model to adapt from");
  memory_->AdoptEmbedding(network_->Embedding());
}

at::Tensor WorldModel::Encode(const at::Tensor& frames) const {
  constexpr int64_t kAtOnce = 32;
  std::vector<at::Tensor> latents;
  for (const at::Tensor& some : frames.split(kAtOnce)) latents.push_back(codec_->Encode(BytesToFrames(some).to(Device())).to(at::kFloat));
  return at::cat(latents);
}

Executor WorldModel::Rollout(const RolloutOptions& options) const { return {network_, memory_, path_, options, able_}; }

at::Device WorldModel::Device() const { return network_->parameters().front().device(); }

}  // namespace orrery
