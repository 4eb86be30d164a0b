// Scenarios out of recorded episodes.
#pragma once
#include "eval/recordings/recording.h"
#include "eval/scenario.h"

namespace orrery {

constexpr int64_t kLeastEpisodes = 5;  // fewer give no interval worth the name

// Up to `count` scenarios of `context` shown and `frames` imagined frames, each from an episode of its own, so that they are independent;
// episodes and starts are drawn by `seed`. Throws Error when fewer than kLeastEpisodes (or `count`) episodes are long enough.
std::vector<Scenario> RecordedScenarios(std::string_view world, int64_t count, int64_t context, int64_t frames, uint64_t seed);

// Somewhere in the recording's episodes but `other_than` (a set's index), drawn by `seed` among all windows of count + 1 frames: seed of
// the world, and the actions from there on. Throws NoRoom when there is none.
std::pair<uint64_t, ActionList> RandomWindow(const RecordingWorld& recording, int64_t count, uint64_t seed, int64_t other_than);

// The longest window, in frames, that `episodes` of the recording's episodes have; 0 when there are fewer episodes.
int64_t LongestWindow(const RecordingWorld& recording, int64_t episodes);

// The same beginning and noise; the actions differ from the one that leads to imagined frame `lead` on.
struct TwinScenarios {
  Scenario factual, changed;
};

// Up to `count` pairs of `frames` imagined frames, each from an episode of its own. Throws Error when fewer than kLeastEpisodes (or
// `count`) episodes have twins with that room.
std::vector<TwinScenarios> RecordedTwinScenarios(std::string_view world, int64_t count, int64_t context, int64_t lead, int64_t frames,
                                                 uint64_t seed);

}  // namespace orrery
