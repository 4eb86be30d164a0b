// Boxes under gravity, seen from the side, by Box2D 2.4.1. Box2D keeps contacts from step to step where no caller can read
// them, so its world is built anew from the bodies at every frame: the list of bodies is the whole state.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "worlds/canvas.h"
#include "worlds/snapshot.h"

namespace orrery {

struct RigidBody {
  enum Hold : uint8_t { kFree, kFixed, kGone };  // gone: touches nothing and is not seen; its row stays
  int32_t id = 0;
  int32_t color = 0;               // of the palette
  float x = 0, y = 0, angle = 0;   // m and radians, counter-clockwise; y up, the ground at 0
  float vx = 0, vy = 0, spin = 0;  // m/s, radians/s
  float half_width = 0, half_height = 0;
  uint8_t hold = kFree;
  bool operator==(const RigidBody&) const = default;
};

struct RigidScene {
  float gravity = 9.81f;  // m/s^2, downwards
  float friction = 0.5f, restitution = 0;
  float ground_left = -100, ground_right = 100;  // the ground ends there
};

constexpr int kRigidRate = 30;  // frames a second, each of 8 sub-steps

// One frame of time.
void StepRigid(const RigidScene& scene, std::span<RigidBody> bodies);

// How metres become pixels: x to the right from `left`, y up from the row `ground`.
struct RigidView {
  double scale = 1, left = 0, ground = 0;
  Point Pixel(double x, double y) const { return {(x - left) * scale, ground - y * scale}; }
};
void DrawRigid(Canvas& canvas, const RigidView& view, const RigidBody& body);

void PutRigid(SnapshotWriter& out, std::span<const RigidBody> bodies);
// At most `limit` bodies; throws Error on values that no scene has.
std::vector<RigidBody> GetRigid(SnapshotReader& in, size_t limit);
// Another take (World::Perturb): free bodies are nudged by a quarter of a pixel and one per cent of their motion.
void PerturbRigid(std::span<RigidBody> bodies, uint64_t take, const RigidView& view);

}  // namespace orrery
