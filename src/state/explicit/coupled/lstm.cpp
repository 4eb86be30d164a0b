#include "state/explicit/coupled/lstm.h"

#include <ATen/ATen.h>

#include <cmath>

namespace orrery {

namespace {

// One step of the cell: gates [..., 4 W] of its input, hidden and cell [..., W] before -> after.
std::pair<at::Tensor, at::Tensor> CellStep(const at::Tensor& input, const at::Tensor& hidden, const at::Tensor& cell,
                                           const at::Tensor& weight) {
  const auto gate = (input + at::matmul(hidden, weight.t())).chunk(4, -1);
  const at::Tensor next = gate[1].sigmoid() * cell + gate[0].sigmoid() * gate[2].tanh();
  return {gate[3].sigmoid() * next.tanh(), next};
}

}  // namespace

LstmMemory::LstmMemory(const BranchOptions& options, const MemoryGeometry& geometry) : BranchMemory(geometry, options, "lstm") {
  const torch::NoGradGuard guard;
  const double bound = 1 / std::sqrt(static_cast<double>(Width()));
  for (int64_t i = 0; i < Branches(); ++i) {
    input_.push_back(Projection("input", i, 4 * Width(), true));
    input_.back()->bias.narrow(0, Width(), Width()).fill_(1);  // begins by keeping
    hidden_.push_back(OfBranch("hidden", i, at::empty({4 * Width(), Width()}).uniform_(-bound, bound)));
  }
}

Facts LstmMemory::Describe() {
  return {"lstm",
          "a long short-term memory cell at every position of the frame",
          "RAD, arXiv 2511.12940",
          {{"heads", 2, "groups of channels that are normalised together, >= 1"},
           {"dim", 64, "channels of a group, a multiple of 8"},
           {"every", 3, "branches in the last layer and every k-th before it; 1: all layers"},
           {"router", 0, "frames after which the state is heard in full; 0: from the start"}}};
}

std::shared_ptr<Memory> LstmMemory::Make(const Json& p, const MemoryGeometry& geometry) {
  return std::make_shared<LstmMemory>(BranchOptions{p["heads"], p["dim"], p["every"], p["router"]}, geometry);
}

std::string LstmMemory::Spec() const { return fmt::format("lstm(heads={}, dim={}, {})", options_.heads, options_.dim, SharedSpec()); }

// Gates of the input [B, 1, T, N, 4 W].
BranchMemory::Tensors LstmMemory::Query(int64_t i, const at::Tensor& y, int64_t) const { return {Project(input_[i], y).unsqueeze(1)}; }

BranchMemory::Tensors LstmMemory::Advance(int64_t i, const Tensors& write, Tensors& state) const {
  const at::Tensor weight = Wide(hidden_[i]);
  Tensors hidden, cell;
  for (const at::Tensor& input : write[0].unbind(2)) {
    hidden.push_back(state[0]);
    cell.push_back(state[1]);
    std::tie(state[0], state[1]) = CellStep(input, state[0], state[1], weight);
  }
  return {at::stack(hidden, 2), at::stack(cell, 2)};
}

at::Tensor LstmMemory::Read(int64_t i, const Tensors& query, const Tensors& states) const {
  return CellStep(query[0], states[0], states[1], Wide(hidden_[i])).first;
}

std::vector<BranchMemory::Piece> LstmMemory::Layout(int64_t) const {
  const std::vector<int64_t> shape{1, geometry_.Tokens(), Width()};
  return {{"hidden", "one position width", shape}, {"cell", "one position width", shape}};
}

BranchMemory::Macs LstmMemory::Count(int64_t) const {
  const double W = static_cast<double>(Width()), D = static_cast<double>(geometry_.Dim()), cell = Tokens() * 4 * W * (D + W);
  return {.read = cell, .write = cell};
}

}  // namespace orrery
