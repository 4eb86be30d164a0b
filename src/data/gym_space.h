// Gymnasium spaces as Minari writes them into metadata.json (a JSON text inside the JSON), to and from ours.
#pragma once
#include <string>
#include <string_view>

#include "core/action_space.h"

namespace orrery {

// Which array of an episode holds the frames.
struct ImageSpace {
  std::string path = "observations";  // or "observations/KEY" when the observation is a dictionary
  int64_t height = 0, width = 0;
  int64_t channels = 3;  // 3: RGB; 1: grey with a channel axis; 0: grey without
};

struct StoredActions {
  ActionSpace space;
  int64_t start = 0;  // index of the first choice on disk
};

// The only uint8 image ([H, W, 3], [H, W, 1] or [H, W]) of an observation space: the space itself or one member of a Dict.
// Throws Error that starts with `where`.
ImageSpace ParseImageSpace(std::string_view text, const std::string& where);

// Discrete, or Box of floats with any shape (flattened). Infinite bounds become empty (all) or the largest float (some).
StoredActions ParseActionSpace(std::string_view text, const std::string& where);

std::string ImageSpaceText(int64_t height, int64_t width);  // Box, uint8, [H, W, 3]
std::string ActionSpaceText(const ActionSpace& space);      // Discrete, or Box of float32; no actions: a Box of no numbers

}  // namespace orrery
