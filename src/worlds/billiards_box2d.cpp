// A frame of billiards by Box2D, whose world is built anew from the balls.
#include <box2d/box2d.h>

#include <algorithm>

#include "worlds/billiards.h"

namespace orrery {

namespace {

// Box2D lengths per metre. Its slop of 0.005 makes nearly simultaneous hits one, which gains or loses energy: it must be
// small against a ball. More than 24 would run into Box2D's limit of 2 lengths a sub-step. A power of two is exact.
constexpr float kScale = 16;

void AddCushions(b2World& world, float width, float height, float restitution) {
  b2BodyDef definition;
  b2Body* frame = world.CreateBody(&definition);
  const b2Vec2 corners[4] = {{0, 0}, {width, 0}, {width, height}, {0, height}};
  for (int side = 0; side < 4; ++side) {
    b2EdgeShape edge;
    edge.SetTwoSided(corners[side], corners[(side + 1) % 4]);
    b2FixtureDef fixture;
    fixture.shape = &edge;
    fixture.friction = 0;
    fixture.restitution = restitution;
    fixture.restitutionThreshold = 0;
    frame->CreateFixture(&fixture);
  }
}

b2Body* AddBody(b2World& world, const Ball& ball, float restitution) {
  b2BodyDef definition;
  definition.type = b2_dynamicBody;
  definition.position.Set(kScale * static_cast<float>(ball.x), kScale * static_cast<float>(ball.y));
  definition.linearVelocity.Set(kScale * static_cast<float>(ball.vx), kScale * static_cast<float>(ball.vy));
  definition.fixedRotation = true;
  definition.bullet = true;
  definition.allowSleep = false;
  b2Body* body = world.CreateBody(&definition);
  b2CircleShape circle;
  circle.m_radius = kScale * static_cast<float>(ball.radius);
  b2FixtureDef fixture;
  fixture.shape = &circle;
  fixture.density = 1;
  fixture.friction = 0;
  fixture.restitution = restitution;
  fixture.restitutionThreshold = 0;
  body->CreateFixture(&fixture);
  return body;
}

// Contacts that push, as events, each pair once.
class Listener : public b2ContactListener {
 public:
  Listener(const std::vector<Ball>& balls, std::vector<WorldEvent>& events) : balls_(balls), events_(events) {}
  void PostSolve(b2Contact* contact, const b2ContactImpulse* impulse) override {
    if (impulse->count == 0 || impulse->normalImpulses[0] <= 0) return;
    std::array<int64_t, 2> ids = {Id(contact->GetFixtureA()), Id(contact->GetFixtureB())};
    std::sort(ids.begin(), ids.end());
    const WorldEvent event = ids[0] < 0 ? WorldEvent{"cushion", ids[1], -1} : WorldEvent{"collision", ids[0], ids[1]};
    if (std::find(events_.begin(), events_.end(), event) == events_.end()) events_.push_back(event);
  }

 private:
  int64_t Id(b2Fixture* fixture) const {
    const uintptr_t index = fixture->GetBody()->GetUserData().pointer;
    return index == 0 ? -1 : 1 + balls_[index - 1].id;
  }

  const std::vector<Ball>& balls_;
  std::vector<WorldEvent>& events_;
};

}  // namespace

void Billiards::Collide() {
  const float restitution = static_cast<float>(options_.restitution);
  const auto world = std::make_unique<b2World>(b2Vec2(0, 0));
  AddCushions(*world, kScale * table_width_, kScale * table_height_, restitution);
  std::vector<b2Body*> bodies;
  for (size_t i = 0; i < balls_.size(); ++i) {
    bodies.push_back(AddBody(*world, balls_[i], restitution));
    bodies.back()->GetUserData().pointer = i + 1;
  }
  Listener listener(balls_, events_);
  world->SetContactListener(&listener);
  for (int i = 0; i < kSubSteps; ++i) world->Step(kSubStep, 8, 3);
  for (size_t i = 0; i < balls_.size(); ++i) {
    Ball& ball = balls_[i];
    // A crowd pressed into a corner may leave a ball a hair outside; it is put back.
    const float radius = static_cast<float>(ball.radius);
    ball.x = std::clamp(bodies[i]->GetPosition().x / kScale, radius, table_width_ - radius);
    ball.y = std::clamp(bodies[i]->GetPosition().y / kScale, radius, table_height_ - radius);
    ball.vx = bodies[i]->GetLinearVelocity().x / kScale;
    ball.vy = bodies[i]->GetLinearVelocity().y / kScale;
  }
}

}  // namespace orrery
