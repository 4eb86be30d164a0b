#include <ATen/ATen.h>

#include "model/convert/oasis.h"

namespace orrery {

namespace {

using Shape = std::vector<int64_t>;

constexpr int64_t kOasisMlp = 4;              // hidden width / width, in both networks
constexpr int64_t kOasisLevelFeatures = 256;  // of the timestep

// Adds rules for a layer's weight and bias.
class RuleList {
 public:
  void Same(const std::string& ours, const std::string& theirs, const Shape& shape, const Shape& their_shape = {}) {
    rules.push_back({ours, shape, {{theirs, their_shape.empty() ? shape : their_shape}}});
  }
  void Layer(const std::string& ours, const std::string& theirs, int64_t in, int64_t out) {
    Same(ours + ".weight", theirs + ".weight", {out, in});
    Same(ours + ".bias", theirs + ".bias", {out});
  }
  void Norm(const std::string& ours, const std::string& theirs, int64_t dim) {
    Same(ours + ".weight", theirs + ".weight", {dim});
    Same(ours + ".bias", theirs + ".bias", {dim});
  }
  // A convolution of kernel and stride `patch` as a product with flattened patches.
  void Patches(const std::string& ours, const std::string& theirs, int64_t channels, int64_t patch, int64_t out) {
    Same(ours + ".weight", theirs + ".weight", {out, channels * patch * patch}, {out, channels, patch, patch});
    Same(ours + ".bias", theirs + ".bias", {out});
  }
  // Queries, keys and values; rotary pairs of the first two are put in our order.
  void Heads(const std::string& ours, const std::string& theirs, const Shape& shape, int64_t head_dim) {
    rules.push_back({ours, shape, {{theirs, shape}}, [head_dim](const std::vector<at::Tensor>& t) {
                       const std::vector<at::Tensor> qkv = t[0].chunk(3, 0);
                       return at::cat({PairsToHalves(qkv[0], head_dim), PairsToHalves(qkv[1], head_dim), qkv[2]});
                     }});
  }
  void Joined(const std::string& ours, const std::string& first, const std::string& second, const Shape& half) {
    Shape shape = half;
    shape[0] *= 2;
    rules.push_back({ours, shape, {{first, half}, {second, half}}, [](const std::vector<at::Tensor>& t) { return at::cat(t); }});
  }

  WeightRules rules;
};

// Rows of a patch, in the order (row, column, channel), as (channel, row, column).
std::function<at::Tensor(const std::vector<at::Tensor>&)> ChannelsFirst(int64_t patch, int64_t channels) {
  return [=](const std::vector<at::Tensor>& t) {
    Shape split{patch * patch, channels};
    if (t[0].dim() == 2) split.push_back(t[0].size(1));
    return t[0].reshape(split).transpose(0, 1).reshape(t[0].sizes());
  };
}

// One of their blocks is two of halves, `s` in a frame and `t` through time.
void AddBlock(RuleList& list, int64_t l, int64_t D, int64_t head_dim) {
  const std::string ours = fmt::format("block{}.", l), theirs = fmt::format("blocks.{}.", l);
  const auto modulation = [&](const std::string& half, const std::string& part) { return theirs + half + "_adaLN_modulation.1." + part; };
  list.Joined(fmt::format("modulation{}.weight", l), modulation("s", "weight"), modulation("t", "weight"), {6 * D, D});
  list.Joined(ours + "modulation", modulation("s", "bias"), modulation("t", "bias"), {6 * D});
  const std::pair<std::string, std::string> halves[] = {{"s", "spatial"}, {"t", "attention"}};
  for (const auto& [half, name] : halves) {
    list.Heads(ours + name + "_qkv.weight", theirs + half + "_attn.to_qkv.weight", {3 * D, D}, head_dim);
    list.Layer(ours + name + "_out", theirs + half + "_attn.to_out", D, D);
    const std::string mlp = half == "s" ? "spatial_" : "";
    list.Layer(ours + mlp + "up", theirs + half + "_mlp.fc1", D, kOasisMlp * D);
    list.Layer(ours + mlp + "down", theirs + half + "_mlp.fc2", kOasisMlp * D, D);
  }
}

}  // namespace

WeightRules OasisNetworkRules(const OasisShape& s) {
  const int64_t D = s.hidden, token = s.latent * s.patch * s.patch;
  RuleList list;
  list.Patches("patch", "x_embedder.proj", s.latent, s.patch, D);
  list.Layer("level_in", "t_embedder.mlp.0", kOasisLevelFeatures, D);
  list.Same("level_out.weight", "t_embedder.mlp.2.weight", {D, D});
  // The bias of the action's layer is there with every action and without: it belongs to the level's.
  list.rules.push_back(
      {"level_out.bias", {D}, {{"t_embedder.mlp.2.bias", {D}}, {"external_cond.bias", {D}}}, [](const std::vector<at::Tensor>& t) {
         return t[0] + t[1];
       }});
  list.Same("action.weight", "external_cond.weight", {D, s.actions});
  list.rules.push_back({"action_null", {D}, {}});
  for (int64_t l = 0; l < s.depth; ++l) AddBlock(list, l, D, D / s.heads);
  list.Same("modulation_output.weight", "final_layer.adaLN_modulation.1.weight", {2 * D, D});
  list.Same("output_modulation", "final_layer.adaLN_modulation.1.bias", {2 * D});
  list.rules.push_back({"output.weight", {token, D}, {{"final_layer.linear.weight", {token, D}}}, ChannelsFirst(s.patch, s.latent)});
  list.rules.push_back({"output.bias", {token}, {{"final_layer.linear.bias", {token}}}, ChannelsFirst(s.patch, s.latent)});
  return list.rules;
}

WeightRules OasisCodecRules(const OasisShape& s) {
  const int64_t D = s.vdim, head_dim = D / s.vae_heads, pixels = 3 * s.vae_patch * s.vae_patch;
  RuleList list;
  list.Patches("patch", "patch_embed.proj", 3, s.vae_patch, D);
  const auto blocks = [&](const std::string& name, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const std::string ours = fmt::format("{}{}.", name, i), theirs = fmt::format("{}.{}.", name, i);
      list.Norm(ours + "attention_norm", theirs + "norm1", D);
      list.Heads(ours + "qkv.weight", theirs + "attn.qkv.weight", {3 * D, D}, head_dim);
      list.Heads(ours + "qkv.bias", theirs + "attn.qkv.bias", {3 * D}, head_dim);
      list.Layer(ours + "out", theirs + "attn.proj", D, D);
      list.Norm(ours + "mlp_norm", theirs + "norm2", D);
      list.Layer(ours + "up", theirs + "mlp.fc1", D, kOasisMlp * D);
      list.Layer(ours + "down", theirs + "mlp.fc2", kOasisMlp * D, D);
    }
  };
  blocks("encoder", s.encoder);
  list.Norm("encoder_norm", "enc_norm", D);
  list.Layer("moments", "quant_conv", D, 2 * s.latent);
  list.Layer("latent", "post_quant_conv", s.latent, D);
  blocks("decoder", s.decoder);
  list.Norm("decoder_norm", "dec_norm", D);
  list.Layer("pixels", "predictor", D, pixels);
  return list.rules;
}

}  // namespace orrery
