// Readers: what is there in a picture. A learned model's frames carry no objects; a reader finds those of the last true frame again.
#pragma once
#include <ATen/core/Tensor.h>

#include "eval/causality/object_effects.h"
#include "eval/scenario.h"

namespace orrery {

// What a reader says of one object of the last true frame. `kAbsent`: no pixel shows it (it is hidden, out of the frame, or gone).
// `kAbstained`: something is there, but it cannot be this object's ordinary picture: less than half or more than twice the area, another
// form, or two things of its colour at once.
enum class Sighting : uint8_t { kSeen, kAbsent, kAbstained };

struct Reading {
  WorldObject object;  // as World::Objects gives it; where it was last seen unless kSeen
  Sighting sighting = Sighting::kAbsent;
  double confidence = 0;  // 0..1: how well the picture fits
};

// Told what there is once, then reads frame after frame; things keep their ids. Not thread-safe; the same frames give the same readings.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual std::string Name() const = 0;  // "bodies", "tiles", "progress"
  // [H, W, 3] of the world it was told of; every object of that world, by id.
  virtual std::vector<Reading> Read(std::span<const uint8_t> rgb) = 0;
};

// The object of that id, or null.
const WorldObject* FindObject(const std::vector<WorldObject>& objects, int64_t id);
// Pixels by object id of what a world shows now.
std::map<int64_t, int64_t> PixelsShown(const World& world);

// A reader of a world as it is shown now; null, with the reason in `cause`, where there is none. billiards, occluder, dominoes, stack,
// pendulum: bodies are matched with the renderer's own shapes and colours. keys and pair, seen whole: tiles are. growth: pictures of every
// progress are. maze has none: its things are rarely in view, and a picture of one does not tell which of its kind it is.
std::unique_ptr<ObjectReader> MakeReader(const World& shown, std::string* cause = nullptr);

// What a film showed. How metrics count it: an object that is not seen is not in `objects`. Where the truth shows it, that is a failure
// with the worst value (CompareObjectEffects: `missing`), whether it is absent or the reader abstained; nothing is dropped.
struct ReadOut {
  std::string reader;
  ObjectFilm objects;                     // those seen, a list a frame, by id
  std::vector<std::vector<Reading>> all;  // a list a frame: every object told
  int64_t asked = 0, abstained = 0;       // readings; of them kAbstained
  double AbstainRate() const { return asked ? static_cast<double>(abstained) / static_cast<double>(asked) : 0; }
};

// frames [N, H, W, 3] uint8: those that follow the scenario's context, of whose last frame the reader is told. Nothing where the world has
// no reader (the reason in `cause`). Throws Error when the frames have another size than the world's.
std::optional<ReadOut> ReadFilm(const Scenario& scenario, const at::Tensor& frames, std::string* cause = nullptr);

// What reading costs: the same metric's error when there is nothing to find. `shown` are frames context .. of the scenario's truth, as they
// are or through a lens. An object counts where the truth shows at least half of the most pixels that it ever shows (a tile: any).
struct ReaderFloor {
  std::string reader;
  double error = 0, worst = 0;  // distance of x, y from the truth where it is seen, units of the world; mean, largest
  double more_error = 0;        // the same of `more`
  double abstained = 0;         // share of objects shown on which it abstained
  double missed = 0;            // that it called absent
  double spurious = 0;          // share of objects of which the truth shows no pixel that it saw
  int64_t count = 0;            // objects shown, over frames
};
std::optional<ReaderFloor> MeasureFloor(const Scenario& scenario, const at::Tensor& shown);

// "read by `bodies`: 0.04 px off on true frames, abstained on 0.3 % of objects": a note for metrics.
std::string ReaderNote(const ReaderFloor& floor, double abstain_rate);

}  // namespace orrery
