// A grid of rooms seen from above, with keys, doors, levers, gates, buttons, boxes and ice (after MiniGrid's rules, arXiv
// 2306.13831): every consequence of an action is a rule that can be checked exactly.
#pragma once
#include "worlds/flat_world.h"
#include "worlds/params.h"

namespace orrery {

struct KeysOptions {
  int64_t size = 8;            // tiles a side, 8..16; a tile has 8 pixels
  int64_t view = 0;            // 0: the whole grid; 5 or 7: so many tiles around and ahead of the agent, who looks up
  std::string gate = "lever";  // what opens the gate: lever (stays) or button (while something stands on it)
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(KeysOptions, size, view, gate)

// The same grid with a second agent, B, who starts in the room with the lever.
struct PairOptions {
  int64_t size = 8;          // tiles a side, 8..16
  int64_t view = 0;          // 0: the whole grid; 5 or 7: what lies before the agent who looks
  std::string camera = "a";  // whose view: a or b
  std::string gate = "lever";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PairOptions, size, view, camera, gate)

struct KeysTile {
  enum Floor : uint8_t { kPlain, kIce, kButton, kGoal };
  enum Item : uint8_t { kEmpty, kWall, kKey, kDoor, kBox, kLever, kGate };
  uint8_t floor = kPlain;
  uint8_t floor_color = 0;  // of a button: that of its gate
  uint8_t item = kEmpty;
  uint8_t color = 0;  // of the item
  uint8_t open = 0;   // door, gate: open; lever: on
  int16_t id = 0;     // of the item, if it can change; 0: none
  bool operator==(const KeysTile&) const = default;
};

struct KeysAgent {
  int32_t x = 0, y = 0;
  int32_t heading = 0;  // 0 right, 1 down, 2 left, 3 up
  uint8_t carried = 0;  // 0: nothing; otherwise 1 + the key's colour
  int16_t carried_id = 0;
  uint8_t done = 0;  // has said so while standing on the goal
  bool operator==(const KeysAgent&) const = default;
};

// Everything that decides the future; a plain value.
struct KeysState {
  std::vector<KeysTile> tiles;  // size x size, row-major, row 0 on top
  std::vector<KeysAgent> agents;
  uint8_t linked = 1;       // levers and buttons reach their gate
  uint8_t floor_color = 0;  // 0..2, means nothing
  bool operator==(const KeysState&) const = default;
};

// Actions, in MiniGrid's order: left, right, forward, pick, drop, toggle, done. With two agents an action is one of 7 x 7, "left/pick"
// and so on: that of A and that of B (7 a + b), A first within a frame; done by one who is not on the goal does nothing.
// Rules: a key opens the doors of its colour and is used up by it; a lever, when toggled, opens or shuts the gates of its colour,
// wherever they are; a button opens them while the agent or a box is on it; a gate never shuts on what stands in it. The agent
// walks on empty tiles, open doors and open gates. It pushes one box if the tile behind is empty floor. Who enters ice
// slides on until something stops them. The goal is a tile to stand on.
// True state: agents {n, 5} x, y, heading, colour carried or -1, done; tiles {size, size, 4} floor, item, colour, open.
// Events: pick, drop, unlock (agent, door), lever, gate-open, gate-shut, push, slide, done.
// Interventions: key-color, cut-links, move-box, open-door, floor (which means nothing).
class Keys : public FlatWorld {
 public:
  static constexpr int kActions = 7;
  static constexpr int64_t kTilePixels = 8;
  static constexpr std::array<std::array<int32_t, 2>, 4> kAhead = {{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}};  // x, y by heading
  enum Action { kLeft, kRight, kForward, kPick, kDrop, kToggle, kDone };
  // The object id of agent i is 1 + i.

  explicit Keys(const KeysOptions& options);
  static orrery::Facts Describe();

  void Reset(uint64_t seed) override;
  void Step(std::span<const float> action) override;
  std::vector<StateVariable> TrueState() const override;
  std::vector<WorldObject> Objects() const override;
  std::string Snapshot() const override;
  void Restore(std::string_view snapshot) override;

  const KeysState& State() const { return state_; }
  int64_t View() const { return options_.view; }  // tiles a side that are seen; 0: all
  // The agent whose view is shown.
  const KeysAgent& Eye() const { return state_.agents[options_.camera == "b" ? 1 : 0]; }
  // Throws Error when it is not possible (sizes, ranges, an open outer ring, the agent inside something).
  void SetState(KeysState state);

 protected:
  Keys(const PairOptions& options, std::string spec);
  void Draw(Canvas& canvas) const override;
  void DoIntervene(const std::string& name, const Json& params) override;

 private:
  KeysTile& At(int32_t x, int32_t y) { return state_.tiles[static_cast<size_t>(y * size_ + x)]; }
  const KeysTile& At(int32_t x, int32_t y) const { return state_.tiles[static_cast<size_t>(y * size_ + x)]; }
  void Check(const KeysState& state) const;
  void Generate(uint64_t seed);
  bool Occupied(int32_t x, int32_t y) const;  // by an agent
  bool Walkable(int32_t x, int32_t y) const;
  void Act(int64_t agent, Action action);
  void Forward(int64_t agent);
  void Push(int64_t agent, int32_t x, int32_t y, int32_t dx, int32_t dy);  // the box at x, y
  void Toggle(int64_t agent, KeysTile& ahead);
  void MoveGates();
  void DrawTile(Canvas& canvas, Point low, const KeysTile& tile) const;
  void DrawAgent(Canvas& canvas, Point center, const KeysAgent& agent, int32_t heading, int32_t index) const;

  PairOptions options_;
  int64_t agents_;
  int32_t size_;
  KeysState state_;
};

class Pair : public Keys {
 public:
  explicit Pair(const PairOptions& options);
  static orrery::Facts Describe();
};

}  // namespace orrery
