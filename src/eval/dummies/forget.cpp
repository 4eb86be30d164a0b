// forget: what has been out of sight for too long is drawn anew.
#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "eval/dummies/kinds.h"
#include "eval/dummies/sight.h"
#include "worlds/params.h"

namespace orrery {

namespace {

constexpr int64_t kNever = -1;

// When each place or thing was last seen (frame of the scenario), and whether it has been drawn anew since.
class Recollection {
 public:
  void See(const std::vector<uint8_t>& sight, int64_t frame) {
    last_.resize(std::max(last_.size(), sight.size()), kNever);
    gone_.resize(last_.size(), 0);
    for (size_t i = 0; i < sight.size(); ++i)
      if (sight[i]) {
        last_[i] = frame;
        gone_[i] = 0;
      }
  }
  bool Gone(size_t index) const { return gone_[index] != 0; }
  // Those that go now.
  std::vector<size_t> Forget(int64_t frame, int64_t limit) {
    std::vector<size_t> now;
    for (size_t i = 0; i < last_.size(); ++i) {
      if (gone_[i] || (last_[i] != kNever && frame - last_[i] <= limit)) continue;
      gone_[i] = 1;
      now.push_back(i);
    }
    return now;
  }
  void Save(SnapshotWriter& out) const {
    out.Put(static_cast<uint32_t>(last_.size()));
    out.PutAll(std::span<const int64_t>(last_));
    out.PutAll(std::span<const uint8_t>(gone_));
  }
  void Load(SnapshotReader& in) {
    last_.resize(in.Get<uint32_t>());
    gone_.resize(last_.size());
    in.GetAll(std::span<int64_t>(last_));
    in.GetAll(std::span<uint8_t>(gone_));
  }

 private:
  std::vector<int64_t> last_;
  std::vector<uint8_t> gone_;
};

void ForgetMaze(Maze& maze, const Recollection& places, std::span<const size_t> cells, std::span<const size_t> objects, uint64_t chance) {
  MazeState s = maze.State();
  std::vector<uint8_t> colors;  // that this maze has
  std::vector<size_t> hiding;   // free cells of which nothing is remembered: an empty one that is must stay empty
  for (size_t i = 0; i < s.map.wall.size(); ++i) {
    if (s.map.wall[i]) continue;
    if (std::find(colors.begin(), colors.end(), s.map.color[i]) == colors.end()) colors.push_back(s.map.color[i]);
    if (places.Gone(i)) hiding.push_back(i);
  }
  std::sort(colors.begin(), colors.end());
  for (const size_t cell : cells) {
    Rng rng(DeriveSeed(chance, cell), "cell");
    if (!s.map.wall[cell]) {
      s.map.color[cell] = colors[static_cast<size_t>(rng.Below(static_cast<int64_t>(colors.size())))];
      continue;
    }
    s.map.decor[cell] = 0;  // pictures as often as the maze hangs them
    for (int face = 0; face < 4; ++face)
      if (rng.Bernoulli(0.22)) s.map.decor[cell] |= static_cast<uint8_t>((1 + rng.Below(3)) << (2 * face));
  }
  for (const size_t index : objects) {
    Rng rng(DeriveSeed(chance, index), "object");
    MazeObject& object = s.objects[index];
    object.kind = static_cast<uint8_t>(rng.Below(kObjectKinds));
    if (hiding.empty()) continue;
    const auto cell = static_cast<int32_t>(hiding[static_cast<size_t>(rng.Below(static_cast<int64_t>(hiding.size())))]);
    object.x = cell % s.map.size * Maze::kCell + Maze::kCell / 2;
    object.y = cell / s.map.size * Maze::kCell + Maze::kCell / 2;
  }
  maze.SetState(std::move(s));
}

void ForgetDiscs(Occluder& occluder, std::span<const size_t> ids, uint64_t chance) {
  constexpr double kPostMargin = 2;
  const bool post = occluder.Facts().spec.find("post=true") != std::string::npos;
  for (const size_t id : ids) {
    OccluderState s = occluder.State();
    const auto disc = std::find_if(s.discs.begin(), s.discs.end(), [&](const OccluderDisc& d) { return d.id == static_cast<int32_t>(id); });
    if (disc == s.discs.end()) continue;
    Rng rng(DeriveSeed(chance, id), "disc");
    const OccluderDisc before = *disc;
    for (int attempt = 0; attempt < 64; ++attempt) {  // until it is as hidden as the old one
      *disc = before;
      disc->color = static_cast<int32_t>(rng.Below(kPaletteColors));
      disc->shape = static_cast<int32_t>(rng.Below(2));
      disc->x = rng.Uniform(disc->radius, occluder.RoomWidth() - disc->radius);
      if (rng.Bernoulli(0.5)) disc->vx = -disc->vx;
      if (post && std::abs(disc->x - occluder.PostX()) < disc->radius + kPostMargin) continue;
      Occluder trial = occluder;
      trial.SetState(s);
      if (OccluderSight(trial).things[id]) continue;
      occluder.SetState(s);
      break;
    }
  }
}

// The contents of all forgotten tiles that are not walls, doors or gates are dealt out anew; colours of keys and doors are drawn.
void ForgetTiles(Keys& keys, const Recollection& memory, std::span<const size_t> tiles, uint64_t chance) {
  KeysState s = keys.State();
  const size_t side = KeysSide(s);
  for (const size_t index : tiles) {
    KeysTile& tile = s.tiles[index];
    Rng rng(DeriveSeed(chance, index), "tile");
    if (tile.item == KeysTile::kKey || tile.item == KeysTile::kDoor) tile.color = static_cast<uint8_t>(1 + rng.Below(4));
  }
  std::vector<size_t> dealt;
  for (size_t i = 0; i < s.tiles.size(); ++i) {
    const uint8_t item = s.tiles[i].item;
    const bool fixed = item == KeysTile::kWall || item == KeysTile::kDoor || item == KeysTile::kGate;
    const auto here = [&](const KeysAgent& a) { return static_cast<size_t>(a.y) * side + static_cast<size_t>(a.x) == i; };
    if (memory.Gone(i) && !fixed && std::none_of(s.agents.begin(), s.agents.end(), here)) dealt.push_back(i);
  }
  Rng rng(chance, "deal");
  for (auto i = static_cast<int64_t>(dealt.size()) - 1; i > 0; --i)
    std::swap(s.tiles[dealt[static_cast<size_t>(i)]], s.tiles[dealt[static_cast<size_t>(rng.Below(i + 1))]]);
  keys.SetState(std::move(s));
}

class Forget : public StandIn {
 public:
  Forget(const Scenario& scenario, int64_t limit)
      : StandIn("forget", scenario, ContextEnd(scenario)), limit_(limit), kind_(RequireHidden("forget", Inner())) {
    int64_t frame = 0;
    RunContext(*StartWorld(scenario), scenario, [&](const World& now) {
      const Sight sight = LookAt(kind_, now);
      context_places_.See(sight.places, frame);
      context_things_.See(sight.things, frame++);
    });
  }

 protected:
  void Prepare() override {
    places_ = context_places_;
    things_ = context_things_;
    Lose(Plan().context - 1);
  }
  void Advance(std::span<const float> action) override {
    StandIn::Advance(action);
    Lose(Plan().context + Clock());
  }
  void Hand(std::string_view spec) override {
    StandIn::Hand(spec);
    Lose(Plan().context - 1 + Clock());
  }
  void Save(SnapshotWriter& out) const override {
    places_.Save(out);
    things_.Save(out);
  }
  void Load(SnapshotReader& in) override {
    places_.Load(in);
    things_.Load(in);
  }

 private:
  // Looks at frame number `frame` and lets go of what is out of sight for too long.
  void Lose(int64_t frame) {
    const Sight sight = LookAt(kind_, Inner());
    places_.See(sight.places, frame);
    things_.See(sight.things, frame);
    const std::vector<size_t> places = places_.Forget(frame, limit_), things = things_.Forget(frame, limit_);
    if (places.empty() && things.empty()) return;
    const uint64_t chance = DeriveSeed(DeriveSeed(Seed(), "forget"), static_cast<uint64_t>(frame));
    if (kind_ == SightKind::kMaze) ForgetMaze(static_cast<Maze&>(Inner()), places_, places, things, chance);
    if (kind_ == SightKind::kOccluder) ForgetDiscs(static_cast<Occluder&>(Inner()), things, chance);
    if (kind_ == SightKind::kKeys) ForgetTiles(static_cast<Keys&>(Inner()), places_, places, chance);
  }

  int64_t limit_;
  SightKind kind_;
  Recollection context_places_, context_things_, places_, things_;
};

}  // namespace

DummyWorld ForgetDummy(const Scenario& scenario, int64_t frames) {
  RequireRange<int64_t>("dummy:forget", "frames", frames, 0, 1000000);
  return std::make_unique<Forget>(scenario, frames);
}

}  // namespace orrery
