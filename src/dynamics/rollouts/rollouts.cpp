#include "dynamics/rollouts/rollouts.h"

#include <algorithm>
#include <cmath>

namespace orrery {

namespace {

const Param kBlock{"block", 0, "frames that begin together; 0: as many as the model was trained with"};
const Param kHorizon{"horizon", 0, "blocks of a group; the next group begins when all are done; 0: endless"};

int64_t PlannedBlock(const Json& p, const RolloutSetting& s) {
  const int64_t block = p["block"];
  if (block < 0) Fail("rollout: block must be >= 0, got {}", block);
  return block > 0 ? block : s.able.block;
}

// The path's own levels, or those that the model was trained at.
std::vector<double> PlannedLevels(const RolloutSetting& s, int64_t steps) {
  if (steps < 1) Fail("rollout: steps must be >= 1, got {}", steps);
  if (s.able.levels.empty()) return s.path.Schedule(steps);
  const auto trained = static_cast<int64_t>(s.able.levels.size());
  // A model that is told the size of its step was trained for longer ones on the same grid.
  if (s.able.step_size ? trained % steps != 0 : trained != steps)
    Fail("rollout: this model was trained for {} {} steps, got {}", s.able.step_size ? "divisors of" : "exactly", trained, steps);
  std::vector<double> levels;
  for (int64_t i = 0; i < trained; i += trained / steps) levels.push_back(s.able.levels[static_cast<size_t>(i)]);
  levels.push_back(0);
  return levels;
}

Facts SequentialFacts() {
  return {
      "sequential", "a frame after the other: all steps against the finished past, then commit", "arXiv 2503.19325, 2407.01392", {kBlock}};
}
RolloutPlan PlanSequential(const Json& p, const RolloutSetting& s) {
  RolloutPlan plan{.spec = {}, .levels = PlannedLevels(s, s.steps), .block = PlannedBlock(p, s)};
  plan.lag = static_cast<double>(plan.Steps());
  return plan;
}

// Frames at rising noise, u rows apart.
RolloutPlan Staircase(const char* name, double lag, const Json& p, const RolloutSetting& s) {
  RolloutPlan plan{.spec = {}, .levels = PlannedLevels(s, s.steps), .block = PlannedBlock(p, s), .horizon = p["horizon"]};
  if (!(lag >= 0)) Fail("rollout {}: an interval >= 0 expected, got {}", name, lag);
  if (plan.horizon < 0) Fail("rollout {}: horizon must be >= 0, got {}", name, plan.horizon);
  if (lag == 0 && plan.horizon == 0) Fail("rollout {}: an interval of 0 makes a whole group at once; give its horizon, in blocks", name);
  if (plan.horizon == 0 && lag < 0.05) Fail("rollout {}: an endless rollout needs an interval >= 0.05, got {}", name, lag);
  plan.lag = std::min(lag, static_cast<double>(plan.Steps()));
  return plan;
}

Facts PyramidFacts() {
  return {"pyramid",
          "frames at rising noise, each u rows behind the one before; DDIM or Euler steps",
          "arXiv 2407.01392",
          {{"u", 1.0, "rows between the beginnings of two blocks, >= 0; 0: all at once, >= steps: sequential"}, kHorizon, kBlock}};
}
RolloutPlan PlanPyramid(const Json& p, const RolloutSetting& s) { return Staircase("pyramid", p["u"], p, s); }

Facts AdFacts() {
  return {"ad",
          "AR-Diffusion's scheduler: a frame is s steps behind the one before it",
          "arXiv 2503.07418",
          {{"s", 1, "steps, >= 0; 0: synchronous, >= steps: autoregressive"}, kHorizon, kBlock}};
}
RolloutPlan PlanAd(const Json& p, const RolloutSetting& s) { return Staircase("ad", static_cast<double>(p["s"].get<int64_t>()), p, s); }

Facts PipelineFacts() {
  return {"pipeline",
          "MAGI-1: `window` blocks in flight, a stage of steps / window rows apart, at the levels of MAGI-1",
          "arXiv 2505.13211",
          {{"window", 4, "blocks in flight, >= 1; it divides the steps"},
           {"steps", 0, "steps a block; 0: the session's, made a multiple of the window"},
           {"reread", false, "blocks in flight take new actions; false: a block keeps the one it began with"},
           kBlock}};
}
RolloutPlan PlanPipeline(const Json& p, const RolloutSetting& s) {
  const int64_t window = p["window"], given = p["steps"];
  if (window < 1) Fail("rollout pipeline: window must be >= 1 block, got {}", window);
  const int64_t steps = given > 0 ? given : (s.steps + window - 1) / window * window;
  if (given < 0 || steps % window != 0) Fail("rollout pipeline: the window, {} blocks, must divide the steps, {}", window, given);
  return {.spec = {},
          .levels = s.able.levels.empty() ? MagiLevels(steps) : PlannedLevels(s, steps),
          .lag = static_cast<double>(steps / window),
          .block = PlannedBlock(p, s),
          .reread = p["reread"]};
}

Facts RollingFacts() {
  return {"rolling",
          "Rolling Forcing: one row a block; `window` blocks at rising noise, each noised anew from its clean estimate",
          "arXiv 2509.25161",
          {{"window", 4, "blocks in flight, and steps a block"},
           {"sink", 0, "first blocks that stay in sight, just before the others"},
           kBlock}};
}
RolloutPlan PlanRolling(const Json& p, const RolloutSetting& s) {
  const int64_t sink = p["sink"], block = PlannedBlock(p, s);
  if (sink < 0) Fail("rollout rolling: sink must be >= 0, got {}", sink);
  return {.spec = {}, .levels = PlannedLevels(s, p["window"]), .lag = 1, .block = block, .update = Update::kRenoise, .sink = sink * block};
}

Facts SlidingFacts() {
  return {"sliding",
          "LongLive: sequential with a short window and the first frames kept in sight",
          "arXiv 2509.22622",
          {{"window", 0, "finished frames that are seen, the sink included; 0: those that the state holds, and the sink"},
           {"sink", 1, "first frames that stay in sight, just before the others"},
           {"recache", false, "keep what is needed to commit the last window again under other conditions (Session::Recache)"},
           kBlock}};
}
RolloutPlan PlanSliding(const Json& p, const RolloutSetting& s) {
  RolloutPlan plan = PlanSequential(p, s);
  plan.window = p["window"];
  plan.sink = p["sink"];
  plan.recache = p["recache"];
  if (plan.sink < 0 || plan.window < 0 || (plan.window > 0 && plan.window <= plan.sink))
    Fail("rollout sliding: sink >= 0 and window > sink expected (or window 0), got window {} and sink {}", plan.window, plan.sink);
  return plan;
}

Facts RecomputedFacts() {
  return {"recomputed",
          "open-oasis: sequential; the window is computed anew for every frame, so that its keys tell nothing of older ones",
          "github.com/etched-ai/open-oasis",
          {{"window", 0, "finished frames that are seen; 0: those that the state holds"}, kBlock}};
}
RolloutPlan PlanRecomputed(const Json& p, const RolloutSetting& s) {
  RolloutPlan plan = PlanSequential(p, s);
  const int64_t window = p["window"];
  if (window < 0) Fail("rollout recomputed: window must be >= 0, got {}", window);
  plan.anew = window > 0 ? window : -1;
  return plan;
}

}  // namespace

std::vector<double> MagiLevels(int64_t steps) {
  std::vector<double> levels;
  for (int64_t i = 0; i <= steps; ++i) {
    const double u = static_cast<double>(i) / static_cast<double>(steps), t = u * u;
    levels.push_back(1 - (t / 3) / (1 - t * 2 / 3));
  }
  levels.back() = 0;
  return levels;
}

const RolloutRegistry& Rollouts() {
  static const RolloutRegistry registry("rollout", {{SequentialFacts(), PlanSequential},
                                                    {PyramidFacts(), PlanPyramid},
                                                    {AdFacts(), PlanAd},
                                                    {PipelineFacts(), PlanPipeline},
                                                    {RollingFacts(), PlanRolling},
                                                    {SlidingFacts(), PlanSliding},
                                                    {RecomputedFacts(), PlanRecomputed}});
  return registry;
}

std::string NeedsOf(const RolloutPlan& plan) {
  if (plan.BlocksInFlight() == 1) return "";
  return plan.lag > 0 ? "frames of different noise in one pass" : "several blocks in one pass";
}

RolloutPlan MakeRollout(std::string_view spec, const RolloutSetting& s) {
  RolloutPlan plan = Rollouts().Make(spec, s);
  plan.spec = spec;
  plan.together = plan.block > 1 && (s.able.block > 1 || !s.able.causal);
  // Frames that see each other both ways may be any number, but of one level.
  const bool alike = plan.BlocksInFlight() == 1 || plan.lag == 0, all_mixed = s.able.accepts_mixed_levels;
  if (!all_mixed && s.able.causal && plan.block != s.able.block)
    Fail("rollout {}: blocks of {} frames, but this model was trained with blocks of {}; leave `block` out", spec, plan.block,
         s.able.block);
  if (!all_mixed && (s.able.causal ? plan.BlocksInFlight() > 1 : !alike))
    Fail(
        "rollout {}: it needs {}, which this model was not trained for; train one with --objective diffusion_forcing or ar_diffusion, or "
        "use "
        "\"sequential\"",
        spec, NeedsOf(plan));
  for (size_t i = 0; i + 1 < plan.levels.size() && !s.able.levels.empty(); ++i)
    if (std::none_of(s.able.levels.begin(), s.able.levels.end(), [&](double l) { return std::abs(l - plan.levels[i]) < 1e-6; }))
      Fail("rollout {}: level {:.4f} is none of the {} that this model was trained at", spec, plan.levels[i], s.able.levels.size());
  return plan;
}

}  // namespace orrery
