#include "state/explicit/decoupled/cells.h"

#include <ATen/ATen.h>

namespace orrery {

namespace nn = torch::nn;

CellEncoder::CellEncoder(const MemoryGeometry& g) : geometry_(g) {
  const int64_t rows = g.rows * g.patch;
  cell_ = register_module("cell", nn::Linear(g.channels, kWidth));
  column_ = register_module("column", nn::Linear(nn::LinearOptions(g.channels * rows, kWidth).bias(false)));
  row_ = register_parameter("row", at::zeros({rows, 1, kWidth}));
}

at::Tensor CellEncoder::Encode(const at::Tensor& latent) const {
  nn::Linear cell = cell_, column = column_;
  const at::Tensor cells = latent.permute({0, 2, 3, 1}), columns = cells.transpose(1, 2).flatten(2);  // [R, h, w, C], [R, w, h C]
  return at::silu(cell(cells) + row_ + column(columns).unsqueeze(1));
}

double CellEncoder::Macs() const {
  const MemoryGeometry& g = geometry_;
  return 2 * static_cast<double>(g.Tokens() * g.patch * g.patch * g.channels * kWidth);
}

}  // namespace orrery
