// The rows of a rollout: which frames one pass of the network denoises, from where to where. Frames count from the rollout's beginning.
// K levels of a frame: 0 .. S steps done, S = Plan::Steps().
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace orrery {

enum class Update {
  kStep,     // the noise path's own deterministic step (Euler of a flow, DDIM)
  kRenoise,  // the clean estimate, noised anew to the next level: x' = Mix(clean, new noise, to)
};

struct RolloutRow {
  int64_t first = 0;            // frames first .. first + Frames() - 1 are active
  std::vector<double> in, out;  // their levels before and after, 1 noise .. 0 clean
  Update update = Update::kStep;
  std::vector<int64_t> finish;  // those that are clean now: may be shown, and are committed in order before the next row runs

  int64_t Frames() const { return static_cast<int64_t>(in.size()); }
};

// A rollout as an endless list of rows. Blocks of frames begin one after another, `lag` rows apart, and every begun block takes one step a
// row: block b has done clamp(m - floor(lag b), 0, S) steps before row m. A lag of S is autoregressive, of 0 the whole horizon at once.
struct RolloutPlan {
  std::string spec;
  std::vector<double> levels;  // S + 1, falling from 1 to 0
  double lag = 1;              // rows, 0 .. S
  int64_t block = 1;           // frames that begin together
  int64_t horizon = 0;         // blocks of a group, the next of which begins when it is done; 0: endless (needs lag > 0)
  Update update = Update::kStep;
  bool reread = true;     // frames in flight take a new action, or the first they were given for good
  int64_t window = 0;     // newest finished frames that are seen, the sink's included; 0: all that the state holds
  int64_t sink = 0;       // first frames that stay in sight, just before the others
  bool together = false;  // a block's frames see each other in their commits too, as they did in training
  bool recache = false;   // keeps what is needed to commit the last window again under other conditions
  int64_t anew = 0;       // newest finished frames of which the memory is made anew before every frame; 0: it goes on; < 0: those it holds

  int64_t Steps() const { return static_cast<int64_t>(levels.size()) - 1; }
  // The row in which block b begins, of an endless plan or inside a group.
  int64_t Start(int64_t block_index) const;
  RolloutRow RowAt(int64_t m) const;

  int64_t BlocksInFlight() const;  // at most, in one pass
  int64_t FramesInFlight() const { return BlocksInFlight() * block; }
  // Frames that are begun before the action that leads to them is known, at most.
  int64_t ReactionLatency() const { return FramesInFlight() - 1; }
  // Passes over one frame until it is shown and committed, the mean over a block; each denoising pass with two answers of the network under
  // guidance. Where the memory is made anew, those over its frames too, as soon as there are so many.
  double ForwardsPerFrame() const {
    const double commit = together ? static_cast<double>(block + 1) / 2 : 1;
    return static_cast<double>(Steps() + std::max<int64_t>(anew, 0)) + commit;
  }
};

}  // namespace orrery
