#include "dynamics/noise_path.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace orrery {

namespace {

at::Tensor ShiftLevels(const at::Tensor& sigma, double shift) { return sigma * shift / (1 + (shift - 1) * sigma); }

// Logit-normal with the given mean and deviation; deviation 0: uniform.
at::Tensor LogitNormal(const at::Tensor& uniform, double mean, double deviation) {
  if (deviation == 0) return uniform;
  const at::Tensor u = uniform.clamp(1e-5, 1 - 1e-5);
  return at::sigmoid(at::erfinv(2 * u - 1) * (std::numbers::sqrt2 * deviation) + mean);
}

// Rectified flow (Liu et al., arXiv 2209.03003; Lipman et al., arXiv 2210.02747): x = (1 - s) clean + s noise, target noise - clean.
class Flow : public NoisePath {
 public:
  Flow(double mean, double deviation, double shift) : mean_(mean), deviation_(deviation), shift_(shift) {
    if (deviation < 0 || shift <= 0) Fail("flow: need deviation >= 0 and shift > 0, got {} and {}", deviation, shift);
  }
  static Facts Describe() {
    return {"flow",
            "rectified flow, the network answers noise - clean",
            "arXiv 2209.03003, 2210.02747",
            {{"mean", 0.0, "mean of the logit-normal training levels"},
             {"deviation", 1.0, "its deviation; 0: uniform levels"},
             {"shift", 4.0, "moves training and sampling levels towards noise (> 1)"}}};
  }
  std::string Spec() const override { return fmt::format("flow(mean={}, deviation={}, shift={})", mean_, deviation_, shift_); }
  at::Tensor Mix(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& s) const override {
    return clean + s * (noise - clean);
  }
  at::Tensor Target(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor&) const override { return noise - clean; }
  at::Tensor ToClean(const at::Tensor& x, const at::Tensor& out, const at::Tensor& s) const override { return x - s * out; }
  at::Tensor Step(const at::Tensor& x, const at::Tensor& out, const at::Tensor& from, const at::Tensor& to) const override {
    return x + (to - from) * out;
  }
  at::Tensor TrainingLevels(const at::Tensor& uniform) const override {
    return ShiftLevels(LogitNormal(uniform, mean_, deviation_), shift_);
  }
  std::vector<double> Schedule(int64_t steps) const override {
    std::vector<double> levels;
    for (int64_t i = steps; i >= 0; --i) levels.push_back(ShiftLevel(static_cast<double>(i) / static_cast<double>(steps), shift_));
    return levels;
  }

 private:
  double mean_, deviation_, shift_;
};

// Variance-preserving path with the cosine schedule (Nichol & Dhariwal, arXiv 2102.09672) and v-prediction (Salimans & Ho, arXiv
// 2202.00512): x = a clean + b noise, a = cos(pi u / 2), b = sin(pi u / 2), target a noise - b clean; DDIM steps.
class VCosine : public NoisePath {
 public:
  VCosine(double mean, double deviation) : mean_(mean), deviation_(deviation) {}
  static Facts Describe() {
    return {"v_cosine",
            "variance-preserving, cosine schedule, v-prediction, DDIM steps",
            "arXiv 2102.09672, 2202.00512",
            {{"mean", 0.0, "mean of the logit-normal training levels"}, {"deviation", 0.0, "its deviation; 0: uniform levels"}}};
  }
  std::string Spec() const override { return fmt::format("v_cosine(mean={}, deviation={})", mean_, deviation_); }
  at::Tensor Mix(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& u) const override {
    return A(u) * clean + B(u) * noise;
  }
  at::Tensor Target(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& u) const override {
    return A(u) * noise - B(u) * clean;
  }
  at::Tensor ToClean(const at::Tensor& x, const at::Tensor& v, const at::Tensor& u) const override { return A(u) * x - B(u) * v; }
  at::Tensor Step(const at::Tensor& x, const at::Tensor& v, const at::Tensor& from, const at::Tensor& to) const override {
    const at::Tensor clean = ToClean(x, v, from), noise = B(from) * x + A(from) * v;
    return Mix(clean, noise, to);
  }
  at::Tensor TrainingLevels(const at::Tensor& uniform) const override { return LogitNormal(uniform, mean_, deviation_); }
  std::vector<double> Schedule(int64_t steps) const override {
    std::vector<double> levels;
    for (int64_t i = steps; i >= 0; --i) levels.push_back(static_cast<double>(i) / static_cast<double>(steps));
    return levels;
  }

 private:
  static at::Tensor A(const at::Tensor& u) { return at::cos(u * (std::numbers::pi / 2)); }
  static at::Tensor B(const at::Tensor& u) { return at::sin(u * (std::numbers::pi / 2)); }
  double mean_, deviation_;
};

// EDM (Karras et al., arXiv 2206.00364) on latents of unit deviation: x = clean + s noise, preconditioned network, Euler steps on
// the rho-spaced schedule. s(u) = (s_min^(1/rho) + u (s_max^(1/rho) - s_min^(1/rho)))^rho.
class Edm : public NoisePath {
 public:
  Edm(double mean, double deviation, double low, double high) : mean_(mean), deviation_(deviation), low_(low), high_(high) {
    if (!(0 < low && low < high) || deviation <= 0) Fail("edm: need 0 < sigma_min < sigma_max and deviation > 0");
  }
  static Facts Describe() {
    return {"edm",
            "variance-exploding with preconditioning, Euler steps",
            "arXiv 2206.00364",
            {{"mean", -0.4, "mean of ln sigma in training"},
             {"deviation", 1.2, "its deviation"},
             {"sigma_min", 0.002, "sigma at level 0"},
             {"sigma_max", 20.0, "sigma at level 1"}}};
  }
  std::string Spec() const override {
    return fmt::format("edm(mean={}, deviation={}, sigma_min={}, sigma_max={})", mean_, deviation_, low_, high_);
  }
  at::Tensor Mix(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& u) const override { return clean + Sigma(u) * noise; }
  at::Tensor Input(const at::Tensor& x, const at::Tensor& u) const override { return x * at::rsqrt(Sigma(u).square() + 1); }
  at::Tensor Target(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& u) const override {
    return (clean - Skip(u) * Mix(clean, noise, u)) / Out(u);
  }
  at::Tensor ToClean(const at::Tensor& x, const at::Tensor& out, const at::Tensor& u) const override { return Skip(u) * x + Out(u) * out; }
  at::Tensor Step(const at::Tensor& x, const at::Tensor& out, const at::Tensor& from, const at::Tensor& to) const override {
    const at::Tensor clean = ToClean(x, out, from);
    return at::where(to > 0, clean + (Sigma(to) / Sigma(from)) * (x - clean), clean);
  }
  at::Tensor TrainingLevels(const at::Tensor& uniform) const override {
    const at::Tensor u = uniform.clamp(1e-5, 1 - 1e-5);
    const at::Tensor sigma = at::exp(at::erfinv(2 * u - 1) * (std::numbers::sqrt2 * deviation_) + mean_).clamp(low_, high_);
    const double a = std::pow(low_, 1 / kRho), b = std::pow(high_, 1 / kRho);
    return (at::pow(sigma, 1 / kRho) - a) / (b - a);
  }
  std::vector<double> Schedule(int64_t steps) const override {
    std::vector<double> levels;
    for (int64_t i = 0; i < steps; ++i) levels.push_back(1 - static_cast<double>(i) / static_cast<double>(steps));
    levels.push_back(0);
    return levels;
  }

 private:
  static constexpr double kRho = 7;
  at::Tensor Sigma(const at::Tensor& u) const {
    const double a = std::pow(low_, 1 / kRho), b = std::pow(high_, 1 / kRho);
    return at::pow(a + u * (b - a), kRho);
  }
  at::Tensor Skip(const at::Tensor& u) const { return 1 / (Sigma(u).square() + 1); }
  at::Tensor Out(const at::Tensor& u) const { return Sigma(u) * at::rsqrt(Sigma(u).square() + 1); }
  double mean_, deviation_, low_, high_;
};

}  // namespace

double ShiftLevel(double sigma, double shift) { return shift * sigma / (1 + (shift - 1) * sigma); }

const Registry<std::shared_ptr<NoisePath>>& NoisePaths() {
  static const Registry<std::shared_ptr<NoisePath>> registry(
      "noise path",
      {
          {Flow::Describe(), [](const Json& p) { return std::make_shared<Flow>(p["mean"], p["deviation"], p["shift"]); }},
          {VCosine::Describe(), [](const Json& p) { return std::make_shared<VCosine>(p["mean"], p["deviation"]); }},
          {Edm::Describe(), [](const Json& p) { return std::make_shared<Edm>(p["mean"], p["deviation"], p["sigma_min"], p["sigma_max"]); }},
      });
  return registry;
}

}  // namespace orrery
