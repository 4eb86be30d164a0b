// Terms of world consistency on films made by hand, and events against those that the worlds tell.
#include <gtest/gtest.h>

#include "eval/persistence/consistency.h"
#include "eval/suite/probe.h"
#include "scenes.h"
#include "worlds/billiards.h"
#include "worlds/dominoes.h"

namespace orrery {
namespace {

WorldObject Ball(int64_t id, double x, double y, double color = 0) { return {id, "ball", x, y, {color}}; }

std::vector<ShownThings> AllShown(const ObjectFilm& film) {
  std::vector<ShownThings> shown;
  for (const auto& frame : film) {
    shown.emplace_back();
    for (const WorldObject& o : frame) shown.back().shown.insert(o.id);
  }
  return shown;
}

TEST(Permanence, CountsMissedSpuriousAndSwapped) {
  const ObjectFilm truth(4, {Ball(1, 10, 10, 1), Ball(2, 20, 20, 2), Ball(3, 30, 30, 3)});
  std::vector<ShownThings> shown = AllShown(truth);
  for (ShownThings& s : shown) s.shown.erase(3);
  shown[0].hidden = shown[1].hidden = {3};  // and neither shown nor hidden in frames 2 and 3
  ObjectFilm read = truth;
  read[0] = {Ball(1, 10, 10, 1), Ball(2, 20, 20, 2)};                    // right
  read[1] = {Ball(1, 10, 10, 1), Ball(2, 20, 20, 7), Ball(3, 1, 1, 3)};  // swapped, spurious
  read[2] = {Ball(2, 20, 20, 2), Ball(3, 30, 30, 3)};                    // missed; of 3 nothing is asked
  read[3] = {Ball(1, 50, 50, 1), Ball(2, 20, 20, 2), Ball(9, 5, 5)};     // place is not asked; there is no 9
  const Permanence p = ComparePermanence(truth, shown, read);
  EXPECT_EQ(p.visible, 8);
  EXPECT_EQ(p.missed, 1);
  EXPECT_EQ(p.spurious, 2);
  EXPECT_EQ(p.swapped, 1);
  EXPECT_NEAR(p.Value(), 1 - 4.0 / 8, 1e-12);
  EXPECT_EQ(ComparePermanence(truth, shown, ObjectFilm(4)).Value(), 0);
}

// Distance 10 read as 20: exp(-log 2) = 1/2. The same with left and right exchanged: half of it.
TEST(RelationStability, IsTheRatioOfDistances) {
  const ObjectFilm truth(2, {Ball(1, 10, 10), Ball(2, 20, 10)});
  const auto shown = AllShown(truth);
  const auto value = [&](const ObjectFilm& read, int64_t until = 2) { return *RelationStability(truth, shown, read, until); };
  EXPECT_NEAR(value(truth), 1, 1e-12);
  EXPECT_NEAR(value(ObjectFilm(2, {Ball(1, 10, 10), Ball(2, 30, 10)})), 0.5, 1e-12);
  EXPECT_NEAR(value(ObjectFilm(2, {Ball(1, 10, 10), Ball(2, 15, 10)})), 0.5, 1e-12);
  EXPECT_NEAR(value(ObjectFilm(2, {Ball(1, 10, 10), Ball(2, -10, 10)})), 0.25, 1e-12);
  EXPECT_NEAR(value(ObjectFilm(2, {Ball(1, 50, 40), Ball(2, 60, 40)})), 1, 1e-12);  // both moved alike
  const ObjectFilm late = {truth[0], {Ball(1, 10, 10), Ball(2, 30, 10)}};
  EXPECT_NEAR(value(late), 0.75, 1e-12);
  EXPECT_NEAR(value(late, 1), 1, 1e-12);
  EXPECT_FALSE(RelationStability(truth, shown, ObjectFilm(2, {Ball(1, 10, 10, 5), Ball(2, 20, 10)}), 2));  // another colour: not its place
}

TEST(FlickerPenalty, IsTheBackgroundsChangeAgainstShuffledFrames) {
  // A white square of 2 x 2 in a black picture of 8 x 8 that moves on by one pixel a frame; the maker's background jumps by 10.
  constexpr int64_t kFrames = 6, kSide = 8;
  std::vector<uint8_t> truth(kFrames * kSide * kSide * 3, 0), made;
  ObjectFilm read;
  for (int64_t t = 0; t < kFrames; ++t) {
    for (int64_t y = 3; y < 5; ++y)
      for (int64_t x = t; x < t + 2; ++x)
        for (int64_t c = 0; c < 3; ++c) truth[static_cast<size_t>(((t * kSide + y) * kSide + x) * 3 + c)] = 200;
    read.push_back({Ball(1, static_cast<double>(t) + 1, 4)});
  }
  const auto penalty = [&] { return FlickerPenalty({truth, kSide, kSide}, {made, kSide, kSide}, read, 1.5, 1); };
  made = truth;
  EXPECT_EQ(*penalty(), 0);
  for (int64_t t = 1; t < kFrames; t += 2)
    for (int64_t i = 0; i < kSide * kSide * 3; ++i)
      if (uint8_t& value = made[static_cast<size_t>(t * kSide * kSide * 3 + i)]; value == 0) value = 10;
  const double one = *penalty();
  EXPECT_GT(one, 0);
  for (uint8_t& value : made)
    if (value == 10) value = 20;
  EXPECT_NEAR(*penalty(), std::min(1.0, 2 * one), 1e-9);
  std::fill(truth.begin(), truth.end(), uint8_t{7});
  EXPECT_FALSE(penalty());
}

TEST(WorldConsistency, IsASumWithinBounds) {
  EXPECT_NEAR(WorldConsistency(1, 1, 1, 0), 1, 1e-12);
  EXPECT_NEAR(WorldConsistency(1, 0.5, 0, 0.4), 0.4, 1e-12);
  EXPECT_EQ(WorldConsistency(0, 0, 0, 1), 0);
}

// Two balls meet head on at frame 10 and exchange their speeds of 1 px a frame: each is kicked by 2 px a frame.
ObjectFilm HeadOn(double speed) {
  ObjectFilm film;
  for (int t = 0; t < 21; ++t) {
    const double gap = 5 + speed * std::abs(t - 10);
    film.push_back({Ball(1, 30 - gap, 20), Ball(2, 30 + gap, 20)});
  }
  return film;
}

TEST(SeenEvents, AreKicksAtTheMomentOfContact) {
  EventEyes eyes;
  eyes.contact = 10;
  std::vector<SeenEvent> events = SeeEvents(HeadOn(1), eyes);
  std::erase_if(events, [](const SeenEvent& e) { return e.strength < 1; });
  ASSERT_EQ(events.size(), 2u);
  for (const SeenEvent& e : events) {
    EXPECT_EQ(e.kind, "kick");
    EXPECT_EQ(e.frame, 10);
    EXPECT_EQ(e.subject + e.object, 3);
    EXPECT_NEAR(e.strength, 2 / eyes.kick, 1e-9);
  }
  eyes.contact = 0;  // nobody to blame
  for (const SeenEvent& e : SeeEvents(HeadOn(1), eyes)) EXPECT_EQ(e.object, -1);
  EXPECT_TRUE(SeeEvents(HeadOn(0.1), eyes).empty());  // 0.2 is less than half of what counts
}

TEST(SeenEvents, ThatAreNearTheLimitAreNeitherMissedNorTooMuch) {
  EventEyes eyes;
  const auto clear = SeeEvents(HeadOn(1), eyes), weak = SeeEvents(HeadOn(0.2), eyes);  // 0.4 of 0.5
  const std::vector<SeenEvent> none;
  EXPECT_EQ(MatchEvents(clear, weak, 0).F1(), 1);
  EXPECT_EQ(MatchEvents(weak, clear, 0).F1(), 1);
  EXPECT_EQ(MatchEvents(weak, none, 0).F1(), 1);
  EventMatch missed = MatchEvents(clear, none, 0);
  EXPECT_EQ(missed.required, 2);
  EXPECT_EQ(missed.F1(), 0);
  EXPECT_EQ(missed.first_wrong, 10);
  EXPECT_EQ(MatchEvents(none, clear, 0).extra, 2);
  EXPECT_EQ(MatchEvents(clear, none, 11).F1(), 1);  // before the film begins
}

TEST(SeenEvents, OfTheGrid) {
  const auto thing = [](int64_t id, const char* kind, double x, double open = 0) { return WorldObject{id, kind, x, 4, {open, 1}}; };
  const ObjectFilm film = {{thing(1, "agent", 4), thing(3, "key", 12), thing(4, "door", 28), thing(5, "box", 52)},
                           {thing(1, "agent", 4), thing(3, "key", 4), thing(4, "door", 28), thing(5, "box", 52)},
                           {thing(1, "agent", 12), thing(3, "key", 12), thing(4, "door", 28), thing(5, "box", 52)},
                           {thing(1, "agent", 20), thing(4, "door", 28, 1), thing(5, "box", 52)},
                           {thing(1, "agent", 44), thing(4, "door", 28, 1), thing(5, "box", 60)}};
  std::vector<std::string> said;
  for (const SeenEvent& e : SeeEvents(film, {})) said.push_back(fmt::format("{} {} {}", e.frame, e.kind, e.subject));
  EXPECT_EQ(said, (std::vector<std::string>{"1 pick 3", "3 open 4", "4 push 5"}));
}

// Against what the world itself tells: every collision of balls that changes their ways is seen, within the window.
TEST(SeenEvents, AgreeWithTheTablesOwn) {
  const Scenario scenario{"billiards(speed=8, friction=0)", 4, 1, Runs({{0, 400}}), "", 0, 0};
  const Film film = MakeTruth(scenario).film;
  EventEyes eyes;
  eyes.contact = 2 * 0.9 * 5.6;
  const auto seen = SeeEvents(film.objects, eyes);
  int64_t told = 0, found = 0, kicks = 0, caused = 0;
  for (int64_t t = kWindow; t + kWindow < film.Count(); ++t)
    for (const WorldEvent& event : film.events[static_cast<size_t>(t)]) {
      if (event.kind != "collision") continue;
      ++told;
      found += std::any_of(seen.begin(), seen.end(), [&](const SeenEvent& e) {
        return e.subject == event.subject && e.object == event.object && std::abs(e.frame - t) <= kWindow;
      });
    }
  for (const SeenEvent& e : seen) {
    if (e.strength < 1) continue;
    ++kicks;
    for (int64_t t = std::max<int64_t>(0, e.frame - kWindow); t <= e.frame + kWindow; ++t)
      if (std::any_of(film.events[static_cast<size_t>(t)].begin(), film.events[static_cast<size_t>(t)].end(),
                      [&](const WorldEvent& w) { return w.subject == e.subject || w.object == e.subject; })) {
        ++caused;
        break;
      }
  }
  EXPECT_GE(told, 10);
  EXPECT_GE(static_cast<double>(found), 0.9 * static_cast<double>(told));  // glancing ones change little
  EXPECT_EQ(caused, kicks);
}

TEST(SeenEvents, AgreeWithTheDominoesOwn) {
  const Scenario scenario{"dominoes", 4, 1, Runs({{0, 2}, {1, 1}, {0, 100}}), "", 0, 0};
  const Film film = MakeTruth(scenario).film;
  const Dominoes world({});
  EventEyes eyes;
  eyes.lean = 0.35 * world.Bodies().front().half_height * world.Scale();
  const auto seen = SeeEvents(film.objects, eyes);
  size_t told = 0;
  for (int64_t t = 0; t < film.Count(); ++t)
    for (const WorldEvent& event : film.events[static_cast<size_t>(t)]) {
      ++told;
      EXPECT_TRUE(std::any_of(seen.begin(), seen.end(), [&](const SeenEvent& e) { return e.subject == event.subject && e.frame == t; }));
    }
  EXPECT_GE(told, 8u);
  EXPECT_EQ(seen.size(), told);
}

double Term(const ProbeResult& result, const std::string& name) {
  for (const Metric& m : result.metrics)
    if (m.id == "persistence.wcs." + name) return m.value.value_or(-1);
  Fail("no metric {}", name);
}

// Each dummy moves its own term by more than 0.1, and the others by less than 0.05.
void ExpectOneFault(const ProbePlan& plan, const char* dummy, const std::string& fault) {
  const ProbeResult copy = ProbeWcs(*Judged("dummy:copy"), plan), made = ProbeWcs(*Judged(dummy), plan);
  for (const Metric& m : copy.metrics) Check(m);
  for (const char* name : {"permanence", "relations", "causes", "flicker"}) {
    EXPECT_NEAR(Term(copy, name), std::string(name) == "flicker" ? 0 : 1, 0.01) << plan.world << " " << name;
    const double moved = std::abs(Term(copy, name) - Term(made, name));
    if (name == fault)
      EXPECT_GT(moved, 0.1) << dummy << " " << name;
    else
      EXPECT_LT(moved, 0.05) << dummy << " " << name;
  }
  EXPECT_LT(Term(made, "score"), Term(copy, "score"));
}

TEST(Wcs, EveryFaultHasItsTerm) {
  ProbePlan plan;
  plan.probe = "wcs";
  plan.scenarios = 4;
  plan.frames = 40;
  plan.world = "billiards(speed=8, friction=0)";
  ExpectOneFault(plan, "dummy:passthru", "causes");
  ExpectOneFault(plan, "dummy:noise", "flicker");
  plan.world = "occluder(discs=3, speed=0.4)";
  plan.context = 12;
  plan.frames = 64;
  plan.trajectory = "script(actions=\"screen-down, none*11, light, none*39, light, none*40\")";
  ExpectOneFault(plan, "dummy:forget", "permanence");
  ExpectOneFault(plan, "dummy:stale", "relations");
}

}  // namespace
}  // namespace orrery
