// Rows of fp32 or bfloat16 tensors for hand-written CPU kernels: loaded as fp32, stored rounded.
#pragma once
#include <ATen/core/Tensor.h>

namespace orrery::kernels {

using at::BFloat16;

// Rows as fp32: in place for fp32 tensors, through `buffer` for bfloat16.
inline const float* Load(const float* row, float*, int64_t) { return row; }
inline const float* Load(const BFloat16* row, float* buffer, int64_t n) {
  const auto* bits = reinterpret_cast<const uint16_t*>(row);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t wide = static_cast<uint32_t>(bits[i]) << 16;
    buffer[i] = __builtin_bit_cast(float, wide);
  }
  return buffer;
}
inline void Store(const float* from, float* row, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) row[i] = from[i];
}
inline void Store(const float* from, BFloat16* row, int64_t n) {  // round to nearest even; NaN stays NaN
  auto* bits = reinterpret_cast<uint16_t*>(row);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t wide = __builtin_bit_cast(uint32_t, from[i]);
    const uint32_t rounded = (wide + 0x7FFFu + ((wide >> 16) & 1u)) >> 16;
    bits[i] = static_cast<uint16_t>((wide & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FC0u : rounded);
  }
}

template <class F>
void Dispatch(const at::Tensor& t, F&& f) {
  if (t.scalar_type() == at::kFloat)
    f(static_cast<float*>(nullptr));
  else
    f(static_cast<BFloat16*>(nullptr));
}
template <class T>
const T* In(const at::Tensor& t) {
  return t.const_data_ptr<T>();
}
template <class T>
T* Out(at::Tensor& t) {
  return t.mutable_data_ptr<T>();
}

// e^x for x <= 88, to a few units in the last place, in a form that loops vectorise; below -87 it gives e^-87.
inline float Exp(float x) {
  x = x < -87.f ? -87.f : x;
  const float n = __builtin_floorf(x * 1.44269504f + 0.5f);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
  float p = 1.98412698e-4f;
  p = p * r + 1.38888889e-3f;
  p = p * r + 8.33333333e-3f;
  p = p * r + 4.16666667e-2f;
  p = p * r + 1.66666667e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.f;
  p = p * r + 1.f;
  return p * __builtin_bit_cast(float, (static_cast<int32_t>(n) + 127) << 23);
}

}  // namespace orrery::kernels
