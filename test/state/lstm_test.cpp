// lstm(): the library's cell, and where a clip may be cut.
#include "state/explicit/coupled/lstm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "history.h"

namespace orrery {
namespace {

double Relative(const at::Tensor& a, const at::Tensor& b) { return ((a - b).abs().max() / b.abs().max()).item<double>(); }

TEST(Lstm, CommitsAreStepsOfTheLibrarysCell) {
  const History history("lstm(heads=2, dim=8, every=1)", at::kDouble);
  const at::Tensor input = history.Weight("input1.weight"), hidden = history.Weight("hidden1"), bias = history.Weight("input1.bias");
  at::Tensor h, c;
  for (int64_t t = 0; t < 9; ++t) {
    const at::Tensor x = history.Frame(t)[0], y = at::layer_norm(x, {x.size(1)}, {}, {}, 1e-6);
    if (t == 0) h = at::zeros({x.size(0), 16}, x.options()), c = h;
    std::tie(h, c) = at::lstm_cell(y, {h, c}, input, hidden, bias, at::zeros_like(bias));
  }
  const Parts state = history.After(9);
  EXPECT_LT(Relative(state.Get("hidden/1")[0][0], h), 1e-12);
  EXPECT_LT(Relative(state.Get("cell/1")[0][0], c), 1e-12);
}

TEST(Lstm, BeginsByKeepingWhatItHolds) {
  const History history("lstm(heads=2, dim=8, every=1)");
  const at::Tensor bias = history.Weight("input1.bias");
  EXPECT_TRUE(bias.narrow(0, 16, 16).eq(1).all().item<bool>());
  EXPECT_TRUE(bias.narrow(0, 0, 16).ne(1).all().item<bool>());
}

}  // namespace
}  // namespace orrery
