#include "cli/verbs.h"

#include <iostream>

#include "core/shape.h"
#include "model/replay.h"

namespace orrery::cli {
namespace {

struct VerifyArguments {
  std::string model, io;
  double tolerance = 1e-4;
};

void Verify(const VerifyArguments& a) {
  const std::shared_ptr<const WorldModel> model = WorldModel::Load(a.model);
  std::string worst;
  for (const ReplayRow& row : Replay(*model, MapSafetensors(a.io), a.io)) {
    const std::string shape = ShapeText(row.shape);
    if (!row.output) {
      std::cout << fmt::format("{:14} {:24} input\n", row.name, shape);
      continue;
    }
    const bool close = row.relative <= a.tolerance;  // not for NaN either
    if (!close && worst.empty()) worst = fmt::format("{} differs by {:.3g} of its largest value", row.name, row.relative);
    std::cout << fmt::format("{:14} {:24} {:.3g} ({:.3g} of the largest value){}\n", row.name, shape, row.difference, row.relative,
                             close ? "" : "  DIFFERS");
  }
  std::cout << std::flush;
  if (!worst.empty())
    Fail("verify: {}, more than --tolerance {}; these are other weights or another computation than in {}", worst, a.tolerance, a.io);
}

}  // namespace

void AddVerify(CLI::App& app) {
  auto a = std::make_shared<VerifyArguments>();
  CLI::App* verb = app.add_subcommand("verify", "Compare a model with inputs and outputs that another program wrote");
  verb->add_option("model", a->model, "Model folder")->required();
  verb->add_option("io", a->io, "safetensors file of inputs and outputs (docs/convert.md)")->required();
  verb->add_option("--tolerance", a->tolerance, "Largest difference allowed, as a share of an output's largest value")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  Example(*verb, "orrery verify models/oasis io.safetensors");
  verb->callback([a] { Verify(*a); });
}

}  // namespace orrery::cli
