// The claims, each a small rule. "Falsified if" of the specification is where a finding's opposite contradicts.
#include <algorithm>
#include <cmath>

#include "eval/report/evidence.h"

namespace orrery {

namespace {

constexpr double kMargin = 0.1;    // of an exponent
constexpr double kNothing = 1e-6;  // share of pixels that counts as no leak: a pixel of a short film is more
constexpr double kRaised = 0.5;    // dB of teacher-forced PSNR that counts as no loss

// The first of these metrics that all have somewhere, with what sign it counts.
struct Fidelity {
  const char *id, *name;
  double sign;
};
constexpr Fidelity kFidelity[] = {{"quality.f-pair", "F-pair", -1}, {"quality.psnr", "PSNR", 1}};

// H1
Ruling ImplicitIsFaithful(const std::vector<Recipe>& models) {
  Ruling r;
  const Members implicit = Implicit(models), explicit_ = Explicit(models), all = Both(implicit, explicit_);
  if (!(Present(r, implicit, "an implicit state") & Present(r, explicit_, "an explicit state"))) return r;
  bool fidelity = false;
  for (const Fidelity& f : kFidelity) {
    for (const std::string& world : CommonWorlds(all, f.id)) {
      FindDifference(r, fmt::format("{} on {}, implicit better by", f.name, world), implicit, explicit_, f.id, world, "", f.sign);
      fidelity = true;
    }
    if (fidelity) break;
  }
  if (!fidelity) r.missing.push_back("quality.psnr of all of them on one world");
  const int64_t window = LeastReach(all);
  if (const auto gap = window ? LongestWithin(all, window) : std::nullopt)
    FindDifference(r, gap->Text() + ", implicit less explicit", implicit, explicit_, gap->id, gap->world, gap->part);
  else
    r.missing.push_back(fmt::format("a memory gain of all of them within the reach of the window ({} frames)", window));
  return r;
}

// H2. Where between two gaps the gain falls most, in frames (their geometric mean).
double ChangePoint(const std::vector<int64_t>& gaps, std::span<const double> gains) {
  size_t at = 0;
  for (size_t k = 0; k + 1 < gains.size(); ++k)
    if (gains[k] - gains[k + 1] > gains[at] - gains[at + 1]) at = k;
  return std::sqrt(static_cast<double>(gaps[at]) * static_cast<double>(gaps[at + 1]));
}

void WindowLimitOf(Ruling& r, const Recipe& recipe) {
  const Members one{&recipe};
  const int64_t w = recipe.WindowReach();
  for (const char* id : kGains) {
    std::vector<Gap> gaps = CommonGaps(one, id);
    if (gaps.empty()) continue;
    std::sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.frames < b.frames; });
    const auto inside = std::find_if(gaps.rbegin(), gaps.rend(),
                                     [&](const Gap& g) { return g.frames <= std::max<int64_t>(w / 2, gaps[0].frames) && g.frames <= w; });
    const auto far = std::find_if(gaps.begin(), gaps.end(), [&](const Gap& g) { return g.frames >= 4 * w; });
    if (inside == gaps.rend() || far == gaps.end() || inside->world != far->world) continue;
    const std::vector<SeedValues> ends{ValuesOf(recipe, id, inside->world, inside->part), ValuesOf(recipe, id, far->world, far->part)};
    Find(
        r, fmt::format("{}: {} (> 0)", recipe.name, inside->Text()), ends, [](std::span<const double> m) { return m[0]; }, false);
    Find(r, fmt::format("{}: 0.8 of that less the gain after {}", recipe.name, far->frames), ends,
         [](std::span<const double> m) { return 0.8 * m[0] - m[1]; });
    std::vector<SeedValues> curve;
    std::vector<int64_t> frames;
    for (const Gap& g : gaps)
      if (g.world == far->world) {
        curve.push_back(ValuesOf(recipe, id, g.world, g.part));
        frames.push_back(g.frames);
      }
    const auto limit = static_cast<double>(w);
    Find(
        r, fmt::format("{}: steepest fall within half and twice the reach of its window, {} frames (1, else -1)", recipe.name, w), curve,
        [=](std::span<const double> m) {
          const double at = ChangePoint(frames, m);
          return at >= 0.5 * limit && at <= 2 * limit ? 1.0 : -1.0;
        },
        false);
    return;
  }
  r.missing.push_back(fmt::format("{}: a memory gain within {} frames and one at {} or more", recipe.name, w, 4 * w));
}

Ruling ImplicitEndsAtItsWindow(const std::vector<Recipe>& models) {
  Ruling r;
  const Members limited =
      Those(models, [](const Recipe& m) { return m.mechanism.implicit && m.mechanism.window > 0 && m.mechanism.reach >= 0; });
  if (!Present(r, limited, "an implicit state that sees no further than its window")) return r;
  for (const Recipe* recipe : limited) WindowLimitOf(r, *recipe);
  return r;
}

// H3
Ruling ExplicitReachesFurther(const std::vector<Recipe>& models) {
  Ruling r;
  const Members explicit_ = Explicit(models), implicit = Implicit(models), all = Both(explicit_, implicit);
  if (!Present(r, explicit_, "an explicit state")) return r;
  const int64_t window = std::max<int64_t>(1, MostReach(all));
  if (const auto gap = ShortestBeyond(explicit_, 4 * window))
    Find(r, gap->Text() + ", mean of explicit", NumbersOf(explicit_, gap->id, gap->world, gap->part),
         [](std::span<const double> m) { return Mean(m); });
  else
    r.missing.push_back(fmt::format("a memory gain of all explicit states at {} frames or more", 4 * window));
  if (!Present(r, implicit, "an implicit state")) return r;
  constexpr const char* kHalf = "persistence.revisit.half-life";
  const std::vector<std::string> worlds = CommonWorlds(all, kHalf);
  if (worlds.empty()) r.missing.push_back("persistence.revisit.half-life of all of them on one world");
  for (const std::string& world : worlds)
    FindDifference(r, fmt::format("half-life on {}, explicit less implicit, frames", world), explicit_, implicit, kHalf, world);
  return r;
}

// Exponent of what is added when the history doubles, which no constant hides: 1 linear, 0 nothing added. One a seed.
SeedValues GrowthOf(const Recipe& recipe, const std::string& world) {
  SeedValues values;
  for (const Evaluation* e : recipe.runs)
    for (const Metric& m : e->metrics) {
      if (m.id != "cost.bytes-exponent" || m.world != world || !m.curve || m.curve->y.size() < 3) continue;
      const std::vector<double>& y = m.curve->y;
      const size_t n = y.size();
      const double last = y[n - 1] - y[n - 2], before = y[n - 2] - y[n - 3];
      if (last <= 0)
        values.push_back({0, {}, {}});
      else if (before > 0)
        values.push_back({std::log2(last / before), {}, {}});
    }
  return values;
}

// H4
Ruling MemoryGrows(const std::vector<Recipe>& models) {
  Ruling r;
  const Members buffers = Those(models, [](const Recipe& m) { return m.mechanism.implicit && !m.mechanism.bounded; });
  const Members explicit_ = Explicit(models);
  if (!(Present(r, buffers, "a state that keeps every frame") & Present(r, explicit_, "an explicit state"))) return r;
  for (const auto& [members, target] : {std::pair{buffers, 1.0}, {explicit_, 0.0}})
    for (const Recipe* recipe : members) {
      const std::vector<std::string> worlds = CommonWorlds({recipe}, "cost.bytes-exponent");
      const SeedValues growth = worlds.empty() ? SeedValues{} : GrowthOf(*recipe, worlds[0]);
      if (growth.empty()) {
        r.missing.push_back(fmt::format("{}: bytes against the history over enough of it", recipe->name));
        continue;
      }
      Find(r,
           fmt::format("{}: exponent of the bytes that are added is {:.3g}; within {} of {}, by", recipe->name, growth[0].value, kMargin,
                       target),
           {&growth, 1}, [=](std::span<const double> m) { return kMargin - std::abs(m[0] - target); });
    }
  return r;
}

// H5
Ruling TimeGrows(const std::vector<Recipe>& models) {
  Ruling r;
  constexpr const char* kId = "cost.time-exponent";
  const Members full = OfKind(models, "full attention"), sparse = OfKind(models, "internal retrieval"), explicit_ = Explicit(models);
  const bool any_explicit = Present(r, explicit_, "an explicit state");
  for (const Recipe* recipe : explicit_) {
    const std::vector<std::string> worlds = CommonWorlds({recipe}, kId);
    if (worlds.empty())
      r.missing.push_back(fmt::format("{}: {}", recipe->name, kId));
    else
      Find(r, fmt::format("{}: exponent of time within {} of 0, by", recipe->name, kMargin), NumbersOf({recipe}, kId, worlds[0]),
           [](std::span<const double> m) { return kMargin - std::abs(m[0]); });
  }
  const auto order = [&](const Members& more, const Members& less, const char* what) {
    const std::vector<std::string> worlds = CommonWorlds(Both(more, less), kId);
    if (worlds.empty())
      r.missing.push_back(fmt::format("{} of all of them on one world", kId));
    else
      FindDifference(r, what, more, less, kId, worlds[0]);
  };
  if (!(Present(r, full, "full attention") & Present(r, sparse, "sparse attention over everything"))) return r;
  order(full, sparse, "exponent of time, full less sparse attention");
  if (any_explicit) order(sparse, explicit_, "exponent of time, sparse attention less explicit");
  return r;
}

std::string LayoutOf(const Recipe& r) { return r.facts.value("layout", ""); }

// H6
Ruling CausalMasksDoNotLeak(const std::vector<Recipe>& models) {
  Ruling r;
  const auto causal_layout = [](const Recipe& m) { return LayoutOf(m) != "bidirectional"; };
  const Members causal = Those(models, causal_layout), both_ways = Those(models, [&](const Recipe&m) { return !causal_layout(m); });
  if (!(Present(r, causal, "a causal layout") & Present(r, both_ways, "a bidirectional layout"))) return r;
  std::set<std::pair<std::string, std::string>> leaks, errors;
  for (const Recipe* m : Both(causal, both_ways))
    for (const Evaluation* e : m->runs)
      for (const Metric& metric : e->metrics) {
        if (metric.value && (metric.id.ends_with(".leak") || metric.id == "causality.future-leak.before"))
          leaks.emplace(metric.id, metric.world);
        if (metric.value && metric.id.ends_with(".cne")) errors.emplace(metric.id, metric.world);
      }
  if (leaks.empty()) r.missing.push_back("a leak before the actions differ");
  for (const auto& [id, world] : leaks)
    for (const Recipe* m : Both(causal, both_ways))
      if (const SeedValues leak = ValuesOf(*m, id, world); !leak.empty()) {
        const double sign = causal_layout(*m) ? 1 : -1;
        Find(r, fmt::format("{}: {} on {} {} nothing, by", m->name, id, world, sign > 0 ? "is" : "is more than"), {&leak, 1},
             [=](std::span<const double> v) { return sign * (kNothing - v[0]); });
      }
  bool compared = false;
  for (const auto& [id, world] : errors)
    if (const std::vector<std::string> common = CommonWorlds(Both(causal, both_ways), id);
        std::find(common.begin(), common.end(), world) != common.end()) {
      FindDifference(r, fmt::format("{} on {}, bidirectional less causal", id, world), both_ways, causal, id, world);
      compared = true;
    }
  if (!compared) r.missing.push_back("the error of effects (CNE) of all of them on one world");
  return r;
}

// H7. Models do not tell their objective where it is diffusion forcing.
Ruling ForcingLowersDrift(const std::vector<Recipe>& models) {
  Ruling r;
  const auto forced = [](const Recipe& m) {
    const std::string o = m.facts.value("objective", "diffusion-forcing");
    return o.ends_with("forcing") && !o.starts_with("teacher");
  };
  const Members forcing = Those(models, forced), others = Those(models, [&](const Recipe&m) { return !forced(m); }),
                all = Both(others, forcing);
  if (!(Present(r, forcing, "a forcing objective") & Present(r, others, "another objective than forcing (teacher-forced)"))) return r;
  constexpr const char *kSlope = "persistence.exposure-slope", *kForced = "persistence.forced.psnr";
  const std::vector<std::string> worlds = CommonWorlds(all, kSlope);
  if (worlds.empty()) r.missing.push_back("persistence.exposure-slope of all of them on one world");
  for (const std::string& world : worlds) {
    FindDifference(r, fmt::format("exposure slope on {}, others less forcing", world), others, forcing, kSlope, world);
    const std::vector<std::string> with = CommonWorlds(all, kForced);
    if (std::find(with.begin(), with.end(), world) == with.end()) {
      r.missing.push_back(fmt::format("{} on {}", kForced, world));
      continue;
    }
    const size_t first = others.size();
    Find(r, fmt::format("teacher-forced PSNR on {}, forcing less others, above -{} dB by", world, kRaised), NumbersOf(all, kForced, world),
         [=](std::span<const double> m) { return kRaised + Mean(m.subspan(first)) - Mean(m.subspan(0, first)); });
  }
  return r;
}

// H8
Ruling GeometryKnowsWhatStandsStill(const std::vector<Recipe>& models) {
  Ruling r;
  const Members geometry = OfKind(models, "geometry"),
                others = Those(models, [](const Recipe&m) { return m.mechanism.kind != "geometry"; });
  const Members all = Both(geometry, others);
  if (!(Present(r, geometry, "a geometric state") & Present(r, others, "another state"))) return r;
  const size_t first = geometry.size();
  if (const auto gap = ShortestBeyond(all, 4 * std::max<int64_t>(1, MostReach(all))))
    Find(r, gap->Text() + ", geometry less the best other", NumbersOf(all, gap->id, gap->world, gap->part), [=](std::span<const double> m) {
      return Mean(m.subspan(0, first)) - *std::max_element(m.begin() + static_cast<std::ptrdiff_t>(first), m.end());
    });
  else
    r.missing.push_back("a memory gain of all of them beyond four times the reach of the window");
  constexpr const char* kProgress = "persistence.hidden.progress";
  const std::vector<std::string> worlds = CommonWorlds(all, kProgress);
  if (worlds.empty()) r.missing.push_back("persistence.hidden.progress of all of them on one world");
  for (const std::string& world : worlds)
    Find(r, fmt::format("progress out of sight on {}, the worst other less geometry", world), NumbersOf(all, kProgress, world),
         [=](std::span<const double> m) {
           return *std::min_element(m.begin() + static_cast<std::ptrdiff_t>(first), m.end()) - Mean(m.subspan(0, first));
         });
  return r;
}

// H9. The unit is the model: every draw takes as many models as there are, with repetition.
constexpr size_t kModels = 5;
std::string WorldName(const std::string& spec) { return spec.substr(0, spec.find('(')); }

std::optional<double> MeanOn(const Recipe& m, const std::string& id, const std::string& world) {
  double sum = 0;
  int64_t count = 0;
  for (const Evaluation* e : m.runs)
    for (const Metric& metric : e->metrics)
      if (metric.id == id && WorldName(metric.world) == world && metric.value) {
        sum += *metric.value;
        ++count;
      }
  return count ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
}

Ruling ControlPredictsSuccess(const std::vector<Recipe>& models) {
  Ruling r;
  std::set<std::pair<std::string, std::string>> tasks;  // success, world
  for (const Recipe& m : models)
    for (const Evaluation* e : m.runs)
      for (const Metric& metric : e->metrics)
        if (metric.id.starts_with("causality.planning.") && metric.id.ends_with(".success"))
          tasks.emplace(metric.id, WorldName(metric.world));
  size_t most = 0;
  for (const auto& [id, world] : tasks) {
    std::vector<double> success, quality, control;
    for (const Recipe& m : models) {
      const auto s = MeanOn(m, id, world), q = MeanOn(m, "quality.psnr", world), c = MeanOn(m, "causality.control.normalised", world);
      if (!s || !q || !c) continue;
      success.push_back(*s);
      quality.push_back(*q);
      control.push_back(*c);
    }
    most = std::max(most, success.size());
    if (success.size() < kModels) continue;
    const Resampled rows = ResampleRows(std::ssize(success), [&](std::span<const int64_t> chosen) {
      const auto pick = [&](const std::vector<double>& v) {
        std::vector<double> out;
        for (const int64_t i : chosen) out.push_back(v[static_cast<size_t>(i)]);
        return out;
      };
      return Spearman(pick(control), pick(success)) - Spearman(pick(quality), pick(success));
    });
    AddFinding(r, fmt::format("rank correlation with {} over {} models, of control less of PSNR", id, success.size()), rows);
  }
  if (r.findings.empty())
    r.missing.push_back(fmt::format("planning success, PSNR and control of {} models on one world (most: {})", kModels, most));
  return r;
}

// H10
Ruling PoseBeatsLikeness(const std::vector<Recipe>& models) {
  Ruling r;
  const auto with = [&](const char* part) { return Those(models, [=](const Recipe& m) { return m.mechanism.Has(part); }); };
  const Members pose = with("retrieval.pose"), key = with("retrieval.key"), all = Both(pose, key);
  if (!(Present(r, pose, "retrieval.pose") & Present(r, key, "retrieval.key"))) return r;
  if (const auto gap = ShortestBeyond(all, 4 * std::max<int64_t>(1, MostReach(all))))
    FindDifference(r, gap->Text() + ", by pose less by likeness", pose, key, gap->id, gap->world, gap->part);
  else
    r.missing.push_back("a memory gain of both beyond four times the reach of the window");
  return r;
}

}  // namespace

const std::vector<ClaimRule>& ClaimRules() {
  static const std::vector<ClaimRule> rules{
      {"H1", "Within the window, implicit states keep more detail than explicit ones.", ImplicitIsFaithful},
      {"H2", "What an implicit state remembers falls off where its window ends.", ImplicitEndsAtItsWindow},
      {"H3", "Explicit states still know something beyond the window, and fade later than implicit ones.", ExplicitReachesFurther},
      {"H4", "Bytes grow in proportion to the history where frames are kept, and not at all in explicit states.", MemoryGrows},
      {"H5", "Time a frame does not grow in explicit states, grows most with full attention, and less with sparse attention.", TimeGrows},
      {"H6", "Causal masks let nothing of the future through, and effects are better for it.", CausalMasksDoNotLeak},
      {"H7", "Forcing-type training lowers the slope of drift without raising the teacher-forced error.", ForcingLowersDrift},
      {"H8", "A geometric state is best at revisits of what stands still, and worst where things move.", GeometryKnowsWhatStandsStill},
      {"H9", "Controllability predicts success in planning, quality of pictures does not.", ControlPredictsSuccess},
      {"H10", "Where poses are known, retrieval by pose beats retrieval by likeness.", PoseBeatsLikeness},
  };
  return rules;
}

}  // namespace orrery
