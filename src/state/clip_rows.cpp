#include "state/clip_rows.h"

#include <ATen/ATen.h>

namespace orrery {

std::vector<ClipRow> ReadingRows(const ClipQuery& clip, int64_t recent) {
  const at::Tensor target = clip.target.defined() ? clip.target.to(at::kCPU) : at::ones({clip.batch, clip.frames}, at::kBool);
  std::vector<ClipRow> rows;
  for (int64_t b = 0; b < clip.batch; ++b)
    for (int64_t t = recent + 1; t < clip.frames; ++t)
      if (target[b][t].item<bool>()) rows.push_back({b, t});
  return rows;
}

at::Tensor RowIndex(const std::vector<ClipRow>& rows, int64_t frames) {
  std::vector<int64_t> index;
  for (const ClipRow& row : rows) index.push_back(row.batch * frames + row.frame);
  return at::tensor(index, at::kLong);
}

at::Tensor PickFrames(const at::Tensor& x, const at::Tensor& index) {
  const at::Tensor picked = x.flatten(0, 1).index_select(0, index.flatten().to(x.device()));
  std::vector<int64_t> shape = index.sizes().vec();
  shape.insert(shape.end(), picked.sizes().begin() + 1, picked.sizes().end());
  return picked.view(shape);
}

}  // namespace orrery
