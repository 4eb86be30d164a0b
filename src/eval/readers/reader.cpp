#include "eval/readers/reader.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "eval/readers/bodies.h"

namespace orrery {

namespace {

void AddError(ReaderFloor& floor, int64_t& seen, const WorldObject& read, const WorldObject& truth) {
  const double far = std::hypot(read.x - truth.x, read.y - truth.y);
  floor.error += far;
  floor.worst = std::max(floor.worst, far);
  const size_t more = std::min(read.more.size(), truth.more.size());
  for (size_t k = 0; k < more; ++k) floor.more_error += std::abs(read.more[k] - truth.more[k]) / static_cast<double>(more);
  ++seen;
}

}  // namespace

std::map<int64_t, int64_t> PixelsShown(const World& world) {
  std::vector<int32_t> ids(static_cast<size_t>(world.Facts().height * world.Facts().width));
  world.RenderIds(ids);
  std::map<int64_t, int64_t> shown;
  for (const int32_t id : ids) ++shown[id];
  return shown;
}

const WorldObject* FindObject(const std::vector<WorldObject>& objects, int64_t id) {
  const auto found = std::find_if(objects.begin(), objects.end(), [&](const WorldObject& o) { return o.id == id; });
  return found == objects.end() ? nullptr : &*found;
}

std::unique_ptr<ObjectReader> MakeReader(const World& shown, std::string* cause) {
  if (auto tiles = TileReader(shown)) return tiles;
  if (auto progress = ProgressReader(shown)) return progress;
  if (auto scene = MakeStage(shown)) return BodyReader(std::move(*scene), shown.Facts().height, shown.Facts().width);
  if (cause) *cause = fmt::format("frames of {} carry no objects, and no reader knows that world", shown.Facts().spec);
  return nullptr;
}

std::optional<ReadOut> ReadFilm(const Scenario& scenario, const at::Tensor& frames, std::string* cause) {
  const auto world = ContextEnd(scenario);
  const auto reader = MakeReader(*world, cause);
  if (!reader) return std::nullopt;
  const WorldFacts& facts = world->Facts();
  if (frames.dim() != 4 || frames.scalar_type() != at::kByte || frames.size(1) != facts.height || frames.size(2) != facts.width ||
      frames.size(3) != 3)
    Fail("reader: uint8 frames [N, {}, {}, 3] of {} expected, got {} of {}", facts.height, facts.width, facts.spec,
         c10::str(frames.sizes()), c10::toString(frames.scalar_type()));
  const at::Tensor bytes = frames.contiguous();
  const auto size = static_cast<size_t>(3 * facts.height * facts.width);
  ReadOut out;
  out.reader = reader->Name();
  for (int64_t t = 0; t < bytes.size(0); ++t) {
    out.all.push_back(reader->Read({bytes.const_data_ptr<uint8_t>() + static_cast<size_t>(t) * size, size}));
    out.objects.emplace_back();
    for (const Reading& reading : out.all.back()) {
      ++out.asked;
      out.abstained += reading.sighting == Sighting::kAbstained;
      if (reading.sighting == Sighting::kSeen) out.objects.back().push_back(reading.object);
    }
  }
  return out;
}

std::optional<ReaderFloor> MeasureFloor(const Scenario& scenario, const at::Tensor& shown) {
  const auto read = ReadFilm(scenario, shown);
  if (!read) return std::nullopt;
  const auto world = ContextEnd(scenario);
  if (shown.size(0) > scenario.Last() + 1 - scenario.context)
    Fail("reader floor: at most {} frames after the context expected, got {}", scenario.Last() + 1 - scenario.context, shown.size(0));
  std::vector<std::vector<WorldObject>> objects;
  std::vector<std::map<int64_t, int64_t>> pixels;
  std::map<int64_t, int64_t> most = PixelsShown(*world);
  for (int64_t t = scenario.context - 1; t < scenario.context - 1 + shown.size(0); ++t) {
    if (t == scenario.at && !scenario.intervention.empty()) world->Intervene(scenario.intervention);
    world->Step(scenario.actions[static_cast<size_t>(t)]);
    objects.push_back(world->Objects());
    pixels.push_back(PixelsShown(*world));
    for (const auto& [id, count] : pixels.back()) most[id] = std::max(most[id], count);
  }
  ReaderFloor floor;
  floor.reader = read->reader;
  int64_t seen = 0, hidden = 0;
  for (size_t t = 0; t < objects.size(); ++t)
    for (const Reading& reading : read->all[t]) {
      const int64_t id = reading.object.id, count = pixels[t][id];
      const WorldObject* truth = FindObject(objects[t], id);
      if (count == 0 || !truth) {
        ++hidden;
        floor.spurious += reading.sighting == Sighting::kSeen;
      } else if (floor.reader != "bodies" || 2 * count >= most[id]) {
        ++floor.count;
        floor.abstained += reading.sighting == Sighting::kAbstained;
        floor.missed += reading.sighting == Sighting::kAbsent;
        if (reading.sighting == Sighting::kSeen) AddError(floor, seen, reading.object, *truth);
      }
    }
  const auto share = [](double& sum, int64_t of) { sum = of ? sum / static_cast<double>(of) : 0; };
  share(floor.error, seen);
  share(floor.more_error, seen);
  share(floor.abstained, floor.count);
  share(floor.missed, floor.count);
  share(floor.spurious, hidden);
  return floor;
}

std::string ReaderNote(const ReaderFloor& floor, double abstain_rate) {
  return fmt::format(
      "Objects read from frames by `{}`: {:.2f} off on true frames, where it abstains on {:.1f} % of objects; here on {:.1f} %. What it "
      "does "
      "not see counts as missing.",
      floor.reader, floor.error, 100 * floor.abstained, 100 * abstain_rate);
}

}  // namespace orrery
