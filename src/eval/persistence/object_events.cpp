#include "eval/persistence/object_events.h"

#include <algorithm>
#include <cmath>

namespace orrery {

namespace {

// One thing in every frame; null where it is not seen.
using Path = std::vector<const WorldObject*>;

std::map<int64_t, Path> PathsOf(const ObjectFilm& film) {
  std::map<int64_t, Path> paths;
  for (size_t t = 0; t < film.size(); ++t)
    for (const WorldObject& o : film[t]) {
      Path& path = paths[o.id];
      path.resize(film.size(), nullptr);
      path[t] = &o;
    }
  return paths;
}

// Change of velocity at every frame, px a frame; 0 where it is not known.
std::vector<double> Kicks(const Path& path) {
  const auto n = static_cast<int64_t>(path.size());
  std::vector<double> kicks(path.size(), 0);
  for (int64_t t = kWindow; t + kWindow < n; ++t) {
    const auto part = path.begin() + t;
    if (std::any_of(part - kWindow, part + kWindow + 1, [](const WorldObject* o) { return !o; })) continue;
    const WorldObject &before = *part[-kWindow], &now = *part[0], &after = *part[kWindow];
    kicks[static_cast<size_t>(t)] =
        std::hypot(after.x - 2 * now.x + before.x, after.y - 2 * now.y + before.y) / static_cast<double>(kWindow);
  }
  return kicks;
}

// The strongest within kWindow frames of t.
double Around(const std::vector<double>& kicks, int64_t t) {
  const auto n = static_cast<int64_t>(kicks.size());
  double most = 0;
  for (int64_t u = std::max<int64_t>(0, t - kWindow); u <= std::min(n - 1, t + kWindow); ++u)
    most = std::max(most, kicks[static_cast<size_t>(u)]);
  return most;
}

void SeeKicks(const std::map<int64_t, Path>& paths, const EventEyes& eyes, std::vector<SeenEvent>& events) {
  std::map<int64_t, std::vector<double>> kicks;
  for (const auto& [id, path] : paths) {
    const auto known = std::find_if(path.begin(), path.end(), [](const WorldObject* o) { return o; });
    if ((*known)->kind == "ball" || (*known)->kind == "disc") kicks[id] = Kicks(path);
  }
  constexpr double kSlack = 2;  // px beyond contact, for the frames around it
  for (const auto& [id, strengths] : kicks)
    for (int64_t t = 0; t < static_cast<int64_t>(strengths.size()); ++t) {
      double strength = strengths[static_cast<size_t>(t)] / eyes.kick;
      if (strength < 0.5) continue;
      // Of a kick the strongest frame, the first of equals; the frames around it are there to be found by what is read a little
      // differently.
      const bool peak = strengths[static_cast<size_t>(t)] == Around(strengths, t) &&
                        (t == 0 || strengths[static_cast<size_t>(t - 1)] / eyes.kick < strength);
      if (!peak) strength = std::min(strength, 0.99);
      SeenEvent event{"kick", id, -1, t, strength};
      double least = eyes.contact > 0 ? eyes.contact + kSlack : 0;
      for (const auto& [other, their] : kicks) {
        const WorldObject *a = paths.at(id)[static_cast<size_t>(t)], *b = paths.at(other)[static_cast<size_t>(t)];
        if (other == id || !a || !b || Around(their, t) < eyes.kick / 4) continue;
        const double apart = std::hypot(a->x - b->x, a->y - b->y);
        if (apart >= least) continue;
        least = apart;
        event.object = other;
      }
      events.push_back(event);
    }
}

void SeeTopple(int64_t id, const Path& path, const EventEyes& eyes, std::vector<SeenEvent>& events) {
  for (size_t t = 0; t < path.size(); ++t)
    if (path[t] && std::abs(path[t]->more[0]) >= eyes.lean) {
      events.push_back({"topple", id, -1, static_cast<int64_t>(t), 1});
      return;
    }
}

// Things of the grid: between two sightings in a row.
void SeeTiles(const std::map<int64_t, Path>& paths, int64_t id, const Path& path, std::vector<SeenEvent>& events) {
  const auto held = [&](size_t t) {
    for (const auto& [other, them] : paths)
      if (them[t] && them[t]->kind == "agent" && them[t]->x == path[t]->x && them[t]->y == path[t]->y) return true;
    return false;
  };
  for (size_t t = 1; t < path.size(); ++t) {
    if (!path[t] || !path[t - 1]) continue;
    const WorldObject &now = *path[t], &before = *path[t - 1];
    const auto add = [&](const char* kind) { events.push_back({kind, id, -1, static_cast<int64_t>(t), 1}); };
    if (now.kind == "key") {
      if (held(t) != held(t - 1)) add(held(t) ? "pick" : "drop");
    } else if (now.kind == "box") {
      if (now.x != before.x || now.y != before.y) add("push");
    } else if (now.more[0] != before.more[0]) {
      add(now.more[0] != 0 ? "open" : "shut");
    }
  }
}

}  // namespace

std::vector<SeenEvent> SeeEvents(const ObjectFilm& film, const EventEyes& eyes) {
  const std::map<int64_t, Path> paths = PathsOf(film);
  std::vector<SeenEvent> events;
  SeeKicks(paths, eyes, events);
  for (const auto& [id, path] : paths) {
    const std::string& kind = (*std::find_if(path.begin(), path.end(), [](const WorldObject* o) { return o; }))->kind;
    if (kind == "domino") SeeTopple(id, path, eyes, events);
    for (const char* tile : {"key", "door", "box", "lever", "gate"})
      if (kind == tile) SeeTiles(paths, id, path, events);
  }
  std::stable_sort(events.begin(), events.end(), [](const SeenEvent& a, const SeenEvent& b) { return a.frame < b.frame; });
  return events;
}

double EventMatch::F1() const {
  const int64_t all = required + hit + extra;
  return all == 0 ? 1 : 2.0 * static_cast<double>(hit) / static_cast<double>(all);
}

EventMatch MatchEvents(std::span<const SeenEvent> truth, std::span<const SeenEvent> made, int64_t from) {
  const auto partner = [](const SeenEvent& event, std::span<const SeenEvent> others) {
    return std::any_of(others.begin(), others.end(), [&](const SeenEvent& o) {
      return o.kind == event.kind && o.subject == event.subject && o.object == event.object && std::abs(o.frame - event.frame) <= kWindow;
    });
  };
  EventMatch match;
  const auto wrong = [&](const SeenEvent& event) {
    if (match.first_wrong < 0 || event.frame < match.first_wrong) match.first_wrong = event.frame;
  };
  for (const SeenEvent& event : truth) {
    if (event.frame < from || event.strength < 1) continue;
    ++match.required;
    if (partner(event, made))
      ++match.hit;
    else
      wrong(event);
  }
  for (const SeenEvent& event : made) {
    if (event.frame < from || event.strength < 1 || partner(event, truth)) continue;
    ++match.extra;
    wrong(event);
  }
  return match;
}

}  // namespace orrery
