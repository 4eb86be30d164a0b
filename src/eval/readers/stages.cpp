// How the worlds with bodies draw them, for readers.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/readers/bodies.h"
#include "worlds/billiards.h"
#include "worlds/billiards_view.h"
#include "worlds/dominoes.h"
#include "worlds/occluder.h"
#include "worlds/pendulum.h"
#include "worlds/stack.h"

namespace orrery {

namespace {

constexpr int kTints = 3;

std::vector<uint8_t> Shot(const World& world) {
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * world.Facts().height * world.Facts().width));
  world.Render(rgb);
  return rgb;
}

// What a world shows in each of its tints.
template <class W>
std::vector<std::vector<uint8_t>> Tinted(W world) {
  std::vector<std::vector<uint8_t>> shots;
  for (int tint = 0; tint < kTints; ++tint) {
    world.Intervene(fmt::format("tint(tint={})", tint));
    shots.push_back(Shot(world));
  }
  return shots;
}

Color Pixel(const std::vector<uint8_t>& rgb, size_t index) {
  return {static_cast<float>(rgb[3 * index]), static_cast<float>(rgb[3 * index + 1]), static_cast<float>(rgb[3 * index + 2])};
}

// Stages whose background is one of a few pictures.
class TintStage : public Stage {
 public:
  void Prepare(const Picture& frame) override { TakeNearest(frame, backgrounds_); }

 protected:
  std::vector<std::vector<uint8_t>> backgrounds_;
};

class BilliardsStage : public TintStage {
 public:
  explicit BilliardsStage(const Billiards& world)
      : view_(world.TableHeight(), world.Facts().height, world.Facts().width), corner_(view_.Pixel(0, 0)) {
    for (int tint = 0; tint < kTints; ++tint) backgrounds_.push_back(DrawTable(world.Facts().height, world.Facts().width, tint));
  }

  void Draw(Canvas& canvas, Point origin, std::span<const Body> bodies) const override {
    std::array<Ball, Billiards::kMaxBalls> balls;
    ORRERY_CHECK(bodies.size() <= balls.size());
    for (size_t i = 0; i < bodies.size(); ++i)
      balls[i] = {0,
                  bodies[i].color,
                  (bodies[i].x - origin.x - corner_.x) / view_.Scale(),
                  (corner_.y - bodies[i].y + origin.y) / view_.Scale(),
                  0,
                  0,
                  bodies[i].half_width / view_.Scale()};
    DrawBalls(canvas, std::span(balls).first(bodies.size()), view_);
  }

  WorldObject Object(const WorldObject& told, const Body& body) const override {
    return {told.id, told.kind, body.x, body.y, {static_cast<double>(body.color)}};
  }

 private:
  BallView view_;
  Point corner_;
};

StageScene BilliardsScene(const Billiards& world) {
  StageScene scene{std::make_unique<BilliardsStage>(world), world.Objects(), {}};
  const BallView view(world.TableHeight(), world.Facts().height, world.Facts().width);
  for (const Ball& ball : world.Balls()) {
    const Point at = view.Pixel(ball.x, ball.y);
    const double r = ball.radius * view.Scale();
    scene.bodies.push_back({at.x, at.y, 0, r, r, ball.color, false});
  }
  return scene;
}

// Boxes under gravity. An angle counts by the way of an end `lever` from the middle.
class RigidStage : public TintStage {
 public:
  RigidStage(std::vector<std::vector<uint8_t>> backgrounds, double scale, bool upright) : scale_(scale), upright_(upright) {
    backgrounds_ = std::move(backgrounds);
    turns_ = true;
  }

  void Draw(Canvas& canvas, Point origin, std::span<const Body> bodies) const override {
    RigidView view;
    view.scale = scale_;
    for (const Body& body : bodies) {
      RigidBody b;
      b.color = body.color;
      b.x = static_cast<float>((body.x - origin.x) / scale_);
      b.y = static_cast<float>((origin.y - body.y) / scale_);
      b.angle = static_cast<float>(body.angle);
      b.half_width = static_cast<float>(body.half_width / scale_);
      b.half_height = static_cast<float>(body.half_height / scale_);
      DrawRigid(canvas, view, b);
    }
  }

  WorldObject Object(const WorldObject& told, const Body& body) const override {
    return {told.id, told.kind, body.x, body.y, {body.angle * (upright_ ? body.half_height : body.half_width)}};
  }

 private:
  double scale_;
  bool upright_;
};

std::vector<Body> RigidScene(const std::vector<RigidBody>& bodies, const std::vector<WorldObject>& objects, double scale) {
  std::vector<Body> out;
  for (const RigidBody& b : bodies)
    for (const WorldObject& o : objects)
      if (o.id == b.id && b.hold != RigidBody::kGone)
        out.push_back({o.x, o.y, b.angle, b.half_width * scale, b.half_height * scale, b.color, true});
  return out;
}

StageScene DominoesScene(const Dominoes& world) {
  const int64_t height = world.Facts().height, width = world.Facts().width;
  StageScene scene;
  scene.told = world.Objects();
  scene.bodies = RigidScene(world.Bodies(), scene.told, world.Scale());
  // Sky above, ground below the feet of the dominoes: ground pixels show in the lower corners.
  std::vector<std::vector<uint8_t>> backgrounds;
  double ground = static_cast<double>(height);
  for (const RigidBody& b : world.Bodies())
    for (const WorldObject& o : scene.told)
      if (o.id == b.id) ground = o.y + b.y * world.Scale();
  for (const std::vector<uint8_t>& shot : Tinted(world)) {
    std::vector<uint8_t> rgb(shot.size());
    Canvas canvas(height, width, rgb, {});
    canvas.Fill(Pixel(shot, 0));
    canvas.Box({0, ground}, {static_cast<double>(width), static_cast<double>(height)},
               Pixel(shot, static_cast<size_t>((height - 1) * width)), 0);
    backgrounds.push_back(std::move(rgb));
  }
  scene.stage = std::make_unique<RigidStage>(std::move(backgrounds), world.Scale(), true);
  return scene;
}

StageScene StackScene(const Stack& world) {
  StageScene scene;
  scene.told = world.Objects();
  Stack empty = world;
  double scale = 0;  // pixels a metre; both begin at the left edge
  for (const RigidBody& b : world.Bodies()) {
    if (b.hold == RigidBody::kGone) continue;
    const auto shown = std::find_if(scene.told.begin(), scene.told.end(), [&](const WorldObject& o) { return o.id == b.id; });
    if (std::abs(b.x) > 1e-3) scale = shown->x / b.x;
    empty.Intervene(fmt::format("remove(box={})", b.id));
  }
  scene.bodies = RigidScene(world.Bodies(), scene.told, scale);
  scene.stage = std::make_unique<RigidStage>(Tinted(std::move(empty)), scale, false);
  return scene;
}

// The string is thin and grey, and pulls no bob aside by more than a hundredth of a pixel: it is not drawn.
class PendulumStage : public TintStage {
 public:
  explicit PendulumStage(const Pendulum& world) {
    for (const std::vector<uint8_t>& shot : Tinted(world)) {
      std::vector<uint8_t> rgb(shot.size());
      Canvas(world.Facts().height, world.Facts().width, rgb, {}).Fill(Pixel(shot, 0));
      backgrounds_.push_back(std::move(rgb));
    }
  }
  void Draw(Canvas& canvas, Point origin, std::span<const Body> bodies) const override {
    for (const Body& b : bodies) {
      const Point at{b.x - origin.x, b.y - origin.y};
      const Color& color = kPalette[static_cast<size_t>(b.color)];
      canvas.Disc(at, b.half_width, Shade(color, 0.65f), Canvas::kKeep);
      canvas.Disc(at, 0.17 / 0.22 * b.half_width, color, Canvas::kKeep);
    }
  }
  WorldObject Object(const WorldObject& told, const Body& body) const override { return {told.id, told.kind, body.x, body.y, {}}; }
};

StageScene PendulumScene(const Pendulum& world) {
  StageScene scene{std::make_unique<PendulumStage>(world), world.Objects(), {}};
  const double radius = 0.22 * static_cast<double>(std::min(world.Facts().height, world.Facts().width)) / 4.6;  // of 2.3 m to the edge
  for (size_t i = 0; i < scene.told.size(); ++i)
    scene.bodies.push_back({scene.told[i].x, scene.told[i].y, 0, radius, radius, i == 0 ? 1 : 3, false});
  return scene;
}

// The camera pans, the screens move, the light goes off: all that is fitted first, with what the bodies last looked like.
class OccluderStage : public Stage {
 public:
  explicit OccluderStage(const Occluder& world) : empty_(world) {
    moves_up_ = false;
    OccluderState state = world.State();
    most_ = world.RoomWidth() - 64.0 * static_cast<double>(world.Facts().width) / static_cast<double>(world.Facts().height);
    state.discs.clear();
    state.dark = 0;
    empty_.SetState(std::move(state));
  }

  void Prepare(const Picture& frame) override {
    const int64_t sum = std::accumulate(frame.rgb.begin(), frame.rgb.end(), int64_t{0});
    if (static_cast<double>(sum) < 12.0 * static_cast<double>(frame.rgb.size())) {  // the light is off: nothing shows
      background_.assign(frame.rgb.size(), 0);
      front_.assign(frame.rgb.size() / 3, 1);
      return;
    }
    const OccluderState before = empty_.State();
    const double least = Try(frame, before, {0, -1, 1}, {0, -0.125, 0.125}, {before.tint});
    if (least > 20) {  // further than one step away
      std::vector<double> pans, lifts;
      for (double camera = 0; camera <= most_; camera += 1) pans.push_back(camera - before.camera);
      for (double raised = 0; raised <= 1; raised += 0.125) lifts.push_back(raised - before.screens[0].raised);
      Try(frame, before, pans, lifts, {0, 1, 2});
    }
    background_ = Shot(empty_);
    Occluder flat = empty_;
    OccluderState state = flat.State();
    for (OccluderScreen& screen : state.screens) screen.raised = 0;
    flat.SetState(std::move(state));
    const std::vector<uint8_t> open = Shot(flat);
    front_.assign(open.size() / 3, 0);
    for (size_t i = 0; i < open.size(); ++i)
      if (open[i] != background_[i]) front_[i / 3] = 1;
  }

  void Draw(Canvas& canvas, Point origin, std::span<const Body> bodies) const override {
    for (const Body& b : bodies) {
      const Point at{b.x - origin.x, b.y - origin.y};
      const Color& color = kPalette[static_cast<size_t>(b.color)];
      const double r = b.half_width, inner = 0.7 * r;
      if (b.box) {
        canvas.Box({at.x - r, at.y - r}, {at.x + r, at.y + r}, Shade(color, 0.65f), Canvas::kKeep);
        canvas.Box({at.x - inner, at.y - inner}, {at.x + inner, at.y + inner}, color, Canvas::kKeep);
      } else {
        canvas.Disc(at, r, Shade(color, 0.65f), Canvas::kKeep);
        canvas.Disc(at, 0.75 * r, color, Canvas::kKeep);
      }
    }
  }

  WorldObject Object(const WorldObject& told, const Body& body) const override {
    return {told.id, told.kind, body.x, body.y, {static_cast<double>(body.color), body.box ? 1.0 : 0.0}};
  }

  std::vector<Body> Looks(const Body& body) const override {
    std::vector<Body> looks;
    for (int32_t color = 0; color < kPaletteColors; ++color)
      for (const bool box : {false, true}) {
        looks.push_back(body);
        looks.back().color = color;
        looks.back().box = box;
      }
    return looks;
  }

 private:
  // Leaves the likeliest of some changes of `before`: its mean absolute error, of at most 40 a value (bodies are not drawn).
  double Try(const Picture& frame, const OccluderState& before, const std::vector<double>& pans, const std::vector<double>& lifts,
             const std::vector<uint8_t>& tints) {
    double least = 1e9;
    OccluderState best = before;
    for (const uint8_t tint : tints)
      for (const double pan : pans)
        for (const double lift : lifts) {
          OccluderState state = before;
          state.tint = tint;
          state.camera = std::clamp(before.camera + pan, 0.0, most_);
          for (OccluderScreen& screen : state.screens) screen.raised = std::clamp(screen.raised + lift, 0.0, 1.0);
          empty_.SetState(state);
          const std::vector<uint8_t> shot = Shot(empty_);
          int64_t sum = 0;
          for (size_t i = 0; i < shot.size(); ++i)
            sum += std::min(40, std::abs(static_cast<int>(shot[i]) - static_cast<int>(frame.rgb[i])));
          const double error = static_cast<double>(sum) / static_cast<double>(shot.size());
          if (error >= least) continue;
          least = error;
          best = std::move(state);
        }
    empty_.SetState(std::move(best));
    return least;
  }

  Occluder empty_;
  double most_;  // left edge of the frame at most
};

StageScene OccluderScene(const Occluder& world) {
  StageScene scene{std::make_unique<OccluderStage>(world), world.Objects(), {}};
  const double unit = static_cast<double>(world.Facts().height) / 64;
  for (size_t i = 0; i < scene.told.size(); ++i) {
    const OccluderDisc& d = world.State().discs[i];
    scene.bodies.push_back({scene.told[i].x, scene.told[i].y, 0, d.radius * unit, d.radius * unit, d.color, d.shape == 1});
  }
  return scene;
}

}  // namespace

std::optional<StageScene> MakeStage(const World& shown) {
  if (const auto* world = dynamic_cast<const Billiards*>(&shown)) return BilliardsScene(*world);
  if (const auto* world = dynamic_cast<const Occluder*>(&shown)) return OccluderScene(*world);
  if (const auto* world = dynamic_cast<const Dominoes*>(&shown)) return DominoesScene(*world);
  if (const auto* world = dynamic_cast<const Stack*>(&shown)) return StackScene(*world);
  if (const auto* world = dynamic_cast<const Pendulum*>(&shown)) return PendulumScene(*world);
  return std::nullopt;
}

}  // namespace orrery
