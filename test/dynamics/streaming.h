// The streaming form of a memory against its parallel form, in a whole network.
#pragma once
#include <ATen/ATen.h>

#include "dynamics/objectives/diffusion_forcing.h"
#include "state/session_reader.h"

namespace orrery {

inline FrameCondition ConditionAt(const FrameCondition& all, int64_t t) {
  const auto at = [t](const at::Tensor& x) { return x.defined() ? x.narrow(1, t, 1) : x; };
  return {at(all.action), at(all.known), at(all.pose)};
}

inline FrameQuery QueryAt(const FrameCondition& all, int64_t t) {
  const auto at = [t](const at::Tensor& x) { return x.defined() ? x.select(1, t) : x; };
  return {t, at(all.action), at(all.pose)};
}

inline at::Tensor Parallel(Transition& network, const Memory& memory, const Clip& clip, const at::Tensor& level) {
  const auto reader =
      memory.OpenClip({clip.latent.size(0), clip.latent.size(1), clip.latent, clip.condition.action, clip.condition.pose, {}});
  return network.Forward(clip.latent, level, clip.condition, *reader);
}

// Commits frame after frame into `state` and gives the network's answers, [B, T, C, h, w].
inline at::Tensor Streaming(Transition& network, const Memory& memory, const Clip& clip, const at::Tensor& level, Parts& state) {
  std::vector<at::Tensor> out;
  for (int64_t t = 0; t < clip.latent.size(1); ++t) {
    const ReadPlan plan = memory.BeginFrame(state, QueryAt(clip.condition, t));
    CleanFrame clean{plan.query, clip.latent.select(1, t).contiguous(), {}};
    {
      SessionReader reader(memory, state, plan);
      out.push_back(
          network.Forward(clip.latent.narrow(1, t, 1), level.narrow(1, t, 1), ConditionAt(clip.condition, t), reader, &clean.layers));
    }
    memory.Commit(state, plan, clean);
  }
  return at::cat(out, 1);
}

// Largest difference of the two forms, relative to the answers' own size.
inline double StreamingDifference(Transition& network, const Memory& memory, const Clip& clip, const at::Tensor& level) {
  Parts state = memory.Reset(clip.latent.size(0), at::kCPU, at::kFloat, 0);
  const at::Tensor a = Parallel(network, memory, clip, level), b = Streaming(network, memory, clip, level, state);
  return ((a - b).abs().max() / a.abs().max()).item<double>();
}

}  // namespace orrery
