#include "eval/report/result.h"

#include <algorithm>
#include <cmath>

#include "core/file.h"

namespace orrery {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSchema = "orrery.eval/1";
const std::vector<std::string> kDirections = {"higher", "lower", "neither"};
const std::vector<std::string> kFamilies = {"quality.", "persistence.", "causality.", "cost."};

Json Number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json Pair(const std::optional<Interval>& i) { return i ? Json::array({i->low, i->high}) : Json(); }

std::optional<double> OptionalNumber(const Json& j) { return j.is_null() ? std::nullopt : std::optional<double>(j.get<double>()); }
std::optional<Interval> OptionalPair(const Json& j) {
  if (j.is_null()) return std::nullopt;
  return Interval{j.at(0).get<double>(), j.at(1).get<double>()};
}

Json CurveJson(const Curve& c) {
  return {{"x", c.x},        {"y", c.y},        {"lo", c.low}, {"hi", c.high}, {"xlabel", c.x_label}, {"ylabel", c.y_label},
          {"logx", c.log_x}, {"logy", c.log_y}, {"fit", c.fit}};
}
Curve CurveFrom(const Json& j) {
  return {j.at("x"),    j.at("y"),      j.at("lo"),
          j.at("hi"),   j.at("xlabel"), j.at("ylabel"),
          j.at("logx"), j.at("logy"),   j.value("fit", std::vector<double>())};
}

Json MetricJson(const Metric& m) {
  Json by = Json::object();
  for (const auto& [name, part] : m.by)
    by[name] = {{"value", Number(part.value)}, {"ci95", Pair(part.interval)}, {"n", part.count}, {"per_scenario", part.per_scenario}};
  Json anchors = Json::object();
  for (const auto& [name, value] : m.anchors) anchors[name] = value;
  return {{"id", m.id},
          {"world", m.world},
          {"split", m.split},
          {"unit", m.unit},
          {"direction", m.direction},
          {"range", Json::array({Number(m.lowest), Number(m.highest)})},
          {"value", Number(m.value)},
          {"cause", m.cause},
          {"ci95", Pair(m.interval)},
          {"ci_method", m.method},
          {"n", m.count},
          {"n_failed", m.failed},
          {"anchors", anchors},
          {"by", by},
          {"per_scenario", m.per_scenario},
          {"curve", m.curve ? CurveJson(*m.curve) : Json()},
          {"notes", m.notes},
          {"source", m.source}};
}

Metric MetricFrom(const Json& j) {
  Metric m;
  m.id = j.at("id");
  m.world = j.at("world");
  m.split = j.at("split");
  m.unit = j.at("unit");
  m.direction = j.at("direction");
  m.lowest = OptionalNumber(j.at("range").at(0));
  m.highest = OptionalNumber(j.at("range").at(1));
  m.value = OptionalNumber(j.at("value"));
  m.cause = j.at("cause");
  m.interval = OptionalPair(j.at("ci95"));
  m.method = j.at("ci_method");
  m.count = j.at("n");
  m.failed = j.at("n_failed");
  for (const auto& [name, value] : j.at("anchors").items()) m.anchors[name] = value;
  for (const auto& [name, part] : j.at("by").items())
    m.by[name] = {OptionalNumber(part.at("value")), OptionalPair(part.at("ci95")), part.at("n"),
                  part.value("per_scenario", std::vector<double>{})};
  m.per_scenario = j.at("per_scenario").get<std::vector<double>>();
  if (!j.at("curve").is_null()) m.curve = CurveFrom(j.at("curve"));
  m.notes = j.at("notes").get<std::vector<std::string>>();
  m.source = j.at("source");
  return m;
}

void CheckFinite(const Metric& m, const std::optional<double>& value, const char* what) {
  if (value && !std::isfinite(*value))
    Fail("metric {}: {} is not a finite number; a value that cannot be computed is null with its cause", m.id, what);
}

std::string StripFile(size_t index, const Strip& strip) { return fmt::format("strip-{:03}-{}.png", index, strip.why); }

}  // namespace

void Check(const Metric& m) {
  if (std::none_of(kFamilies.begin(), kFamilies.end(), [&](const std::string& f) { return m.id.starts_with(f); }))
    Fail("metric '{}': an id begins with quality., persistence., causality. or cost.", m.id);
  if (std::find(kDirections.begin(), kDirections.end(), m.direction) == kDirections.end())
    FailUnknown("direction", m.direction, kDirections);
  if (!m.value) {
    if (m.cause.empty()) Fail("metric {}: no value and no cause", m.id);
    return;
  }
  CheckFinite(m, m.value, "the value");
  if (m.count < 1) Fail("metric {}: a value of {} scenarios", m.id, m.count);
  if (m.anchors.empty()) Fail("metric {}: a value without anchors says nothing", m.id);
  if (!m.interval) Fail("metric {}: a value without its interval", m.id);
  CheckFinite(m, m.interval->low, "the interval");
  CheckFinite(m, m.interval->high, "the interval");
  if (m.interval->low > m.interval->high) Fail("metric {}: the interval {} to {} is upside down", m.id, m.interval->low, m.interval->high);
  for (const double v : m.per_scenario) CheckFinite(m, v, "a scenario's value");
  for (const auto& [name, part] : m.by) {
    CheckFinite(m, part.value, name.c_str());
    for (const double v : part.per_scenario) CheckFinite(m, v, name.c_str());
  }
  if (!m.curve) return;
  const size_t n = m.curve->x.size();
  const auto fits = [&](const std::vector<double>& column) { return column.empty() || column.size() == n; };
  if (m.curve->y.size() != n || !fits(m.curve->low) || !fits(m.curve->high) || !fits(m.curve->fit))
    Fail("metric {}: the columns of its curve differ in length", m.id);
  for (const auto* column : {&m.curve->x, &m.curve->y, &m.curve->low, &m.curve->high, &m.curve->fit})
    for (const double v : *column) CheckFinite(m, v, "a point of the curve");
}

Json ToJson(const Evaluation& e) {
  Json metrics = Json::array(), sanity = Json::array(), claims = Json::array(), samples = Json::array();
  for (const Metric& m : e.metrics) {
    Check(m);
    metrics.push_back(MetricJson(m));
  }
  for (const SanityRow& s : e.sanity)
    sanity.push_back({{"metric", s.metric}, {"dummy", s.dummy}, {"expected", s.expected}, {"got", Number(s.got)}, {"pass", s.pass}});
  for (const Claim& c : e.claims)
    claims.push_back({{"id", c.id},
                      {"statement", c.statement},
                      {"test", c.test},
                      {"effect", Number(c.effect)},
                      {"ci95", Pair(c.interval)},
                      {"p_holm", Number(c.p_holm)},
                      {"verdict", c.verdict},
                      {"reason", c.reason}});
  for (size_t i = 0; i < e.strips.size(); ++i)
    samples.push_back({{"scenario", e.strips[i].scenario}, {"file", StripFile(i, e.strips[i])}, {"why", e.strips[i].why}});
  Json out{{"schema", kSchema},  {"run", e.run},     {"model", e.model}, {"protocol", e.protocol},
           {"metrics", metrics}, {"sanity", sanity}, {"claims", claims}, {"samples", samples}};
  for (const auto& [key, value] : e.extra.items()) out[key] = value;
  return out;
}

Evaluation EvaluationFromJson(const Json& json, const std::string& what) {
  if (!json.is_object() || !json.contains("schema")) Fail("{}: not an evaluation (no \"schema\")", what);
  if (json.at("schema") != kSchema)
    Fail("{}: expected the schema {}, got {}; evaluate again with this version", what, kSchema, json.at("schema").dump());
  Evaluation e;
  try {
    for (const auto& [key, value] : json.items()) {
      if (key == "run")
        e.run = value;
      else if (key == "model")
        e.model = value;
      else if (key == "protocol")
        e.protocol = value;
      else if (key != "schema" && key != "metrics" && key != "sanity" && key != "claims" && key != "samples")
        e.extra[key] = value;
    }
    for (const Json& m : json.at("metrics")) e.metrics.push_back(MetricFrom(m));
    for (const Json& s : json.at("sanity"))
      e.sanity.push_back({s.at("metric"), s.at("dummy"), s.at("expected"), OptionalNumber(s.at("got")), s.at("pass")});
    for (const Json& c : json.at("claims"))
      e.claims.push_back({c.at("id"), c.at("statement"), c.at("test"), OptionalNumber(c.at("effect")), OptionalNumber(c.at("p_holm")),
                          OptionalPair(c.at("ci95")), c.at("verdict"), c.at("reason")});
    for (const Json& s : json.at("samples")) e.strips.push_back({s.at("scenario"), s.at("why"), {}});
  } catch (const nlohmann::json::exception& error) {
    Fail("{}: not a whole evaluation: {}", what, error.what());
  }
  for (const Metric& m : e.metrics) Check(m);
  return e;
}

void SaveEvaluation(const Evaluation& e, const fs::path& folder) {
  const Json json = ToJson(e);
  MakeFolder(folder);
  for (size_t i = 0; i < e.strips.size(); ++i) WriteFileAtomic(folder / StripFile(i, e.strips[i]), e.strips[i].png);
  WriteJson(folder / "eval.json", json);
}

Evaluation LoadEvaluation(const fs::path& folder) {
  const fs::path file = folder / "eval.json";
  Evaluation e = EvaluationFromJson(ReadJson(file), file.string());
  for (size_t i = 0; i < e.strips.size(); ++i) e.strips[i].png = ReadFile(folder / StripFile(i, e.strips[i]));
  return e;
}

}  // namespace orrery
