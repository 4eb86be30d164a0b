// Writes and reads data sets for the Python tests.
//   data_tool write DIR discrete|box|none   two episodes of 40 and 9 frames of 32x48 (see Fill)
//   data_tool read DIR OUT                  facts and episodes of DIR as one safetensors file
#include <ATen/Functions.h>

#include <cstdio>

#include "core/safetensors.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"

namespace orrery {
namespace {

// Numbers that the Python side computes again from their indices.
Episode Fill(const DatasetFacts& facts, int64_t frames, int64_t number) {
  const auto ramp = [](at::IntArrayRef sizes) { return at::arange(c10::multiply_integers(sizes), at::kLong).view(sizes); };
  Episode episode;
  episode.seed = static_cast<uint64_t>(100 + number);
  episode.frames = ((ramp({frames, facts.height, facts.width, 3}) * 7 + number) % 251).to(at::kByte);
  episode.pose = ramp({frames, 3}).to(at::kFloat) / 8;
  const int64_t width = facts.actions.Width();
  if (facts.actions.Discrete()) episode.actions = (ramp({frames, 1}) % facts.actions.count).to(at::kFloat);
  if (facts.actions.dims > 0) episode.actions = ramp({frames, width}).to(at::kFloat) / 1024;
  if (width > 0) episode.actions[0].zero_();
  return episode;
}

void Write(const std::string& folder, const std::string& kind) {
  DatasetFacts facts;
  facts.name = "tool";
  facts.source = "tool(" + kind + ")";
  facts.height = 32;
  facts.width = 48;
  facts.has_pose = true;
  if (kind == "discrete") facts.actions.count = 5;
  if (kind == "box") {
    facts.actions.dims = 2;
    facts.actions.low = {-1, std::numeric_limits<float>::lowest()};
    facts.actions.high = {1, std::numeric_limits<float>::max()};
  }
  DatasetWriter writer(folder, facts);
  writer.Add(Fill(facts, 40, 0));
  writer.Add(Fill(facts, 9, 1));
  writer.Finish();
}

void Read(const std::string& folder, const std::string& out) {
  const Dataset set(folder);
  NamedTensors tensors;
  for (int64_t i = 0; i < set.Episodes(); ++i) {
    const Episode episode = set.Read(i, 0, set.Frames(i));
    tensors.emplace_back(fmt::format("{}/frames", i), episode.frames);
    if (episode.actions.defined()) tensors.emplace_back(fmt::format("{}/actions", i), episode.actions);
    if (episode.pose.defined()) tensors.emplace_back(fmt::format("{}/pose", i), episode.pose);
    tensors.emplace_back(fmt::format("{}/seed", i), at::tensor(static_cast<int64_t>(episode.seed)));
  }
  SaveSafetensors(out, tensors, {{"facts", Json(set.Facts()).dump()}});
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  try {
    const std::string verb = argc == 4 ? argv[1] : "";
    if (verb == "write") {
      orrery::Write(argv[2], argv[3]);
    } else if (verb == "read") {
      orrery::Read(argv[2], argv[3]);
    } else {
      orrery::Fail("expected write DIR KIND or read DIR OUT");
    }
  } catch (const orrery::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
