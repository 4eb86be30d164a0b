// What page and server say to each other over a WebSocket; docs/serve.md has the same for readers.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config.h"

namespace orrery {

using Action = std::vector<float>;

// What is held from now on. `number` grows with every input and comes back with the first frame that obeyed it.
// Without an action the world waits.
struct InputMessage {
  uint32_t number = 0;
  std::optional<Action> action;
};
struct SeenMessage {
  uint32_t sequence = 0;  // every frame up to this one has been drawn
};
struct PauseMessage {
  bool paused = true;
};
struct StepMessage {
  std::optional<Action> action;  // else what is held
};
struct ResetMessage {
  std::optional<int64_t> start;  // index into the starts
  std::optional<uint64_t> seed;  // exactly one of the two
};
struct KeepMessage {};
struct RewindMessage {
  int64_t id = 0;
};
struct ForgetMessage {
  int64_t id = 0;
};
struct RateMessage {
  double fps = 0;
};
using ClientMessage = std::variant<InputMessage, SeenMessage, PauseMessage, StepMessage, ResetMessage, KeepMessage, RewindMessage,
                                   ForgetMessage, RateMessage>;

// Frames a second that a page may ask for.
inline constexpr double kMinFps = 0.5, kMaxFps = 120;

// One JSON object with a "type". Throws Error that says what was expected. The action's fit to a world is not checked.
ClientMessage ParseClientMessage(std::string_view text);

// Little-endian, in front of the pixels of every binary message: 48 bytes, then the action.
struct FrameHeader {
  uint32_t session = 0;   // number of the session on this server
  uint32_t sequence = 0;  // counts the frames of a session, from 1
  uint32_t tick = 0;      // frames since the start; a rewind takes it back
  uint32_t input = 0;     // number of the newest input that this frame obeyed
  uint16_t width = 0, height = 0;
  float step_ms = 0;   // the world's step and picture
  float wait_ms = 0;   // before that, for a free worker
  bool jump = false;   // after a reset or rewind: no action led here
  double time_ms = 0;  // server's clock at sending, from its start
  Action action;       // that led to this frame; empty after a jump
};

inline constexpr size_t kFrameHeaderBytes = 48;
inline constexpr uint32_t kFrameMagic = 0x3152464f;  // "OFR1"

std::string EncodeFrameHeader(const FrameHeader& header);
// Throws Error on bytes that are no header. `header_bytes` receives where the pixels begin.
FrameHeader DecodeFrameHeader(std::string_view message, size_t& header_bytes);

}  // namespace orrery
