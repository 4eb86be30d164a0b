#include "cli/verbs.h"

#include <iostream>

#include "codec/checkpoint.h"
#include "core/file.h"
#include "model/starts.h"
#include "model/world_model.h"
#include "nn/module_tensors.h"

namespace orrery::cli {

namespace fs = std::filesystem;

// At most `count` of the beginnings, of each the last `frames` frames; 0: all.
Starts Fewer(Starts starts, int64_t count, int64_t frames) {
  for (at::Tensor* t : {&starts.frames, &starts.actions, &starts.pose}) {
    if (!t->defined()) continue;
    if (count) *t = t->narrow(0, 0, std::min(count, t->size(0)));
    if (frames) *t = t->narrow(1, std::max<int64_t>(0, t->size(1) - frames), std::min(frames, t->size(1)));
    *t = t->contiguous();
  }
  return starts;
}

// A run as a folder to ship: weights in float16, the codec's hash recomputed for its rounded weights, beginnings, metrics log.
void AddPack(CLI::App& app) {
  auto run = std::make_shared<std::string>(), out = std::make_shared<std::string>();
  auto count = std::make_shared<int64_t>(0), frames = std::make_shared<int64_t>(0);
  CLI::App* verb = app.add_subcommand("pack", "Copy what a run's model needs to be played into a small folder (weights as float16)");
  verb->add_option("run", *run, "Run folder of 'orrery train model'")->required();
  verb->add_option("--out", *out, "Model folder to write")->required();
  verb->add_option("--starts", *count, "Keep so many of the real beginnings (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--start-frames", *frames, "Keep the last so many frames of each (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  Example(*verb, "orrery pack runs/doom --out models/doom --starts 8");
  verb->callback([=] {
    const fs::path from = *run, to = *out;
    const std::shared_ptr<const WorldModel> model = WorldModel::Load(from);
    const Starts starts = Fewer(LoadStarts(from), *count, *frames);
    MakeFolder(to);
    SaveCodec(to / "codec.safetensors", model->GetCodec(), at::kHalf);
    const WorldModel packed(model->Config(), LoadCodec(to / "codec.safetensors"), 0);
    const std::string where = (from / "model.safetensors").string();
    LoadModule(packed.Network(), ModuleTensors(model->Network()), where);
    LoadModule(*packed.GetMemory(), ModuleTensors(*model->GetMemory()), where);
    packed.Save(to, at::kHalf);
    SaveStarts(starts, to);
    uintmax_t bytes = 0;
    for (const fs::directory_entry& file : fs::directory_iterator(to)) bytes += file.is_regular_file() ? file.file_size() : 0;
    std::cout << fmt::format("{}: {:.2f} MB\n", to.string(), static_cast<double>(bytes) / 1e6);
  });
}

}  // namespace orrery::cli
