#include "nn/fused_kernels.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <vector>

#include "nn/fused.h"
#include "nn/rows.h"

namespace orrery::kernels {

void NormModulateForward(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, at::Tensor& out, at::Tensor& moments) {
  const int64_t R = x.size(0), N = x.size(1), D = x.size(2);
  Dispatch(x, [&]<class X>(X*) {
    Dispatch(out, [&]<class Y>(Y*) {
      const X* px = In<X>(x);
      Y* py = Out<Y>(out);
      float* pm = Out<float>(moments);
      at::parallel_for(0, R, 1, [&](int64_t begin, int64_t end) {
        std::vector<float> buffer(D), result(D);
        for (int64_t r = begin; r < end; ++r) {
          const float* b = In<float>(shift) + r * D;
          const float* s = In<float>(scale) + r * D;
          for (int64_t n = r * N; n < (r + 1) * N; ++n) {
            const float* row = Load(px + n * D, buffer.data(), D);
            float sum = 0, square = 0;
#pragma omp simd reduction(+ : sum)
            for (int64_t i = 0; i < D; ++i) sum += row[i];
            const float mean = sum / static_cast<float>(D);
#pragma omp simd reduction(+ : square)
            for (int64_t i = 0; i < D; ++i) square += (row[i] - mean) * (row[i] - mean);
            const float rstd = 1 / std::sqrt(square / static_cast<float>(D) + static_cast<float>(kNormEps));
            float* y = result.data();
#pragma omp simd
            for (int64_t i = 0; i < D; ++i) y[i] = (row[i] - mean) * rstd * (1 + s[i]) + b[i];
            Store(y, py + n * D, D);
            pm[2 * n] = mean;
            pm[2 * n + 1] = rstd;
          }
        }
      });
    });
  });
}

void NormModulateBackward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& scale, const at::Tensor& moments, at::Tensor& dx,
                          at::Tensor& dshift, at::Tensor& dscale) {
  const int64_t R = x.size(0), N = x.size(1), D = x.size(2);
  Dispatch(x, [&]<class X>(X*) {
    Dispatch(grad, [&]<class Y>(Y*) {
      at::parallel_for(0, R, 1, [&](int64_t begin, int64_t end) {
        std::vector<float> xbuffer(D), gbuffer(D), result(D);
        for (int64_t r = begin; r < end; ++r) {
          const float* s = In<float>(scale) + r * D;
          float* db = Out<float>(dshift) + r * D;
          float* ds = Out<float>(dscale) + r * D;
          std::fill(db, db + D, 0.f);
          std::fill(ds, ds + D, 0.f);
          for (int64_t n = r * N; n < (r + 1) * N; ++n) {
            const float* row = Load(In<X>(x) + n * D, xbuffer.data(), D);
            const float* g = Load(In<Y>(grad) + n * D, gbuffer.data(), D);
            const float mean = In<float>(moments)[2 * n], rstd = In<float>(moments)[2 * n + 1];
            float sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
            for (int64_t i = 0; i < D; ++i) {
              const float normal = (row[i] - mean) * rstd, scaled = g[i] * (1 + s[i]);
              sum += scaled;
              dot += scaled * normal;
              db[i] += g[i];
              ds[i] += g[i] * normal;
            }
            sum /= static_cast<float>(D);
            dot /= static_cast<float>(D);
            float* d = result.data();
#pragma omp simd
            for (int64_t i = 0; i < D; ++i) d[i] = rstd * (g[i] * (1 + s[i]) - sum - (row[i] - mean) * rstd * dot);
            Store(d, Out<X>(dx) + n * D, D);
          }
        }
      });
    });
  });
}

void GatedAddForward(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate, at::Tensor& out) {
  const int64_t R = x.size(0), N = x.size(1), D = x.size(2);
  Dispatch(y, [&]<class Y>(Y*) {
    at::parallel_for(0, R, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> buffer(D);
      for (int64_t r = begin; r < end; ++r) {
        const float* g = In<float>(gate) + r * D;
        for (int64_t n = r * N; n < (r + 1) * N; ++n) {
          const float* a = In<float>(x) + n * D;
          const float* b = Load(In<Y>(y) + n * D, buffer.data(), D);
          float* o = Out<float>(out) + n * D;
#pragma omp simd
          for (int64_t i = 0; i < D; ++i) o[i] = a[i] + g[i] * b[i];
        }
      }
    });
  });
}

void GatedAddBackward(const at::Tensor& grad, const at::Tensor& y, const at::Tensor& gate, at::Tensor& dy, at::Tensor& dgate) {
  const int64_t R = y.size(0), N = y.size(1), D = y.size(2);
  Dispatch(y, [&]<class Y>(Y*) {
    at::parallel_for(0, R, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> buffer(D), result(D);
      for (int64_t r = begin; r < end; ++r) {
        const float* g = In<float>(gate) + r * D;
        float* dg = Out<float>(dgate) + r * D;
        std::fill(dg, dg + D, 0.f);
        for (int64_t n = r * N; n < (r + 1) * N; ++n) {
          const float* b = Load(In<Y>(y) + n * D, buffer.data(), D);
          const float* o = In<float>(grad) + n * D;
          float* d = result.data();
#pragma omp simd
          for (int64_t i = 0; i < D; ++i) {
            d[i] = g[i] * o[i];
            dg[i] += o[i] * b[i];
          }
          Store(d, Out<Y>(dy) + n * D, D);
        }
      }
    });
  });
}

namespace {

// y = rotate(x * r * w) with r = 1 / rms(x), for one head.
template <class T>
void NormRotate(const T* x, const float* w, const float* cos, const float* sin, T* y, int64_t d, float* buffer, float* result) {
  const float* row = Load(x, buffer, d);
  float square = 0;
#pragma omp simd reduction(+ : square)
  for (int64_t i = 0; i < d; ++i) square += row[i] * row[i];
  const float r = 1 / std::sqrt(square / static_cast<float>(d) + static_cast<float>(kNormEps));
  const int64_t p = d / 2;
#pragma omp simd
  for (int64_t i = 0; i < p; ++i) {
    const float a = row[i] * r * w[i], b = row[i + p] * r * w[i + p];
    result[i] = a * cos[i] - b * sin[i];
    result[i + p] = a * sin[i] + b * cos[i];
  }
  Store(result, y, d);
}

// Gradients of the same: dx of x and dw += of w.
template <class T>
void NormRotateBackward(const T* grad, const T* x, const float* w, const float* cos, const float* sin, T* dx, float* dw, int64_t d,
                        float* buffer, float* gbuffer, float* result) {
  const float* row = Load(x, buffer, d);
  const float* g = Load(grad, gbuffer, d);
  const int64_t p = d / 2;
  float square = 0, dot = 0;
#pragma omp simd reduction(+ : square)
  for (int64_t i = 0; i < d; ++i) square += row[i] * row[i];
  const float r = 1 / std::sqrt(square / static_cast<float>(d) + static_cast<float>(kNormEps));
#pragma omp simd
  for (int64_t i = 0; i < p; ++i) {
    result[i] = g[i] * cos[i] + g[i + p] * sin[i];
    result[i + p] = g[i + p] * cos[i] - g[i] * sin[i];
  }
#pragma omp simd reduction(+ : dot)
  for (int64_t i = 0; i < d; ++i) {
    dw[i] += result[i] * row[i] * r;
    result[i] *= w[i];
    dot += result[i] * row[i];
  }
  const float pull = dot * r * r / static_cast<float>(d);
#pragma omp simd
  for (int64_t i = 0; i < d; ++i) result[i] = r * (result[i] - row[i] * pull);
  Store(result, dx, d);
}

}  // namespace

void Rotate(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin, float sign, at::Tensor& out) {
  const int64_t R = x.size(0), H = x.size(1), c = x.size(2), d = x.size(3), p = d / 2, step = cos.size(0) == 1 ? 0 : c * p;
  Dispatch(x, [&]<class T>(T*) {
    at::parallel_for(0, R, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> buffer(d), result(d);
      for (int64_t row = begin * H * c; row < end * H * c; ++row) {
        const int64_t at = row / (H * c) * step + row % c * p;
        const float *o = In<float>(cos) + at, *n = In<float>(sin) + at;
        const float* v = Load(In<T>(x) + row * d, buffer.data(), d);
        float* y = result.data();
#pragma omp simd
        for (int64_t i = 0; i < p; ++i) {
          y[i] = v[i] * o[i] - v[i + p] * (sign * n[i]);
          y[i + p] = v[i] * (sign * n[i]) + v[i + p] * o[i];
        }
        Store(y, Out<T>(out) + row * d, d);
      }
    });
  });
}

void SplitHeadsForward(const at::Tensor& qkv, const at::Tensor& qw, const at::Tensor& kw, const at::Tensor& cos, const at::Tensor& sin,
                       at::Tensor& q, at::Tensor& k, at::Tensor& v) {
  const int64_t B = qkv.size(0), S = qkv.size(1), H = q.size(1), d = q.size(3), p = d / 2;
  Dispatch(qkv, [&]<class T>(T*) {
    at::parallel_for(0, B * S, 32, [&](int64_t begin, int64_t end) {
      std::vector<float> buffer(d), result(d);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t b = i / S, s = i % S;
        const T* row = In<T>(qkv) + i * 3 * H * d;
        const float *c = In<float>(cos) + s * p, *n = In<float>(sin) + s * p;
        for (int64_t h = 0; h < H; ++h) {
          const int64_t to = ((b * H + h) * S + s) * d;
          NormRotate(row + h * d, In<float>(qw), c, n, Out<T>(q) + to, d, buffer.data(), result.data());
          NormRotate(row + (H + h) * d, In<float>(kw), c, n, Out<T>(k) + to, d, buffer.data(), result.data());
          std::copy_n(row + (2 * H + h) * d, d, Out<T>(v) + to);
        }
      }
    });
  });
}

void SplitHeadsBackward(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv, const at::Tensor& qkv, const at::Tensor& qw,
                        const at::Tensor& kw, const at::Tensor& cos, const at::Tensor& sin, at::Tensor& dqkv, at::Tensor& dweights) {
  const int64_t B = qkv.size(0), S = qkv.size(1), H = dq.size(1), d = dq.size(3), p = d / 2;
  Dispatch(qkv, [&]<class T>(T*) {
    at::parallel_for(0, B, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> buffer(d), gbuffer(d), result(d);
      for (int64_t b = begin; b < end; ++b) {
        float* dqw = Out<float>(dweights) + b * 2 * d;
        for (int64_t s = 0; s < S; ++s) {
          const T* row = In<T>(qkv) + (b * S + s) * 3 * H * d;
          T* out = Out<T>(dqkv) + (b * S + s) * 3 * H * d;
          const float *c = In<float>(cos) + s * p, *n = In<float>(sin) + s * p;
          for (int64_t h = 0; h < H; ++h) {
            const int64_t from = ((b * H + h) * S + s) * d;
            NormRotateBackward(In<T>(dq) + from, row + h * d, In<float>(qw), c, n, out + h * d, dqw, d, buffer.data(), gbuffer.data(),
                               result.data());
            NormRotateBackward(In<T>(dk) + from, row + (H + h) * d, In<float>(kw), c, n, out + (H + h) * d, dqw + d, d, buffer.data(),
                               gbuffer.data(), result.data());
            std::copy_n(In<T>(dv) + from, d, out + (2 * H + h) * d);
          }
        }
      }
    });
  });
}

}  // namespace orrery::kernels
