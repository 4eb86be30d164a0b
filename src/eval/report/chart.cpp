#include "eval/report/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace orrery {

namespace {

// Okabe and Ito's colours, which colour-blind readers can tell apart.
constexpr std::array<const char*, 8> kColors = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"};
constexpr double kLeft = 62, kRight = 14, kTop = 30, kBottom = 44;

const char* Color(size_t i) { return kColors[i % kColors.size()]; }

struct Axis {
  double low = 0, high = 1, from = 0, to = 1;  // values, and px they go to
  bool log = false;

  bool Holds(double v) const { return std::isfinite(v) && (!log || v > 0); }
  double At(double v) const {
    const auto f = [&](double t) { return log ? std::log10(t) : t; };
    return from + (to - from) * (f(v) - f(low)) / (f(high) - f(low));
  }
};

Axis MakeAxis(const std::vector<double>& values, double from, double to, bool log) {
  Axis axis{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), from, to, log};
  for (const double v : values)
    if (axis.Holds(v)) {
      axis.low = std::min(axis.low, v);
      axis.high = std::max(axis.high, v);
    }
  if (axis.low > axis.high) return {log ? 1.0 : 0.0, log ? 10.0 : 1.0, from, to, log};
  if (axis.low == axis.high) {
    const double room = log ? 2 : std::max(1e-3, std::abs(axis.low) * 0.1);
    axis.low = log ? axis.low / room : axis.low - room;
    axis.high = log ? axis.high * room : axis.high + room;
  } else if (!log) {
    const double room = 0.05 * (axis.high - axis.low);
    axis.low -= room;
    axis.high += room;
  }
  return axis;
}

std::string Open(const ChartOptions& o, const std::string& what) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\" width=\"{}\" "
      "height=\"{}\">"
      "<text x=\"{}\" y=\"16\" class=\"title\">{}</text>",
      Escape(what), o.width, o.height, o.width, o.height, kLeft, Escape(o.title));
}

std::string HorizontalAxis(const Axis& x, const ChartOptions& o, double top, double bottom) {
  std::string svg;
  for (const double t : AxisTicks(x.low, x.high, x.log))
    svg += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" class=\"grid\"/>"
        "<text x=\"{0:.1f}\" y=\"{3:.1f}\" class=\"tick\" text-anchor=\"middle\">{4}</text>",
        x.At(t), top, bottom, bottom + 14, Format(t));
  return svg + fmt::format("<text x=\"{:.1f}\" y=\"{}\" class=\"label\" text-anchor=\"middle\">{}</text>", (x.from + x.to) / 2,
                           o.height - 8, Escape(o.x_label));
}

std::string VerticalAxis(const Axis& y, const ChartOptions& o, double left, double right) {
  std::string svg;
  for (const double t : AxisTicks(y.low, y.high, y.log))
    svg += fmt::format(
        "<line x1=\"{0}\" y1=\"{1:.1f}\" x2=\"{2}\" y2=\"{1:.1f}\" class=\"grid\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" class=\"tick\" text-anchor=\"end\">{5}</text>",
        left, y.At(t), right, left - 5, y.At(t) + 4, Format(t));
  return svg + fmt::format("<text transform=\"translate(12,{:.1f}) rotate(-90)\" class=\"label\" text-anchor=\"middle\">{}</text>",
                           (y.from + y.to) / 2, Escape(o.y_label));
}

// "x,y x,y ..." of the points that both axes hold.
std::string Points(const Series& s, const std::vector<double>& y, const Axis& ax, const Axis& ay, bool backwards = false) {
  std::string points;
  double before = 0;
  bool first = true;
  for (size_t k = 0; k < s.x.size(); ++k) {
    const size_t i = backwards ? s.x.size() - 1 - k : k;
    if (!ax.Holds(s.x[i]) || !ay.Holds(y[i])) continue;
    if (s.steps && !first) points += fmt::format("{:.1f},{:.1f} ", ax.At(s.x[i]), before);
    before = ay.At(y[i]);
    points += fmt::format("{:.1f},{:.1f} ", ax.At(s.x[i]), before);
    first = false;
  }
  return points;
}

std::string Line(const Series& s, size_t index, const Axis& x, const Axis& y) {
  std::string svg;
  if (!s.low.empty() && !s.high.empty())
    svg += fmt::format("<polygon points=\"{}{}\" fill=\"{}\" opacity=\"0.15\"/>", Points(s, s.low, x, y), Points(s, s.high, x, y, true),
                       Color(index));
  svg += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"{}/>",
                     Points(s, s.fit.empty() ? s.y : s.fit, x, y), Color(index), s.fit.empty() ? "" : " class=\"fit\"");
  for (size_t i = 0; i < s.x.size() && s.x.size() <= 24; ++i)
    if (x.Holds(s.x[i]) && y.Holds(s.y[i]))
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.4\" fill=\"{}\"/>", x.At(s.x[i]), y.At(s.y[i]), Color(index));
  return svg;
}

}  // namespace

std::string Escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string Format(double value) { return fmt::format("{:.4g}", value == 0 ? 0 : value); }

std::vector<double> AxisTicks(double low, double high, bool log) {
  std::vector<double> ticks;
  if (log) {
    const bool fine = std::log10(high / low) <= 2;
    for (int e = static_cast<int>(std::floor(std::log10(low))); std::pow(10.0, e) <= high * 1.0001; ++e)
      for (const double m : {1.0, 2.0, 5.0}) {
        const double t = m * std::pow(10.0, e);
        if ((m == 1 || fine) && t >= low * 0.9999 && t <= high * 1.0001) ticks.push_back(t);
      }
    if (ticks.size() >= 2) return ticks;
    return {low, high};
  }
  const double rough = (high - low) / 5, power = std::pow(10.0, std::floor(std::log10(rough)));
  const double step = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
  for (double i = std::ceil(low / step); i * step <= high + 1e-9 * step; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string LineChart(const std::vector<Series>& series, const ChartOptions& o) {
  std::vector<double> xs, ys;
  for (const Series& s : series) {
    xs.insert(xs.end(), s.x.begin(), s.x.end());
    for (const auto* column : {&s.y, &s.low, &s.high, &s.fit}) ys.insert(ys.end(), column->begin(), column->end());
  }
  const double right = o.width - kRight, bottom = o.height - kBottom;
  const Axis x = MakeAxis(xs, kLeft, right, o.log_x), y = MakeAxis(ys, bottom, kTop, o.log_y);
  std::string svg = Open(o, o.title + ": " + o.y_label + " against " + o.x_label);
  if (std::none_of(xs.begin(), xs.end(), [&](double v) { return x.Holds(v); }))
    return svg + fmt::format("<text x=\"{}\" y=\"{}\" class=\"label\">no points</text></svg>", kLeft, o.height / 2);
  svg += HorizontalAxis(x, o, kTop, bottom) + VerticalAxis(y, o, kLeft, right);
  for (const Marker& m : o.markers)
    if (x.Holds(m.at) && m.at >= x.low && m.at <= x.high)
      svg += fmt::format(
          "<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" class=\"marker\"/>"
          "<text x=\"{3:.1f}\" y=\"{4}\" class=\"tick\">{5}</text>",
          x.At(m.at), kTop, bottom, x.At(m.at) + 3, kTop + 10, Escape(m.label));
  for (size_t i = 0; i < series.size(); ++i) svg += Line(series[i], i, x, y);
  for (size_t i = 0; i < series.size() && series.size() > 1; ++i)
    svg +=
        fmt::format("<rect x=\"{0}\" y=\"{1}\" width=\"10\" height=\"3\" fill=\"{2}\"/><text x=\"{3}\" y=\"{4}\" class=\"tick\">{5}</text>",
                    kLeft + 8, kTop + 6 + 14 * i, Color(i), kLeft + 22, kTop + 11 + 14 * i, Escape(series[i].name));
  return svg + "</svg>";
}

std::string IntervalChart(const std::vector<IntervalRow>& rows, const ChartOptions& options) {
  constexpr double kRow = 24, kNames = 170;
  ChartOptions o = options;
  o.height = static_cast<int>(kTop + kRow * static_cast<double>(std::max<size_t>(rows.size(), 1)) + kBottom);
  std::vector<double> values;
  for (const IntervalRow& r : rows) {
    if (r.value) values.push_back(*r.value);
    if (r.interval) values.insert(values.end(), {r.interval->low, r.interval->high});
    for (const auto& [name, anchor] : r.anchors) values.push_back(anchor);
  }
  const double bottom = o.height - kBottom;
  const Axis x = MakeAxis(values, kNames, o.width - kRight, o.log_x);
  std::string svg = Open(o, o.title) + HorizontalAxis(x, o, kTop, bottom);
  for (size_t i = 0; i < rows.size(); ++i) {
    const IntervalRow& r = rows[i];
    const double y = kTop + kRow * (static_cast<double>(i) + 0.5);
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"end\">{}</text>", kNames - 8, y + 4, Escape(r.name));
    for (const auto& [name, anchor] : r.anchors)
      if (x.Holds(anchor))
        svg +=
            fmt::format("<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" class=\"anchor\"><title>{3} {4}</title></line>",
                        x.At(anchor), y - 8, y + 8, Escape(name), Format(anchor));
    if (!r.value || !x.Holds(*r.value)) continue;
    if (r.interval && x.Holds(r.interval->low))
      svg += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"2\"/>",
                         x.At(r.interval->low), y, x.At(r.interval->high), y, Color(0));
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>", x.At(*r.value), y, Color(0));
  }
  return svg + "</svg>";
}

std::string ScatterChart(const std::vector<ScatterPoint>& points, const ChartOptions& o) {
  std::vector<double> xs, ys;
  for (const ScatterPoint& p : points) {
    xs.push_back(p.x);
    ys.push_back(p.y);
    if (p.interval) ys.insert(ys.end(), {p.interval->low, p.interval->high});
  }
  const double right = o.width - kRight, bottom = o.height - kBottom;
  const Axis x = MakeAxis(xs, kLeft + 10, right - 120, o.log_x), y = MakeAxis(ys, bottom, kTop, o.log_y);  // room for names
  std::string svg =
      Open(o, o.title + ": " + o.y_label + " against " + o.x_label) + HorizontalAxis(x, o, kTop, bottom) + VerticalAxis(y, o, kLeft, right);
  for (size_t i = 0; i < points.size(); ++i) {
    const ScatterPoint& p = points[i];
    if (!x.Holds(p.x) || !y.Holds(p.y)) continue;
    if (p.interval && y.Holds(p.interval->low))
      svg += fmt::format("<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" stroke=\"{3}\" stroke-width=\"1.5\"/>",
                         x.At(p.x), y.At(p.interval->low), y.At(p.interval->high), Color(i));
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\" stroke=\"{}\" stroke-width=\"1.8\"/>", x.At(p.x), y.At(p.y),
                       p.marked ? Color(i) : "none", Color(i));
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\">{}</text>", x.At(p.x) + 8, y.At(p.y) + 4, Escape(p.name));
  }
  return svg + "</svg>";
}

}  // namespace orrery
