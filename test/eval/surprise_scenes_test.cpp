// Quadruplets: matched to the pixel, and blind to judges that remember nothing.
#include <gtest/gtest.h>

#include "eval/persistence/surprise.h"
#include "eval/persistence/surprise_scenes.h"
#include "scenes.h"

namespace orrery {
namespace {

struct Case {
  const char *world, *violation;
  bool brief;
};
const std::vector<Case> kCases = {{"occluder", "vanish", true},   {"occluder", "vanish", false},        {"occluder", "recolor", true},
                                  {"occluder", "recolor", false}, {"occluder", "reshape", true},        {"occluder", "reshape", false},
                                  {"occluder", "teleport", true}, {"occluder", "teleport", false},      {"occluder", "turn", true},
                                  {"occluder", "turn", false},    {"occluder(post=true)", "pass", true}};

SurpriseScene Scene(const Case& c, uint64_t first = 100) { return MakeSurpriseScene(c.world, c.violation, c.brief, 24, first); }

// Frames up to the last hidden one.
int64_t Split(const SurpriseScene& scene) { return scene.beginnings[0].context + scene.hidden.size(0); }

at::Tensor Beginning(const SurpriseScene& scene, size_t b) {
  return at::cat({MakeTruth(scene.beginnings[b]).film.frames.narrow(0, 0, scene.beginnings[b].context), scene.hidden});
}

// [b][e] of a judge that gives each film's surprise at its frames after the hidden moment.
template <class Judge>
Quadruplet Judged(const SurpriseScene& scene, const Judge& judge) {
  Quadruplet q{};
  for (size_t b = 0; b < 2; ++b)
    for (size_t e = 0; e < 2; ++e) q[b][e] = judge(at::cat({Beginning(scene, b), scene.ends[e]}), Split(scene));
  return q;
}

TEST(SurpriseScenes, PossibleFilmsAreTheTruth) {
  for (const Case& c : kCases) {
    const SurpriseScene scene = Scene(c);
    for (size_t b = 0; b < 2; ++b) {
      const Scenario& s = scene.beginnings[b];
      EXPECT_EQ(s.Last() + 1 - Split(scene), 24);
      EXPECT_TRUE(at::equal(MakeTruth(s).film.frames, at::cat({Beginning(scene, b), scene.ends[b]}))) << c.violation << b;
    }
  }
}

TEST(SurpriseScenes, ShareTheHiddenMomentAndDifferBeforeAndAfter) {
  for (const Case& c : kCases) {
    const SurpriseScene scene = Scene(c);
    const at::Tensor a = Beginning(scene, 0), b = Beginning(scene, 1);
    ASSERT_EQ(a.sizes(), b.sizes());
    const at::Tensor differ = (a != b).flatten(1).any(1);
    const int64_t frames = differ.numel(), hidden = 1 + scene.hidden.size(0);
    EXPECT_GE(hidden, 4);
    EXPECT_FALSE(differ.narrow(0, frames - hidden, hidden).any().item<bool>()) << c.violation;
    EXPECT_TRUE(differ[frames - hidden - 1].item<bool>()) << c.violation << ": it was seen until then";
    EXPECT_GE(differ.sum().item<int64_t>(), 6);
    EXPECT_FALSE(at::equal(scene.ends[0][0], scene.ends[1][0])) << "the first frame after it tells them apart";
    if (!c.brief && std::string(c.violation) == "vanish") {
      EXPECT_GT(hidden, 32);
    }
    if (c.brief) {
      EXPECT_LE(hidden, c.violation == std::string("pass") ? 240 : kBriefFrames + 2);
    }
  }
}

TEST(SurpriseScenes, ImpossibleFilmsAreWhatAHandMakesInTheHiddenMoment) {
  for (const char* violation : {"vanish", "recolor", "reshape"}) {
    const SurpriseScene scene = Scene({"occluder", violation, false});
    Scenario edited = scene.beginnings[0];
    edited.intervention = scene.beginnings[1].intervention;
    edited.at = Split(scene) - 2;
    const at::Tensor film = MakeTruth(edited).film.frames;
    EXPECT_TRUE(at::equal(film, at::cat({Beginning(scene, 0), scene.ends[1]}))) << violation;
  }
}

TEST(SurpriseScenes, AJudgeWithoutMemoryStaysAtChance) {
  // Frame differences, whatever is made of them; also one that looks back over less than the hidden moment.
  const auto difference = [](const at::Tensor& film, int64_t context) {
    const at::Tensor x = film.to(at::kDouble);
    return (x.narrow(0, context, 24) - x.narrow(0, context - 1, 24)).square().mean({1, 2, 3});
  };
  for (const Case& c : kCases) {
    const SurpriseScene scene = Scene(c);
    EXPECT_EQ(RelativeAccuracy(Judged(scene, [&](const auto& f, int64_t n) { return difference(f, n).mean().template item<double>(); })),
              0.5);
    EXPECT_EQ(RelativeAccuracy(Judged(scene, [&](const auto& f, int64_t n) { return difference(f, n).max().template item<double>(); })),
              0.5);
    EXPECT_EQ(RelativeAccuracy(Judged(scene,
                                      [&](const auto& f, int64_t n) {
                                        return (difference(f, n) + 1).log().sum().template item<double>() +
                                               difference(f.roll(scene.hidden.size(0) / 2, 0), n).max().template item<double>();
                                      })),
              0.5)
        << c.violation;
  }
}

TEST(SurpriseScenes, AreTheSameForTheSameSeedAndRefuseOthers) {
  const SurpriseScene a = Scene(kCases[0]), b = Scene(kCases[0]), other = Scene(kCases[0], 90000);
  EXPECT_EQ(a.beginnings[0].Id(), b.beginnings[0].Id());
  EXPECT_NE(a.beginnings[0].seed, other.beginnings[0].seed);
  EXPECT_THROW(MakeSurpriseScene("maze", "vanish", true, 24, 0), Error);
  EXPECT_THROW(MakeSurpriseScene("occluder", "pass", true, 24, 0), Error);
  EXPECT_THROW(MakeSurpriseScene("occluder(screens=2)", "vanish", true, 24, 0), Error);
  EXPECT_THROW(MakeSurpriseScene("occluder", "vanish", true, 0, 0), Error);
  EXPECT_THROW(MakeSurpriseScene("occluder(speed=4)", "vanish", false, 24, 0, 20), Error) << "too fast to be hidden for long";
}

}  // namespace
}  // namespace orrery
