// distribution: do imagined films look as real ones do, whatever happens in them? (evaluation 1.4, 1.5, 1.7, 1.8)
#include <ATen/ATen.h>

#include <cmath>

#include "eval/quality/feature_net.h"
#include "eval/quality/film_mmd.h"
#include "eval/suite/films.h"
#include "eval/suite/once.h"
#include "eval/suite/probe.h"

namespace orrery {

namespace {

constexpr int64_t kFewestFrames = 2048, kFewestFilms = 512, kFewestClips = 1024;  // of a Frechet distance (evaluation 1.5, 1.7)
constexpr int64_t kPairEvery = 4;                                                 // frames between two that F-pair looks at
constexpr int kFrechetResamples = 200;

void Append(FeatureSet& set, const at::Tensor& rows, int64_t film) {
  set.rows = set.rows.defined() ? at::cat({set.rows, rows}) : rows;
  set.video.insert(set.video.end(), static_cast<size_t>(rows.size(0)), film);
}

// A plan's scenarios are imagined; as many others, whose films nobody imagined, are what is real.
std::pair<std::vector<Scenario>, std::vector<Scenario>> ImaginedAndReal(ProbePlan plan) {
  const int64_t n = plan.scenarios;
  plan.scenarios *= 2;
  std::vector<Scenario> all = MakeScenarios(plan);
  ORRERY_CHECK(std::ssize(all) == 2 * n);
  return {{all.begin(), all.begin() + n}, {all.begin() + n, all.end()}};
}

const FeatureSet& RealFeatures(const ProbePlan& plan, const FeatureNet& net) {
  return OncePerPlan<FeatureSet>(plan, "features of " + net.Hash(), [&] {
    FeatureSet set;
    int64_t film = 0;
    for (const Scenario& s : ImaginedAndReal(plan).second) Append(set, net.Embed(Future(MakeTruth(s), s)), film++);
    return set;
  });
}

std::string WhyNoFrechet(const FeatureNet& net, const FeatureSet& made, int64_t films) {
  const int64_t rows = made.rows.size(0);
  if (net.OfClips() && rows < kFewestClips) return fmt::format("{}needs {} films, has {}", kOfNoSubject, kFewestClips, rows);
  if (!net.OfClips() && (rows < kFewestFrames || films < kFewestFilms))
    return fmt::format("{}needs {} frames of {} films, has {} of {}", kOfNoSubject, kFewestFrames, kFewestFilms, rows, films);
  if (rows <= 10 * net.Width()) return fmt::format("{}needs {} rows, ten a feature, has {}", kOfNoSubject, 10 * net.Width() + 1, rows);
  return {};
}

// One net's view of a subject.
class View {
 public:
  View(const ProbePlan& plan, const FeatureNet& net, const FeatureSet& made)
      : plan_(plan), net_(net), made_(made), real_(RealFeatures(plan, net)), unusable_(FailedGate(net, plan.world)) {}

  void AddTo(std::vector<Metric>& metrics) const {
    const KernelEstimates kid = Kernel(kKidKernel, 1);
    metrics.push_back(Finish(net_.OfClips() ? "kvd" : "kid", kid.unbiased, net_.OfClips() ? "arXiv 1812.01717" : "arXiv 1801.01401",
                             "Kernel distance to other real films, (x.y / d + 1)^3, without bias, may be negative; a film is one item, a "
                             "bag of frames, so that their order makes no difference."));
    if (net_.OfClips()) {
      const KernelEstimates jedi = Kernel(kJediKernel, 100);
      metrics.push_back(Finish("jedi", jedi.unbiased, "arXiv 2410.05203",
                               "100 times the kernel distance to other real films with (x.y / d)^2, without bias."));
      metrics.back().notes.push_back(fmt::format("In the biased form, as published: {:.6g}.", jedi.biased));
    }
    AddFrechet(metrics);
  }

 private:
  struct KernelEstimates {
    Estimate unbiased;
    double biased = 0;
  };
  KernelEstimates Kernel(const PolynomialKernel& kernel, double scale) const {
    const FilmKernels kernels = KernelsOfFilms(made_, real_, kernel);
    const Interval interval = FilmMmdInterval(kernels);
    KernelEstimates e;
    e.unbiased.value = scale * FilmMmd(kernels);
    e.unbiased.interval = Interval{scale * interval.low, scale * interval.high};
    e.unbiased.count = plan_.scenarios;
    e.unbiased.method = fmt::format("half-sampling-{}", kResamples);
    e.biased = scale * BiasedFilmMmd(kernels);
    return e;
  }

  void AddFrechet(std::vector<Metric>& metrics) const {
    Estimate plain, limit;
    FrechetLimit line;
    plain.count = limit.count = plan_.scenarios;
    plain.cause = limit.cause = WhyNoFrechet(net_, made_, plan_.scenarios);
    if (plain.cause.empty()) {
      plain.value = Frechet(real_.rows, made_.rows);
      plain.interval = FrechetInterval(real_, made_, {Target::kThisSize, kFrechetResamples});
      line = ExtrapolateFrechet(real_.rows, made_);
      limit.value = line.value;
      // The limit keeps the bias of the real set, half of all as both sets have as many films: half way to both sets endless.
      const Interval endless = FrechetInterval(real_, made_, {Target::kEndless, kFrechetResamples});
      limit.interval = Interval{(plain.interval->low + endless.low) / 2, (plain.interval->high + endless.high) / 2};
      plain.method = limit.method = fmt::format("half-sampling-{}", kFrechetResamples);
    }
    const std::string name = net_.OfClips() ? "fvd" : "fid";
    metrics.push_back(Finish(name, plain, net_.OfClips() ? "arXiv 1812.01717" : "arXiv 1706.08500",
                             "Frechet distance to other real films; biased upward by about k / N, with a k of each subject."));
    metrics.push_back(Finish(name + "-inf", limit, "arXiv 1911.07023", "That distance of endlessly many imagined films."));
    if (!line.rows.empty() && metrics.back().value) metrics.back().curve = OverSizes(line);
  }

  // Distances of fewer rows against 1 / rows, and the line whose end at 0 is the limit.
  static Curve OverSizes(const FrechetLimit& line) {
    Curve c;
    c.x_label = "1 / rows of the imagined";
    c.y_label = "distance";
    for (size_t i = line.rows.size(); i-- > 0;) {
      c.x.push_back(1 / static_cast<double>(line.rows[i]));
      c.y.push_back(line.distances[i]);
    }
    c.x.insert(c.x.begin(), 0);
    c.y.insert(c.y.begin(), line.value);
    for (const double x : c.x) c.fit.push_back(line.value + line.slope * x);
    return c;
  }

  Metric Finish(const std::string& name, Estimate e, const char* source, const char* note) const {
    const std::string id = fmt::format("quality.{}@{}", name, net_.Name());
    const bool control = net_.Name() == "F-rand";
    if (!unusable_.empty() && !control) {
      e.value.reset();
      e.interval.reset();
      e.cause = kOfNoSubject + unusable_;
    }
    Metric m = MetricOf(plan_, id, e, "lower", {{"real", 0}}, "1", source, note);
    m.notes.push_back(fmt::format("Features of {}, SHA-256 {}; of no use beside numbers on other nets.", net_.Name(), net_.Hash()));
    if (control && !unusable_.empty()) m.notes.push_back("Only shown beside a trained net: " + unusable_ + ".");
    if (!net_.BuiltIn()) m.notes.push_back("Nobody has run the validity gates on this net.");
    return m;
  }

  const ProbePlan& plan_;
  const FeatureNet& net_;
  const FeatureSet& made_;
  const FeatureSet& real_;
  std::string unusable_;
};

const FeatureNet& PairNet() {
  const auto& nets = FeatureNets();
  const auto found = std::find_if(nets.begin(), nets.end(), [](const FeatureNet& n) { return n.BuiltIn() && n.HasStages(); });
  ORRERY_CHECK(found != nets.end() && found->Name() == "F-img");
  return *found;
}

double PairDistance(const at::Tensor& frames, const at::Tensor& truth) {
  const auto thin = [](const at::Tensor& x) { return x.slice(0, 0, x.size(0), kPairEvery).contiguous(); };
  return PairNet().PairDistance(thin(frames), thin(truth)).mean().item<double>();
}

// That of the context's last frames.
double FrozenPair(const ProbePlan& plan) {
  return OncePerPlan<double>(plan, "frozen pair", [&] {
    double sum = 0;
    for (const Scenario& s : ImaginedAndReal(plan).first) {
      const Truth truth = MakeTruth(s);
      const at::Tensor future = Future(truth, s);
      sum += PairDistance(LastShown(truth, s).expand_as(future).contiguous(), future) / static_cast<double>(plan.scenarios);
    }
    return sum;
  });
}

Metric PairMetric(const ProbePlan& plan, const std::vector<std::optional<double>>& distances) {
  Estimate e = MeanEstimate(distances, "no film");
  if (const std::string unusable = FailedGate(PairNet(), plan.world); !unusable.empty()) {
    e.value.reset();
    e.cause = kOfNoSubject + unusable;
  }
  return MetricOf(plan, "quality.f-pair", e, "lower", {{"perfect", 0}, {"frozen", FrozenPair(plan)}}, "1", "after arXiv 1801.03924",
                  "Distance to the true frame of the same index with LPIPS's formula on the stages of F-img, every 4th frame; nobody has "
                  "held it against people's judgement.");
}

}  // namespace

ProbeResult ProbeDistribution(const Subject& subject, const ProbePlan& plan) {
  if (plan.frames < kClipFrames) Fail("distribution: at least {} imagined frames expected, got {}", kClipFrames, plan.frames);
  const std::vector<FeatureNet>& nets = FeatureNets();
  std::vector<FeatureSet> made(nets.size());
  std::vector<std::optional<double>> pair;
  int64_t film = 0;
  for (const Scenario& s : ImaginedAndReal(plan).first) {
    const at::Tensor frames = Imagine(subject, s, 0).frames, truth = Future(MakeTruth(s), s);
    for (size_t i = 0; i < nets.size(); ++i) Append(made[i], nets[i].Embed(frames), film);
    pair.push_back(PairDistance(frames, truth));
    ++film;
  }
  ProbeResult result;
  for (size_t i = 0; i < nets.size(); ++i) View(plan, nets[i], made[i]).AddTo(result.metrics);
  result.metrics.push_back(PairMetric(plan, pair));
  return result;
}

}  // namespace orrery
