// GELU, and the softmax of frame-causal attention.
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "nn/fused_kernels.h"
#include "nn/rows.h"

namespace orrery::kernels {

namespace {

constexpr float kGeluRoot = 0.7978845608f;  // sqrt(2 / pi)
constexpr float kGeluCubic = 0.044715f;
constexpr int64_t kGeluRow = 1024;  // numbers worked on at once

// 1 / (1 + e^-2u): 0.5 (1 + tanh u).
inline float HalfTanh(float u) {
  const float t = -2.f * u;
  return 1.f / (1.f + Exp(t > 88.f ? 88.f : t));
}

}  // namespace

void GeluForward(const at::Tensor& x, at::Tensor& out) {
  Dispatch(x, [&]<class T>(T*) {
    at::parallel_for(0, x.numel(), kGeluRow * 16, [&](int64_t begin, int64_t end) {
      float buffer[kGeluRow], result[kGeluRow];
      for (int64_t i = begin; i < end; i += kGeluRow) {
        const int64_t n = std::min(kGeluRow, end - i);
        const float* row = Load(In<T>(x) + i, buffer, n);
#pragma omp simd
        for (int64_t j = 0; j < n; ++j) {
          const float a = row[j];
          result[j] = a * HalfTanh(kGeluRoot * (a + kGeluCubic * a * a * a));
        }
        Store(result, Out<T>(out) + i, n);
      }
    });
  });
}

void GeluBackward(const at::Tensor& grad, const at::Tensor& x, at::Tensor& dx) {
  Dispatch(x, [&]<class T>(T*) {
    at::parallel_for(0, x.numel(), kGeluRow * 16, [&](int64_t begin, int64_t end) {
      float buffer[kGeluRow], gbuffer[kGeluRow], result[kGeluRow];
      for (int64_t i = begin; i < end; i += kGeluRow) {
        const int64_t n = std::min(kGeluRow, end - i);
        const float* row = Load(In<T>(x) + i, buffer, n);
        const float* g = Load(In<T>(grad) + i, gbuffer, n);
#pragma omp simd
        for (int64_t j = 0; j < n; ++j) {
          const float a = row[j], h = HalfTanh(kGeluRoot * (a + kGeluCubic * a * a * a));
          const float slope = 2.f * kGeluRoot * (1.f + 3.f * kGeluCubic * a * a);
          result[j] = g[j] * (h + a * h * (1.f - h) * slope);
        }
        Store(result, Out<T>(dx) + i, n);
      }
    });
  });
}

void FrameSoftmaxForward(at::Tensor& scores, float scale, const FrameRows& rows) {
  const int64_t Q = scores.size(1), K = scores.size(2);
  Dispatch(scores, [&]<class T>(T*) {
    at::parallel_for(0, scores.size(0) * Q, 64, [&](int64_t begin, int64_t end) {
      std::vector<float> buffer(K), result(K);
      for (int64_t i = begin; i < end; ++i) {
        T* at = Out<T>(scores) + i * K;
        const auto [low, high] = rows.Seen(i % Q);
        const float* row = Load(at + low, buffer.data(), high - low);
        const int64_t n = high - low;
        float top = row[0], sum = 0;
#pragma omp simd reduction(max : top)
        for (int64_t j = 0; j < n; ++j) top = row[j] > top ? row[j] : top;
        std::fill(result.begin(), result.end(), 0.f);
        float* p = result.data() + low;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < n; ++j) {
          p[j] = Exp((row[j] - top) * scale);
          sum += p[j];
        }
        const float share = 1.f / sum;
#pragma omp simd
        for (int64_t j = 0; j < n; ++j) p[j] *= share;
        Store(result.data(), at, K);
      }
    });
  });
}

void FrameSoftmaxBackward(const at::Tensor& probability, at::Tensor& grad, float scale) {
  const int64_t K = grad.size(2);
  Dispatch(grad, [&]<class T>(T*) {
    at::parallel_for(0, grad.size(0) * grad.size(1), 64, [&](int64_t begin, int64_t end) {
      std::vector<float> buffer(K), gbuffer(K), result(K);
      for (int64_t i = begin; i < end; ++i) {
        const float* p = Load(In<T>(probability) + i * K, buffer.data(), K);
        const float* g = Load(In<T>(grad) + i * K, gbuffer.data(), K);
        float dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t j = 0; j < K; ++j) dot += p[j] * g[j];
#pragma omp simd
        for (int64_t j = 0; j < K; ++j) result[j] = scale * p[j] * (g[j] - dot);
        Store(result.data(), Out<T>(grad) + i * K, K);
      }
    });
  });
}

}  // namespace orrery::kernels
