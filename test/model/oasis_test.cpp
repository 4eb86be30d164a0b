// Weights of open-oasis: the published shape, and a small copy of its networks whose outputs are known (test/golden/oasis-mini64).
#include "model/convert/oasis.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "data/video.h"
#include "model/dream_world.h"
#include "model/replay.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = "test/golden/oasis-mini64";

OasisFiles GoldenFiles() { return {kGolden / "dit.safetensors", kGolden / "vae.safetensors", kGolden / "config.json", {}}; }

fs::path Fresh(const std::string& name) {
  const fs::path path = fs::path(testing::TempDir()) / "oasis" / name;
  fs::remove_all(path);
  return path;
}

// The golden networks, converted once.
const fs::path& Converted() {
  static const fs::path folder = [] {
    const fs::path out = Fresh("golden");
    ConvertOasis(GoldenFiles(), out);
    return out;
  }();
  return folder;
}

std::string Refusal(const OasisFiles& files, const fs::path& out) {
  try {
    ConvertOasis(files, out);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

// The golden files with one of them changed.
OasisFiles Changed(const std::string& which, const std::function<void(NamedTensors&)>& change) {
  OasisFiles files = GoldenFiles();
  fs::path& path = which == "dit" ? files.dit : files.vae;
  NamedTensors tensors = LoadSafetensors(path).tensors;
  change(tensors);
  path = fs::path(testing::TempDir()) / ("changed-" + which + ".safetensors");
  SaveSafetensors(path, tensors);
  return files;
}

at::Tensor& Named(NamedTensors& tensors, const std::string& name) {
  for (auto& [n, tensor] : tensors)
    if (n == name) return tensor;
  throw std::logic_error(name);
}

void Drop(NamedTensors& tensors, const std::string& name) {
  std::erase_if(tensors, [&](const auto& item) { return item.first == name; });
}

double Worst(const fs::path& folder) {
  double worst = 0;
  for (const ReplayRow& row : Replay(*WorldModel::Load(folder), LoadSafetensors(kGolden / "io.safetensors"), "io")) {
    if (row.output) std::cout << row.name << ": " << row.difference << " (" << row.relative << ")\n";
    worst = std::max(worst, row.relative);
  }
  return worst;
}

TEST(Oasis, ThePublishedNetworksHaveThePublishedNumbers) {
  const WeightRules network = OasisNetworkRules({}), codec = OasisCodecRules({});
  EXPECT_EQ(SourceNumbers(network), 607943744);
  EXPECT_EQ(Numbers(network), 607943744) << "ours has as many as theirs";
  EXPECT_EQ(SourceNumbers(codec), 229246160);
  EXPECT_EQ(Numbers(codec), 229246160);
  WeightRules block;
  for (const WeightRule& rule : network)
    if (rule.name.starts_with("block7.") || rule.name == "modulation7.weight") block.push_back(rule);
  EXPECT_EQ(Numbers(block), 37773312);
}

TEST(Oasis, EveryGoldenOutputIsReproduced) {
  const auto model = WorldModel::Load(Converted());
  std::set<std::string> outputs;
  for (const ReplayRow& row : Replay(*model, LoadSafetensors(kGolden / "io.safetensors"), "io"))
    if (row.output) {
      std::cout << row.name << ": " << row.difference << " (" << row.relative << ")\n";
      EXPECT_LE(row.relative, 1e-4) << row.name;
      outputs.insert(row.name);
    }
  EXPECT_EQ(outputs, (std::set<std::string>{"prompt_latent", "single_out", "clip_out", "latents", "frames"}));
  EXPECT_NE(ReadFile(Converted() / "card.md").find("sha256"), std::string::npos);
}

TEST(Oasis, OtherWeightsAndOtherContextsAreSeen) {
  const fs::path out = Fresh("other");
  ConvertOasis(Changed("dit", [](NamedTensors& t) { Named(t, "blocks.1.t_mlp.fc2.bias").add_(0.05); }), out);
  EXPECT_GT(Worst(out), 1e-3);
  // A window that keeps what its oldest frames had seen is not one that is computed anew: frames 8 and later tell.
  fs::remove_all(out);
  fs::copy(Converted(), out);
  Json config = ReadJson(out / "config.json");
  config["rollout"]["spec"] = "sequential";
  WriteJson(out / "config.json", config);
  EXPECT_GT(Worst(out), 1e-4);
}

TEST(Oasis, OneCopyOfTheFrequenciesIsEnoughAndHalfPrecisionIsRead) {
  const fs::path out = Fresh("half");
  const OasisFiles files = Changed("dit", [](NamedTensors& tensors) {
    Drop(tensors, "spatial_rotary_emb.freqs");
    Drop(tensors, "temporal_rotary_emb.freqs");
    for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kBFloat16);
  });
  ConvertOasis(files, out);
  const double worst = Worst(out);
  EXPECT_LT(worst, 0.2);
  EXPECT_GT(worst, 1e-4);
}

TEST(Oasis, RefusesWeightsThatDoNotFitAndLeavesNothing) {
  const fs::path out = Fresh("refused");
  const auto refusal = [&](const std::string& which, const std::function<void(NamedTensors&)>& change) {
    const std::string message = Refusal(Changed(which, change), out);
    EXPECT_FALSE(fs::exists(out));
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return message;
  };
  EXPECT_NE(refusal("dit", [](auto& t) { Drop(t, "blocks.2.s_mlp.fc1.bias"); }).find("'blocks.2.s_mlp.fc1.bias' [512] is missing"),
            std::string::npos);
  EXPECT_NE(refusal("dit", [](auto& t) { t.emplace_back("blocks.3.s_mlp.fc1.bias", at::zeros({512})); })
                .find("'blocks.3.s_mlp.fc1.bias' has no place in this network (nearest: 'blocks."),
            std::string::npos);
  EXPECT_NE(refusal("vae",
                    [](auto& t) {
                      Named(t, "predictor.weight") = at::zeros({48, 64});
                    })
                .find("'predictor.weight': expected [48, 128], got [48, 64]"),
            std::string::npos);
  EXPECT_NE(refusal("vae", [](auto& t) { Named(t, "enc_norm.bias") = at::zeros({128}, at::kLong); }).find("floating numbers expected"),
            std::string::npos);
  EXPECT_NE(refusal("dit", [](auto& t) { Named(t, "final_layer.linear.bias")[3] = NAN; }).find("not finite"), std::string::npos);
  EXPECT_NE(refusal("dit", [](auto& t) { Named(t, "blocks.1.s_attn.rotary_emb.freqs").mul_(1.01); }).find("other rotary frequencies"),
            std::string::npos);
}

TEST(Oasis, RefusesAShapeThatDoesNotFit) {
  const fs::path out = Fresh("shape"), config = fs::path(testing::TempDir()) / "shape.json";
  const auto refusal = [&](const std::string& text) {
    WriteFileAtomic(config, text);
    OasisFiles files = GoldenFiles();
    files.config = config;
    return Refusal(files, out);
  };
  OasisFiles published = GoldenFiles();
  published.config.clear();
  EXPECT_NE(Refusal(published, out).find("give the shape of these networks with --config"), std::string::npos);
  EXPECT_NE(refusal(R"({"size": 64, "hidden": 128, "depth": 3, "heads": 8, "vae_patch": 4, "vdim": 128})").find("rotary frequencies"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"size": 60, "hidden": 128, "heads": 4, "vae_patch": 4, "vdim": 128})").find("do not divide frames of 60x60"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"size": 64, "width_of_all": 3})").find("width_of_all"), std::string::npos);
  OasisFiles exchanged = GoldenFiles();
  std::swap(exchanged.dit, exchanged.vae);
  EXPECT_NE(Refusal(exchanged, out).find("no tensor 'encoder.0.norm1.weight'"), std::string::npos);
  EXPECT_NE(refusal(R"({"size": 64, "depth": 0})").find("depth must be above 0"), std::string::npos);
  EXPECT_FALSE(fs::exists(out));
}

TEST(Oasis, AConvertedFolderIsAWorldToPlay) {
  const fs::path out = Fresh("world"), picture = fs::path(testing::TempDir()) / "start.png";
  const at::Tensor image = LoadSafetensors(kGolden / "io.safetensors").At("image", "io")[0];
  WritePng(picture, FramesToBytes(image.unsqueeze(0))[0]);
  OasisFiles files = GoldenFiles();
  files.pictures = {picture, picture};
  ConvertOasis(files, out);
  const std::shared_ptr<const WorldModel> model = WorldModel::Load(out);
  const auto starts = std::make_shared<const Starts>(LoadStarts(out));
  ASSERT_EQ(starts->Count(), 2);
  EXPECT_TRUE(at::equal(starts->frames[1][0], FramesToBytes(image.unsqueeze(0))[0]));
  EXPECT_EQ(model->Actions().Width(), 25);
  EXPECT_EQ(model->Actions().names[24], "drop");

  RolloutOptions rollout = model->Config().rollout;
  rollout.steps = 2;
  DreamWorld world(model, starts, rollout);
  std::vector<float> still(25, 0), forward = still;
  forward[11] = 1;
  const auto film = [&](const std::vector<float>& action) {
    world.Reset(1);
    std::vector<uint8_t> frames;
    for (int t = 0; t < 10; ++t) {  // past the window of 8
      world.Step(action);
      std::vector<uint8_t> frame(64 * 64 * 3);
      world.Render(frame);
      frames.insert(frames.end(), frame.begin(), frame.end());
    }
    return frames;
  };
  const std::vector<uint8_t> a = film(still), b = film(forward);
  EXPECT_EQ(a, film(still));
  EXPECT_NE(a, b);
  // Put back, the window goes on as it was.
  world.Reset(0);
  for (int t = 0; t < 9; ++t) world.Step(forward);
  const std::string snapshot = world.Snapshot();
  std::vector<uint8_t> first(64 * 64 * 3), second = first;
  world.Step(still);
  world.Render(first);
  world.Restore(snapshot);
  world.Step(still);
  world.Render(second);
  EXPECT_EQ(first, second);
}

TEST(Replay, RefusesFilesThatTellNothing) {
  const auto model = WorldModel::Load(Converted());
  const TensorFile golden = LoadSafetensors(kGolden / "io.safetensors");
  const auto refusal = [&](const std::function<void(NamedTensors&)>& change) -> std::string {
    TensorFile io = golden;
    change(io.tensors);
    try {
      Replay(*model, io, "io");
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_NE(refusal([](auto& t) { Drop(t, "actions"); }).find("'actions' is missing"), std::string::npos);
  EXPECT_NE(refusal([](auto& t) { t.emplace_back("latent", at::zeros({1})); }).find("did you mean 'latents'"), std::string::npos);
  EXPECT_NE(refusal([](auto& t) { Named(t, "clip_in") = at::zeros({1, 2, 3, 4, 5}); }).find("clip_in"), std::string::npos);
  EXPECT_NE(refusal([](auto& t) {
              const at::Tensor noise = Named(t, "noise");
              t.assign({{"noise", noise}});
            }).find("no output to compare with"),
            std::string::npos);
}

}  // namespace
}  // namespace orrery
