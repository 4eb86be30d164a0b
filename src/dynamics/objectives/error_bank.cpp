#include "dynamics/objectives/error_bank.h"

#include <ATen/ATen.h>

#include "core/tensor_rng.h"
#include "dynamics/objectives/ask.h"

namespace orrery {

ErrorBank::ErrorBank(const ErrorBankOptions& options, std::shared_ptr<const NoisePath> path)
    : Objective(std::move(path)), options_(options) {
  const auto share = [](double p, const char* name) { CheckShare("error_bank", p, name); };
  share(options.clean, "clean");
  share(options.latent, "latent");
  share(options.context, "context");
  share(options.noise, "noise");
  share(options.spread, "spread");
  share(options.update, "update");
  share(options.action_drop, "action_drop");
  if (options.grids < 1 || options.entries < 1 || options.warmup < 0)
    Fail("error_bank: grids and entries >= 1 and warmup >= 0 expected, got {}, {} and {}", options.grids, options.entries, options.warmup);
  const std::vector<std::string> rules{"random", "fifo", "similar"};
  if (std::find(rules.begin(), rules.end(), options.replace) == rules.end()) FailUnknown("rule of error_bank", options.replace, rules);
}

Facts ErrorBank::Describe() {
  const ErrorBankOptions o;
  return {"error_bank",
          "teacher forcing with the model's own errors put into past, frames and noise: against drift",
          "arXiv 2510.09212",
          {{"grids", o.grids, "grids of noise levels"},
           {"entries", o.entries, "errors a grid"},
           {"warmup", o.warmup, "steps that only fill the bank"},
           {"clean", o.clean, "share of clips without errors"},
           {"latent", o.latent, "probability of an error in a noisy frame"},
           {"context", o.context, "of one in a frame of the past"},
           {"noise", o.noise, "of one in the noise"},
           {"spread", o.spread, "errors are scaled by 1 +- spread"},
           {"update", o.update, "share of steps whose errors are kept"},
           {"replace", o.replace, "which entry gives way: random, fifo, similar"},
           {"action_drop", o.action_drop, "share of hidden actions, for guidance"}}};
}

void ErrorBank::Begin(const Transition& network, const Memory& memory, const Teacher* teacher) {
  Objective::Begin(network, memory, teacher);
  const MemoryGeometry g = network.Geometry();
  const std::vector<int64_t> shape{options_.grids, options_.entries, g.channels, g.rows * g.patch, g.columns * g.patch};
  const at::TensorOptions floats = at::TensorOptions(at::kFloat).device(network.Embedding().weight.device());
  latents_ = register_buffer("latents", at::zeros(shape, floats));
  noises_ = register_buffer("noises", at::zeros(shape, floats));
  written_ = register_buffer("written", at::zeros({options_.grids}, at::kLong));
}

int64_t ErrorBank::Held(int64_t grid) const { return std::min(written_[grid].item<int64_t>(), options_.entries); }

// A scaled error of the grid of each frame where `has` [B, T]; zeros elsewhere, and of an empty grid. Two draws.
at::Tensor ErrorBank::Draw(const at::Tensor& bank, const at::Tensor& grid, const at::Tensor& has, Rng& rng) const {
  const at::Tensor held = written_.clamp_max(options_.entries).index_select(0, grid.flatten()).view(grid.sizes());
  const at::Tensor entry = (UniformTensor(grid.sizes(), rng) * held).floor().to(at::kLong);
  const at::Tensor scale = (1 + (2 * UniformTensor(grid.sizes(), rng) - 1) * options_.spread) * (has & (held > 0)).to(at::kFloat);
  return bank.index({grid.to(bank.device()), entry.to(bank.device())}) * PerFrame(scale).to(bank.device());
}

// A grid that holds something, each alike; [B, T] int64.
at::Tensor ErrorBank::AnyGrid(const at::Tensor& like, Rng& rng) const {
  const at::Tensor uniform = UniformTensor(like.sizes(), rng), filled = (written_ > 0).nonzero().flatten();
  if (filled.numel() == 0) return at::zeros_like(like);
  return filled.index_select(0, (uniform * filled.numel()).floor().to(at::kLong).flatten()).view(like.sizes());
}

int64_t ErrorBank::Slot(int64_t grid, const at::Tensor& latent, double uniform) const {
  const int64_t written = written_[grid].item<int64_t>(), E = options_.entries;
  if (written < E || options_.replace == "fifo") return written % E;
  if (options_.replace == "random") return static_cast<int64_t>(uniform * static_cast<double>(E));
  return (latents_[grid] - latent).square().flatten(1).sum(1).argmin().item<int64_t>();
}

void ErrorBank::Keep(const at::Tensor& grid, const at::Tensor& latent, const at::Tensor& noise, Rng& rng) {
  const at::Tensor uniform = UniformTensor(grid.sizes(), rng);
  for (int64_t b = 0; b < grid.size(0); ++b)
    for (int64_t t = 0; t < grid.size(1); ++t) {
      const int64_t g = grid[b][t].item<int64_t>(), slot = Slot(g, latent[b][t], uniform[b][t].item<double>());
      latents_[g][slot].copy_(latent[b][t]);
      noises_[g][slot].copy_(noise[b][t]);
      written_[g].add_(1);
    }
}

at::Tensor ErrorBank::WindowLoss(Transition& network, const Memory& memory, const ClipWindow& window, Rng& rng, LossTerms* terms) {
  const at::Tensor& clean = window.clip.latent;
  const int64_t B = clean.size(0), T = clean.size(1);
  const TwinDraws draws = DrawTwins(window.clip, *path_, 1, options_.action_drop, rng);
  const bool warm = (window.first == 0 ? steps_.Next() : steps_.Value() - 1) < options_.warmup;
  const at::Tensor grid = (draws.level.cpu() * options_.grids).floor().to(at::kLong).clamp(0, options_.grids - 1);
  const at::Tensor spoilt = UniformTensor({B, 1}, rng) >= (warm ? 2 : options_.clean);
  const auto has = [&](double p) { return (UniformTensor({B, T}, rng) < p) & spoilt; };
  const at::Tensor in_latent = has(options_.latent), in_past = has(options_.context), in_noise = has(options_.noise);
  const at::Tensor any = AnyGrid(grid, rng);
  const at::Tensor past = clean + Draw(latents_, any, in_past, rng), noise = draws.noise + Draw(noises_, grid, in_noise, rng);
  const at::Tensor u = PerFrame(draws.level), x = path_->Mix(clean + Draw(latents_, grid, in_latent, rng), noise, u);
  const at::Tensor still = at::zeros({B, T}, clean.options());
  const Answer answer = AskTwins(network, memory, *path_, window, {past, still, x, draws.level, draws.condition, 1});

  const bool keep = rng.Uniform() < options_.update || warm;
  if (is_training() && keep) {
    const at::NoGradGuard guard;
    const at::Tensor guess = path_->ToClean(x, answer.out, u), one = at::ones_like(u), none = at::zeros_like(u);
    const at::Tensor guessed_noise = (x - path_->Mix(guess, none, u)) / path_->Mix(none, one, u).clamp_min(1e-2);
    Keep(grid, guess - clean, guessed_noise - noise, rng);
  }
  if (terms) (*terms)["bank"] = written_.clamp_max(options_.entries).to(at::kFloat).mean() / static_cast<double>(options_.entries);
  return AddOwn(FrameError(answer.out, path_->Target(clean, noise, u)).mean(), answer);
}

}  // namespace orrery
