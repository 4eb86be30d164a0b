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

// Rectified flow (Liu et al., arXiv 2209.03003; Lipman et al., arXiv 2210.02747): x = (1 - s) clean + s noise, target noise - clean, or the
// clean latent itself.
class Flow : public NoisePath {
 public:
  Flow(double mean, double deviation, double shift, const std::string& predict)
      : mean_(mean), deviation_(deviation), shift_(shift), clean_(predict == "x") {
    if (predict != "v" && predict != "x") FailUnknown("flow prediction", predict, std::vector<std::string>{"v", "x"});
    if (deviation < 0 || shift <= 0) Fail("flow: need deviation >= 0 and shift > 0, got {} and {}", deviation, shift);
  }
  static Facts Describe() {
    return {"flow",
            "rectified flow, the network answers noise - clean",
            "arXiv 2209.03003, 2210.02747",
            {{"mean", 0.0, "mean of the logit-normal training levels"},
             {"deviation", 1.0, "its deviation; 0: uniform levels"},
             {"shift", 4.0, "moves training and sampling levels towards noise (> 1)"},
             {"predict", "v", "what the network answers: v, noise - clean; or x, the clean latent"}}};
  }
  std::string Spec() const override {
    return fmt::format("flow(mean={}, deviation={}, shift={}{})", mean_, deviation_, shift_, clean_ ? ", predict=x" : "");
  }
  at::Tensor Mix(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& s) const override {
    return clean + s * (noise - clean);
  }
  at::Tensor Target(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor&) const override {
    return clean_ ? clean : noise - clean;
  }
  at::Tensor ToClean(const at::Tensor& x, const at::Tensor& out, const at::Tensor& s) const override { return clean_ ? out : x - s * out; }
  at::Tensor Step(const at::Tensor& x, const at::Tensor& out, const at::Tensor& from, const at::Tensor& to) const override {
    return clean_ ? out + to / from * (x - out) : x + (to - from) * out;
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
  bool clean_;
};

// Variance-preserving paths with v-prediction (Salimans & Ho, arXiv 2202.00512): x = a clean + b noise, a^2 + b^2 = 1, target
// a noise - b clean; DDIM steps.
class VPrediction : public NoisePath {
 public:
  VPrediction(double mean, double deviation) : mean_(mean), deviation_(deviation) {}
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

 protected:
  virtual at::Tensor A(const at::Tensor& u) const = 0;
  virtual at::Tensor B(const at::Tensor& u) const = 0;
  double mean_, deviation_;
};

// The cosine schedule (Nichol & Dhariwal, arXiv 2102.09672): a = cos(pi u / 2), b = sin(pi u / 2).
class VCosine : public VPrediction {
 public:
  using VPrediction::VPrediction;
  static Facts Describe() {
    return {"v_cosine",
            "variance-preserving, cosine schedule, v-prediction, DDIM steps",
            "arXiv 2102.09672, 2202.00512",
            {{"mean", 0.0, "mean of the logit-normal training levels"}, {"deviation", 0.0, "its deviation; 0: uniform levels"}}};
  }
  std::string Spec() const override { return fmt::format("v_cosine(mean={}, deviation={})", mean_, deviation_); }

 private:
  at::Tensor A(const at::Tensor& u) const override { return at::cos(u * (std::numbers::pi / 2)); }
  at::Tensor B(const at::Tensor& u) const override { return at::sin(u * (std::numbers::pi / 2)); }
};

// The sigmoid schedule (Jabri et al., arXiv 2212.11972) over 1,000 levels as Diffusion Forcing (arXiv 2407.01392) and open-oasis have it:
// a^2 = (f(1) - f(u)) / (f(1) - f(0)), f(u) = sigmoid((6 u - 3)); u = (k + 1) / 1000 is their index k, whose last beta is cut off at 0.999,
// so that level 1 keeps a trace of the clean latent.
class VSigmoid : public VPrediction {
 public:
  using VPrediction::VPrediction;
  static Facts Describe() {
    return {"v_sigmoid",
            "variance-preserving, sigmoid schedule, v-prediction, DDIM steps",
            "arXiv 2212.11972, 2407.01392, 2202.00512",
            {{"mean", 0.0, "mean of the logit-normal training levels"}, {"deviation", 0.0, "its deviation; 0: uniform levels"}}};
  }
  std::string Spec() const override { return fmt::format("v_sigmoid(mean={}, deviation={})", mean_, deviation_); }

 private:
  static double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
  // a^2, in double: the difference cancels near level 1.
  static at::Tensor Kept(const at::Tensor& u) {
    const double first = Sigmoid(-3), last = Sigmoid(3), least = (last - Sigmoid(2.994)) / (last - first) * 1e-3;
    return ((last - at::sigmoid(u.to(at::kDouble) * 6 - 3)) / (last - first)).clamp(least, 1);
  }
  at::Tensor A(const at::Tensor& u) const override { return Kept(u).sqrt().to(u.scalar_type()); }
  at::Tensor B(const at::Tensor& u) const override { return (1 - Kept(u)).sqrt().to(u.scalar_type()); }
};

// EDM (Karras et al., arXiv 2206.00364): x = clean + s noise, preconditioned network, Euler steps on the rho-spaced schedule. s(u) =
// (s_min^(1/rho) + u (s_max^(1/rho) - s_min^(1/rho)))^rho.
class Edm : public NoisePath {
 public:
  Edm(double mean, double deviation, double low, double high, double data)
      : mean_(mean), deviation_(deviation), low_(low), high_(high), data_(data) {
    if (!(0 < low && low < high) || deviation <= 0 || data <= 0) Fail("edm: need 0 < sigma_min < sigma_max, deviation > 0 and data > 0");
  }
  static Facts Describe() {
    return {"edm",
            "variance-exploding with preconditioning, Euler steps",
            "arXiv 2206.00364",
            {{"mean", -0.4, "mean of ln sigma in training"},
             {"deviation", 1.2, "its deviation"},
             {"sigma_min", 0.002, "sigma at level 0"},
             {"sigma_max", 20.0, "sigma at level 1"},
             {"data", 1.0, "deviation of the latents"}}};
  }
  std::string Spec() const override {
    const std::string data = data_ == 1 ? "" : fmt::format(", data={}", data_);
    return fmt::format("edm(mean={}, deviation={}, sigma_min={}, sigma_max={}{})", mean_, deviation_, low_, high_, data);
  }
  at::Tensor Mix(const at::Tensor& clean, const at::Tensor& noise, const at::Tensor& u) const override { return clean + Sigma(u) * noise; }
  at::Tensor Input(const at::Tensor& x, const at::Tensor& u) const override { return x * at::rsqrt(Sigma(u).square() + data_ * data_); }
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
  at::Tensor Skip(const at::Tensor& u) const { return data_ * data_ / (Sigma(u).square() + data_ * data_); }
  at::Tensor Out(const at::Tensor& u) const { return Sigma(u) * data_ * at::rsqrt(Sigma(u).square() + data_ * data_); }
  double mean_, deviation_, low_, high_, data_;
};

}  // namespace

double ShiftLevel(double sigma, double shift) { return shift * sigma / (1 + (shift - 1) * sigma); }

const Registry<std::shared_ptr<NoisePath>>& NoisePaths() {
  static const Registry<std::shared_ptr<NoisePath>> registry(
      "noise path",
      {
          {Flow::Describe(), [](const Json& p) { return std::make_shared<Flow>(p["mean"], p["deviation"], p["shift"], p["predict"]); }},
          {VCosine::Describe(), [](const Json& p) { return std::make_shared<VCosine>(p["mean"], p["deviation"]); }},
          {VSigmoid::Describe(), [](const Json& p) { return std::make_shared<VSigmoid>(p["mean"], p["deviation"]); }},
          {Edm::Describe(),
           [](const Json& p) { return std::make_shared<Edm>(p["mean"], p["deviation"], p["sigma_min"], p["sigma_max"], p["data"]); }},
      });
  return registry;
}

}  // namespace orrery
