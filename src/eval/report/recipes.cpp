#include "eval/report/recipes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/file.h"
#include "core/rng.h"

namespace orrery {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kIdentity = {"name", "sha256", "weights_hash", "training_seed"};

// Weights are what a model is; its name is a path.
std::string IdentityOf(const Evaluation& e) {
  Json facts = e.model;
  if (facts.contains("sha256") || facts.contains("weights_hash")) facts.erase("name");
  return facts.dump();
}

void Append(Json& list, const Json& more, const char* key) {
  if (!more.contains(key)) return;
  if (!list.contains(key)) list[key] = Json::array();
  for (const Json& item : more.at(key))
    if (std::find(list[key].begin(), list[key].end(), item) == list[key].end()) list[key].push_back(item);
}

// A cell that failed in one run and was done in the other has not failed.
void DropMended(Json& protocol) {
  if (!protocol.contains("failed") || !protocol.contains("plans")) return;
  Json left = Json::array();
  for (const Json& failed : protocol.at("failed"))
    if (std::none_of(protocol.at("plans").begin(), protocol.at("plans").end(),
                     [&](const Json& plan) { return plan.at("probe") == failed.at("probe") && plan.at("world") == failed.at("world"); }))
      left.push_back(failed);
  protocol["failed"] = left;
}

void JoinInto(Evaluation& whole, Evaluation more) {
  for (Metric& m : more.metrics) {
    const auto same = std::find_if(whole.metrics.begin(), whole.metrics.end(),
                                   [&](const Metric& old) { return old.id == m.id && old.world == m.world && old.split == m.split; });
    if (same == whole.metrics.end())
      whole.metrics.push_back(std::move(m));
    else if (!same->value || (m.value && m.count >= same->count))
      *same = std::move(m);
  }
  whole.sanity.insert(whole.sanity.end(), more.sanity.begin(), more.sanity.end());
  for (Strip& strip : more.strips)
    if (std::none_of(whole.strips.begin(), whole.strips.end(), [&](const Strip& old) { return old.png == strip.png; }))
      whole.strips.push_back(std::move(strip));
  for (const char* key : {"plans", "skipped", "failed"}) Append(whole.protocol, more.protocol, key);
  DropMended(whole.protocol);
  if (whole.run.contains("seconds") && more.run.contains("seconds"))
    whole.run["seconds"] = whole.run.at("seconds").get<double>() + more.run.at("seconds").get<double>();
}

std::string StateOf(const Recipe& r) { return r.facts.value("state", ""); }

// What tells recipes of one state apart: the facts in which they differ, or their subjects' names.
void NameApart(std::vector<Recipe>& recipes) {
  std::map<std::string, std::vector<Recipe*>> by_state;
  for (Recipe& r : recipes) by_state[r.name].push_back(&r);
  for (auto& [state, same] : by_state) {
    if (same.size() < 2) continue;
    for (Recipe* r : same) {
      std::string apart;
      for (const auto& [key, value] : r->facts.items())
        if (std::find(kIdentity.begin(), kIdentity.end(), key) == kIdentity.end() &&
            std::any_of(same.begin(), same.end(), [&](const Recipe* o) { return !o->facts.contains(key) || o->facts.at(key) != value; }))
          apart += fmt::format(", {} {}", key, value.is_string() ? value.get<std::string>() : value.dump());
      if (apart.empty()) apart = ", " + r->facts.value("name", "");
      r->name += apart;
    }
  }
}

double MeanAt(const std::vector<double>& values, const std::vector<int64_t>& rows) {
  double sum = 0;
  for (const int64_t row : rows) sum += values[static_cast<size_t>(row)];
  return sum / static_cast<double>(rows.size());
}

// One draw of a number: seeds with repetition, each by its scenarios or its interval.
double Draw(const SeedValues& seeds, std::map<size_t, std::vector<int64_t>>& rows, Rng& rng) {
  const size_t S = seeds.size();
  std::vector<double> values;
  for (const SeedValue& seed : seeds) {
    const size_t n = seed.per_scenario.size();
    if (n >= 2) {
      std::vector<int64_t>& drawn = rows[n];
      if (drawn.empty())
        for (size_t i = 0; i < n; ++i) drawn.push_back(rng.Below(static_cast<int64_t>(n)));
      values.push_back(MeanAt(seed.per_scenario, drawn));
    } else {
      values.push_back(seed.value + (seed.interval ? rng.Normal() * (seed.interval->high - seed.interval->low) / (2 * 1.959964) : 0));
    }
  }
  const double mean = Mean(values);
  if (S == 1) return mean;
  const double widened = std::sqrt(static_cast<double>(S) / static_cast<double>(S - 1));
  double sum = 0;
  for (size_t k = 0; k < S; ++k) sum += values[static_cast<size_t>(rng.Below(static_cast<int64_t>(S)))] - mean;
  return mean + widened * sum / static_cast<double>(S);
}

void Bound(Resampled& r) {
  std::vector<double> sorted = r.draws;
  std::sort(sorted.begin(), sorted.end());
  const size_t n = sorted.size(), tail = n / 40;
  r.interval = {sorted[tail], sorted[n - 1 - tail]};
}

SeedValue ValueOf(double value, const std::optional<Interval>& interval, const std::vector<double>& per_scenario) {
  const bool fits = per_scenario.size() >= 2 && std::abs(Mean(per_scenario) - value) <= 1e-6 * std::max(1.0, std::abs(value));
  return {value, interval, fits ? per_scenario : std::vector<double>{}};
}

}  // namespace

std::vector<Evaluation> LoadRuns(const std::vector<fs::path>& folders) {
  std::vector<Evaluation> all;
  for (const fs::path& folder : folders) {
    const size_t before = all.size();
    if (fs::exists(folder / "eval.json")) {
      all.push_back(LoadEvaluation(folder));
    } else if (fs::is_directory(folder)) {
      std::set<fs::path> below;
      for (const auto& entry : fs::directory_iterator(folder))
        if (fs::exists(entry.path() / "eval.json")) below.insert(entry.path());
      for (const fs::path& one : below) all.push_back(LoadEvaluation(one));
    }
    if (all.size() == before)
      Fail(
          "{}: expected an eval.json in it or one level below; give a folder "
          "that 'orrery eval --out' made",
          folder.string());
  }
  return all;
}

std::vector<Evaluation> JoinRuns(std::vector<Evaluation> evaluations) {
  std::vector<Evaluation> joined;
  std::map<std::string, size_t> place;
  for (Evaluation& e : evaluations) {
    const auto [at, fresh] = place.emplace(IdentityOf(e), joined.size());
    if (fresh)
      joined.push_back(std::move(e));
    else
      JoinInto(joined[at->second], std::move(e));
  }
  return joined;
}

int64_t Recipe::WindowReach() const { return mechanism.window < 0 ? -1 : mechanism.window * facts.value("depth", int64_t{6}); }

const Metric* Recipe::Find(const std::string& id, const std::string& world) const {
  for (const Evaluation* e : runs)
    for (const Metric& m : e->metrics)
      if (m.id == id && m.world == world && m.value) return &m;
  return nullptr;
}

std::vector<Recipe> Recipes(const std::vector<Evaluation>& evaluations) {
  std::vector<std::string> keys;
  std::map<std::string, std::set<std::string>> seeds;
  std::set<std::string> ambiguous;
  for (const Evaluation& e : evaluations) {
    Json facts = e.model;
    if (facts.value("kind", "") == "model")
      for (const std::string& key : kIdentity) facts.erase(key);
    keys.push_back(facts.dump());
    if (!seeds[keys.back()].insert(e.model.contains("training_seed") ? e.model.at("training_seed").dump() : "untold").second)
      ambiguous.insert(keys.back());
  }
  std::vector<Recipe> recipes;
  std::map<std::string, size_t> place;
  for (size_t i = 0; i < evaluations.size(); ++i) {
    const Evaluation& e = evaluations[i];
    const std::string key = ambiguous.contains(keys[i]) ? fmt::format("{} {}", keys[i], i) : keys[i];
    const auto [at, fresh] = place.emplace(key, recipes.size());
    if (fresh) {
      Recipe r;
      r.model = e.model.value("kind", "") == "model";
      r.facts = e.model;
      r.mechanism = DescribeState(StateOf(r));
      r.name = StateOf(r).empty() ? e.model.value("name", "unnamed") : StateOf(r);
      recipes.push_back(std::move(r));
    }
    recipes[at->second].runs.push_back(&e);
  }
  NameApart(recipes);
  return recipes;
}

SeedValues ValuesOf(const Recipe& recipe, const std::string& id, const std::string& world, const std::string& part) {
  SeedValues values;
  for (const Evaluation* e : recipe.runs)
    for (const Metric& m : e->metrics) {
      if (m.id != id || m.world != world) continue;
      if (part.empty()) {
        if (m.value) values.push_back(ValueOf(*m.value, m.interval, m.per_scenario));
      } else if (const auto found = m.by.find(part); found != m.by.end() && found->second.value) {
        values.push_back(ValueOf(*found->second.value, found->second.interval, found->second.per_scenario));
      }
    }
  return values;
}

Resampled Resample(std::span<const SeedValues> numbers, const std::function<double(std::span<const double>)>& of, int draws) {
  Resampled out;
  std::vector<double> means;
  for (const SeedValues& seeds : numbers) {
    ORRERY_CHECK(!seeds.empty());
    double sum = 0;
    for (const SeedValue& seed : seeds) sum += seed.value;
    means.push_back(sum / static_cast<double>(seeds.size()));
  }
  out.value = of(means);
  Rng rng(0, "recipes");
  for (int k = 0; k < draws; ++k) {
    std::map<size_t, std::vector<int64_t>> rows;  // by number of scenarios
    for (size_t i = 0; i < numbers.size(); ++i) means[i] = Draw(numbers[i], rows, rng);
    out.draws.push_back(of(means));
  }
  Bound(out);
  return out;
}

Resampled ResampleRows(int64_t count, const Statistic& statistic) {
  Resampled out;
  std::vector<int64_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  out.value = statistic(rows);
  Rng rng(0, "recipes");
  for (int k = 0; k < kDraws; ++k) {
    for (int64_t& row : rows) row = rng.Below(count);
    out.draws.push_back(statistic(rows));
  }
  Bound(out);
  return out;
}

}  // namespace orrery
