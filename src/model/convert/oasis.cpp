#include "model/convert/oasis.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numbers>

#include "codec/checkpoint.h"
#include "core/file.h"
#include "core/sha256.h"
#include "core/signals.h"
#include "data/atomic_folder.h"
#include "data/video.h"
#include "model/starts.h"
#include "nn/module_tensors.h"

namespace orrery {

namespace fs = std::filesystem;

namespace {

constexpr double kLatentScale = 0.07843137255;  // of the posterior's mean, in its generate.py
constexpr double kContextLevel = 0.015;         // finished frames are labelled 14 of 1,000
constexpr int64_t kNoiseLevels = 1000;
constexpr const char* kHint = "give the shape of these networks with --config";

bool IsFrequencies(const std::string& name) { return name.ends_with("rotary_emb.freqs"); }

// The rotary frequencies, of which a file may hold any number of copies, follow from the shape.
void CheckFrequencies(const TensorFile& file, const OasisShape& s, const std::string& where) {
  const int64_t d = s.hidden / s.heads;
  const at::Tensor space = at::linspace(1, 128, d / 4) * std::numbers::pi;
  const at::Tensor time = at::pow(10000.0, at::arange(d / 2, at::kFloat) * (-2.0 / static_cast<double>(d)));
  for (const auto& [name, given] : file.tensors) {
    if (!IsFrequencies(name)) continue;
    const at::Tensor& expected = name.find("s_attn") != std::string::npos || name.starts_with("spatial") ? space : time;
    const double tolerance = given.scalar_type() == at::kFloat ? 1e-5 : 1e-2;
    if (given.sizes() != expected.sizes() || !at::allclose(given.to(at::kFloat), expected, tolerance, 0))
      Fail("{}: '{}' holds other rotary frequencies than those of {} heads of width {}; {}", where, name, s.heads, d, kHint);
  }
}

int64_t CountBlocks(const TensorFile& file, const std::string& prefix) {
  int64_t count = 0;
  while (file.Find(fmt::format("{}.{}.norm1.weight", prefix, count))) ++count;
  return count;
}

void CheckOasisShape(const OasisShape& s, std::string_view where) {
  const Json numbers = s;
  for (const auto& [key, value] : numbers.items())
    if (!(value.get<double>() > 0)) Fail("{}: {} must be above 0, got {}", where, key, value.dump());
  for (const auto& [dim, heads] : {std::pair{s.hidden, s.heads}, std::pair{s.vdim, s.vae_heads}})
    if (dim % heads != 0 || dim / heads % 8 != 0) Fail("{}: width / heads must be a multiple of 8, got {} / {}", where, dim, heads);
  const int64_t cell = s.vae_patch * s.patch;
  if (s.height % cell != 0 || s.width % cell != 0)
    Fail("{}: tokens of {} x {} = {} pixels do not divide frames of {}x{}", where, s.vae_patch, s.patch, cell, s.height, s.width);
  if (s.window < 2) Fail("{}: a window of 2 frames or more expected, got {}", where, s.window);
}

ActionSpace OasisActions(int64_t count) {
  ActionSpace space;
  space.dims = count;
  if (count != 25) return space;
  space.names = {"inventory", "ESC",      "hotbar.1",  "hotbar.2", "hotbar.3", "hotbar.4", "hotbar.5", "hotbar.6", "hotbar.7",
                 "hotbar.8",  "hotbar.9", "forward",   "back",     "left",     "right",    "cameraX",  "cameraY",  "jump",
                 "sneak",     "sprint",   "swapHands", "attack",   "use",      "pickItem", "drop"};
  space.low.assign(25, 0);
  space.high.assign(25, 1);
  for (const size_t camera : {15, 16}) space.low[camera] = -1;
  return space;
}

std::shared_ptr<Codec> MakeOasisCodec(const TensorFile& file, const OasisShape& shape, const std::string& where) {
  const at::NoGradGuard guard;
  auto codec = std::make_shared<Vit>(OasisCodecOptions(shape), 0);
  const WeightRules rules = OasisCodecRules(shape);
  const NamedTensors own = ModuleTensors(*codec);
  ORRERY_CHECK(own.size() == rules.size() + 2);  // and the latents' statistics
  for (const auto& [name, target] : own) {
    if (name.starts_with("latent_")) continue;
    const auto rule = std::find_if(rules.begin(), rules.end(), [&, n = name](const WeightRule& r) { return r.name == n; });
    ORRERY_CHECK(rule != rules.end());
    const_cast<at::Tensor&>(target).copy_(MakeWeight(file, *rule, where));
  }
  codec->SetLatentStatistics(at::zeros({shape.latent}), at::full({shape.latent}, 1 / kLatentScale));
  codec->eval();
  return codec;
}

void WriteNetwork(const TensorFile& file, const WeightRules& rules, const std::string& where, const fs::path& path) {
  std::vector<SafetensorsWriter::Entry> entries;
  for (const WeightRule& rule : rules) entries.push_back({rule.name, at::kFloat, rule.shape});
  SafetensorsWriter writer(path, std::move(entries), {{"format", "orrery.model/1"}});
  for (const WeightRule& rule : rules) {
    ThrowIfStopRequested();
    writer.Add(MakeWeight(file, rule, where));
  }
  writer.Finish();
}

// Every picture is a beginning of one frame, after no action.
Starts StartsFrom(const std::vector<fs::path>& pictures, const OasisShape& s) {
  std::vector<at::Tensor> frames;
  for (const fs::path& path : pictures) {
    VideoReader reader(path, {.height = s.height, .width = s.width});
    const auto frame = reader.Next();
    if (!frame) Fail("{}: a picture or a film expected, it holds no frame", path.string());
    frames.push_back(frame->image.unsqueeze(0));
  }
  const auto count = static_cast<int64_t>(frames.size());
  return {at::stack(frames), at::zeros({count, 1, s.actions}), {}};
}

std::string OasisCard(const OasisFiles& files, const OasisShape& shape, int64_t network, int64_t codec) {
  return fmt::format(
      "# Weights of open-oasis\n\nMade by `orrery convert oasis` of\n\n- DiT `{}`, {} parameters, sha256 `{}`\n- VAE `{}`, {} parameters, "
      "sha256 `{}`\n\nShape: `{}`. The weights' licence is that of their source.\n",
      files.dit.filename().string(), network, FileSha256(files.dit), files.vae.filename().string(), codec, FileSha256(files.vae),
      Json(shape).dump());
}

}  // namespace

OasisShape ReadOasisShape(const fs::path& path, const TensorFile& vae) {
  Json given = ReadJson(path);
  if (!given.is_object()) Fail("{}: a JSON object expected", path.string());
  for (const char* key : {"what", "out", "seed", "frames", "threads", "bf16"}) given.erase(key);
  if (given.contains("size")) {
    given["height"] = given["width"] = Json(given["size"]);
    given.erase("size");
  }
  if (given.contains("heads") && !given.contains("vae_heads")) given["vae_heads"] = Json(given["heads"]);
  for (const char* blocks : {"encoder", "decoder"}) {
    if (given.contains(blocks)) continue;
    const int64_t count = CountBlocks(vae, blocks);
    if (count == 0) Fail("the VAE's file has no tensor '{}.0.norm1.weight'; is it the right one?", blocks);
    given[blocks] = count;
  }
  const auto shape = FromJson<OasisShape>(given, path.string());
  CheckOasisShape(shape, path.string());
  return shape;
}

VitOptions OasisCodecOptions(const OasisShape& s) {
  return {.patch = s.vae_patch,
          .latent = s.latent,
          .dim = s.vdim,
          .heads = s.vae_heads,
          .encoder = s.encoder,
          .decoder = s.decoder,
          .height = s.height,
          .width = s.width};
}

ModelConfig OasisConfig(const OasisShape& s, const Codec& codec) {
  ModelConfig config;
  config.codec = codec.Spec();
  config.codec_hash = CodecHash(codec);
  config.latent = codec.Latent();
  config.state = fmt::format("window(frames={})", s.window - 1);
  config.path = "v_sigmoid";
  config.transition = {.layout = "spatial_temporal",
                       .dim = s.hidden,
                       .depth = s.depth,
                       .heads = s.heads,
                       .patch = s.patch,
                       .own_modulation = true,
                       .qk_norm = false,
                       .plain_tokens = true,
                       .rope = "pixel",
                       .levels = kNoiseLevels,
                       .level_features = 256};
  config.rollout.spec = "recomputed";
  config.rollout.steps = s.steps;
  config.rollout.context_level = kContextLevel;
  config.data = {.name = "oasis",
                 .source = "open-oasis (github.com/etched-ai/open-oasis)",
                 .height = s.height,
                 .width = s.width,
                 .fps = s.fps,
                 .actions = OasisActions(s.actions)};
  return config;
}

ModelConfig ConvertOasis(const OasisFiles& files, const fs::path& out) {
  const TensorFile dit = MapSafetensors(files.dit), vae = MapSafetensors(files.vae);
  const OasisShape shape = files.config.empty() ? OasisShape{} : ReadOasisShape(files.config, vae);
  const WeightRules network = OasisNetworkRules(shape), codec_rules = OasisCodecRules(shape);
  CheckSources(dit, network, IsFrequencies, files.dit.string(), kHint);
  CheckFrequencies(dit, shape, files.dit.string());
  CheckSources(vae, codec_rules, IsFrequencies, files.vae.string(), kHint);

  AtomicFolder folder(out, true, {"config.json", "model.safetensors", "codec.safetensors", "starts.safetensors", "card.md"});
  const std::shared_ptr<Codec> codec = MakeOasisCodec(vae, shape, files.vae.string());
  SaveCodec(folder.Path() / "codec.safetensors", *codec);
  const ModelConfig config = OasisConfig(shape, *codec);
  WriteJson(folder.Path() / "config.json", config);
  WriteNetwork(dit, network, files.dit.string(), folder.Path() / "model.safetensors");
  if (!files.pictures.empty()) SaveStarts(StartsFrom(files.pictures, shape), folder.Path());
  WriteFileAtomic(folder.Path() / "card.md", OasisCard(files, shape, SourceNumbers(network), SourceNumbers(codec_rules)));
  folder.Commit();
  return config;
}

}  // namespace orrery
