#include "cli/verbs.h"

#include <iostream>

#include "model/convert/oasis.h"

namespace orrery::cli {

void AddConvert(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("convert", "Make a model folder of another project's weights");
  verb->require_subcommand(1);
  auto files = std::make_shared<OasisFiles>();
  auto out = std::make_shared<std::string>();
  CLI::App* oasis = verb->add_subcommand("oasis", "open-oasis: a DiT and a ViT-VAE, as safetensors files");
  oasis->add_option("--dit", files->dit, "Weights of the DiT")->required();
  oasis->add_option("--vae", files->vae, "Weights of the VAE")->required();
  oasis->add_option("--config", files->config, "Shape of the networks as JSON (default: as published, 500 M)");
  oasis->add_option("--picture", files->pictures, "Picture or film to begin from in 'orrery play'; may be given several times");
  oasis->add_option("--out", *out, "Model folder to write")->required();
  Example(*oasis, "orrery convert oasis --dit oasis500m.safetensors --vae vit-l-20.safetensors --picture start.png --out models/oasis");
  oasis->callback([files, out] {
    const ModelConfig config = ConvertOasis(*files, *out);
    std::cout << Json{{"model", *out},
                      {"frame", {config.data.height, config.data.width}},
                      {"dim", config.transition.dim},
                      {"depth", config.transition.depth},
                      {"codec", config.codec},
                      {"starts", files->pictures.size()}}
                     .dump()
              << "\n";
  });
}

}  // namespace orrery::cli
