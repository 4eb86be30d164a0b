#include "state/frame_bank.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace orrery {

namespace {

std::string Name(const std::string& field, int64_t chunk) { return fmt::format("{}/{}", field, chunk); }

}  // namespace

Parts FrameBank::Reset() const {
  Parts state;
  state.Add("committed", "", at::zeros({}, at::kLong));
  return state;
}

int64_t FrameBank::Committed(const Parts& state) { return state.Get("committed").item<int64_t>(); }

void FrameBank::Append(Parts& state, const std::vector<at::Tensor>& values) const {
  ORRERY_CHECK(values.size() == fields_.size());
  const int64_t frame = Committed(state), chunk = frame / kChunk;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const at::Tensor& value = values[i];
    const std::string name = Name(fields_[i].name, chunk);
    if (!state.Has(name)) {
      std::vector<int64_t> shape{value.size(0), kChunk};
      shape.insert(shape.end(), fields_[i].shape.begin(), fields_[i].shape.end());
      state.Add(name, "batch frame ...", at::zeros(shape, value.options()));
    }
    state.Mutable(name).select(1, frame % kChunk).copy_(value);
  }
  state.Mutable("committed").add_(1);
}

at::Tensor FrameBank::First(const Parts& state, const std::string& field, int64_t count) const {
  ORRERY_CHECK(count > 0 && count <= Committed(state));
  std::vector<at::Tensor> pieces;
  for (int64_t f = 0; f < count; f += kChunk)
    pieces.push_back(state.Get(Name(field, f / kChunk)).narrow(1, 0, std::min(kChunk, count - f)));
  return pieces.size() == 1 ? pieces[0] : at::cat(pieces, 1);
}

at::Tensor FrameBank::Gather(const Parts& state, const std::string& field, const at::Tensor& frame) const {
  const at::Tensor host = frame.to(at::kCPU).contiguous();
  const int64_t B = host.size(0), k = host.size(1);
  std::vector<at::Tensor> rows;
  for (int64_t b = 0; b < B; ++b)
    for (int64_t j = 0; j < k; ++j) {
      const int64_t f = host[b][j].item<int64_t>();
      const at::Tensor chunk = state.Get(Name(field, std::max<int64_t>(f, 0) / kChunk));
      rows.push_back(f < 0 ? at::zeros_like(chunk[b][0]) : chunk[b][f % kChunk]);
    }
  std::vector<int64_t> shape = rows[0].sizes().vec();
  shape.insert(shape.begin(), {B, k});
  return at::stack(rows).view(shape);
}

size_t FrameBank::Bytes(int64_t frames, at::ScalarType dtype) const {
  const int64_t chunks = (frames + kChunk - 1) / kChunk;
  size_t bytes = sizeof(int64_t);
  for (const Field& field : fields_) {
    int64_t numbers = chunks * kChunk;
    for (const int64_t n : field.shape) numbers *= n;
    bytes += static_cast<size_t>(numbers) * c10::elementSize(field.floats ? at::kFloat : dtype);
  }
  return bytes;
}

}  // namespace orrery
