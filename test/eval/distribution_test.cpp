// Sets of films: kernel distances between bags of frames, feature nets, the probe.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/tensor_rng.h"
#include "eval/quality/feature_net.h"
#include "eval/quality/film_mmd.h"
#include "eval/suite/probe.h"
#include "films.h"

namespace orrery {
namespace {

FeatureSet Bags(int64_t films, int64_t rows, double shift, uint64_t seed) {
  Rng rng(seed, "bags");
  FeatureSet set;
  set.rows = NormalTensor({films * rows, 5}, rng).to(at::kDouble) + shift;
  for (int64_t i = 0; i < films * rows; ++i) set.video.push_back(i / rows);
  return set;
}

TEST(FilmMmd, OfOneRowAFilmIsTheKernelDistanceOfRows) {
  const FeatureSet a = Bags(40, 1, 0, 1), b = Bags(130, 1, 0.3, 2);
  const FilmKernels kid = KernelsOfFilms(a, b, kKidKernel), jedi = KernelsOfFilms(a, b, kJediKernel);
  EXPECT_NEAR(FilmMmd(kid), Kid(a.rows, b.rows), 1e-10);
  EXPECT_NEAR(100 * FilmMmd(jedi), Jedi(a.rows, b.rows).unbiased, 1e-9);
  EXPECT_NEAR(100 * BiasedFilmMmd(jedi), Jedi(a.rows, b.rows).biased, 1e-9);
}

TEST(FilmMmd, LeavesOutPairsWithinAFilm) {
  const FeatureSet a = Bags(12, 3, 0, 3), b = Bags(10, 2, 0.5, 4);
  const auto k = [](const at::Tensor& x, const at::Tensor& y) { return std::pow((x.dot(y) / 5.0 + 1.0).item<double>(), 3); };
  const auto mean = [&](const FeatureSet& x, const FeatureSet& y, bool own) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < x.rows.size(0); ++i)
      for (int64_t j = 0; j < y.rows.size(0); ++j) {
        if (own && x.video[static_cast<size_t>(i)] == y.video[static_cast<size_t>(j)]) continue;
        sum += k(x.rows[i], y.rows[j]);
        ++count;
      }
    return sum / static_cast<double>(count);
  };
  EXPECT_NEAR(FilmMmd(KernelsOfFilms(a, b, kKidKernel)), mean(a, a, true) + mean(b, b, true) - 2 * mean(a, b, false), 1e-9);
}

TEST(FilmMmd, DoesNotHangOnTheOrderOfFramesAndRisesWithTheShift) {
  const FeatureSet a = Bags(30, 4, 0, 5), b = Bags(30, 4, 0.4, 6);
  FeatureSet backwards = b;
  backwards.rows = b.rows.flip(0);
  std::reverse(backwards.video.begin(), backwards.video.end());
  const double near = FilmMmd(KernelsOfFilms(a, b, kKidKernel));
  EXPECT_NEAR(FilmMmd(KernelsOfFilms(a, backwards, kKidKernel)), near, 1e-10);
  EXPECT_GT(FilmMmd(KernelsOfFilms(a, Bags(30, 4, 0.8, 6), kKidKernel)), near);
}

// 95 % intervals of sets of one distribution hold 0 in about 95 of 100 cases; frames of a film are alike, which must not matter.
TEST(FilmMmd, IntervalOfEqualSetsHoldsZero) {
  int holds = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    Rng rng(i, "films");
    FeatureSet sets[2] = {Bags(24, 4, 0, 100 + i), Bags(24, 4, 0, 300 + i)};
    for (FeatureSet& set : sets) set.rows = 0.3 * set.rows + NormalTensor({24, 5}, rng).to(at::kDouble).repeat_interleave(4, 0);
    const Interval interval = FilmMmdInterval(KernelsOfFilms(sets[0], sets[1], kKidKernel), {.resamples = 400});
    holds += interval.low <= 0 && interval.high >= 0;
  }
  EXPECT_GE(holds, 85);
}

TEST(FilmMmd, RefusesFewFilmsAndOtherWidths) {
  EXPECT_THROW(KernelsOfFilms(Bags(9, 3, 0, 1), Bags(12, 3, 0, 1), kKidKernel), Error);
  FeatureSet narrow = Bags(12, 1, 0, 1);
  narrow.rows = narrow.rows.narrow(1, 0, 4).contiguous();
  EXPECT_THROW(KernelsOfFilms(Bags(12, 1, 0, 1), narrow, kKidKernel), Error);
}

TEST(FeatureNets, AreTheFourThatWereShipped) {
  std::vector<std::string> names;
  for (const FeatureNet& net : FeatureNets()) {
    names.push_back(net.Name() + (net.OfClips() ? " clips" : " frames"));
    EXPECT_EQ(net.Width(), net.Name() == "F-vid" ? 22 : 64);
    EXPECT_EQ(net.Hash().size(), 64u);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"F-img frames", "F-rand frames", "F-vid clips", "F-rand clips"}));
}

TEST(FeatureNets, EmbedFilmsWhateverIsAskedBesides) {
  const at::Tensor film = RecordFilm("maze", 3, 20);
  for (const FeatureNet& net : FeatureNets()) {
    const at::Tensor rows = net.Embed(film);
    EXPECT_EQ(rows.sizes(), (at::IntArrayRef{net.OfClips() ? 1 : 20, net.Width()})) << net.Name();
    EXPECT_TRUE(rows.equal(net.Embed(film))) << net.Name();
    EXPECT_FALSE(rows.equal(net.Embed(Blurred(film)))) << net.Name();
    if (net.OfClips()) {
      EXPECT_TRUE(rows.equal(net.Embed(film.narrow(0, 0, kClipFrames).contiguous())));
      EXPECT_THROW(net.Embed(film.narrow(0, 0, kClipFrames - 1).contiguous()), Error);
    }
  }
}

TEST(FeatureNets, PairDistanceIsZeroOfCopiesAndRisesWithTheFault) {
  const FeatureNet& net = FeatureNets().front();
  const at::Tensor film = RecordFilm("billiards", 3, 4);
  EXPECT_EQ(net.PairDistance(film, film).max().item<double>(), 0);
  const double mild = net.PairDistance(film, WithNoise(film, 0.02)).mean().item<double>();
  EXPECT_GT(mild, 0);
  EXPECT_GT(net.PairDistance(film, WithNoise(film, 0.1)).mean().item<double>(), mild);
  EXPECT_GT(net.PairDistance(film, Blurred(film, 2)).mean().item<double>(),
            net.PairDistance(film, Blurred(film, 0.7)).mean().item<double>());
}

TEST(FeatureNets, GatesSayWhereANetMayBeUsed) {
  EXPECT_NE(FailedGate(FeatureNets().front(), "no such world").find("never run"), std::string::npos);
}

TEST(FeatureNets, RefuseWhatIsNoNet) {
  EXPECT_THROW(FeatureNet("x", "PK no archive", "x.pt"), Error);
  EXPECT_THROW(AddFeatureNet("no-equals-sign"), Error);
  EXPECT_THROW(AddFeatureNet("F-img=some.pt"), Error);
  EXPECT_THROW(AddFeatureNet("a b=some.pt"), Error);
  EXPECT_THROW(AddFeatureNet("mine=/no/such/file.pt"), Error);
}

const Metric& Find(const ProbeResult& result, const std::string& id) {
  for (const Metric& m : result.metrics)
    if (m.id == id) return m;
  Fail("no metric {}", id);
}

TEST(Distribution, FramesSeeNoOrderClipsDo) {
  ProbePlan plan;
  plan.probe = "distribution";
  plan.world = "maze";
  plan.scenarios = 12;
  plan.frames = 16;
  const auto score = [&](const char* dummy) { return ProbeDistribution(*MakeSubjects(dummy).front(), plan); };
  const ProbeResult copy = score("dummy:copy"), shuffle = score("dummy:shuffle"), blur = score("dummy:blur");
  for (const Metric& m : copy.metrics) Check(m);
  const char* kid = "quality.kid@F-rand";  // of so few films its value is noise: that it sees faults, the gates show
  EXPECT_NEAR(*Find(copy, kid).value, *Find(shuffle, kid).value, 1e-6);
  EXPECT_NE(*Find(copy, kid).value, *Find(blur, kid).value);
  EXPECT_GT(*Find(blur, "quality.kid@F-img").value, 5 * std::abs(*Find(copy, "quality.kid@F-img").value));
  EXPECT_NE(Find(copy, "quality.kvd@F-vid").cause.find("F-vid may not be used on this world: G"), std::string::npos);
  EXPECT_TRUE(Find(copy, "quality.fid@F-rand").cause.starts_with(kOfNoSubject)) << Find(copy, "quality.fid@F-rand").cause;
  EXPECT_NE(Find(copy, "quality.kvd@F-rand").value, Find(shuffle, "quality.kvd@F-rand").value);
}

}  // namespace
}  // namespace orrery
