// What the recurrent states (port R) share: where branches sit, their projections, their output, and the two forms of running them.
// B batch, T frames, N tokens a frame, D width of the network, G groups with a state of their own (heads, or blocks and heads),
// n tokens a group sees, H heads, d their width, W = H d width of the branch.
#pragma once
#include <torch/nn/modules/linear.h>

#include "state/memory.h"

namespace orrery {

struct BranchOptions {
  int64_t heads = 2, dim = 64;  // H, d
  int64_t every = 3;            // branches in the last layer and in every k-th before it; 1: in all
  int64_t router = 0;           // frames T_ref after which the state is heard in full, as VideoSSM (arXiv 2512.04519); 0: from the start
  bool gated = true;            // what is read is multiplied by silu of a projection of the token
};

// One branch: y = norm(x); what is read of the state with y's queries, normalised a head, gated, projected to D by a matrix that begins at
// zero, times tanh(alpha) (alpha [D] begins at 1: a shut gate would keep the matrix from learning). The frame itself writes afterwards.
// All numbers of the state are fp32, whatever type the network computes in.
class BranchMemory : public Memory {
 public:
  using Tensors = std::vector<at::Tensor>;

  MemoryFacts Declared() const override;
  Parts Reset(int64_t batch, at::Device device, at::ScalarType dtype, uint64_t seed) const override;
  at::Tensor Branch(const Parts& state, const ReadPlan& plan, int64_t layer, const at::Tensor& x) const override;
  at::Tensor BranchOfFlight(const Parts& state, const std::vector<ReadPlan>& plans, int64_t layer, const at::Tensor& x) const final;
  void Commit(Parts& state, const ReadPlan& plan, const CleanFrame& frame) const override;
  std::unique_ptr<MemoryReader> OpenClip(const ClipQuery& clip) const override;
  size_t StateBytes(int64_t frames, at::ScalarType dtype) const override;
  MemoryCost Cost(int64_t frames) const override;
  Json Audit(const Parts& state, const ReadPlan& plan) const override;

  // Branch number of a layer, -1: it has none; and the inverse.
  int64_t IndexOf(int64_t layer) const;
  int64_t LayerOf(int64_t index) const { return layers_[static_cast<size_t>(index)]; }
  int64_t Branches() const { return static_cast<int64_t>(layers_.size()); }

  // The state of branch i in `state`, and a state [B, ...] that has seen nothing, with the graph of what it begins as.
  Tensors StateOf(const Parts& state, int64_t i) const;
  Tensors Fresh(int64_t i, int64_t batch, const at::TensorOptions& options) const;
  void Store(Parts& state, int64_t i, const Tensors& value) const;  // contiguous, as given

  // All frames of a clip: x [B, T N, D], the first of them frame `first`; `state` [B, ...] is replaced by the one after the clip.
  // With twins `asking` [B, T N, D], which read what x finds and write nothing: both, [B, 2 T N, D].
  at::Tensor RunClip(int64_t i, const at::Tensor& x, int64_t first, Tensors& state, const at::Tensor& asking = {}) const;

 protected:
  // A tensor of the state of one branch: sizes of one row, and their names.
  struct Piece {
    std::string name, axes;
    std::vector<int64_t> shape;
  };
  struct Macs {
    double read, write;  // a frame, of the leaf's own: projections, products with the state
  };

  BranchMemory(const MemoryGeometry& geometry, const BranchOptions& options, const char* name);

  // y [B, T, N, D] -> tensors [B, G, T, ...] in fp32, with which frames read and write. Frame t of them is frame `first` + t.
  virtual Tensors Query(int64_t i, const at::Tensor& y, int64_t first) const = 0;
  virtual Tensors Write(int64_t i, const at::Tensor& y, int64_t first) const = 0;
  // Writes frame after frame; returns what each of them found, [B, G, T, ...], and leaves the last in `state` [B, G, ...].
  virtual Tensors Advance(int64_t i, const Tensors& write, Tensors& state) const = 0;
  // Of states [B, G, T, ...] -> [B, G, T, n, d].
  virtual at::Tensor Read(int64_t i, const Tensors& query, const Tensors& states) const = 0;
  // [B, G, T, n, d] -> [B, T, N, W].
  virtual at::Tensor Merge(int64_t i, const at::Tensor& read) const;

  virtual std::vector<Piece> Layout(int64_t i) const = 0;
  virtual Tensors Start(int64_t i) const { return {}; }  // learned beginning, a piece each; empty: zeros
  virtual Macs Count(int64_t i) const = 0;
  virtual Json Rates(int64_t i) const { return {}; }  // decays a frame at a mean token, for Audit

  // A projection that belongs to branch i; applied, in fp32.
  torch::nn::Linear Projection(const char* name, int64_t i, int64_t outputs, bool bias = false);
  static at::Tensor Project(torch::nn::Linear linear, const at::Tensor& y);
  at::Tensor OfBranch(const char* name, int64_t i, const at::Tensor& value);  // a parameter
  // [B, T, N, H w] -> [B, H, T, N, w]
  at::Tensor Heads(const at::Tensor& x) const;
  int64_t Width() const { return options_.heads * options_.dim; }
  double Tokens() const { return static_cast<double>(geometry_.Tokens()); }
  std::string SharedSpec() const;  // "every=3, router=0"

  MemoryGeometry geometry_;
  BranchOptions options_;

 private:
  at::Tensor Normal(const at::Tensor& x) const;
  at::Tensor Emit(int64_t i, const at::Tensor& read, const at::Tensor& y, int64_t first) const;
  std::string PartName(int64_t i, const Piece& piece) const;

  std::string name_;
  std::vector<int64_t> layers_;
  std::vector<torch::nn::Linear> gate_, out_;
  Tensors norm_, alpha_, router_;
};

// fp32, or fp64 when x is.
at::Tensor Wide(const at::Tensor& x);
// Over the last axis, to length 1.
at::Tensor UnitLength(const at::Tensor& x);
// Rates a frame of the heads' memories: 1/10, ..., 1/1000, geometric; [H].
at::Tensor SpreadRates(int64_t heads);
at::Tensor InverseSoftplus(const at::Tensor& x);

}  // namespace orrery
