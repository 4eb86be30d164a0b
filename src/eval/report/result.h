// One evaluation of one model as data: schema "orrery.eval/1". Written and read here alone.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "eval/statistics.h"

namespace orrery {

struct Curve {
  std::vector<double> x, y, low, high;  // one length; low and high may be empty
  std::string x_label, y_label;
  bool log_x = false, log_y = false;
  std::vector<double> fit = {};  // of a line through the points, a number an x; may be empty
};

// Part of a metric: one kind of intervention, one bin of gaps.
struct MetricPart {
  std::optional<double> value;
  std::optional<Interval> interval;
  int64_t count = 0;
  std::vector<double> per_scenario = {};  // where their mean is the value
};

// One measured number and everything that is needed to read it.
struct Metric {
  std::string id;     // "causality.twin.cne"; begins with quality., persistence., causality. or cost.
  std::string world;  // spec of the world, or name of the data set
  std::string split = "test-id";
  std::string unit = "1";
  std::string direction = "higher";       // what is better: higher, lower, or neither
  std::optional<double> lowest, highest;  // possible values; none: unbounded
  std::optional<double> value;            // none: it could not be computed, `cause` says why
  std::string cause;                      // of a missing value
  std::optional<Interval> interval;       // 95 %
  std::string method;                     // how it was made: "cluster-bootstrap-2000", "wilson"
  int64_t count = 0, failed = 0;          // scenarios; of them without a value
  std::map<std::string, double> anchors;  // what known subjects score: perfect, random, ignore
  std::map<std::string, MetricPart> by;   // "intervention=remove"
  std::vector<double> per_scenario;
  std::optional<Curve> curve;
  std::vector<std::string> notes;
  std::string source = "own";  // arXiv id and section
};

struct SanityRow {
  std::string metric, dummy, expected;
  std::optional<double> got;
  bool pass = false;
};

// A film strip: rows of frames, each row named.
struct Strip {
  std::string scenario, why;  // why it was chosen: worst, median, best, first-collapse
  std::string png;            // bytes
};

struct Claim {
  std::string id, statement, test;
  std::optional<double> effect, p_holm;
  std::optional<Interval> interval;
  std::string verdict;  // supported, contradicted, undecided
  std::string reason;
};

struct Evaluation {
  Json run = Json::object();       // id, utc, engine, wall seconds, seed, suite
  Json model = Json::object();     // name, kind, spec strings, parameters, checkpoint hash
  Json protocol = Json::object();  // worlds, context, horizon, samples, resize, readers, feature nets
  std::vector<Metric> metrics;
  std::vector<SanityRow> sanity;
  std::vector<Claim> claims;
  std::vector<Strip> strips;
  Json extra = Json::object();  // fields of the file that this version does not know; kept
};

// Throws Error naming the metric when a rule is broken: a value without count, interval or anchors, a missing value without cause, a
// number that is not finite, a curve whose columns differ in length, an interval that does not hold its value's side.
void Check(const Metric& metric);

Json ToJson(const Evaluation& evaluation);
// Throws Error on another schema version, on missing or mistyped fields, and on broken rules; `what` names the file in messages.
Evaluation EvaluationFromJson(const Json& json, const std::string& what);

// DIR/eval.json and the strips' PNG files beside it.
void SaveEvaluation(const Evaluation& evaluation, const std::filesystem::path& folder);
Evaluation LoadEvaluation(const std::filesystem::path& folder);

}  // namespace orrery
