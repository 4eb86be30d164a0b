#include "eval/readers/bodies.h"

#include <algorithm>
#include <cmath>

namespace orrery {

namespace {

constexpr double kStrange = 4900, kAlike = 3600;     // squared RGB distances: a pixel is not as drawn; is of a colour
constexpr double kPlainError = 1;                    // mean grey levels: a picture that is as drawn
constexpr double kExact = 1e-3;                      // share of its energy that a drawing may leave unexplained and stay
constexpr double kFormSeen = 0.5, kFormThere = 0.3;  // correlation of picture and drawing
constexpr double kMostlyShown = 0.6;
constexpr double kLeastShown = 0.25;               // of a body; less is hidden
constexpr double kLeastArea = 0.5, kMostArea = 2;  // of what the drawing covers
constexpr double kSmear = 3;                       // px around a body where a lens may have carried its colour
constexpr std::array<double, 8> kTurns = {0, 0.4, -0.4, 0.8, -0.8, 1.2, -1.2, 1.57};  // radians that a search tries

// A drawing without (B) and with (M) a body against the picture (I); sums over what changes.
struct Match {
  double energy = 0;   // |M - B|^2 where the picture shows it
  double whole = 0;    // the same, hidden pixels included
  double product = 0;  // (I - B) . (M - B)
  double image = 0;    // |I - B|^2

  double Cost() const { return energy - 2 * product; }  // squared error with it less that without it
  double Form() const { return energy > 0 && image > 0 ? product / std::sqrt(energy * image) : 0; }
  bool Hidden() const { return energy < kLeastShown * whole; }
};

struct Track {
  Body body;
  double vx = 0, vy = 0, spin = 0;  // a frame
  bool drawn = true;
  Sighting sighting = Sighting::kSeen;
  double confidence = 1;
};

class Bodies : public ObjectReader {
 public:
  Bodies(StageScene scene, int64_t height, int64_t width)
      : stage_(std::move(scene.stage)), told_(std::move(scene.told)), height_(height), width_(width) {
    for (const Body& body : scene.bodies) {
      Track track;
      track.body = body;
      tracks_.push_back(track);
    }
    for (size_t i = 0; i < told_.size(); ++i) order_.push_back(i);
    std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return told_[a].id < told_[b].id; });
  }

  std::string Name() const override { return "bodies"; }

  std::vector<Reading> Read(std::span<const uint8_t> rgb) override {
    ORRERY_CHECK(static_cast<int64_t>(rgb.size()) == 3 * height_ * width_);
    frame_ = {rgb, height_, width_};
    stage_->Prepare(frame_);
    Follow();
    for (size_t i = 0; i < tracks_.size(); ++i) Judge(i);
    Recover();
    DoubtDoubles();
    std::vector<Reading> readings;
    for (const size_t i : order_) {
      const Track& t = tracks_[i];
      if (t.sighting == Sighting::kSeen) told_[i] = stage_->Object(told_[i], t.body);
      readings.push_back({told_[i], t.sighting, t.confidence});
    }
    return readings;
  }

 private:
  // From where each body was and where it was going.
  void Follow() {
    std::vector<Body> before;
    for (Track& t : tracks_) {
      before.push_back(t.body);
      t.body.x += t.vx;
      t.body.y += t.vy;
      t.body.angle += t.spin;
    }
    ChooseLens();
    for (int sweep = 0; sweep < 2; ++sweep)
      for (size_t i = 0; i < tracks_.size(); ++i) {
        if (!tracks_[i].drawn) continue;
        const Body ahead = tracks_[i].body;
        const Match moved = Fit(i, ahead);
        if (sweep > 0) continue;
        const Body best = tracks_[i].body;
        if (moved.Cost() < Fit(i, before[i]).Cost()) tracks_[i].body = best;
        if (moved.Hidden()) tracks_[i].body = ahead;
      }
    for (size_t i = 0; i < tracks_.size(); ++i) {
      Track& t = tracks_[i];
      if (t.drawn && Evaluate(i, t.body).Hidden()) continue;  // it goes on as it went
      t.vx = t.body.x - before[i].x;
      t.vy = t.body.y - before[i].y;
      t.spin = t.body.angle - before[i].angle;
    }
  }

  // How blurred the picture is.
  void ChooseLens() {
    const std::vector<uint8_t> sharp = DrawAll();
    double least = -1;
    for (const double lens : kLenses) {
      std::vector<uint8_t> drawn = sharp;
      Smear(drawn, height_, width_, lens);
      const double error = Difference(drawn, frame_.rgb);
      if (least >= 0 && error >= least) continue;
      least = error;
      lens_ = lens;
      if (lens == 0 && error < kPlainError) break;
    }
  }

  // Moves body i from `start` to the nearest least cost; it stays there.
  Match Fit(size_t i, const Body& start) {
    Body& body = tracks_[i].body;
    body = start;
    Match best = Evaluate(i, body);
    if (best.Hidden() || best.image + best.Cost() <= kExact * best.energy) return best;
    const double thin = std::min(body.half_width, body.half_height);
    std::vector<std::pair<double Body::*, double>> ways = {{&Body::x, 1}};
    if (stage_->MovesUp()) ways.emplace_back(&Body::y, 1);
    if (stage_->Turns()) ways.emplace_back(&Body::angle, 1 / body.Reach());
    for (double step = std::clamp(thin, 1.0, 2.0); step > 0.05; step /= 2)
      for (bool better = true; better;) {
        better = false;
        for (const auto& [field, unit] : ways)
          for (const double side : {-1.0, 1.0}) {
            Body trial = body;
            trial.*field += side * step * unit;
            const Match match = Evaluate(i, trial);
            if (match.Hidden() || match.Cost() >= best.Cost()) continue;
            best = match;
            body = trial;
            better = true;
          }
      }
    return best;
  }

  // All that is drawn in a square from (x0, y0) of n pixels a side, body i as `body` or left out; through the lens.
  void DrawPatch(size_t i, const Body* body, int64_t x0, int64_t y0, int64_t n, std::vector<uint8_t>& out) {
    const int64_t rim = Rim(), whole = n + 2 * rim;
    DrawSharp(i, body, x0 - rim, y0 - rim, whole, rim ? wide_ : out);
    if (rim == 0) return;
    Smear(wide_, whole, whole, lens_);
    out.resize(static_cast<size_t>(3 * n * n));
    for (int64_t y = 0; y < n; ++y) std::copy_n(wide_.data() + 3 * ((y + rim) * whole + rim), 3 * n, out.data() + 3 * y * n);
  }

  // How far the lens carries colour, px.
  int64_t Rim() const { return static_cast<int64_t>(std::ceil(2 * lens_)); }

  void DrawSharp(size_t i, const Body* body, int64_t x0, int64_t y0, int64_t n, std::vector<uint8_t>& out) {
    const std::vector<uint8_t>& back = stage_->Background();
    out.resize(static_cast<size_t>(3 * n * n));
    for (int64_t y = 0; y < n; ++y)
      for (int64_t x = 0; x < n; ++x) {
        const int64_t row = std::clamp<int64_t>(y0 + y, 0, height_ - 1), column = std::clamp<int64_t>(x0 + x, 0, width_ - 1);
        std::copy_n(back.data() + 3 * (row * width_ + column), 3, out.data() + 3 * (y * n + x));
      }
    near_.clear();
    const double middle_x = static_cast<double>(x0) + static_cast<double>(n) / 2,
                 middle_y = static_cast<double>(y0) + static_cast<double>(n) / 2;
    for (size_t j = 0; j < tracks_.size(); ++j) {
      if (j == i) {
        if (body) near_.push_back(*body);
        continue;
      }
      const Body& other = tracks_[j].body;
      const double far = static_cast<double>(n) / 2 + other.Reach() + 1;
      if (tracks_[j].drawn && std::abs(other.x - middle_x) < far && std::abs(other.y - middle_y) < far) near_.push_back(other);
    }
    Canvas canvas(n, n, out, {});
    stage_->Draw(canvas, {static_cast<double>(x0), static_cast<double>(y0)}, near_);
  }

  // Whether the picture has the pixel and nothing lies before the bodies there.
  bool Shown(int64_t x, int64_t y) const {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return false;
    return stage_->Front().empty() || !stage_->Front()[static_cast<size_t>(y * width_ + x)];
  }

  Match Evaluate(size_t i, const Body& body) {
    const double reach = std::ceil(body.Reach() + 1) + static_cast<double>(Rim());
    const auto x0 = static_cast<int64_t>(std::floor(body.x - reach)), y0 = static_cast<int64_t>(std::floor(body.y - reach));
    const int64_t n = 2 * static_cast<int64_t>(reach) + 1;
    Match match;
    if (x0 + n <= 0 || y0 + n <= 0 || x0 >= width_ || y0 >= height_) {
      match.whole = 1;
      return match;
    }
    DrawPatch(i, nullptr, x0, y0, n, without_);
    DrawPatch(i, &body, x0, y0, n, with_);
    for (int64_t y = 0; y < n; ++y)
      for (int64_t x = 0; x < n; ++x) {
        const uint8_t *b = without_.data() + 3 * (y * n + x), *m = with_.data() + 3 * (y * n + x);
        double energy = 0, product = 0, image = 0;
        const bool shown = Shown(x0 + x, y0 + y);
        const uint8_t* p = shown ? frame_.rgb.data() + 3 * ((y0 + y) * width_ + x0 + x) : b;
        for (int c = 0; c < 3; ++c) {
          const double change = m[c] - b[c], seen = p[c] - b[c];
          energy += change * change;
          product += change * seen;
          image += seen * seen;
        }
        match.whole += energy;
        if (!shown || energy == 0) continue;
        match.energy += energy;
        match.product += product;
        match.image += image;
      }
    return match;
  }

  // How much of the body's colour is around it, as a share of what its drawing covers.
  double AreaRatio(size_t i) {
    const Body& body = tracks_[i].body;
    const double reach = std::ceil(body.Reach() + kSmear);
    const auto x0 = static_cast<int64_t>(std::floor(body.x - reach)), y0 = static_cast<int64_t>(std::floor(body.y - reach));
    const int64_t n = 2 * static_cast<int64_t>(reach) + 1;
    DrawPatch(i, nullptr, x0, y0, n, without_);
    DrawPatch(i, &body, x0, y0, n, with_);
    const Color& color = kPalette[static_cast<size_t>(body.color)];
    double seen = 0, drawn = 0;
    for (int64_t y = 0; y < n; ++y)
      for (int64_t x = 0; x < n; ++x) {
        if (!Shown(x0 + x, y0 + y)) continue;
        const uint8_t *b = without_.data() + 3 * (y * n + x), *m = with_.data() + 3 * (y * n + x);
        const uint8_t* p = frame_.rgb.data() + 3 * ((y0 + y) * width_ + x0 + x);
        double contrast = 0, in_picture = 0, in_drawing = 0;
        for (int c = 0; c < 3; ++c) {
          const double toward = color[static_cast<size_t>(c)] - b[c];
          contrast += toward * toward;
          in_picture += toward * (p[c] - b[c]);
          in_drawing += toward * (m[c] - b[c]);
        }
        if (contrast < 1600) continue;
        seen += std::clamp(in_picture / contrast, -0.25, 1.25);
        drawn += std::clamp(in_drawing / contrast, -0.25, 1.25);
      }
    return drawn > 0 ? seen / drawn : 0;
  }

  void Judge(size_t i) {
    Track& t = tracks_[i];
    t.sighting = Sighting::kAbsent;
    t.confidence = 0;
    if (!t.drawn) return;
    Match match = Evaluate(i, t.body);
    if (match.Hidden()) return;
    for (const Body& look : stage_->Looks(t.body)) {
      const Match other = Evaluate(i, look);
      if (other.Cost() >= match.Cost()) continue;
      match = other;
      t.body = look;
    }
    if (match.Form() < kFormThere) {
      if (match.energy < kMostlyShown * match.whole) return;  // too little shows to tell
      t.drawn = false;
      t.vx = t.vy = t.spin = 0;
      return;
    }
    const double area = AreaRatio(i);
    t.confidence = std::clamp(match.Form(), 0.0, 1.0);
    t.sighting = match.Form() >= kFormSeen && area >= kLeastArea && area <= kMostArea ? Sighting::kSeen : Sighting::kAbstained;
  }

  std::vector<uint8_t> DrawAll() {
    std::vector<uint8_t> drawn = stage_->Background();
    near_.clear();
    for (const Track& t : tracks_)
      if (t.drawn) near_.push_back(t.body);
    Canvas canvas(height_, width_, drawn, {});
    stage_->Draw(canvas, {0, 0}, near_);
    return drawn;
  }

  // Pixels that are not as drawn, [H, W].
  std::vector<uint8_t> Strange() {
    std::vector<uint8_t> drawn = DrawAll(), strange(static_cast<size_t>(height_ * width_), 0);
    Smear(drawn, height_, width_, lens_);
    const double limit = kStrange / ((1 + lens_) * (1 + lens_));  // blur takes contrast
    for (size_t p = 0; p < strange.size(); ++p) {
      if (!stage_->Front().empty() && stage_->Front()[p]) continue;
      double error = 0;
      for (size_t c = 0; c < 3; ++c) {
        const double difference = static_cast<double>(frame_.rgb[3 * p + c]) - drawn[3 * p + c];
        error += difference * difference;
      }
      strange[p] = error > limit;
    }
    return strange;
  }

  // Looks everywhere for what is not where it should be, as long as the picture shows something that nothing explains.
  void Recover() {
    for (size_t i = 0; i < tracks_.size(); ++i) {
      if (tracks_[i].sighting == Sighting::kSeen) continue;
      const std::vector<uint8_t> strange = Strange();
      const auto count = std::count(strange.begin(), strange.end(), 1);
      if (2 * count > height_ * width_) return;  // no picture of this world
      if (static_cast<double>(count) >= 0.4 * tracks_[i].body.Area()) Search(i, strange);
    }
  }

  void Search(size_t i, const std::vector<uint8_t>& strange) {
    const Track before = tracks_[i];
    tracks_[i].drawn = true;
    std::vector<Body> looks = stage_->Looks(before.body);
    if (looks.empty()) looks.push_back(before.body);
    std::vector<std::pair<double, Body>> found;
    for (int64_t y = 0; y < height_; ++y)
      for (int64_t x = 0; x < width_; ++x) {
        if (!strange[static_cast<size_t>(y * width_ + x)]) continue;
        if (!stage_->MovesUp() && std::abs(static_cast<double>(y) + 0.5 - before.body.y) > 0.5) continue;
        for (Body body : looks) {
          body.x = static_cast<double>(x) + 0.5;
          if (stage_->MovesUp()) body.y = static_cast<double>(y) + 0.5;
          for (const double turn : kTurns) {
            if (stage_->Turns()) body.angle = turn;
            found.emplace_back(Evaluate(i, body).Cost(), body);
            if (!stage_->Turns()) break;
          }
        }
      }
    constexpr size_t kTries = 4;
    const size_t tries = std::min(kTries, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(tries), found.end(),
                      [](const auto& a, const auto& b) { return a.first < b.first; });
    Body best = before.body;
    double cost = 0;
    for (size_t k = 0; k < tries; ++k)
      if (const Match match = Fit(i, found[k].second); match.Cost() < cost) {
        cost = match.Cost();
        best = tracks_[i].body;
      }
    tracks_[i].body = best;
    Judge(i);
    if (cost < 0 && tracks_[i].sighting == Sighting::kSeen) {
      tracks_[i].vx = tracks_[i].vy = tracks_[i].spin = 0;
      return;
    }
    tracks_[i] = before;
  }

  // Two things of one colour: which is the one?
  void DoubtDoubles() {
    const std::vector<uint8_t> strange = Strange();
    for (Track& t : tracks_) {
      if (t.sighting != Sighting::kSeen) continue;
      const Color& color = kPalette[static_cast<size_t>(t.body.color)];
      double alike = 0;
      for (size_t p = 0; p < strange.size(); ++p) {
        if (!strange[p]) continue;
        double error = 0;
        for (size_t c = 0; c < 3; ++c) {
          const double difference = static_cast<double>(frame_.rgb[3 * p + c]) - static_cast<double>(color[c]);
          error += difference * difference;
        }
        alike += error < kAlike;
      }
      if (alike >= std::max(3.0, kLeastArea * t.body.Area())) t.sighting = Sighting::kAbstained;
    }
  }

  std::unique_ptr<Stage> stage_;
  std::vector<WorldObject> told_;
  int64_t height_, width_;
  std::vector<Track> tracks_;
  std::vector<size_t> order_;  // by id
  Picture frame_;
  std::vector<Body> near_;
  double lens_ = 0;  // sigma of the frame's blur, px
  std::vector<uint8_t> without_, with_, wide_;
};

}  // namespace

std::unique_ptr<ObjectReader> BodyReader(StageScene scene, int64_t height, int64_t width) {
  return std::make_unique<Bodies>(std::move(scene), height, width);
}

}  // namespace orrery
