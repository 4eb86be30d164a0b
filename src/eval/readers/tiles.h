// Reading the grid worlds: every tile is compared with pictures of all that a tile can be.
#pragma once
#include <map>

#include "eval/readers/reader.h"
#include "worlds/keys.h"

namespace orrery {

// Told of a grid as it is shown now; keys and pair with view=0. Floors do not change: they are those it was told.
class TileDecoder {
 public:
  // Throws Error when a part of the grid only is shown.
  explicit TileDecoder(const Keys& shown);

  // [H, W, 3]. Readings of all objects of the told state, by id.
  std::vector<Reading> Read(std::span<const uint8_t> rgb);

  // The state last read, with ids: items where they were seen. What is not shown (whether levers reach their gate) is as it was told, an
  // agent that was not seen stays where it was.
  const KeysState& State() const { return state_; }
  bool Certain() const { return doubtful_ == 0; }  // every tile was read, every agent seen once
  int64_t Doubtful() const { return doubtful_; }   // tiles and agents that were not

 private:
  static constexpr int64_t kBytes = 3 * Keys::kTilePixels * Keys::kTilePixels;
  struct Look {
    KeysTile tile;
    int agent = -1;
    KeysAgent how;  // heading, carried, done of the agent on it
    std::array<uint8_t, kBytes> rgb{};
  };
  struct Seen {
    const Look* look = nullptr;
    double confidence = 0;
    bool sure = false;
  };
  using Kind = std::array<uint8_t, 4>;  // floor, its colour; door or gate that stands there, its colour

  Kind KindOf(size_t tile) const;
  const std::vector<Look>& Looks(uint8_t tint, const Kind& kind);
  void AddLook(std::vector<Look>& looks, uint8_t tint, Look look);
  double ReadTiles(std::span<const uint8_t> rgb, uint8_t tint, std::vector<Seen>& seen);
  void PlaceAgents(const std::vector<Seen>& seen, std::map<int64_t, Reading>& out);
  void PlaceItems(const std::vector<Seen>& seen, std::map<int64_t, Reading>& out);
  void Found(std::map<int64_t, Reading>& out, int64_t id, Sighting sighting, double confidence);

  Keys scratch_;
  KeysState told_, state_;
  size_t side_;
  std::map<int64_t, WorldObject> objects_;  // as last seen
  std::map<std::pair<uint8_t, Kind>, std::vector<Look>> looks_;
  int64_t doubtful_ = 0;
};

}  // namespace orrery
