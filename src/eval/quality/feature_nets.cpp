// Which nets there are, and where they may be used.
#include <algorithm>

#include "core/config.h"
#include "core/file.h"
#include "eval/quality/feature_files.h"
#include "eval/quality/feature_net.h"

namespace orrery {

namespace {

std::vector<FeatureNet>& Nets() {
  static std::vector<FeatureNet> nets = [] {
    std::vector<FeatureNet> built_in;
    for (const FeatureFile& file : FeatureFiles())
      built_in.emplace_back(file.name, file.bytes, fmt::format("built-in net {}", file.name), true);
    return built_in;
  }();
  return nets;
}

bool FitForAName(const std::string& name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

const std::vector<FeatureNet>& FeatureNets() { return Nets(); }

void AddFeatureNet(const std::string& spec) {
  const size_t equals = spec.find('=');
  const std::string name = spec.substr(0, equals);
  if (equals == std::string::npos || !FitForAName(name))
    Fail("--features: NAME=FILE.pt expected, with a name of letters, digits, - _ and ., got '{}'", spec);
  for (const FeatureNet& net : Nets())
    if (net.Name() == name) Fail("--features: the name '{}' is taken; choose another", name);
  const std::string file = spec.substr(equals + 1);
  Nets().emplace_back(name, ReadFile(file), file);
}

std::string FailedGate(const FeatureNet& net, std::string_view world) {
  static const Json gates = ParseJson(FeatureGates(), "gates.json");
  if (!net.BuiltIn()) return {};
  const Json& of_net = gates.at("nets").at(net.Name() + (net.OfClips() ? " of clips" : " of frames"));
  ORRERY_CHECK(of_net.at("sha256") == net.Hash());
  const auto found = of_net.at("worlds").find(world);
  if (found == of_net.at("worlds").end()) return fmt::format("the validity gates of {} were never run on this world", net.Name());
  const Json& failed = found->at("failed");
  if (failed.empty()) return {};
  return fmt::format("{} may not be used on this world: {}", net.Name(), failed.at(0).get<std::string>());
}

}  // namespace orrery
