// What a codec is trained for.
#pragma once
#include "codec/codec.h"
#include "core/rng.h"

namespace orrery {

struct CodecLossOptions {
  double rms = 1;         // weight of the root of a frame's mean squared error, mean over frames: easy frames count as much as hard ones
  double gradient = 0.1;  // of the mean absolute error of horizontal and vertical differences: sharp edges
  double kl = 1e-6;       // of the divergence of the posterior from N(0, 1), summed over a latent
  double noise = 0.2;     // half of the batch is decoded from latents with noise of up to this many deviations of a channel, since
                          // a world model's latents are off the encoder's
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CodecLossOptions, rms, gradient, kl, noise)

// decoded, frames [B, 3, H, W]. Without the divergence.
at::Tensor ReconstructionLoss(const at::Tensor& decoded, const at::Tensor& frames, const CodecLossOptions& options);

// Mean over the batch of the divergence from N(0, 1), summed over a latent; 0 for a deterministic posterior.
at::Tensor Divergence(const Codec::Posterior& posterior);

// The latents that the decoder is trained on: a draw from the posterior, the second half of the batch with noise.
// deviation [C]: of the posterior's means over the data.
at::Tensor TrainingLatents(const Codec::Posterior& posterior, const at::Tensor& deviation, double noise, Rng& rng);

}  // namespace orrery
