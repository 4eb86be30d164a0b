#include "eval/causality/object_effects.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "worlds/twins.h"

namespace orrery {

namespace {

using ById = std::map<int64_t, const WorldObject*>;

ById Index(const std::vector<WorldObject>& objects) {
  ById index;
  for (const WorldObject& object : objects) index[object.id] = &object;
  return index;
}

const WorldObject* Find(const ById& index, int64_t id) {
  const auto found = index.find(id);
  return found == index.end() ? nullptr : found->second;
}

std::set<int64_t> IdsIn(std::initializer_list<const ObjectFilm*> films) {
  std::set<int64_t> ids;
  for (const ObjectFilm* film : films)
    for (const auto& frame : *film)
      for (const WorldObject& object : frame) ids.insert(object.id);
  return ids;
}

// One object in one frame of a pair of twins, null where it is not.
struct Pair {
  const WorldObject *factual, *changed;
  bool Whole() const { return factual && changed && factual->kind == changed->kind; }
  size_t More() const { return std::min(factual->more.size(), changed->more.size()); }
};

std::vector<double> Displacement(const Pair& pair, size_t more) {
  std::vector<double> d = {pair.changed->x - pair.factual->x, pair.changed->y - pair.factual->y};
  for (size_t i = 0; i < more; ++i) d.push_back(pair.changed->more[i] - pair.factual->more[i]);
  return d;
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void AddTerm(ObjectEffects& out, const Pair& truth, const Pair& read, const ObjectEffectOptions& options) {
  const bool seen = read.Whole();
  const size_t more = seen ? std::min(truth.More(), read.More()) : truth.More();
  const std::vector<double> d = Displacement(truth, more);
  const double power = Dot(d, d);
  const bool moves = std::sqrt(power) > options.delta;
  ++out.terms;
  out.power += power;
  out.cosines += moves;
  if (!seen) {
    ++out.missing;
    out.error += std::pow(std::sqrt(power) + options.missing, 2);
    return;
  }
  const std::vector<double> r = Displacement(read, more);
  const double read_power = Dot(r, r), product = Dot(r, d);
  out.read_power += read_power;
  out.product += product;
  for (size_t i = 0; i < d.size(); ++i) out.error += (r[i] - d[i]) * (r[i] - d[i]);
  if (moves && read_power > 0) out.cosine_sum += product / std::sqrt(power * read_power);
}

// True and read onsets of the objects that both sets have.
std::pair<std::vector<double>, std::vector<double>> SharedOnsets(const ObjectEffects& effects) {
  std::vector<double> truth, read;
  for (const auto& [id, t] : effects.true_onset)
    if (const auto found = effects.read_onset.find(id); found != effects.read_onset.end()) {
      truth.push_back(static_cast<double>(t));
      read.push_back(static_cast<double>(found->second));
    }
  return {truth, read};
}

std::optional<double> Over(double above, double below) { return below > 0 ? std::optional(above / below) : std::nullopt; }

double Shared(const ObjectEffects& effects) { return static_cast<double>(SharedOnsets(effects).first.size()); }

template <class Get>
std::vector<double> Each(std::span<const ObjectEffects> pairs, const Get& get) {
  std::vector<double> values;
  for (const ObjectEffects& pair : pairs) values.push_back(static_cast<double>(get(pair)));
  return values;
}

Estimate MeanOver(std::span<const ObjectEffects> pairs, std::optional<double> (ObjectEffects::*get)() const, const std::string& cause) {
  std::vector<std::optional<double>> values;
  for (const ObjectEffects& pair : pairs) values.push_back((pair.*get)());
  return MeanEstimate(values, cause);
}

}  // namespace

std::map<int64_t, int64_t> Onsets(const ObjectFilm& a, const ObjectFilm& b, double delta, int64_t lost) {
  if (a.size() != b.size()) Fail("object effects: twins of one length expected, got {} and {} frames", a.size(), b.size());
  if (!(delta >= 0) || lost < 1) Fail("object effects: delta >= 0 and lost >= 1 expected, got {} and {}", delta, lost);
  std::map<int64_t, int64_t> onsets, alone;  // alone: for how many frames up to now only one film has it
  for (size_t t = 0; t < a.size(); ++t) {
    const ById in_a = Index(a[t]), in_b = Index(b[t]);
    std::set<int64_t> ids;
    for (const ById* index : {&in_a, &in_b})
      for (const auto& [id, object] : *index) ids.insert(id);
    std::erase_if(alone, [&](const auto& entry) { return !ids.contains(entry.first); });
    for (const int64_t id : ids) {
      const WorldObject *of_a = Find(in_a, id), *of_b = Find(in_b, id);
      if (of_a && of_b) {
        alone.erase(id);
        if (ObjectDistance(*of_a, *of_b) > delta) onsets.try_emplace(id, static_cast<int64_t>(t));
      } else if (++alone[id] >= lost) {
        onsets.try_emplace(id, static_cast<int64_t>(t) - lost + 1);
      }
    }
  }
  return onsets;
}

std::optional<double> ObjectEffects::Cne() const { return Over(error, power); }
std::optional<double> ObjectEffects::Slope() const { return Over(product, power); }
std::optional<double> ObjectEffects::Cosine() const { return Over(cosine_sum, static_cast<double>(cosines)); }
std::optional<double> ObjectEffects::Precision() const { return Over(Shared(*this), static_cast<double>(read_onset.size())); }
std::optional<double> ObjectEffects::Recall() const { return Over(Shared(*this), static_cast<double>(true_onset.size())); }

std::optional<double> ObjectEffects::OnsetError() const {
  const auto [truth, read] = SharedOnsets(*this);
  double sum = 0;
  for (size_t i = 0; i < truth.size(); ++i) sum += std::abs(read[i] - truth[i]);
  return Over(sum, static_cast<double>(truth.size()));
}

std::optional<double> ObjectEffects::Early() const {
  const auto [truth, read] = SharedOnsets(*this);
  int64_t count = 0;
  for (size_t i = 0; i < truth.size(); ++i) count += read[i] < truth[i] - static_cast<double>(early);
  return Over(static_cast<double>(count), static_cast<double>(truth.size()));
}

std::optional<double> ObjectEffects::Order() const {
  const auto [truth, read] = SharedOnsets(*this);
  if (truth.size() < 2 || std::ranges::min(truth) == std::ranges::max(truth)) return std::nullopt;
  return Kendall(truth, read);
}

std::set<int64_t> ObjectEffects::Affected() const {
  std::set<int64_t> ids;
  for (const auto& [id, t] : true_onset) ids.insert(id);
  return ids;
}

ObjectEffects CompareObjectEffects(const ObjectFilm& truth, const ObjectFilm& truth_changed, const ObjectFilm& read,
                                   const ObjectFilm& read_changed, const ObjectEffectOptions& options) {
  if (read.size() != truth.size())
    Fail("object effects: truth and read-out of one length expected, got {} and {} frames", truth.size(), read.size());
  ObjectEffects out;
  out.early = options.early;
  out.true_onset = Onsets(truth, truth_changed, options.delta);
  out.read_onset = Onsets(read, read_changed, options.delta, options.lost);
  for (const int64_t id : IdsIn({&truth, &truth_changed})) {
    if (out.true_onset.contains(id)) continue;
    ++out.untouched;
    out.spilled += out.read_onset.contains(id);
  }
  for (size_t t = 0; t < truth.size(); ++t) {
    const ById factual = Index(truth[t]), changed = Index(truth_changed[t]), seen = Index(read[t]), seen_changed = Index(read_changed[t]);
    for (const auto& [id, object] : factual)
      if (const Pair pair{object, Find(changed, id)}; pair.Whole()) AddTerm(out, pair, {Find(seen, id), Find(seen_changed, id)}, options);
  }
  return out;
}

ObjectEffectSummary SummarizeObjectEffects(std::span<const ObjectEffects> pairs) {
  const std::vector<double> power = Each(pairs, [](const auto& p) { return p.power; });
  const std::string still = "no intervention displaces a thing that both twins have", none = "no affected object was found";
  ObjectEffectSummary out;
  out.cne = RatioEstimate(Each(pairs, [](const auto& p) { return p.error; }), power, still);
  out.r2 = Mapped(out.cne, [](double cne) { return 1 - cne; });
  out.slope = RatioEstimate(Each(pairs, [](const auto& p) { return p.product; }), power, still);
  out.cosine = RatioEstimate(Each(pairs, [](const auto& p) { return p.cosine_sum; }), Each(pairs, [](const auto& p) { return p.cosines; }),
                             still + " by more than delta");
  const std::vector<double> shared = Each(pairs, Shared);
  out.precision =
      RatioEstimate(shared, Each(pairs, [](const auto& p) { return p.read_onset.size(); }), "the read-outs show no affected object");
  out.recall = RatioEstimate(shared, Each(pairs, [](const auto& p) { return p.true_onset.size(); }), "no object is affected in truth");
  out.spill = RatioEstimate(Each(pairs, [](const auto& p) { return p.spilled; }), Each(pairs, [](const auto& p) { return p.untouched; }),
                            "every object is affected in truth");
  out.onset_error = MeanOver(pairs, &ObjectEffects::OnsetError, none);
  out.early = MeanOver(pairs, &ObjectEffects::Early, none);
  out.order = MeanOver(pairs, &ObjectEffects::Order, "no pair has two affected objects with different onsets");
  out.missing = RatioEstimate(Each(pairs, [](const auto& p) { return p.missing; }), Each(pairs, [](const auto& p) { return p.terms; }),
                              "the worlds have no objects");
  return out;
}

Estimate DoseResponse(std::span<const double> truth, std::span<const double> read) {
  if (truth.size() != read.size()) Fail("dose response: as many true as read responses expected, got {} and {}", truth.size(), read.size());
  Estimate out;
  out.count = static_cast<int64_t>(truth.size());
  if (truth.size() < 3)
    out.cause = fmt::format("at least 3 doses are needed, got {}", truth.size());
  else if (std::ranges::min(truth) == std::ranges::max(truth))
    out.cause = "the true response is the same for every dose";
  else
    out.value = Spearman(truth, read);
  if (!out.value) out.failed = out.count;
  return out;
}

}  // namespace orrery
