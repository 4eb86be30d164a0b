#include "eval/suite/appearance.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "eval/motion/consistency.h"
#include "eval/quality/feature_net.h"
#include "eval/recordings/recording.h"
#include "eval/suite/seen_objects.h"

namespace orrery {

namespace {

constexpr int64_t kLooked = 9,
                  kEvery = 2;  // frames that are looked at, in the middle of a film: about a second, as VBench's films are short

const FeatureNet& RandomNet() {
  const auto& nets = FeatureNets();
  const auto found = std::find_if(nets.begin(), nets.end(), [](const FeatureNet& n) { return n.Name() == "F-rand" && !n.OfClips(); });
  ORRERY_CHECK(found != nets.end());
  return *found;
}

template <class T>
std::vector<T> Thinned(const std::vector<T>& items, int64_t first) {
  std::vector<T> out;
  for (int64_t i = 0; i < kLooked; ++i) out.push_back(items[static_cast<size_t>(first + kEvery * i)]);
  return out;
}

// Whether the world's things have their places in pixels: where a reader finds them in pictures.
bool ThingsInThePicture(const Scenario& scenario) { return !IsRecording(scenario.world) && MakeReader(*ContextEnd(scenario)) != nullptr; }

Metric Consistency(const ProbePlan& plan, const char* name, const std::vector<std::optional<double>>& made,
                   const std::vector<std::optional<double>>& real, const char* note) {
  Metric m = MetricOf(plan, fmt::format("quality.consistency.{}@F-rand", name),
                      MeanEstimate(made, std::string(kOfNoSubject) + "the things of this world have no places in the picture"), "neither",
                      {{"frozen", 1}}, "1", "arXiv 2311.17982", note);
  if (const Estimate of_real = MeanEstimate(real, ""); of_real.value) m.anchors["real"] = *of_real.value;
  m.notes.push_back(fmt::format("Features that were never trained stand in for DINO and CLIP (SHA-256 {}); {} frames, every {}th.",
                                RandomNet().Hash(), kLooked, kEvery));
  return m;
}

}  // namespace

FilmLooks LookAtAppearance(const Film& made, const Scenario& scenario) {
  const int64_t first = (made.Count() - (kEvery * (kLooked - 1) + 1)) / 2;
  ORRERY_CHECK(first >= 0);
  const at::Tensor film = made.frames.slice(0, first, first + kEvery * (kLooked - 1) + 1, kEvery).contiguous();
  FilmLooks looks;
  if (!ThingsInThePicture(scenario)) {
    looks.background = FeatureConsistency(RandomNet().Embed(film));
    return looks;
  }
  const ObjectFilm things = Thinned(ObjectsIn(made, scenario).objects, first);
  const int64_t subject = ContextEnd(scenario)->Objects().front().id;
  const Crops crops = CropThing(film, things, subject);
  looks.subject = FeatureConsistency(RandomNet().Embed(crops.pictures) * crops.seen.unsqueeze(1));
  looks.background = FeatureConsistency(RandomNet().Embed(WithoutThings(film, things)));
  return looks;
}

std::vector<Metric> AppearanceMetrics(const ProbePlan& plan, const std::vector<FilmLooks>& made, const std::vector<FilmLooks>& real) {
  const auto each = [](const std::vector<FilmLooks>& films, const auto& get) {
    std::vector<std::optional<double>> values;
    for (const FilmLooks& film : films) values.push_back(get(film));
    return values;
  };
  const auto subject = [](const FilmLooks& film) { return film.subject; };
  const auto background = [](const FilmLooks& film) { return std::optional(film.background); };
  return {
      Consistency(plan, "subject", each(made, subject), each(real, subject),
                  "VBench's subject consistency of the pictures around one thing; where it is not seen, 0."),
      Consistency(plan, "background", each(made, background), each(real, background),
                  "VBench's background consistency, things painted over where they can be found; a moving camera lowers it, a frozen film "
                  "has 1.")};
}

}  // namespace orrery
