// What happens to things, seen from their places alone: the same eyes for the truth and for what is read from a film.
#pragma once
#include "eval/causality/object_effects.h"

namespace orrery {

struct SeenEvent {
  std::string kind;                   // kick, topple, open, shut, pick, drop, push
  int64_t subject = -1, object = -1;  // ids; of a kick: what touched it, or -1 (a wall, a push, nothing)
  int64_t frame = 0;
  double strength = 1;  // below 1: a weak kick, or a frame next to the strongest of one
};

struct EventEyes {
  double kick = 0.5;   // px a frame: change of velocity that counts as one, over kWindow frames before and after
  double contact = 0;  // px between the middles of two bodies that touch; 0: bodies do not meet
  double lean = 0;     // px that the upper end of a domino has moved when it counts as toppling
};
constexpr int64_t kWindow = 3;

// Events of a film of objects, by frame. A frame in which a thing is not seen interrupts what is known of it.
// ball, disc: a kick is a change of velocity, of `strength` from one half on. domino: topple, once. door, gate, lever: open, shut;
// key: pick, drop (it is where an agent is, or no longer); box: push.
std::vector<SeenEvent> SeeEvents(const ObjectFilm& film, const EventEyes& eyes);

struct EventMatch {
  int64_t required = 0, hit = 0, extra = 0;
  int64_t first_wrong = -1;  // frame of the first event that is missed or should not be; -1: none
  double F1() const;         // 1 when nothing was required and nothing happened
};
// Events of the same kind and participants match when they are at most kWindow frames apart. Only those of strength 1 and more must have a
// partner, which may be weaker: what is near the limit is neither missed nor too much. Events before frame `from` do not count.
EventMatch MatchEvents(std::span<const SeenEvent> truth, std::span<const SeenEvent> made, int64_t from);

}  // namespace orrery
