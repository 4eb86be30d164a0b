#include "data/gym_space.h"

#include <cmath>
#include <limits>

namespace orrery {

namespace {

constexpr float kHuge = std::numeric_limits<float>::max();

// Python writes Infinity, -Infinity and NaN where JSON has no word; outside of quotes they become "inf", "-inf", "nan".
std::string StandardJson(std::string_view text) {
  const std::pair<std::string_view, std::string_view> words[] = {{"-Infinity", "\"-inf\""}, {"Infinity", "\"inf\""}, {"NaN", "\"nan\""}};
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < text.size();) {
    if (quoted && text[i] == '\\') {
      out += text.substr(i, 2);
      i += 2;
      continue;
    }
    if (text[i] == '"') quoted = !quoted;
    size_t step = 1;
    std::string_view word = text.substr(i, 1);
    for (const auto& [python, json] : words)
      if (!quoted && text.substr(i).starts_with(python)) {
        step = python.size();
        word = json;
        break;
      }
    out += word;
    i += step;
  }
  return out;
}

bool IsImage(const Json& space) {
  if (space.value("type", "") != "Box" || space.value("dtype", "") != "uint8") return false;
  const Json& shape = space.at("shape");
  return shape.size() == 2 || (shape.size() == 3 && (shape[2] == 1 || shape[2] == 3));
}

ImageSpace ToImage(const Json& space, std::string path) {
  const Json& shape = space.at("shape");
  return {std::move(path), shape[0].get<int64_t>(), shape[1].get<int64_t>(), shape.size() == 3 ? shape[2].get<int64_t>() : 0};
}

void AppendBounds(const Json& value, std::vector<float>& bounds) {
  if (value.is_array()) {
    for (const Json& item : value) AppendBounds(item, bounds);
  } else if (value.is_string()) {
    bounds.push_back(value == "inf" ? kHuge : value == "-inf" ? -kHuge : NAN);
  } else {
    bounds.push_back(std::min(kHuge, std::max(-kHuge, value.get<float>())));
  }
}

bool Unbounded(const std::vector<float>& bounds) {
  for (const float bound : bounds)
    if (std::abs(bound) < kHuge) return false;
  return true;
}

StoredActions ToActions(const Json& space, const std::string& where) {
  const std::string type = space.value("type", "");
  StoredActions actions;
  if (type == "Discrete") {
    actions.space.count = space.at("n").get<int64_t>();
    actions.start = space.value("start", int64_t{0});
    return actions;
  }
  if (type != "Box" || !space.value("dtype", "").starts_with("float"))
    Fail("{}: expected actions in a Discrete space or a Box of floats, got {} {}", where, type, space.value("dtype", ""));
  ActionSpace& box = actions.space;
  box.dims = 1;
  for (const Json& extent : space.at("shape")) box.dims *= extent.get<int64_t>();
  AppendBounds(space.at("low"), box.low);
  AppendBounds(space.at("high"), box.high);
  if (std::ssize(box.low) != box.dims || std::ssize(box.high) != box.dims)
    Fail("{}: expected {} bounds of the actions, got {} and {}", where, box.dims, box.low.size(), box.high.size());
  for (int64_t i = 0; i < box.dims; ++i)
    if (!(box.low[i] <= box.high[i])) Fail("{}: the bounds of action number {} are not an interval", where, i);
  if (Unbounded(box.low) && Unbounded(box.high)) box.low = box.high = {};
  return actions;
}

template <class Function>
auto Guarded(std::string_view text, const std::string& where, Function function) {
  const Json space = ParseJson(StandardJson(text), where);
  try {
    return function(space);
  } catch (const nlohmann::json::exception& e) {
    Fail("{}: not a Gymnasium space as Minari writes it: {}", where, e.what());
  }
}

std::string BoundText(float bound) {
  if (bound >= kHuge) return "Infinity";
  if (bound <= -kHuge) return "-Infinity";
  return Json(static_cast<double>(bound)).dump();
}

std::string BoundsText(const std::vector<float>& bounds, int64_t dims, float otherwise) {
  std::string text;
  for (int64_t i = 0; i < dims; ++i) text += (i ? ", " : "") + BoundText(bounds.empty() ? otherwise : bounds[static_cast<size_t>(i)]);
  return "[" + text + "]";
}

}  // namespace

ImageSpace ParseImageSpace(std::string_view text, const std::string& where) {
  return Guarded(text, where, [&](const Json& space) {
    if (IsImage(space)) return ToImage(space, "observations");
    std::vector<ImageSpace> found;
    std::string names;
    if (space.value("type", "") == "Dict")
      for (const auto& [key, member] : space.at("subspaces").items())
        if (IsImage(member)) {
          found.push_back(ToImage(member, "observations/" + key));
          names += (names.empty() ? "" : ", ") + key;
        }
    if (found.size() > 1) Fail("{}: expected one image, got several ({}); write a set with one of them", where, names);
    if (found.empty())
      Fail("{}: expected frames (a Box of uint8, [H, W, 3], [H, W, 1] or [H, W], alone or in a Dict), got {}", where,
           space.value("type", "?"));
    return found.front();
  });
}

StoredActions ParseActionSpace(std::string_view text, const std::string& where) {
  return Guarded(text, where, [&](const Json& space) { return ToActions(space, where); });
}

std::string ImageSpaceText(int64_t height, int64_t width) {
  const auto nested = [&](int value) { return Json(std::vector(height, std::vector(width, std::vector(3, value)))).dump(); };
  return fmt::format(R"({{"type": "Box", "dtype": "uint8", "shape": [{}, {}, 3], "low": {}, "high": {}}})", height, width, nested(0),
                     nested(255));
}

std::string ActionSpaceText(const ActionSpace& space) {
  if (space.Discrete()) return fmt::format(R"({{"type": "Discrete", "dtype": "int64", "start": 0, "n": {}}})", space.count);
  return fmt::format(R"({{"type": "Box", "dtype": "float32", "shape": [{}], "low": {}, "high": {}}})", space.dims,
                     BoundsText(space.low, space.dims, -kHuge), BoundsText(space.high, space.dims, kHuge));
}

}  // namespace orrery
