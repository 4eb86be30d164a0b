// Token merging (ToMe, arXiv 2210.09461) of a growing stream into a fixed number of slots.
// B batch, M slots, N tokens a frame, H heads, d head width, D = H d, F any width.
//
// A slot holds sums over the tokens that it absorbed, so that merging is adding: a read divides by their number, and attention adds the
// logarithm of that number to the slot's score. Frames enter one after another. The first M / N of them fill the slots; for every later
// one N tokens of slots and frame together are merged away: each token of the frame is matched with its most similar slot, each slot of
// one half with its most similar slot of the other, and the N best matches are merged. Slots that become free take what is left of the
// frame. Halves are drawn anew for every frame (a hash of frame and slot), so that any two slots meet in time. Similarity: cosine of keys
// averaged over heads, un-rotated.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace orrery {

struct MergeRule {
  int64_t slots = 0;   // M, a multiple of N
  int64_t tokens = 0;  // N
  int64_t heads = 1;   // H
  bool first = true;   // tokens of the first frame keep their slots and absorb nothing

  int64_t Filled(int64_t frames) const { return std::min(slots, frames * tokens); }  // slots in use after `frames` frames
  int64_t Matches(int64_t frames) const;  // tokens that look for a partner when frame number `frames` enters; 0: it fills slots
  int64_t Partners() const { return slots - (first ? tokens : 0); }  // slots that they look at
};

// Where every slot and then every token of the frame numbered `frames` goes: slots, [B, M + N] int64.
// slot_key [B, M, D] sums, key [B, N, D]. Equal similarities: the slot before the frame, the lower slot or token first.
at::Tensor MergeTargets(const MergeRule& rule, const at::Tensor& slot_key, const at::Tensor& key, int64_t frames);

// table [B, M, F] after its rows and those of `arriving` [B, N, F] went where `target` says.
at::Tensor MergeRows(const at::Tensor& table, const at::Tensor& arriving, const at::Tensor& target);

// Sums of places and the number of tokens, [B, N, 4]: t, y, x, 1 of the tokens of frame t. place [N, 2]: y, x.
at::Tensor TokenPlaces(const at::Tensor& place, int64_t batch, double time);

// The slots that every frame of a clip finds when `recent` frames before it are held elsewhere.
struct MergedClip {
  at::Tensor key, value;  // [B, T, H, m, d] means, m = Filled(T - recent - 1); in key's type, with gradients
  at::Tensor place;       // [B, T, m, 4] as TokenPlaces; a slot of 0 tokens is not there yet
};

// key, value [B, H, T N, d], un-rotated; place [N, 2]. Which tokens merge has no gradient. T > recent + 1.
MergedClip MergeClip(const MergeRule& rule, const at::Tensor& key, const at::Tensor& value, const at::Tensor& place, int64_t recent);

}  // namespace orrery
