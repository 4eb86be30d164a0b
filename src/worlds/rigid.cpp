#include "worlds/rigid.h"

#include <box2d/box2d.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/rng.h"
#include "worlds/heading.h"

namespace orrery {

namespace {

constexpr int kSubSteps = 8, kVelocityIterations = 20, kPositionIterations = 10;
constexpr float kSubStep = 1.0f / (kRigidRate * kSubSteps);

void AddBox(b2World& world, const RigidScene& scene, const RigidBody& body, b2Body*& out) {
  b2BodyDef definition;
  definition.type = body.hold == RigidBody::kFixed ? b2_staticBody : b2_dynamicBody;
  definition.position.Set(body.x, body.y);
  definition.angle = body.angle;
  definition.linearVelocity.Set(body.vx, body.vy);
  definition.angularVelocity = body.spin;
  definition.allowSleep = false;
  out = world.CreateBody(&definition);
  b2PolygonShape box;
  box.SetAsBox(body.half_width, body.half_height);
  b2FixtureDef fixture;
  fixture.shape = &box;
  fixture.density = 1;
  fixture.friction = scene.friction;
  fixture.restitution = scene.restitution;
  fixture.restitutionThreshold = 0.1f;
  out->CreateFixture(&fixture);
}

// Throws Error unless all numbers are finite, sizes positive, ids unique and positive, colours in the palette.
void CheckRigid(std::span<const RigidBody> bodies, size_t limit) {
  if (bodies.size() > limit) Fail("bodies: at most {} expected, got {}", limit, bodies.size());
  for (size_t i = 0; i < bodies.size(); ++i) {
    const RigidBody& b = bodies[i];
    for (const float value : {b.x, b.y, b.angle, b.vx, b.vy, b.spin, b.half_width, b.half_height})
      if (!(std::abs(value) < 1e4f)) Fail("bodies: a value of body {} is not a number or too large: {}", b.id, value);
    if (b.half_width < 0.01f || b.half_height < 0.01f)
      Fail("bodies: body {} is too small: {} x {} m", b.id, 2 * b.half_width, 2 * b.half_height);
    if (b.id < 1 || b.color < 0 || b.color >= kPaletteColors || b.hold > RigidBody::kGone)
      Fail("bodies: id {}, colour {} or hold {} is out of range", b.id, b.color, b.hold);
    for (size_t j = 0; j < i; ++j)
      if (bodies[j].id == b.id) Fail("bodies: two have the id {}", b.id);
  }
}

}  // namespace

void StepRigid(const RigidScene& scene, std::span<RigidBody> bodies) {
  const auto world = std::make_unique<b2World>(b2Vec2(0, -scene.gravity));
  b2BodyDef still;
  b2EdgeShape edge;
  edge.SetTwoSided({scene.ground_left, 0}, {scene.ground_right, 0});
  b2FixtureDef fixture;
  fixture.shape = &edge;
  fixture.friction = scene.friction;
  fixture.restitution = scene.restitution;
  world->CreateBody(&still)->CreateFixture(&fixture);
  std::vector<b2Body*> made(bodies.size());
  for (size_t i = 0; i < bodies.size(); ++i)
    if (bodies[i].hold != RigidBody::kGone) AddBox(*world, scene, bodies[i], made[i]);
  for (int i = 0; i < kSubSteps; ++i) world->Step(kSubStep, kVelocityIterations, kPositionIterations);
  for (size_t i = 0; i < bodies.size(); ++i) {
    RigidBody& b = bodies[i];
    if (b.hold != RigidBody::kFree) continue;
    b.x = made[i]->GetPosition().x;
    b.y = made[i]->GetPosition().y;
    b.angle = made[i]->GetAngle();
    b.vx = made[i]->GetLinearVelocity().x;
    b.vy = made[i]->GetLinearVelocity().y;
    b.spin = made[i]->GetAngularVelocity();
  }
}

void DrawRigid(Canvas& canvas, const RigidView& view, const RigidBody& b) {
  if (b.hold == RigidBody::kGone) return;
  const Direction d = AngleDirection(b.angle);
  const Color color = kPalette[b.color];
  canvas.TurnedBox(view.Pixel(b.x, b.y), b.half_width * view.scale, b.half_height * view.scale, d.x, d.y, Shade(color, 0.6f), b.id);
  const double rim = std::min({0.8, b.half_width * view.scale / 3, b.half_height * view.scale / 3});
  canvas.TurnedBox(view.Pixel(b.x, b.y), b.half_width * view.scale - rim, b.half_height * view.scale - rim, d.x, d.y, color, b.id);
}

void PutRigid(SnapshotWriter& out, std::span<const RigidBody> bodies) {
  out.Put(static_cast<uint32_t>(bodies.size()));
  for (const RigidBody& b : bodies) {
    out.Put(b.id);
    out.Put(b.color);
    for (const float value : {b.x, b.y, b.angle, b.vx, b.vy, b.spin, b.half_width, b.half_height}) out.Put(value);
    out.Put(b.hold);
  }
}

std::vector<RigidBody> GetRigid(SnapshotReader& in, size_t limit) {
  const auto count = in.Get<uint32_t>();
  if (count > limit) Fail("snapshot: at most {} bodies expected, got {}", limit, count);
  std::vector<RigidBody> bodies(count);
  for (RigidBody& b : bodies) {
    b.id = in.Get<int32_t>();
    b.color = in.Get<int32_t>();
    for (float* value : {&b.x, &b.y, &b.angle, &b.vx, &b.vy, &b.spin, &b.half_width, &b.half_height}) *value = in.Get<float>();
    b.hold = in.Get<uint8_t>();
  }
  CheckRigid(bodies, limit);
  return bodies;
}

void PerturbRigid(std::span<RigidBody> bodies, uint64_t take, const RigidView& view) {
  if (take == 0) return;
  for (RigidBody& b : bodies) {
    if (b.hold != RigidBody::kFree) continue;
    Rng rng(DeriveSeed(take, static_cast<uint64_t>(b.id)), "take");  // a stream a body: one more or less shifts no other
    b.x += static_cast<float>(0.25 * rng.Normal() / view.scale);
    const auto nudge = static_cast<float>(1 + 0.01 * rng.Normal());
    b.vx *= nudge;
    b.vy *= nudge;
    b.spin *= nudge;
  }
}

}  // namespace orrery
