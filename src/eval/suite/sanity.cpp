// What subjects with a known fault must score (evaluation 1.13, 2.10, 3.13).
#include <cmath>
#include <set>

#include "eval/recordings/recording.h"
#include "eval/suite/suite.h"

namespace orrery {

namespace {

struct Score {
  std::optional<double> value;
  std::string cause;  // of a missing value
};

// By dummy, of one metric on one world.
using Scores = std::map<std::string, Score>;

// What a recording shows is its recorder's choice; numbers that hang on the built-in worlds are not asked of it.
enum class On { kAll, kBuiltIn, kRecordings };

struct Rule {
  const char *metric, *dummy, *expected;  // "id", or "id@part" of one of its parts
  // Whether `value` is right; scores of other dummies of the same metric and world may be looked at.
  std::function<bool(double value, const Scores& all)> holds;
  On worlds = On::kAll;
  // Only where a world's spec begins so; "!NAME": only where it does not. Elsewhere nobody can have this number.
  std::string_view world = "";
};

bool In(std::string_view wanted, std::string_view world) {
  return wanted.starts_with('!') ? !world.starts_with(wanted.substr(1)) : world.starts_with(wanted);
}

std::function<bool(double, const Scores&)> Near(double wanted, double tolerance) {
  return [=](double value, const Scores&) { return std::abs(value - wanted) <= tolerance; };
}
std::function<bool(double, const Scores&)> SameAs(const char* other, double tolerance) {
  return [=](double value, const Scores& all) {
    const auto found = all.find(other);
    return found == all.end() || (found->second.value && std::abs(value - *found->second.value) <= tolerance);
  };
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
    if (found == all.end() || !found->second.value) return true;
    return above ? value > *found->second.value : value < *found->second.value;
  };
}

// Off what the truth's copy scores, by less or by more than so much.
std::function<bool(double, const Scores&)> OffCopy(double limit, bool more) {
  return [=](double value, const Scores& all) {
    const auto copy = all.find("copy");
    if (copy == all.end() || !copy->second.value) return true;
    return more == (std::abs(value - *copy->second.value) > limit);
  };
}

// Where the light goes off, things are out of sight from one frame to the next; screens take some frames to rise.
constexpr const char* kDarkRoom = "occluder(discs=3)";

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> rules = {
      {"quality.psnr", "copy", "100 dB", Near(100, 1e-9)},
      {"quality.psnr", "noise", "26.0 dB, clamping raises it", [](double v, const Scores&) { return v > 25.7 && v < 28.5; }},
      {"quality.psnr", "blur", "< copy", Compared("copy", false)},
      {"quality.psnr", "random", "< blur", Compared("blur", false)},
      {"quality.psnr", "random", "< shuffle", Compared("shuffle", false), On::kBuiltIn},
      {"quality.psnr", "random", "< reverse", Compared("reverse", false), On::kBuiltIn},
      {"quality.psnr", "random", "< wrongact", Compared("wrongact", false)},
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
      {"quality.motion-ratio", "reverse", "1", Near(1, 1e-9)},
      {"quality.motion-ratio", "blur", "< 1", Below(1)},
      {"quality.duplicate-rate", "copy", "0", Near(0, 1e-9), On::kAll, "!growth"},  // grows by less than half a grey level a frame
      {"quality.duplicate-rate", "frozen", "1", Near(1, 1e-9), On::kAll, "!growth"},
      {"quality.flicker", "frozen", "1", Near(1, 1e-9)},
      {"quality.flicker", "shuffle", "< copy", Compared("copy", false)},
      {"quality.flicker", "blur", "> copy", Compared("copy", true)},
      {"quality.flicker", "reverse", "= copy", SameAs("copy", 1e-9)},
      {"persistence.exposure-gap", "copy", "0", Near(0, 1e-9)},
      {"persistence.exposure-slope", "copy", "0", Near(0, 1e-9)},
      {"persistence.exposure-gap", "frozen", "> 0", Above(0)},
      {"persistence.revisit.gain", "copy", "1", Near(1, 1e-9)},
      {"persistence.revisit.gain", "random", "0 +- 0.05", Near(0, 0.05), On::kBuiltIn},
      {"persistence.revisit.gain", "random", "0 +- 0.3: recorded returns differ in difficulty", Near(0, 0.3), On::kRecordings},
      {"persistence.revisit.gain", "frozen", "0 +- 0.1", Near(0, 0.1), On::kBuiltIn},
      {"persistence.revisit.gain", "frozen", "< copy", Compared("copy", false), On::kRecordings},
      {"persistence.revisit.gain", "stale", "1: nothing moves", Near(1, 1e-9)},
      {"persistence.revisit.gain", "rising-noise", "< copy", Compared("copy", false)},
      {"persistence.revisit.gain", "forget", "0 +- 0.1 beyond 32 frames", Near(0, 0.1)},
      {"persistence.revisit.gain@gap=0016", "forget", "1 up to 32 frames", Near(1, 1e-9)},
      {"persistence.revisit.gain@gap=0032", "forget", "1 up to 32 frames", Near(1, 1e-9)},
      {"persistence.revisit.half-life", "copy", "the longest gap", Above(127.9)},
      {"persistence.revisit.half-life", "forget", "32 .. 64", [](double v, const Scores&) { return v > 32 && v < 64; }},
      {"persistence.revisit.half-life", "random", "the shortest gap", Near(16, 1e-9)},
      {"persistence.self-consistency.loop.psnr", "copy", "100 dB", Near(100, 1e-9)},
      {"persistence.self-consistency.loop.psnr", "stale", "100 dB: nothing moves", Near(100, 1e-9)},
      {"persistence.self-consistency.loop.psnr", "frozen", "100 dB (!)", Near(100, 1e-9)},
      {"persistence.self-consistency.loop.psnr", "noise", "23.0 dB: two draws, clamping raises it",
       [](double v, const Scores&) { return v > 22.7 && v < 25.5; }},
      {"persistence.self-consistency.loop.psnr", "random", "< 40 dB", Below(40)},
      {"persistence.self-consistency.loop.psnr", "rising-noise", "< noise", Compared("noise", false)},
      {"persistence.self-consistency.loop.psnr", "forget", "< 40 dB", Below(40)},
      {"persistence.self-consistency.loop.motion-ratio", "copy", "1", Near(1, 1e-9)},
      {"persistence.self-consistency.loop.motion-ratio", "frozen", "0", Near(0, 1e-9)},
      {"persistence.self-consistency.out-and-back.psnr", "copy", "100 dB", Near(100, 1e-9)},
      {"persistence.self-consistency.out-and-back.psnr", "frozen", "100 dB (!)", Near(100, 1e-9)},
      {"persistence.self-consistency.out-and-back.psnr", "forget", "< copy", Compared("copy", false)},
      {"persistence.self-consistency.out-and-back.motion-ratio", "frozen", "0", Near(0, 1e-9)},
      {"persistence.revisit.remembered", "copy", "100 dB", Near(100, 1e-9)},
      {"persistence.exposure-slope", "frozen", "> 0", Above(0), On::kBuiltIn},
      {"persistence.exposure-slope", "forget", "> 0: a step after 32 frames", Above(0)},
      {"persistence.exposure-slope", "stale", "0", Near(0, 1e-9)},
      {"persistence.exposure-slope", "rising-noise", "20 dB / 100 frames, as injected; clamping lowers it", Near(20, 3)},
      {"persistence.collapse.survival", "copy", "1", Near(1, 0)},
      {"persistence.collapse.survival", "frozen", "1: a frozen picture is a healthy one", Near(1, 0)},
      {"persistence.collapse.survival", "rising-noise", "0", Near(0, 0)},
      {"persistence.collapse.survival", "blur", "< copy", Compared("copy", false)},
      {"persistence.collapse.median", "rising-noise", "finite, not at once", Above(0)},
      {"persistence.stagnation.survival", "copy", "1", Near(1, 0)},
      {"persistence.stagnation.survival", "frozen", "0", Near(0, 0)},
      {"persistence.stagnation.median", "frozen", "0: the first frame", Near(0, 0)},
      {"persistence.start-end.sharpness", "frozen", "0", Near(0, 1e-9)},
      {"persistence.start-end.sharpness", "rising-noise", "> copy", Compared("copy", true)},
      {"persistence.start-end.colour", "frozen", "0", Near(0, 1e-9)},
      {"persistence.start-end.colour", "rising-noise", "> copy", Compared("copy", true)},
      {"persistence.predictability", "copy", "0", Near(0, 0), On::kAll, "billiards"},
      {"persistence.predictability", "take2", "1", Near(1, 1e-9), On::kAll, "billiards"},
      {"persistence.predictability", "frozen", "> take2", Compared("take2", true), On::kAll, "billiards"},
      {"persistence.hidden.progress", "copy", "1", Near(1, 1e-9)},
      {"persistence.hidden.progress", "stale", "0: paused", Near(0, 0.1)},
      {"persistence.hidden.progress", "frozen", "0: paused", Near(0, 0.1), On::kAll, kDarkRoom},
      {"persistence.hidden.identity", "copy", "1", Near(1, 1e-9)},
      {"persistence.hidden.identity", "forget", "1/24, by chance", Near(1.0 / 24, 0.15), On::kAll, kDarkRoom},
      {"persistence.hidden.identity", "random", "< copy", Compared("copy", false)},
      {"persistence.hidden.error", "copy", "0", Near(0, 1e-9)},
      {"persistence.hidden.error", "take2", "1", Near(1, 1e-9)},
      {"persistence.hidden.error", "stale", "> take2", Compared("take2", true)},
      {"persistence.hidden.error", "random", "> take2", Compared("take2", true)},
      {"persistence.hidden.paused", "copy", "0", Near(0, 0)},
      {"persistence.hidden.paused", "stale", "1", Near(1, 0), On::kAll, kDarkRoom},
      {"persistence.hidden.paused", "frozen", "1", Near(1, 0), On::kAll, kDarkRoom},
      {"persistence.updated.new", "copy", "1", Near(1, 0)},
      {"persistence.updated.new", "stale", "0", Near(0, 0)},
      {"persistence.updated.new", "forget", "< copy", Compared("copy", false)},
      {"persistence.updated.old", "copy", "0", Near(0, 0)},
      {"persistence.updated.old", "stale", "1", Near(1, 0)},
      {"persistence.updated.old", "frozen", "1: the picture before", Near(1, 0)},
      {"persistence.updated.preference", "copy", "> 0", Above(0)},
      {"persistence.updated.preference", "stale", "< 0", Below(0)},
      {"persistence.surprise.relative", "copy", "100 %", Near(100, 0)},
      {"persistence.surprise.relative", "stale", "50 %: what is hidden never comes out", Near(50, 0)},
      {"persistence.surprise.relative", "frozen", "50 %", Near(50, 0)},
      {"persistence.surprise.relative", "passthru", "at most 50 %: it goes through the post", Below(50.1)},
      {"persistence.surprise.relative-long", "copy", "100 %", Near(100, 0)},
      {"persistence.surprise.relative-long", "forget", "50 %: by chance", Near(50, 25)},
      {"persistence.surprise.relative-max", "copy", "100 %", Near(100, 0)},
      {"persistence.surprise.relative-max", "stale", "50 %", Near(50, 0)},
      {"persistence.surprise.absolute", "copy", "100 %", Near(100, 0)},
      {"persistence.surprise.absolute", "stale", "50 %", Near(50, 10)},
      {"persistence.surprise.auroc", "copy", "1", Near(1, 0)},
      {"persistence.surprise.auroc", "stale", "0.5", Near(0.5, 0.1)},
      {"persistence.surprise.auprc", "copy", "1", Near(1, 1e-9)},
      {"persistence.surprise.auprc", "stale", "0.5", Near(0.5, 0.15)},
      {"persistence.wcs.score", "copy", "1", Near(1, 0.01)},
      {"persistence.wcs.permanence", "copy", "1", Near(1, 0.01)},
      {"persistence.wcs.relations", "copy", "1", Near(1, 0.01)},
      {"persistence.wcs.causes", "copy", "1", Near(1, 0.01)},
      {"persistence.wcs.flicker", "copy", "0", Near(0, 1e-9)},
      {"persistence.wcs.permanence", "forget", "its term: off by > 0.1", OffCopy(0.1, true)},
      {"persistence.wcs.relations", "forget", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.causes", "forget", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.flicker", "forget", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.permanence", "stale", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.relations", "stale", "its term: off by > 0.1", OffCopy(0.1, true)},
      {"persistence.wcs.causes", "stale", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.flicker", "stale", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.permanence", "passthru", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.relations", "passthru", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.causes", "passthru", "its term: off by > 0.1", OffCopy(0.1, true)},
      {"persistence.wcs.flicker", "passthru", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.permanence", "noise", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.relations", "noise", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.causes", "noise", "within 0.05", OffCopy(0.05, false)},
      {"persistence.wcs.flicker", "noise", "its term: off by > 0.1", OffCopy(0.1, true)},
      {"persistence.wcs.score", "random", "< copy", Compared("copy", false)},
      {"persistence.memory.walls@skill=memory", "copy", "1 +- 0.05", Near(1, 0.05)},
      {"persistence.memory.around@skill=memory", "copy", "1", Near(1, 0.01)},
      {"persistence.memory.position@skill=memory", "copy", "1", Near(1, 0.01)},
      {"persistence.memory.objects@skill=memory", "copy", "1", Near(1, 0.01)},
      {"persistence.memory.walls@skill=shuffled", "copy", "0: shuffled labels teach nothing", Near(0, 0.1)},
      {"persistence.memory.around@skill=shuffled", "copy", "0: shuffled labels teach nothing", Near(0, 0.1)},
      {"persistence.memory.position@skill=shuffled", "copy", "0: shuffled labels teach nothing", Near(0, 0.1)},
      {"persistence.memory.objects@skill=shuffled", "copy", "0: shuffled labels teach nothing", Near(0, 0.1)},
      {"persistence.memory.walls@skill=single-frame", "copy", "0: one picture tells no map", Near(0, 0.1)},
      {"persistence.memory.walls@skill=memory", "random", "0", Near(0, 0.1)},
      {"persistence.memory.around@skill=memory", "random", "0", Near(0, 0.1)},
      {"persistence.memory.position@skill=memory", "random", "0", Near(0, 0.1)},
      {"persistence.memory.objects@skill=memory", "random", "0", Near(0, 0.1)},
      {"persistence.memory.objects@skill=memory", "forget", "< 0.2", Below(0.2)},
      {"persistence.memory.position@skill=memory", "frozen", "< copy", Compared("copy", false)},
      {"persistence.memory.around@skill=memory", "frozen", "< 0.5: it has walked on", Below(0.5)},
      {"persistence.memory-mlp.around@skill=memory", "copy", "1", Near(1, 0.02)},
      {"persistence.memory-mlp.walls@skill=memory", "copy", "> 0.7: as far as so many mazes teach it", Above(0.7)},
      {"persistence.memory-mlp.position@skill=memory", "copy", "> 0.5", Above(0.5)},
      {"persistence.memory-mlp.walls@skill=shuffled", "copy", "0: shuffled labels teach nothing", Near(0, 0.05)},
      {"persistence.memory-mlp.position@skill=shuffled", "copy", "0: shuffled labels teach nothing", Near(0, 0.05)},
      {"persistence.memory-mlp.walls@skill=memory", "random", "0", Near(0, 0.05)},
      {"persistence.memory-mlp.position@skill=memory", "random", "0", Near(0, 0.05)},
      {"persistence.memory-mlp.objects@skill=memory", "forget", "< copy", Compared("copy", false)},
      {"persistence.solve.progress", "copy", "1", Near(1, 1e-9)},
      {"persistence.solve.reached", "copy", "1", Near(1, 1e-9)},
      {"persistence.solve.arrived", "copy", "1", Near(1, 1e-9)},
      {"persistence.solve.exact", "copy", "1", Near(1, 1e-9)},
      {"persistence.solve.deviation", "copy", "0", Near(0, 1e-9)},
      {"persistence.solve.map", "copy", "1", Near(1, 1e-9)},
      {"persistence.solve.violations", "copy", "0", Near(0, 1e-9)},
      {"persistence.solve.redundancy@over-solution", "copy", "0", Near(0, 1e-9)},
      {"persistence.solve.unseen", "copy", "0", Near(0, 1e-9)},
      {"persistence.solve.arrived", "reverse", "0: it begins in the goal", Near(0, 1e-9)},
      {"persistence.solve.reached", "ignore", "0", Near(0, 1e-9)},
      {"persistence.solve.reached", "frozen", "0", Near(0, 1e-9)},
      {"persistence.solve.exact", "wrongact", "< 0.5", Below(0.5)},
      {"persistence.solve.progress", "random", "< 0.5", Below(0.5)},
      {"persistence.solve.map", "noise", "< 0.7", Below(0.7)},
      {"persistence.solve.violations", "shuffle", "> 0.2: jumps", Above(0.2)},
      {"persistence.solve.redundancy@over-solution", "shuffle", "> 0", Above(0)},
      {"persistence.solve.deviation", "shuffle", "> 0", Above(0)},
      {"persistence.solve.unseen", "blur", "> 0: tiles cannot be read", Above(0)},
      {"causality.laws.invariance", "copy", ">= 0.95", Above(0.95)},
      {"causality.laws.invariance", "take2", ">= 0.95", Above(0.95)},
      {"causality.laws.invariance", "reverse", ">= 0.95: it sees no direction", Above(0.95)},
      {"causality.laws.invariance", "ignore", ">= 0.95", Above(0.95)},
      {"causality.laws.invariance", "passthru", ">= 0.95: who passes through keeps energy and momentum", Above(0.95)},
      {"causality.laws.invariance", "frozen", "0: discarded", Near(0, 0)},
      {"causality.laws.invariance@invariant=energy", "copy", ">= 0.95", Above(0.95)},
      {"causality.laws.invariance@invariant=energy", "random", "< copy: it is pushed", Compared("copy", false)},
      {"causality.laws.invariance@invariant=energy", "wrongact", "< copy: it is pushed", Compared("copy", false)},
      {"causality.laws.invariance@invariant=energy", "shuffle", "< 0.8", Below(0.8)},
      {"causality.laws.discarded", "copy", "0", Near(0, 0)},
      {"causality.laws.discarded", "frozen", "1", Near(1, 0)},
      {"causality.laws.dynamics", "copy", "1", Near(1, 1e-3)},
      {"causality.laws.dynamics", "reverse", "1: time-symmetric", Near(1, 1e-3)},
      {"causality.laws.dynamics", "passthru", "< copy", Compared("copy", false)},
      {"causality.laws.dynamics", "shuffle", "< copy", Compared("copy", false)},
      {"causality.laws.dynamics", "frozen", "0: discarded", Near(0, 0)},
      {"causality.laws.restitution-error", "copy", "0", Near(0, 1e-3)},
      {"causality.laws.restitution-error", "frozen", "1", Near(1, 0)},
      {"causality.laws.velocity-before", "copy", "0", Near(0, 0)},
      {"causality.laws.velocity-before", "passthru", "0: nothing has collided yet", Near(0, 1e-6)},
      {"causality.laws.velocity-before", "random", "> copy", Compared("copy", true)},
      {"causality.laws.velocity-after", "copy", "0", Near(0, 0)},
      {"causality.laws.velocity-after", "passthru", "> 1 m/s", Above(1)},
      {"causality.laws.penetration", "copy", "0", Near(0, 0)},
      {"causality.laws.penetration", "passthru", "> 0", Above(0)},
      {"causality.laws.gravity-error", "copy", "0", Near(0, 0.01)},
      {"causality.laws.gravity-error", "frozen", "1", Near(1, 0)},
      {"causality.laws.damping-error", "copy", "0", Near(0, 0.01)},
      {"causality.laws.damping-error", "reverse", "2: it gains what it should lose", Near(2, 0.01)},
      {"causality.laws.fall-gravity-error", "copy", "0", Near(0, 0.01)},
      {"causality.laws.fall-gravity-error", "ignore", "> copy: it swings on", Compared("copy", true)},
      {"causality.laws.fall-gravity-error", "frozen", "1", Near(1, 1e-9)},
      {"causality.following.af", "copy", "1", Near(1, 1e-9)},
      {"causality.following.af", "wrongact", "0", Near(0, 0.15)},
      {"causality.following.af", "random", "0", Near(0, 0.15)},
      {"causality.following.af", "ignore", "0, but for what the scene gives away", Near(0, 0.15)},
      {"causality.following.af", "frozen", "0, but for what the scene gives away", Near(0, 0.15)},
      {"causality.following.af", "lag2", "< copy: actions come late", Compared("copy", false)},
      {"causality.following.f1", "wrongact", "< copy", Compared("copy", false)},
      {"causality.following.pose-cells", "copy", "0", Near(0, 0)},
      {"causality.following.pose-cells", "ignore", "> copy", Compared("copy", true)},
      {"causality.following.pose-cells", "wrongact", "> copy", Compared("copy", true)},
      {"causality.following.pose-degrees", "copy", "0", Near(0, 0)},
      {"causality.following.pose-degrees", "lag2", "> copy", Compared("copy", true)},
      {"causality.rules.legality", "copy", "1", Near(1, 0)},
      {"causality.rules.legality", "noise", "1: it reads as clearly", Near(1, 0)},
      {"causality.rules.legality", "wrongact", "< copy", Compared("copy", false)},
      {"causality.rules.legality", "anykey", "< copy", Compared("copy", false)},
      {"causality.rules.impossible", "copy", "0", Near(0, 0)},
      {"causality.rules.impossible", "wrongact", "0: other actions explain it", Near(0, 0)},
      {"causality.rules.impossible", "shuffle", "> 0.5", Above(0.5)},
      {"causality.rules.unreadable", "copy", "0", Near(0, 0)},
      {"causality.rules.unreadable", "blur", "> copy", Compared("copy", true)},
      {"causality.rules.lasting", "copy", "1", Near(1, 0)},
      {"causality.rules.lasting", "anykey", "0: one rule is broken in each", Near(0, 0)},
      {"causality.rules.lasting", "random", "0", Near(0, 0)},
      {"causality.rules.goal", "copy", "1", Near(1, 0)},
      {"causality.rules.goal", "ignore", "0", Near(0, 0)},
      {"causality.rules.rule.wrong-key", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.wrong-key", "anykey", "0: the first opens, and there is no second", Near(0, 0)},
      {"causality.rules.rule.turn", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.turn", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.walk", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.walk", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.blocked", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.blocked", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.push", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.push", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.pick", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.pick", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.drop", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.drop", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.unlock", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.lever", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.lever", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.slide", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.slide", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.done", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.done", "anykey", "1", Near(1, 0)},
      {"causality.rules.rule.idle", "copy", "1", Near(1, 0)},
      {"causality.rules.rule.idle", "anykey", "1", Near(1, 0)},
      {"causality.physics-iq.score", "copy", "100 (clipped)", Near(100, 1e-9)},
      {"causality.physics-iq.score", "take2", "100.0 +- 0.1", Near(100, 0.1)},
      {"causality.physics-iq.spatial", "copy", "1", Near(1, 1e-9)},
      {"causality.physics-iq.spatial", "frozen", "0", Near(0, 1e-9)},
      {"causality.physics-iq.weighted", "frozen", "0", Near(0, 1e-9)},
      {"causality.physics-iq.score", "random", "< 35: things move in the same places in every scenario", Below(35)},
      {"causality.physics-iq.spatial", "reverse", ">= 0.8", Above(0.8), On::kAll, "billiards"},
      {"causality.physics-iq.spatial", "reverse", ">= 0.7: thin things lose pixels to the opening", Above(0.7), On::kAll, "pendulum"},
      {"causality.physics-iq.spatial", "reverse", ">= 0.7: thin things lose pixels to the opening", Above(0.7), On::kAll, "dominoes"},
      {"causality.physics-iq.spatiotemporal", "reverse", "< 0.8", Below(0.8)},
      {"causality.physics-iq.spatial", "lag2", ">= 0.8", Above(0.8)},
      {"causality.physics-iq.spatiotemporal", "lag2", "< 0.8", Below(0.8)},
      {"causality.twin.remove.precision", "copy", "1", Near(1, 1e-9)},
      {"causality.twin.remove.recall", "copy", "1", Near(1, 1e-9)},
      {"causality.twin.remove.cne", "copy", "0", Near(0, 1e-9)},
      {"causality.twin.remove.recall", "ignore", "0", Near(0, 1e-9)},
      {"causality.twin.remove.cne", "ignore", "1", Near(1, 1e-9)},
      {"causality.twin.remove.cne", "frozen", "1", Near(1, 1e-9)},
      {"causality.twin.remove.cne", "take2", "< 0.3", Below(0.3)},
      {"causality.twin.remove.cne", "passthru", "~ 1", Near(1, 0.05)},
      {"causality.twin.remove.cne", "random", ">= 1", Above(1)},
      {"causality.twin.remove.recall", "frozen", "0", Near(0, 1e-9)},
      {"causality.twin.velocity.cne", "copy", "0", Near(0, 1e-9)},
      {"causality.twin.velocity.cne", "ignore", "1", Near(1, 1e-9)},
      {"causality.twin.velocity.recall", "ignore", "0", Near(0, 1e-9)},
      {"causality.twin.remove.leak", "copy", "0", Near(0, 0)},
      {"causality.twin.remove.leak", "random", "> 0", Above(0)},
      {"causality.twin.remove.precision", "random", "< 0.5", Below(0.5)},
      {"causality.twin.remove.null", "copy", "0", Near(0, 0)},
      {"causality.twin.remove.null", "noise", "0: noise is shared", Near(0, 0)},
      {"causality.control.calibrated", "copy", "1", Near(1, 1e-9)},
      {"causality.control.calibrated", "random", "< 0.1", Below(0.1)},
      {"causality.control.calibrated", "frozen", "<= 0.1: low", Below(0.1)},
      {"causality.control.calibrated", "reverse", "<= 0.1: low", Below(0.1)},
      {"causality.control.calibrated", "wrongact", "0.1", Near(0.1, 0.02)},
      {"causality.control.normalised", "copy", "1", Near(1, 1e-9)},
      {"causality.control.normalised", "wrongact", "0", Near(0, 0.05)},
      {"causality.control.delta-psnr", "copy", "> 0", Above(0)},
      {"causality.control.delta-psnr", "ignore", "0", Near(0, 1e-9)},
      {"causality.control.delta-psnr", "frozen", "0", Near(0, 1e-9)},
      {"causality.planning.picture.success", "copy", "> 0.9", Above(0.9)},
      {"causality.planning.picture.success", "ignore", "< 0.5", Below(0.5)},
      {"causality.planning.picture.regret", "copy", "0", Near(0, 1e-9)},
      {"causality.planning.picture.regret", "ignore", "1: all plans look alike, and the first is taken", Near(1, 1e-9)},
      {"causality.planning.picture.regret", "frozen", "1", Near(1, 1e-9)},
      {"causality.planning.picture.regret", "wrongact", "> copy", Compared("copy", true)},
      {"causality.planning.picture.return", "frozen", "< copy", Compared("copy", false)},
      {"causality.planning.picture.spl", "copy", "> 0.9", Above(0.9)},
      {"causality.planning.picture.spl", "frozen", "< copy", Compared("copy", false)},
      {"causality.planning.picture.fidelity-spearman", "copy", "1", Near(1, 1e-9)},
      {"causality.planning.picture.fidelity-spearman", "ignore", "0", Near(0, 1e-9)},
      {"causality.planning.picture.exploitation-gap", "copy", "0", Near(0, 1e-9)},
      {"causality.planning.picture.exploitation-gap", "wrongact", "other than 0: what it shows is not what would happen",
       OffCopy(0.005, true)},
      {"causality.planning.hit.success", "copy", "> 0.9", Above(0.9)},
      {"causality.planning.hit.success", "ignore", "< 0.5", Below(0.5)},
      {"causality.planning.hit.regret", "copy", "0", Near(0, 1e-9)},
      {"causality.planning.hit.regret", "ignore", "1: all plans look alike, and the first is taken", Near(1, 1e-9)},
      {"causality.planning.hit.regret", "frozen", "1", Near(1, 1e-9)},
      {"causality.planning.hit.regret", "wrongact", "> copy", Compared("copy", true)},
      {"causality.planning.hit.return", "frozen", "< copy", Compared("copy", false)},
      {"causality.planning.hit.fidelity-spearman", "copy", "1", Near(1, 1e-9)},
      {"causality.planning.hit.fidelity-spearman", "ignore", "0", Near(0, 1e-9)},
      {"causality.planning.hit.exploitation-gap", "copy", "0", Near(0, 1e-9)},
      {"causality.planning.hit.exploitation-gap", "wrongact", "other than 0: what it shows is not what would happen", OffCopy(0.005, true)},
      {"causality.recorded-twin.precision", "copy", "1", Near(1, 1e-9)},
      {"causality.recorded-twin.precision", "noise", "1: noise is shared, clamping hides some of it", Near(1, 0.02)},
      {"causality.recorded-twin.precision", "random", "< copy", Compared("copy", false)},
      {"causality.recorded-twin.recall", "copy", "1", Near(1, 1e-9)},
      {"causality.recorded-twin.recall", "frozen", "0", Near(0, 1e-9)},
      {"causality.recorded-twin.recall", "lag2", "< copy", Compared("copy", false)},
      {"causality.recorded-twin.f1", "copy", "1", Near(1, 1e-9)},
      {"causality.recorded-twin.f1", "frozen", "0", Near(0, 1e-9)},
      {"causality.recorded-twin.false-effects", "copy", "0", Near(0, 0)},
      {"causality.recorded-twin.false-effects", "random", "> 0", Above(0)},
      {"causality.recorded-twin.leak", "copy", "0", Near(0, 0)},
      {"causality.recorded-twin.leak", "random", "> 0: it knows the other actions beforehand", Above(0)},
      {"causality.recorded-twin.null", "copy", "0", Near(0, 0)},
      {"causality.recorded-twin.null", "noise", "0: noise is shared", Near(0, 0)},
  };
  return rules;
}

}  // namespace

std::vector<SanityRow> SanityRows(const std::vector<Evaluation>& evaluations) {
  std::map<std::pair<std::string, std::string>, Scores> by;  // metric, world
  for (const Evaluation& e : evaluations) {
    const std::string name = e.model.at("name");
    if (e.model.value("kind", "") != "dummy") continue;
    const std::string dummy = name.substr(name.find(':') + 1);
    for (const Metric& m : e.metrics) {
      by[{m.id, m.world}][dummy] = {m.value, m.cause};
      for (const auto& [part, score] : m.by) by[{m.id + "@" + part, m.world}][dummy] = {score.value, "this part has no value"};
    }
  }
  std::vector<SanityRow> rows;
  for (const Rule& rule : Rules())
    for (const auto& [key, scores] : by) {
      const bool recorded = IsRecording(key.second);
      if (key.first != rule.metric || rule.worlds == (recorded ? On::kBuiltIn : On::kRecordings)) continue;
      if (!In(rule.world, key.second)) continue;
      const auto found = scores.find(rule.dummy);
      if (found == scores.end()) continue;
      const std::optional<double> got = found->second.value;
      const auto copy = scores.find("copy");
      if (recorded && !got && copy != scores.end() && !copy->second.value) continue;  // these episodes do not define it, even of the truth
      rows.push_back({fmt::format("{} ({})", key.first, key.second), rule.dummy,
                      got ? rule.expected : fmt::format("{}; none: {}", rule.expected, found->second.cause), got,
                      got && rule.holds(*got, scores)});
    }
  return rows;
}

std::vector<std::string> UnansweredRules(const std::vector<SanityRow>& rows) {
  std::set<std::pair<std::string, std::string>> answered;
  for (const SanityRow& row : rows) answered.emplace(row.metric.substr(0, row.metric.find(" (")), row.dummy);
  std::vector<std::string> left;
  for (const Rule& rule : Rules())
    if (!answered.contains({rule.metric, rule.dummy})) left.push_back(fmt::format("{} of {}", rule.metric, rule.dummy));
  return left;
}

}  // namespace orrery
