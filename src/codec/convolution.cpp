#include "codec/convolution.h"

#include "core/tensor_rng.h"

namespace orrery {

namespace {

constexpr double kSiluGain = 1.7;  // 1 / the deviation of silu(N(0, 1))

}  // namespace

Convolution::Convolution(const Shape& shape, Rng& rng) : padding_(shape.side / 2) {
  const double fan_in = static_cast<double>(shape.in * shape.side * shape.side);
  const at::Tensor weight = NormalTensor({shape.out, shape.in, shape.side, shape.side}, rng) * (shape.gain / std::sqrt(fan_in));
  weight_ = register_parameter("weight", weight.contiguous(at::MemoryFormat::ChannelsLast));
  bias_ = register_parameter("bias", at::zeros({shape.out}));
}

at::Tensor Convolution::Forward(const at::Tensor& x) const { return at::conv2d(x, weight_, bias_, 1, padding_); }

ResidualBlock::ResidualBlock(int64_t channels, Rng& rng) {
  first_ = register_module("first", std::make_shared<Convolution>(Convolution::Shape{channels, channels, 3, kSiluGain}, rng));
  second_ = register_module("second", std::make_shared<Convolution>(Convolution::Shape{channels, channels, 3, 0}, rng));
}

at::Tensor ResidualBlock::Forward(const at::Tensor& x) const { return x + second_->Forward(at::silu(first_->Forward(at::silu(x)))); }

}  // namespace orrery
