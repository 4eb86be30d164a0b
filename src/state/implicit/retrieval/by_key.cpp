#include "state/implicit/retrieval/by_key.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace orrery {

namespace nn = torch::nn;

namespace {

constexpr int64_t kSide = 4;             // keys look at latents of 4 x 4 cells
constexpr double kTemperature = 0.07;    // of InfoNCE
constexpr double kSelectorWeight = 0.1;  // of its loss beside the network's

int64_t FeatureSize(const MemoryGeometry& g) {
  return g.channels * std::min(kSide, g.rows * g.patch) * std::min(kSide, g.columns * g.patch);
}
int64_t KeySize(const KeyRetrievalOptions& o, const MemoryGeometry& g) { return o.keys == "learned" ? o.dim : FeatureSize(g); }

at::Tensor Normal(const at::Tensor& x) { return x / (x.norm(2, -1, true) + 1e-6); }

}  // namespace

KeyRetrieval::KeyRetrieval(const KeyRetrievalOptions& options, const MemoryGeometry& geometry)
    : RetrievalMemory(options.read, geometry, false, {{"key", {KeySize(options, geometry)}}}), key_(options) {
  const std::vector<std::string> kinds{"learned", "feature"};
  if (options.keys != kinds[0] && options.keys != kinds[1]) FailUnknown("keys of retrieval.key", options.keys, kinds);
  if (options.dim < 1) Fail("retrieval.key: dim >= 1 expected, got {}", options.dim);
  if (!Learned()) return;
  embed_ = register_module("key", nn::Linear(FeatureSize(geometry), options.dim));
  predict_in_ = register_module("ask_in", nn::Linear(options.dim + geometry.actions, 2 * options.dim));
  predict_out_ = register_module("ask_out", nn::Linear(2 * options.dim, options.dim));
}

Facts KeyRetrieval::Describe() {
  return {"retrieval.key",
          "past frames whose key is nearest to what comes",
          "arXiv 2511.18886, 2512.07802",
          {{"k", 4, "frames read"},
           {"pool", 1, "p x p tokens of a read frame become one"},
           {"keys", "learned", "learned, or feature (pooled latents)"},
           {"dim", 32, "numbers of a learned key"}}};
}

KeyRetrievalOptions KeyRetrieval::Options(const Json& p) {
  return {{p["k"].get<int64_t>(), p["pool"].get<int64_t>()}, p["keys"].get<std::string>(), p["dim"].get<int64_t>()};
}

std::string KeyRetrieval::Spec() const {
  return FormatSpec("retrieval.key", {{"k", options_.k}, {"pool", options_.pool}, {"keys", key_.keys}, {"dim", key_.dim}});
}

at::Tensor KeyRetrieval::Mark(const at::Tensor& latent, const at::Tensor&) const {
  const at::Tensor small =
      at::adaptive_avg_pool2d(latent.flatten(0, 1).to(at::kFloat), {std::min(kSide, latent.size(3)), std::min(kSide, latent.size(4))});
  const at::Tensor features = small.flatten(1).view({latent.size(0), latent.size(1), -1});
  if (!Learned()) return features;
  nn::Linear embed = embed_;
  return Normal(embed(features).to(at::kFloat));
}

at::Tensor KeyRetrieval::Ask(const at::Tensor& marks, const at::Tensor& action, const at::Tensor&) const {
  if (!Learned()) return marks;
  at::Tensor input = marks;
  if (geometry_.actions > 0) {
    const at::Tensor known = action.defined() ? at::one_hot(action.select(-1, 0).to(at::kLong), geometry_.actions).to(at::kFloat)
                                              : at::zeros({marks.size(0), marks.size(1), geometry_.actions});
    input = at::cat({marks, known.to(marks.device())}, -1);
  }
  nn::Linear in = predict_in_, out = predict_out_;
  return Normal(out(at::silu(in(input.to(in->weight.device())))).to(at::kFloat));
}

std::vector<int64_t> KeyRetrieval::Choose(const at::Tensor& marks, const at::Tensor& query, int64_t candidates, int64_t newest) const {
  at::Tensor seen = marks.narrow(0, 0, candidates), ask = query;
  if (!Learned()) {
    // Without the common direction of all frames, cosines would all be near 1.
    const at::Tensor mean = marks.narrow(0, 0, newest).mean(0);
    seen = Normal(seen - mean);
    ask = Normal(ask - mean);
  }
  // Not a product of matrices: equal frames must score alike to the bit.
  const at::Tensor score = (seen * ask).sum(1).contiguous();
  const float* s = score.const_data_ptr<float>();
  std::vector<int64_t> order(static_cast<size_t>(candidates));
  for (int64_t i = 0; i < candidates; ++i) order[i] = i;
  const int64_t k = std::min(options_.k, candidates);
  std::partial_sort(order.begin(), order.begin() + k, order.end(),
                    [&](int64_t a, int64_t b) { return s[a] > s[b] || (s[a] == s[b] && a < b); });
  order.resize(static_cast<size_t>(k));
  return order;
}

at::Tensor KeyRetrieval::SelectorLoss(const ClipQuery& clip, const at::Tensor& marks) const {
  const int64_t T = clip.frames;
  if (!Learned() || T < 2) return {};
  const auto tail = [&](const at::Tensor& x) { return x.defined() ? x.narrow(1, 1, T - 1) : x; };
  const at::Tensor ask = Ask(marks.narrow(1, 0, T - 1), tail(clip.action), {});
  const at::Tensor scores = at::matmul(ask.flatten(0, 1), tail(marks).flatten(0, 1).t()) / kTemperature;
  const at::Tensor right = at::arange(scores.size(0), at::TensorOptions(at::kLong).device(scores.device()));
  return kSelectorWeight * at::nll_loss(scores.log_softmax(1), right);
}

double KeyRetrieval::SelectCost(int64_t candidates) const {
  const int64_t ask = Learned() ? (key_.dim + geometry_.actions) * 2 * key_.dim + 2 * key_.dim * key_.dim : 0;
  return static_cast<double>(candidates * KeySize(key_, geometry_) + ask);
}

double KeyRetrieval::MarkCost() const { return Learned() ? static_cast<double>(FeatureSize(geometry_) * key_.dim) : 0; }

}  // namespace orrery
