// passthru: bodies that pass through each other.
#include <algorithm>

#include "eval/dummies/kinds.h"
#include "worlds/billiards.h"
#include "worlds/billiards_view.h"

namespace orrery {

namespace {

// A table of billiards on which every ball is alone: each Step moves each ball on an empty table of its own.
class GhostTable : public FlatWorld {
 public:
  explicit GhostTable(const Billiards& table)
      : FlatWorld(table.Facts().spec, table.Facts().height, table.Facts().width, table.Facts().fps),
        alone_(table),
        balls_(table.Balls()),
        tint_(table.Tint()) {
    facts_ = table.Facts();
    for (const Ball& ball : balls_) next_id_ = std::max(next_id_, ball.id + 1);
  }

  void Reset(uint64_t seed) override {
    alone_.Reset(seed);
    balls_ = alone_.Balls();
    next_id_ = static_cast<int32_t>(balls_.size());
    tint_ = 0;
    events_.clear();
  }

  void Step(std::span<const float> action) override {
    facts_.actions.Check(action);
    events_.clear();
    constexpr float none = 0;
    for (Ball& ball : balls_) {
      alone_.SetBalls({AsCue(ball)});
      alone_.Step(ball.id == 0 ? action : std::span(&none, 1));
      Take(alone_.Balls().front(), ball);
      for (WorldEvent event : alone_.Events()) {
        event.subject = 1 + ball.id;
        events_.push_back(event);
      }
    }
  }

  std::vector<StateVariable> TrueState() const override {
    const auto n = static_cast<int64_t>(balls_.size());
    std::vector<StateVariable> state = {
        {"position", {n, 2}, {}}, {"velocity", {n, 2}, {}}, {"radius", {n}, {}}, {"color", {n}, {}}, {"id", {n}, {}}};
    for (const Ball& ball : balls_) {
      state[0].values.insert(state[0].values.end(), {ball.x, ball.y});
      state[1].values.insert(state[1].values.end(), {ball.vx, ball.vy});
      state[2].values.push_back(ball.radius);
      state[3].values.push_back(ball.color);
      state[4].values.push_back(ball.id);
    }
    return state;
  }

  std::vector<WorldObject> Objects() const override {
    std::vector<WorldObject> objects;
    for (const Ball& b : balls_) {
      const Point at = View().Pixel(b.x, b.y);
      objects.push_back({1 + b.id, "ball", at.x, at.y, {static_cast<double>(b.color)}});
    }
    return objects;
  }

  std::string Snapshot() const override {
    SnapshotWriter out("passthru " + facts_.spec);
    out.Put(next_id_);
    out.Put(tint_);
    out.Put(static_cast<uint32_t>(balls_.size()));
    for (const Ball& ball : balls_) {
      out.Put(ball.id);
      out.Put(ball.color);
      for (const double value : {ball.x, ball.y, ball.vx, ball.vy, ball.radius}) out.Put(value);
    }
    return std::move(out).Finish();
  }

  void Restore(std::string_view snapshot) override {
    SnapshotReader in(snapshot, "passthru " + facts_.spec);
    const auto next_id = in.Get<int32_t>(), tint = in.Get<int32_t>();
    std::vector<Ball> balls(in.Get<uint32_t>());
    for (Ball& ball : balls) {
      ball.id = in.Get<int32_t>();
      ball.color = in.Get<int32_t>();
      for (double* value : {&ball.x, &ball.y, &ball.vx, &ball.vy, &ball.radius}) *value = in.Get<double>();
    }
    in.Finish();
    next_id_ = next_id;
    tint_ = tint;
    balls_ = std::move(balls);
    events_.clear();
  }

 protected:
  void Draw(Canvas& canvas) const override {
    canvas.Picture(DrawTable(facts_.height, facts_.width, tint_));
    DrawBalls(canvas, balls_, View());
  }

  void DoIntervene(const std::string& name, const Json& params) override {
    if (name == "tint") {
      tint_ = TintFrom("billiards", params);
    } else if (name == "add") {
      const double x = params["x"], y = params["y"];
      Ball ball{next_id_, params["color"].get<int32_t>(), x, y, 0, 0, balls_.front().radius};
      Billiards::RequireCount(balls_.size() + 1);
      alone_.SetBalls({AsCue(ball)});
      Take(alone_.Balls().front(), ball);
      balls_.push_back(ball);
      ++next_id_;
    } else {
      ChangeBall(name, params);
    }
    events_.clear();
  }

 private:
  static Ball AsCue(Ball ball) {
    ball.id = 0;
    return ball;
  }
  static void Take(const Ball& cue, Ball& ball) {
    const int32_t id = ball.id;
    ball = cue;
    ball.id = id;
  }
  BallView View() const { return {alone_.TableHeight(), facts_.height, facts_.width}; }

  void ChangeBall(const std::string& name, const Json& params) {
    const int64_t id = params["ball"];
    const auto found = std::find_if(balls_.begin(), balls_.end(), [&](const Ball& b) { return b.id == id; });
    if (found == balls_.end()) Fail("billiards: there is no ball with the id {}", id);
    if (name == "remove") {
      if (id == 0) Fail("billiards: the cue (id 0) cannot be removed");
      balls_.erase(found);
      return;
    }
    Ball ball = *found;
    (name == "move" ? ball.x : ball.vx) = params[name == "move" ? "x" : "vx"];
    (name == "move" ? ball.y : ball.vy) = params[name == "move" ? "y" : "vy"];
    alone_.SetBalls({AsCue(ball)});
    Take(alone_.Balls().front(), *found);
  }

  Billiards alone_;  // moves one ball at a time, and says what a ball may be
  std::vector<Ball> balls_;
  int32_t next_id_ = 0;
  int32_t tint_ = 0;
};

class Passthru : public StandIn {
 public:
  Passthru(const Scenario& scenario, std::unique_ptr<World> world) : StandIn("passthru", scenario, std::move(world)) {}
};

}  // namespace

DummyWorld PassthruDummy(const Scenario& scenario) {
  auto world = ContextEnd(scenario);
  if (const auto* table = dynamic_cast<const Billiards*>(world.get()))
    return std::make_unique<Passthru>(scenario, std::make_unique<GhostTable>(*table));
  if (world->Facts().spec.starts_with("occluder") && world->Facts().spec.find("post=true") != std::string::npos) {
    world->Intervene("ghost");
    return std::make_unique<Passthru>(scenario, std::move(world));
  }
  Fail("dummy:passthru means nothing in {}: only balls of billiards and discs at the post of occluder can pass through what they hit",
       scenario.world);
}

}  // namespace orrery
