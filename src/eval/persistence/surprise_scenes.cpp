#include "eval/persistence/surprise_scenes.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "worlds/occluder.h"
#include "worlds/registry.h"

namespace orrery {

namespace {

constexpr int64_t kMostFrames = 240;              // of a film up to the end of its hidden moment
constexpr int64_t kSeenFrames = 6;                // before it, at least
constexpr int64_t kLeastShared = 4;               // frames of the hidden moment, at least
constexpr double kLeastTeleport = 4;              // 64ths of the height
constexpr double kPostWidth = 3, kGapFrames = 6;  // of the post; what `pass` leaves hidden at least

bool HasPost(const std::string& spec) { return spec.find("post=true") != std::string::npos; }

// In thousandths, inwards: a spec's numbers have fewer digits than a double.
double Written(double x, double room) { return x < room / 2 ? std::ceil(1000 * x) / 1000 : std::floor(1000 * x) / 1000; }

struct Violation {
  bool from_left = false;    // where the disc comes from
  std::string intervention;  // at frame 0, which makes the other beginning
};

// Whether the disc, out of the picture now, will roll in and be hidden for about as long as asked; and the other beginning.
std::optional<Violation> Plan(const Occluder& world, const OccluderDisc& d, const std::string& violation, bool brief) {
  const OccluderScreen& screen = world.State().screens[0];
  const double room = world.RoomWidth(), left = world.State().camera, right = left + room / 1.5;
  const bool from_left = d.vx > 0;
  if (from_left ? d.x + d.radius >= left : d.x - d.radius <= right) return std::nullopt;
  const double speed = std::abs(d.vx), outer = from_left ? d.radius : room - d.radius, mirrored = room - outer;
  double hidden = (2 * screen.half - 2 * d.radius) / speed;
  if (violation == "pass") {
    const double late = std::abs(d.x - outer) / speed;                             // the other one turns round at its end first
    hidden = (2 * screen.half - kPostWidth - 4 * d.radius) / speed;                // to the post and back
    if (hidden - late < kGapFrames || late + 1 > hidden / 2) return std::nullopt;  // and neither has reached it when both are hidden
    return Violation{from_left, fmt::format("teleport(disc={}, x={})", d.id, Written(mirrored, room))};
  }
  if (brief ? hidden > kBriefFrames : hidden < kLongFrames) return std::nullopt;
  if (violation == "vanish") return Violation{from_left, fmt::format("vanish({})", d.id)};
  if (violation == "reshape") return Violation{from_left, fmt::format("reshape({})", d.id)};
  if (violation == "recolor") {
    int32_t color = (d.color + 5) % kPaletteColors;
    for (const OccluderDisc& other : world.State().discs) color = other.color == color ? (color + 1) % kPaletteColors : color;
    return Violation{from_left, fmt::format("recolor(disc={}, color={})", d.id, color)};
  }
  const double inner = from_left ? left - d.radius - 0.1 : right + d.radius + 0.1;
  const double to = violation == "turn" ? mirrored : std::abs(outer - d.x) > std::abs(inner - d.x) ? outer : inner;
  const double apart = violation == "turn" ? std::abs(d.x - outer) : std::abs(to - d.x);
  if ((violation == "teleport" && apart < kLeastTeleport) || hidden - apart / speed < kLeastShared + 1) return std::nullopt;
  return Violation{from_left, fmt::format("teleport(disc={}, x={})", d.id, Written(to, room))};
}

at::Tensor Shot(const World& world) {
  at::Tensor frame = at::empty({world.Facts().height, world.Facts().width, 3}, at::kByte);
  world.Render({frame.mutable_data_ptr<uint8_t>(), static_cast<size_t>(frame.numel())});
  return frame;
}

// With a post: the screen falls and rises again first, so that the post is seen.
std::vector<float> ActionAt(const World& world, int64_t t) {
  const ActionSpace& actions = world.Facts().actions;
  const char* name = "none";
  if (HasPost(world.Facts().spec)) name = t == 2 ? "screen-down" : t == 12 ? "screen-up" : "none";
  return {static_cast<float>(actions.Index(name))};
}

// Runs both beginnings side by side until `frames` frames after the moment in which they look alike, having differed before.
std::optional<SurpriseScene> FilmBoth(const Scenario& start, const std::string& intervention, int64_t frames) {
  const std::array<std::unique_ptr<World>, 2> worlds = {StartWorld(start), StartWorld(start)};
  worlds[1]->Intervene(intervention);
  SurpriseScene scene;
  std::array<std::vector<at::Tensor>, 2> ends;
  std::vector<at::Tensor> shared;
  std::vector<std::vector<float>> actions;
  int64_t seen = 0;
  for (int64_t t = 0; t < kMostFrames + frames; ++t) {
    const at::Tensor a = Shot(*worlds[0]), b = Shot(*worlds[1]);
    const bool alike = at::equal(a, b);
    if (ends[0].empty() && alike) {
      if (seen >= kSeenFrames) shared.push_back(a);
      if (seen < kSeenFrames) seen = 0;
    } else if (ends[0].empty() && shared.empty()) {
      ++seen;
    } else {
      if (ends[0].empty() && (std::ssize(shared) < kLeastShared || t > kMostFrames)) return std::nullopt;
      ends[0].push_back(a);
      ends[1].push_back(b);
      if (static_cast<int64_t>(ends[0].size()) == frames) break;
    }
    actions.push_back(ActionAt(*worlds[0], t));
    for (const auto& world : worlds) world->Step(actions.back());
  }
  if (static_cast<int64_t>(ends[0].size()) < frames) return std::nullopt;
  scene.hidden = at::stack(shared).narrow(0, 1, std::ssize(shared) - 1).contiguous();
  for (size_t i = 0; i < 2; ++i) {
    scene.ends[i] = at::stack(ends[i]);
    scene.beginnings[i] = start;
    scene.beginnings[i].actions = actions;
    scene.beginnings[i].context = static_cast<int64_t>(actions.size()) - frames - scene.hidden.size(0) + 1;
  }
  scene.beginnings[1].intervention = intervention;
  return scene;
}

}  // namespace

std::vector<std::string> Violations(const std::string& world) {
  if (HasPost(MakeWorld(world)->Facts().spec)) return {"pass"};
  return {"vanish", "recolor", "reshape", "teleport", "turn"};
}

SurpriseScene MakeSurpriseScene(const std::string& world, const std::string& violation, bool brief, int64_t frames, uint64_t first,
                                int64_t tries) {
  const auto made = MakeWorld(world);
  auto* occluder = dynamic_cast<Occluder*>(made.get());
  if (!occluder || occluder->State().screens.size() != 1) Fail("surprise: the world occluder with one screen expected, got {}", world);
  const std::vector<std::string> known = Violations(world);
  if (std::find(known.begin(), known.end(), violation) == known.end()) FailUnknown("violation", violation, known);
  if (frames < 1) Fail("surprise: at least one frame after the hidden moment expected, got {}", frames);
  Scenario start;
  start.world = world;
  start.context = 1;
  for (int64_t i = 0; i < tries; ++i) {
    start.seed = first + static_cast<uint64_t>(i);
    occluder->Reset(start.seed);
    const std::vector<OccluderDisc> discs = occluder->State().discs;
    for (const OccluderDisc& disc : discs) {
      const auto plan = Plan(*occluder, disc, violation, brief);
      if (!plan) continue;
      auto scene = FilmBoth(start, plan->intervention, frames);
      if (!scene) continue;
      scene->violation = violation;
      scene->brief = brief;
      scene->disc = disc.id;
      return *std::move(scene);
    }
  }
  Fail("surprise: no seed from {} to {} of {} has a disc for \"{}\"; try another world or more seeds", first,
       first + static_cast<uint64_t>(tries) - 1, world, violation);
}

}  // namespace orrery
