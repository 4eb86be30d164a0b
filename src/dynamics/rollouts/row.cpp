#include "dynamics/rollouts/row.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace orrery {

int64_t RolloutPlan::Start(int64_t b) const { return static_cast<int64_t>(std::floor(lag * static_cast<double>(b))); }

RolloutRow RolloutPlan::RowAt(int64_t m) const {
  const int64_t S = Steps();
  int64_t before = 0, blocks = horizon;  // blocks of the groups that are done, and of this one
  if (horizon > 0) {
    const int64_t period = S + Start(horizon - 1);
    before = m / period * horizon;
    m %= period;
  } else {
    ORRERY_CHECK(lag > 0);
    blocks = static_cast<int64_t>(static_cast<double>(m) / lag) + 2;
  }
  // Starts never fall, so the active blocks lie together: after the last done one, up to the last begun one.
  int64_t low = lag > 0 ? std::max<int64_t>(0, static_cast<int64_t>(static_cast<double>(m - S) / lag) - 1) : 0;
  while (low < blocks && Start(low) + S <= m) ++low;
  RolloutRow row{.first = (before + low) * block, .in = {}, .out = {}, .update = update, .finish = {}};
  for (int64_t b = low; b < blocks && Start(b) <= m; ++b) {
    const auto done = static_cast<size_t>(m - Start(b));
    for (int64_t i = 0; i < block; ++i) {
      row.in.push_back(levels[done]);
      row.out.push_back(levels[done + 1]);
      if (static_cast<int64_t>(done) + 1 == S) row.finish.push_back((before + b) * block + i);
    }
  }
  return row;
}

int64_t RolloutPlan::BlocksInFlight() const {
  int64_t most = 1;
  const int64_t rows = Steps() * (1 + (horizon > 0 ? horizon : 4 * Steps()));
  for (int64_t m = 0; m < rows; ++m) most = std::max(most, RowAt(m).Frames() / block);
  return most;
}

}  // namespace orrery
