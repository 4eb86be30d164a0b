#include "cli/verbs.h"

#include <iostream>

#include "codec/checkpoint.h"
#include "data/dataset.h"
#include "model/starts.h"
#include "model/world_model.h"
#include "state/registry.h"

namespace orrery::cli {
namespace {

namespace fs = std::filesystem;

Json ModelInfo(const fs::path& folder) {
  const std::shared_ptr<const WorldModel> model = WorldModel::Load(folder);
  const ModelConfig& c = model->Config();
  int64_t codec = 0;
  for (const at::Tensor& p : model->GetCodec().parameters()) codec += p.numel();
  const Memory& memory = *model->GetMemory();
  Json info{{"kind", "model"},
            {"config", c},
            {"parameters", model->Parameters()},
            {"codec_parameters", codec},
            {"tokens_per_frame", model->Network().Tokens()},
            {"state_bytes",
             {{"10", memory.StateBytes(10, at::kFloat)},
              {"100", memory.StateBytes(100, at::kFloat)},
              {"1000", memory.StateBytes(1000, at::kFloat)}}}};
  if (fs::exists(folder / "starts.safetensors")) info["starts"] = LoadStarts(folder).Count();
  return info;
}

Json DataInfo(const fs::path& folder) {
  const Dataset set(folder);
  int64_t shortest = INT64_MAX, longest = 0, twins = 0;
  for (int64_t e = 0; e < set.Episodes(); ++e) {
    shortest = std::min(shortest, set.Frames(e));
    longest = std::max(longest, set.Frames(e));
    twins += set.Twin(e).has_value();
  }
  return {{"kind", "data set"}, {"facts", set.Facts()}, {"episodes", set.Episodes()}, {"frames", set.TotalFrames()}, {"shortest", shortest},
          {"longest", longest}, {"twins", twins}};
}

Json CodecInfo(const fs::path& path) {
  const std::shared_ptr<Codec> codec = LoadCodec(path);
  int64_t parameters = 0;
  for (const at::Tensor& p : codec->parameters()) parameters += p.numel();
  return {{"kind", "codec"},
          {"spec", codec->Spec()},
          {"hash", CodecHash(*codec)},
          {"latent", codec->Latent()},
          {"frame", {codec->FrameHeight(), codec->FrameWidth()}},
          {"parameters", parameters}};
}

Json Describe(const fs::path& path) {
  if (!fs::exists(path)) Fail("{}: no such file or folder", path.string());
  if (fs::exists(path / "model.safetensors")) return ModelInfo(path);
  if (fs::exists(path / "main_data.hdf5") || fs::exists(path / "data" / "main_data.hdf5")) return DataInfo(path);
  if (path.extension() == ".safetensors" || fs::exists(path / "codec.safetensors")) return CodecInfo(path);
  Fail("{}: expected a model folder, a data set or a codec; found neither model.safetensors nor main_data.hdf5 nor codec.safetensors",
       path.string());
}

}  // namespace

void AddInfo(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("info", "Describe a model, a run, a codec or a data set as JSON");
  verb->add_option("path", *path, "Folder, or a codec.safetensors")->required();
  Example(*verb, "orrery info models/doom");
  verb->callback([path] { std::cout << Describe(*path).dump(2) << "\n"; });
}

}  // namespace orrery::cli
