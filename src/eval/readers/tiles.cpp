#include "eval/readers/tiles.h"

#include <algorithm>
#include <cmath>

#include "eval/readers/bodies.h"

namespace orrery {

namespace {

constexpr double kMostError = 45;  // root mean square of grey levels, beyond which a tile is nothing known
constexpr double kNextBest = 0.9;  // of the next best look's error: nearer is a tie
constexpr double kPlainError = 4;  // beyond which another tint of the floor is tried
constexpr int kFloorTints = 3;

double Middle(size_t tile) { return static_cast<double>(Keys::kTilePixels) * (static_cast<double>(tile) + 0.5); }

class Tiles : public ObjectReader {
 public:
  explicit Tiles(const Keys& shown) : decoder_(shown) {}
  std::string Name() const override { return "tiles"; }
  std::vector<Reading> Read(std::span<const uint8_t> rgb) override { return decoder_.Read(rgb); }

 private:
  TileDecoder decoder_;
};

}  // namespace

TileDecoder::TileDecoder(const Keys& shown) : scratch_(shown), told_(shown.State()), state_(shown.State()) {
  if (shown.View() != 0) Fail("reader: {} shows a part of the grid only; expected view=0", shown.Facts().spec);
  side_ = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(told_.tiles.size()))));
  for (WorldObject& o : shown.Objects()) objects_.emplace(o.id, std::move(o));
}

TileDecoder::Kind TileDecoder::KindOf(size_t tile) const {
  const KeysTile& t = told_.tiles[tile];
  const bool way = t.item == KeysTile::kDoor || t.item == KeysTile::kGate;
  return {t.floor, t.floor_color, way ? t.item : uint8_t{0}, way ? t.color : uint8_t{0}};
}

// The picture of a tile is taken from a grid that is empty but for it.
void TileDecoder::AddLook(std::vector<Look>& looks, uint8_t tint, Look look) {
  KeysState s;
  s.tiles.assign(side_ * side_, {});
  for (size_t i = 0; i < side_; ++i)
    for (const size_t at : {i, (side_ - 1) * side_ + i, i * side_, i * side_ + side_ - 1}) s.tiles[at].item = KeysTile::kWall;
  s.floor_color = tint;
  s.tiles[side_ + 1] = look.tile;
  for (size_t i = 0; i < told_.agents.size(); ++i) {
    KeysAgent agent = look.how;
    if (static_cast<int>(i) != look.agent) agent = {};
    agent.x = agent.y = static_cast<int>(i) == look.agent ? 1 : 3 + static_cast<int32_t>(i);
    s.agents.push_back(agent);
  }
  scratch_.SetState(std::move(s));
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * scratch_.Facts().height * scratch_.Facts().width));
  scratch_.Render(rgb);
  const int64_t p = Keys::kTilePixels, row = 3 * scratch_.Facts().width;
  for (int64_t y = 0; y < p; ++y) std::copy_n(rgb.data() + (p + y) * row + 3 * p, 3 * p, look.rgb.data() + 3 * p * y);
  looks.push_back(std::move(look));
}

const std::vector<TileDecoder::Look>& TileDecoder::Looks(uint8_t tint, const Kind& kind) {
  std::vector<Look>& looks = looks_[{tint, kind}];
  if (!looks.empty()) return looks;
  const auto [floor, floor_color, way, way_color] = kind;
  const auto tile = [&](uint8_t item, uint8_t color = 0, uint8_t open = 0) {
    return KeysTile{floor, floor_color, item,
                    color, open,        static_cast<int16_t>(item == KeysTile::kEmpty || item == KeysTile::kWall ? 0 : 1)};
  };
  std::vector<KeysTile> tiles = {tile(KeysTile::kEmpty), tile(KeysTile::kBox, 7)};
  if (floor == KeysTile::kPlain) {
    tiles.push_back(tile(KeysTile::kWall));
    for (uint8_t color = 1; color <= 4; ++color)
      for (const KeysTile& t : {tile(KeysTile::kKey, color), tile(KeysTile::kDoor, color, 0), tile(KeysTile::kDoor, color, 1)})
        tiles.push_back(t);
    for (const uint8_t open : {0, 1})
      for (const uint8_t item : {KeysTile::kGate, KeysTile::kLever}) tiles.push_back(tile(item, 5, open));
  }
  for (const KeysTile& t : tiles) AddLook(looks, tint, {t, -1, {}, {}});
  std::vector<KeysTile> under = {tile(KeysTile::kEmpty)};
  if (way) under.push_back(tile(way, way_color, 1));
  for (int agent = 0; agent < static_cast<int>(told_.agents.size()); ++agent)
    for (const KeysTile& t : under)
      for (int32_t heading = 0; heading < 4; ++heading)
        for (uint8_t carried = 0; carried <= 4; ++carried)
          for (const uint8_t done : {0, 1}) {
            // An agent that is done is as green as the goal: it is found by elimination.
            if (done && !carried && floor == KeysTile::kGoal) continue;
            KeysAgent how;
            how.heading = heading;
            how.carried = carried ? static_cast<uint8_t>(1 + carried) : uint8_t{0};
            how.done = done;
            AddLook(looks, tint, {t, agent, how, {}});
          }
  return looks;
}

// Mean square error over the picture.
double TileDecoder::ReadTiles(std::span<const uint8_t> rgb, uint8_t tint, std::vector<Seen>& seen) {
  const int64_t p = Keys::kTilePixels, row = 3 * p * static_cast<int64_t>(side_);
  double whole = 0;
  seen.assign(side_ * side_, {});
  for (size_t i = 0; i < seen.size(); ++i) {
    std::array<uint8_t, kBytes> shown;
    const auto x = static_cast<int64_t>(i % side_), y = static_cast<int64_t>(i / side_);
    for (int64_t v = 0; v < p; ++v) std::copy_n(rgb.data() + (y * p + v) * row + 3 * p * x, 3 * p, shown.data() + 3 * p * v);
    int64_t best = -1, next = -1;
    for (const Look& look : Looks(tint, KindOf(i))) {
      int64_t error = 0;
      for (size_t k = 0; k < shown.size(); ++k) {
        const int difference = static_cast<int>(shown[k]) - static_cast<int>(look.rgb[k]);
        error += difference * difference;
      }
      if (best < 0 || error < best) {
        next = best;
        best = error;
        seen[i].look = &look;
      } else if (next < 0 || error < next) {
        next = error;
      }
    }
    const double error = std::sqrt(static_cast<double>(best) / kBytes), other = std::sqrt(static_cast<double>(next) / kBytes);
    seen[i].sure = error <= kMostError && error < kNextBest * other;
    seen[i].confidence = std::clamp(1 - error / (2 * kMostError), 0.0, 1.0);
    whole += static_cast<double>(best) / kBytes;
  }
  return whole / static_cast<double>(seen.size());
}

void TileDecoder::Found(std::map<int64_t, Reading>& out, int64_t id, Sighting sighting, double confidence) {
  out[id] = {objects_.at(id), sighting, confidence};
}

void TileDecoder::PlaceAgents(const std::vector<Seen>& seen, std::map<int64_t, Reading>& out) {
  for (size_t a = 0; a < state_.agents.size(); ++a) {
    std::vector<size_t> places;
    for (size_t i = 0; i < seen.size(); ++i)
      if (seen[i].look->agent == static_cast<int>(a)) places.push_back(i);
    const int64_t id = 1 + static_cast<int64_t>(a);
    const KeysAgent& last = state_.agents[a];
    const size_t here = static_cast<size_t>(last.y) * side_ + static_cast<size_t>(last.x);
    if (places.empty() && told_.tiles[here].floor == KeysTile::kGoal && seen[here].sure) {  // it is done, and cannot be told from the goal
      state_.agents[a].done = 1;
      Found(out, id, Sighting::kSeen, seen[here].confidence);
      continue;
    }
    const bool one = places.size() == 1 && seen[places[0]].sure;
    if (!one) ++doubtful_;
    if (places.empty()) {
      Found(out, id, Sighting::kAbsent, 0);
      continue;
    }
    if (one) {
      KeysAgent& agent = state_.agents[a];
      const int16_t carried_id = agent.carried_id;
      agent = seen[places[0]].look->how;
      agent.carried_id = agent.carried ? carried_id : int16_t{0};
      agent.x = static_cast<int32_t>(places[0] % side_);
      agent.y = static_cast<int32_t>(places[0] / side_);
      WorldObject& object = objects_.at(id);
      object.x = Middle(places[0] % side_);
      object.y = Middle(places[0] / side_);
      object.more = {static_cast<double>(agent.heading)};
    }
    Found(out, id, one ? Sighting::kSeen : Sighting::kAbstained, seen[places[0]].confidence);
  }
}

void TileDecoder::PlaceItems(const std::vector<Seen>& seen, std::map<int64_t, Reading>& out) {
  struct Place {
    size_t tile;
    uint8_t item, color, open;
    int agent;  // who carries it, or -1
    bool taken = false;
  };
  std::vector<Place> places;
  for (size_t i = 0; i < seen.size(); ++i) {
    const Look& look = *seen[i].look;
    if (look.tile.id) places.push_back({i, look.tile.item, look.tile.color, look.tile.open, -1});
    if (look.agent >= 0 && look.how.carried)
      places.push_back({i, KeysTile::kKey, static_cast<uint8_t>(look.how.carried - 1), 0, look.agent});
  }
  constexpr std::array<const char*, 7> kinds = {"", "", "key", "door", "box", "lever", "gate"};
  const auto take = [&](int64_t id, Place& place) {
    place.taken = true;
    WorldObject& object = objects_.at(id);
    const Seen& where = seen[place.tile];
    if (where.sure) {
      object.x = Middle(place.tile % side_);
      object.y = Middle(place.tile / side_);
      object.more = {static_cast<double>(place.open), static_cast<double>(place.color)};
      if (place.agent < 0)
        state_.tiles[place.tile].id = static_cast<int16_t>(id);
      else
        state_.agents[static_cast<size_t>(place.agent)].carried_id = static_cast<int16_t>(id);
    }
    Found(out, id, where.sure ? Sighting::kSeen : Sighting::kAbstained, where.confidence);
  };
  // Those of the same kind and colour first, the nearest first; then those of the same kind.
  for (const bool same_color : {true, false})
    for (auto& [id, object] : objects_) {
      if (out.contains(id) || object.kind == "agent") continue;
      Place* nearest = nullptr;
      double least = 0;
      for (Place& place : places) {
        if (place.taken || object.kind != kinds[place.item]) continue;
        if (same_color && object.more[1] != static_cast<double>(place.color)) continue;
        const double far = std::hypot(Middle(place.tile % side_) - object.x, Middle(place.tile / side_) - object.y);
        if (nearest && far >= least) continue;
        nearest = &place;
        least = far;
      }
      if (nearest) take(id, *nearest);
    }
  for (const auto& [id, object] : objects_)
    if (!out.contains(id)) Found(out, id, Sighting::kAbsent, 0);
  for (const Place& place : places) {  // more of a kind than there are: which is the one?
    if (place.taken) continue;
    for (auto& [id, reading] : out)
      if (reading.sighting == Sighting::kSeen && reading.object.kind == kinds[place.item] && reading.object.more[1] == place.color)
        reading.sighting = Sighting::kAbstained;
  }
}

std::vector<Reading> TileDecoder::Read(std::span<const uint8_t> rgb) {
  ORRERY_CHECK(rgb.size() == static_cast<size_t>(kBytes) * side_ * side_);
  std::vector<Seen> seen, other;
  double least = ReadTiles(rgb, state_.floor_color, seen);
  if (std::sqrt(least) > kPlainError)
    for (uint8_t tint = 0; tint < kFloorTints; ++tint)
      if (const double error = ReadTiles(rgb, tint, other); error < least) {
        least = error;
        seen = other;
        state_.floor_color = tint;
      }
  doubtful_ = std::count_if(seen.begin(), seen.end(), [](const Seen& s) { return !s.sure; });
  for (size_t i = 0; i < seen.size(); ++i) {
    state_.tiles[i] = seen[i].look->tile;
    state_.tiles[i].id = 0;
  }
  std::map<int64_t, Reading> out;
  PlaceAgents(seen, out);
  PlaceItems(seen, out);
  std::vector<Reading> readings;
  for (auto& [id, reading] : out) readings.push_back(std::move(reading));
  return readings;
}

std::unique_ptr<ObjectReader> TileReader(const World& shown) {
  const auto* keys = dynamic_cast<const Keys*>(&shown);
  return keys && keys->View() == 0 ? std::make_unique<Tiles>(*keys) : nullptr;
}

}  // namespace orrery
