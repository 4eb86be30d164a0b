// Training on the model's own errors (Stable Video Infinity, arXiv 2510.09212): errors of its one-step predictions are kept by noise level
// and put into the past, the noisy frames and the noise of later clips; the target stays clean, so the model learns to undo them. Beside
// that it is strict teacher forcing.
// B batch, T frames, G grids of levels, E entries a grid, C x h x w latents.
#pragma once
#include "dynamics/objective.h"

namespace orrery {

struct ErrorBankOptions {
  int64_t grids = 10, entries = 64;
  int64_t warmup = 50;             // steps that fill the bank and put nothing in
  double clean = 0.2;              // share of clips without errors
  double latent = 0.9;             // probability of an error, a frame: in the noisy frame, of its own level
  double context = 0.9;            //   in the past, of any level
  double noise = 0.01;             //   in the noise, of its own level
  double spread = 0.3;             // errors are scaled by 1 +- spread
  double update = 0.1;             // share of steps after the warm-up whose errors are kept
  std::string replace = "random";  // which entry of a full grid gives way: "random", "fifo", "similar"
  double action_drop = 0.1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ErrorBankOptions, grids, entries, warmup, clean, latent, context, noise, spread, update,
                                                replace, action_drop)

class ErrorBank : public Objective {
 public:
  ErrorBank(const ErrorBankOptions& options, std::shared_ptr<const NoisePath> path);
  static Facts Describe();

  std::string Spec() const override { return FormatSpec("error_bank", options_); }
  Capabilities Trained() const override { return {.clean_label = true}; }
  void Begin(const Transition& network, const Memory& memory, const Teacher* teacher) override;

  int64_t Held(int64_t grid) const;                                                           // entries
  at::Tensor Latents(int64_t grid) const { return latents_[grid].narrow(0, 0, Held(grid)); }  // [n, C, h, w]

 protected:
  at::Tensor WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) override;

 private:
  at::Tensor Draw(const at::Tensor& bank, const at::Tensor& grid, const at::Tensor& has, Rng& rng) const;
  at::Tensor AnyGrid(const at::Tensor& like, Rng& rng) const;
  void Keep(const at::Tensor& grid, const at::Tensor& latent, const at::Tensor& noise, Rng& rng);
  int64_t Slot(int64_t grid, const at::Tensor& latent, double uniform) const;

  ErrorBankOptions options_;
  StepCount steps_{*this};
  at::Tensor latents_, noises_;  // [G, E, C, h, w]
  at::Tensor written_;           // [G] errors ever put in
};

}  // namespace orrery
