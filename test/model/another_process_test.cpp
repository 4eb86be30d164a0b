// A session saved to disk goes on in another process as it would have here, to the bit: every state, and every sum of them.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "../dynamics/awake.h"
#include "../state/small_specs.h"
#include "codec/checkpoint.h"
#include "codec/registry.h"
#include "core/tensor_rng.h"
#include "model/session.h"

namespace orrery {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "ORRERY_GOES_ON";  // environment: where the other process finds what it goes on with
constexpr int64_t kContext = 6, kSteps = 3;

std::shared_ptr<WorldModel> NewModel(const std::string& state) {
  ModelConfig config;
  config.state = state;
  config.transition = {.dim = 32, .depth = 2, .heads = 2, .patch = 1};
  config.rollout = {.steps = 2};
  config.data = {"toy", "test", 16, 16, 10, {3, 0, {"left", "stay", "right"}, {}, {}}, true};
  auto model = std::make_shared<WorldModel>(config, MakeCodec("identity(patch=4)", 16, 16, 0), 1);
  const at::NoGradGuard guard;
  at::manual_seed(3);
  Awaken(model->Network(), 0.05);
  Awaken(*model->GetMemory(), 0.2);
  return model;
}

// Frames of two rows after `session` is where it is; what it is at the end is saved too.
void GoOn(Session& session, const fs::path& file) {
  NamedTensors out;
  for (int64_t t = 0; t < kSteps; ++t) {
    session.Step(at::full({2, 1}, static_cast<double>(t % 3)));
    out.emplace_back(fmt::format("frame{}", t), session.Latent().clone());
  }
  const Parts end = session.Snapshot().ToParts();
  for (const Part& part : end.All()) out.emplace_back("state/" + part.name, part.tensor.contiguous());
  SaveSafetensors(file, out);
}

std::vector<fs::path> Folders(const fs::path& root) {
  std::vector<fs::path> folders;
  for (const std::string& spec : AllSmallSpecs()) folders.push_back(root / TestName(spec));
  return folders;
}

// Run by the other process alone.
TEST(AnotherProcess, GoesOn) {
  const char* root = std::getenv(kFolder);
  if (!root) return;
  for (const fs::path& folder : Folders(root)) {
    const auto model = WorldModel::Load(folder);
    Session session(model, model->Config().rollout);
    session.Restore(SessionState::FromParts(Parts::Load(folder / "session.safetensors")));
    GoOn(session, folder / "there.safetensors");
  }
}

TEST(AnotherProcess, ContinuesEveryStateToTheBit) {
  const fs::path root = fs::path(testing::TempDir()) / fmt::format("orrery-goes-on-{}", ::getpid());
  const std::vector<std::string> specs = AllSmallSpecs();
  const std::vector<fs::path> folders = Folders(root);
  Rng rng(2);
  const at::Tensor frames = (UniformTensor({2, kContext, 16, 16, 3}, rng) * 255).to(at::kByte);
  const at::Tensor actions = (UniformTensor({2, kContext, 1}, rng) * 3).floor(), pose = UniformTensor({2, kContext, 3}, rng);
  for (size_t i = 0; i < specs.size(); ++i) {
    fs::create_directories(folders[i]);
    const auto model = NewModel(specs[i]);
    model->Save(folders[i]);
    SaveCodec(folders[i] / "codec.safetensors", model->GetCodec());
    Session session(model, model->Config().rollout);
    session.Reset(frames, actions, model->NeedsPose() ? pose : at::Tensor(), {5, 6});
    session.Snapshot().ToParts().Save(folders[i] / "session.safetensors");
    GoOn(session, folders[i] / "here.safetensors");
  }
  const std::string command = fmt::format("{}='{}' '{}' --gtest_filter=AnotherProcess.GoesOn > '{}' 2>&1", kFolder, root.string(),
                                          fs::read_symlink("/proc/self/exe").string(), (root / "log").string());
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  for (size_t i = 0; i < specs.size(); ++i) {
    const TensorFile here = LoadSafetensors(folders[i] / "here.safetensors"), there = LoadSafetensors(folders[i] / "there.safetensors");
    ASSERT_EQ(here.tensors.size(), there.tensors.size()) << specs[i];
    for (const auto& [name, tensor] : here.tensors) EXPECT_TRUE(at::equal(tensor, there.At(name, "there"))) << specs[i] << ": " << name;
  }
  fs::remove_all(root);
}

}  // namespace
}  // namespace orrery
