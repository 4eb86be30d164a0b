// What subjects with a known fault must score (evaluation 1.13, 2.10, 3.13).
#include <cmath>

#include "eval/suite/suite.h"

namespace orrery {

namespace {

// Values by dummy of one metric on one world.
using Scores = std::map<std::string, const Metric*>;

struct Rule {
  const char *metric, *dummy, *expected;
  // Whether `value` is right; scores of other dummies of the same metric and world may be looked at.
  std::function<bool(double value, const Scores& all)> holds;
};

std::function<bool(double, const Scores&)> Near(double wanted, double tolerance) {
  return [=](double value, const Scores&) { return std::abs(value - wanted) <= tolerance; };
}
std::function<bool(double, const Scores&)> Above(double least) {
  return [=](double value, const Scores&) { return value > least; };
}
std::function<bool(double, const Scores&)> Below(double most) {
  return [=](double value, const Scores&) { return value < most; };
}
// Against another dummy, where that one has a value.
std::function<bool(double, const Scores&)> Compared(const char* other, bool above) {
  return [=](double value, const Scores& all) {
    const auto found = all.find(other);
    if (found == all.end() || !found->second->value) return true;
    return above ? value > *found->second->value : value < *found->second->value;
  };
}

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> rules = {
      {"quality.psnr", "copy", "100 dB", Near(100, 1e-9)},
      {"quality.psnr", "noise", "26.0 dB, clamping raises it", [](double v, const Scores&) { return v > 25.7 && v < 28.5; }},
      {"quality.psnr", "blur", "< copy", Compared("copy", false)},
      {"quality.psnr", "random", "< copy", Compared("copy", false)},
      {"quality.psnr", "shuffle", "< copy", Compared("copy", false)},
      {"quality.psnr", "wrongact", "< copy", Compared("copy", false)},
      {"quality.ssim", "copy", "1", Near(1, 1e-9)},
      {"quality.ssim", "blur", "< copy", Compared("copy", false)},
      {"quality.ssim", "noise", "< copy", Compared("copy", false)},
      {"quality.sharpness-ratio", "copy", "1", Near(1, 1e-9)},
      {"quality.sharpness-ratio", "blur", "< 0.6", Below(0.6)},
      {"quality.sharpness-ratio", "noise", "> 1", Above(1)},
      {"quality.motion-ratio", "copy", "1", Near(1, 1e-9)},
      {"quality.motion-ratio", "frozen", "0", Near(0, 1e-9)},
      {"quality.motion-ratio", "shuffle", "> 1", Above(1)},
      {"quality.motion-ratio", "reverse", "= copy up to one frame", Near(1, 0.12)},
      {"quality.duplicate-rate", "copy", "0", Near(0, 1e-9)},
      {"quality.duplicate-rate", "frozen", "1", Near(1, 1e-9)},
      {"quality.flicker", "frozen", "1", Near(1, 1e-9)},
      {"quality.flicker", "shuffle", "< copy", Compared("copy", false)},
      {"persistence.exposure-gap", "copy", "0", Near(0, 1e-9)},
      {"persistence.exposure-slope", "copy", "0", Near(0, 1e-9)},
      {"persistence.exposure-gap", "frozen", "> 0", Above(0)},
      {"persistence.revisit.gain", "copy", "1", Near(1, 1e-9)},
      {"persistence.revisit.gain", "random", "0", Near(0, 0.2)},
      {"persistence.revisit.gain", "frozen", "< copy", Compared("copy", false)},
      {"persistence.revisit.gain", "forget", "< copy beyond 32 frames", Compared("copy", false)},
      {"persistence.revisit.remembered", "copy", "100 dB", Near(100, 1e-9)},
      {"causality.physics-iq.score", "copy", "100 (clipped)", Near(100, 1e-9)},
      {"causality.physics-iq.score", "take2", "100.0 +- 0.1", Near(100, 0.1)},
      {"causality.physics-iq.spatial", "copy", "1", Near(1, 1e-9)},
      {"causality.physics-iq.spatial", "frozen", "0", Near(0, 1e-9)},
      {"causality.physics-iq.weighted", "frozen", "0", Near(0, 1e-9)},
      {"causality.physics-iq.score", "random", "< copy", Compared("copy", false)},
      {"causality.physics-iq.spatiotemporal", "reverse", "< copy", Compared("copy", false)},
      {"causality.physics-iq.spatiotemporal", "lag2", "< copy", Compared("copy", false)},
      {"causality.twin.remove.precision", "copy", "1", Near(1, 1e-9)},
      {"causality.twin.remove.recall", "copy", "1", Near(1, 1e-9)},
      {"causality.twin.remove.cne", "copy", "0", Near(0, 1e-9)},
      {"causality.twin.remove.recall", "ignore", "0", Near(0, 1e-9)},
      {"causality.twin.remove.cne", "ignore", "1", Near(1, 1e-9)},
      {"causality.twin.remove.recall", "frozen", "0", Near(0, 1e-9)},
      {"causality.twin.velocity.cne", "copy", "0", Near(0, 1e-9)},
      {"causality.twin.velocity.cne", "ignore", "1", Near(1, 1e-9)},
      {"causality.twin.velocity.recall", "ignore", "0", Near(0, 1e-9)},
      {"causality.twin.remove.leak", "copy", "0", Near(0, 0)},
      {"causality.twin.remove.null", "copy", "0", Near(0, 0)},
      {"causality.twin.remove.null", "noise", "0: noise is shared", Near(0, 0)},
      {"causality.control.calibrated", "copy", "1", Near(1, 1e-9)},
      {"causality.control.calibrated", "wrongact", "0.1", Near(0.1, 0.02)},
      {"causality.control.normalised", "copy", "1", Near(1, 1e-9)},
      {"causality.control.normalised", "wrongact", "0", Near(0, 0.05)},
      {"causality.control.delta-psnr", "copy", "> 0", Above(0)},
      {"causality.control.delta-psnr", "ignore", "0", Near(0, 1e-9)},
  };
  return rules;
}

}  // namespace

std::vector<SanityRow> SanityRows(const std::vector<Evaluation>& evaluations) {
  std::map<std::pair<std::string, std::string>, Scores> by;  // metric, world
  for (const Evaluation& e : evaluations) {
    const std::string name = e.model.at("name");
    if (!name.starts_with("dummy:")) continue;
    for (const Metric& m : e.metrics) by[{m.id, m.world}][name.substr(6)] = &m;
  }
  std::vector<SanityRow> rows;
  for (const Rule& rule : Rules())
    for (const auto& [key, scores] : by) {
      if (key.first != rule.metric) continue;
      const auto found = scores.find(rule.dummy);
      if (found == scores.end()) continue;
      const std::optional<double> got = found->second->value;
      const auto copy = scores.find("copy");
      if (!got && copy != scores.end() && !copy->second->value) continue;  // these scenarios do not define it, even of the truth
      rows.push_back({fmt::format("{} ({})", key.first, key.second), rule.dummy,
                      got ? rule.expected : fmt::format("{}; none: {}", rule.expected, found->second->cause), got,
                      got && rule.holds(*got, scores)});
    }
  return rows;
}

}  // namespace orrery
