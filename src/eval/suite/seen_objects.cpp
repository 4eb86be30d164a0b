#include "eval/suite/seen_objects.h"

#include <algorithm>

namespace orrery {

SeenObjects ObjectsIn(const Film& made, const Scenario& scenario) {
  SeenObjects seen;
  const auto empty = [](const auto& list) { return list.empty(); };
  if (!std::all_of(made.objects.begin(), made.objects.end(), empty)) {
    seen.objects = made.objects;
    return seen;
  }
  auto read = ReadFilm(scenario, made.frames, &seen.cause);
  if (!read) return seen;
  seen.objects = std::move(read->objects);
  seen.reader = read->reader;
  seen.asked = read->asked;
  seen.abstained = read->abstained;
  return seen;
}

std::string ReadingNote(std::span<const SeenObjects> seen, const Scenario& scenario, const at::Tensor& truth) {
  int64_t asked = 0, abstained = 0;
  for (const SeenObjects& s : seen) {
    asked += s.asked;
    abstained += s.abstained;
  }
  if (asked == 0) return "";
  const auto floor = MeasureFloor(scenario, truth);
  return floor ? ReaderNote(*floor, static_cast<double>(abstained) / static_cast<double>(asked)) : "";
}

}  // namespace orrery
