// What several memories offer to one frame, put together. Undefined tensors are nothing.
#pragma once
#include "state/reader.h"

namespace orrery {

at::Tensor AddDefined(const at::Tensor& a, const at::Tensor& b);
InputContext JoinInputs(const InputContext& a, const InputContext& b);
AttentionContext JoinContexts(const AttentionContext& a, const AttentionContext& b);
LayerContext JoinContexts(const LayerContext& a, const LayerContext& b);  // rotated already
// Reaches: the longer. Far masks: either; they need one `far_time`. A far frame that another part sees at its true distance is near.
ClipSight JoinSights(const ClipSight& a, const ClipSight& b);

}  // namespace orrery
