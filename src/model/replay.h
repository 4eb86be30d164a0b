// A file of another program's inputs and outputs, done again by a model: does it compute the same?
#pragma once
#include "model/world_model.h"

namespace orrery {

// One tensor of the file.
struct ReplayRow {
  std::string name;
  std::vector<int64_t> shape;
  bool output = false;    // else an input, without numbers
  double difference = 0;  // largest absolute difference
  double relative = 0;    // of the largest absolute value in the file
};

// Tensors of `io` (B = 1 batch, T frames, C x h x w latents, A numbers of an action; levels as index k of 1,000, of level (k + 1) / 1000):
//   image [n, 3, H, W] in [0, 1]                                         -> prompt_latent [1, n, C, h, w], encoded
//   noise [m, 1, 1, C, h, w], actions [1, m, A], single_level [] (or 500) -> single_out [1, 1, C, h, w], the network's answer to noise[0]
//   clip_in [1, T, C, h, w], clip_levels [1, T], actions                 -> clip_out [1, T, C, h, w], the network's answer to a clip
//   prompt_latent, noise, actions                                        -> latents [1, m, C, h, w], the model's own rollout: frame i
//                                                                           begins with noise[i]
//   latents                                                              -> frames [m, 3, H, W], decoded, not clamped
// Outputs are compared, each made of the file's inputs. Throws Error for a tensor that is unknown or of another shape, an output whose
// input is missing, and a file without outputs.
std::vector<ReplayRow> Replay(const WorldModel& model, const TensorFile& io, const std::string& where);

}  // namespace orrery
