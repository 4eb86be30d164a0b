// retrieval.key: the frames whose key is nearest to what is asked for; for data without poses. Keys are small pictures of the latent
// (keys=feature: cosine of pooled latents without their running mean, asked for by the newest frame; after MagicWorld, arXiv
// 2511.18886), or learned (keys=learned: the newest frame and the action predict the key of the coming frame, trained by telling the
// right frame of a batch from the others, InfoNCE; the role that OneStory, arXiv 2512.07802, gives to a scorer).
#pragma once
#include "state/implicit/retrieval/retrieval.h"

namespace orrery {

struct KeyRetrievalOptions {
  RetrievalOptions read;
  std::string keys = "learned";  // or "feature"
  int64_t dim = 32;              // of a learned key
};

class KeyRetrieval : public RetrievalMemory {
 public:
  KeyRetrieval(const KeyRetrievalOptions& options, const MemoryGeometry& geometry);

  static Facts Describe();
  static KeyRetrievalOptions Options(const Json& params);
  std::string Spec() const override;

 protected:
  at::Tensor Mark(const at::Tensor& latent, const at::Tensor&) const override;
  const char* MarkField() const override { return "key"; }
  at::Tensor Ask(const at::Tensor& marks, const at::Tensor& action, const at::Tensor&) const override;
  std::vector<int64_t> Choose(const at::Tensor& marks, const at::Tensor& query, int64_t candidates, int64_t newest) const override;
  at::Tensor SelectorLoss(const ClipQuery& clip, const at::Tensor& marks) const override;
  double SelectCost(int64_t candidates) const override;
  double MarkCost() const override;

 private:
  bool Learned() const { return key_.keys == "learned"; }
  KeyRetrievalOptions key_;
  torch::nn::Linear embed_{nullptr}, predict_in_{nullptr}, predict_out_{nullptr};
};

}  // namespace orrery
