// Charts as inline SVG, for pages that stand alone.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "eval/report/result.h"

namespace orrery {

struct Series {
  std::string name;
  std::vector<double> x, y, low, high;  // one length; low and high (a band) may be empty
  bool steps = false;                   // stairs, as of survival
  std::vector<double> fit = {};         // a number an x, drawn dashed; the points are then not joined. May be empty
};

struct Marker {
  double at = 0;  // on the x axis
  std::string label;
};

struct ChartOptions {
  std::string title, x_label, y_label;
  bool log_x = false, log_y = false;  // points that are not positive are left out
  std::vector<Marker> markers;        // vertical lines
  int width = 460, height = 280;      // px
};

// Lines with bands, a legend when there is more than one. A chart without points says so.
std::string LineChart(const std::vector<Series>& series, const ChartOptions& options);

struct IntervalRow {
  std::string name;
  std::optional<double> value;
  std::optional<Interval> interval;
  std::map<std::string, double> anchors;
};

// One row a subject: a dot, its interval, and ticks where known subjects lie.
std::string IntervalChart(const std::vector<IntervalRow>& rows, const ChartOptions& options);

struct ScatterPoint {
  std::string name;
  double x = 0, y = 0;
  std::optional<Interval> interval;  // of y
  bool marked = false;               // drawn full
};
// A named point a subject.
std::string ScatterChart(const std::vector<ScatterPoint>& points, const ChartOptions& options);

// Numbers on an axis that lie at 1, 2 or 5 times a power of ten (log: at powers of ten, or 1-2-5 within two decades); at least two,
// all within [low, high]. low < high; log: both positive.
std::vector<double> AxisTicks(double low, double high, bool log);

// Text for HTML: & < > " replaced.
std::string Escape(const std::string& text);
// Four significant digits.
std::string Format(double value);

}  // namespace orrery
