#include "cli/verbs.h"

#include <iostream>

#include "codec/checkpoint.h"
#include "core/file.h"
#include "model/starts.h"
#include "model/world_model.h"

namespace orrery::cli {

namespace fs = std::filesystem;

// A run as a folder to ship: weights in float16, the codec's hash recomputed for its rounded weights, beginnings, metrics log.
void AddPack(CLI::App& app) {
  auto run = std::make_shared<std::string>(), out = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("pack", "Copy what a run's model needs to be played into a small folder (weights as float16)");
  verb->add_option("run", *run, "Run folder of 'orrery train model'")->required();
  verb->add_option("--out", *out, "Model folder to write")->required();
  Example(*verb, "orrery pack runs/doom --out models/doom");
  verb->callback([=] {
    const fs::path from = *run, to = *out;
    const std::shared_ptr<const WorldModel> model = WorldModel::Load(from);
    const Starts starts = LoadStarts(from);
    MakeFolder(to);
    SaveCodec(to / "codec.safetensors", model->GetCodec(), at::kHalf);
    const WorldModel packed(model->Config(), LoadCodec(to / "codec.safetensors"), 0);
    {
      const at::NoGradGuard guard;
      const auto target = packed.Network().named_parameters(), source = model->Network().named_parameters();
      for (const auto& item : source) target[item.key()].copy_(item.value());
      const auto buffers = packed.Network().named_buffers();
      for (const auto& item : model->Network().named_buffers()) buffers[item.key()].copy_(item.value());
    }
    packed.Save(to, at::kHalf);
    SaveStarts(starts, to);
    uintmax_t bytes = 0;
    for (const fs::directory_entry& file : fs::directory_iterator(to)) bytes += file.is_regular_file() ? file.file_size() : 0;
    std::cout << fmt::format("{}: {:.2f} MB\n", to.string(), static_cast<double>(bytes) / 1e6);
  });
}

}  // namespace orrery::cli
