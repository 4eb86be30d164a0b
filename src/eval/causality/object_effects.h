// What an intervention changes of things: displacements between twins, of the truth and as read from a model's films.
#pragma once
#include <map>
#include <set>

#include "eval/causality/estimate.h"
#include "worlds/world.h"

namespace orrery {

// What is there in every frame; ids are those of the truth, also in what is read.
using ObjectFilm = std::vector<std::vector<WorldObject>>;

struct ObjectEffectOptions {
  double delta = 1;    // units of the objects (1 px, 1 cell): whose largest difference exceeds it is affected
  int64_t lost = 3;    // frames in a row that a read-out must lack an object in one twin to count as a change: readers abstain
  double missing = 8;  // units: how far an object counts as off, beside its whole true displacement, where its read-out is missing
  int64_t early = 2;   // frames by which an effect may come too early
};

// First frame in which each object differs between two films by more than `delta`, or from which on one film lacks it for `lost`
// frames in a row. Objects that never do are not in it. With lost = 1 its keys are CausalSet's.
std::map<int64_t, int64_t> Onsets(const ObjectFilm& a, const ObjectFilm& b, double delta, int64_t lost = 1);

// Sums of one twin pair. D* = changed - factual of the truth, D the same as read; vectors of x, y and as much of `more` as all four lists
// have, over all objects that the truth has in both twins, and all frames.
struct ObjectEffects {
  double error = 0;                                   // sum |D - D*|^2; where the read-out is missing, (|D*| + missing)^2
  double power = 0;                                   // sum |D*|^2
  double read_power = 0;                              // sum |D|^2
  double product = 0;                                 // sum D . D*
  double cosine_sum = 0;                              // of the angle between D and D*, where |D*| > delta; 0 where D is 0 or missing
  int64_t cosines = 0;                                // how many those are
  int64_t terms = 0;                                  // objects x frames
  int64_t missing = 0;                                // of them without a read-out
  int64_t early = 0;                                  // options.early
  std::map<int64_t, int64_t> true_onset, read_onset;  // keys: the affected objects A*, A
  int64_t untouched = 0, spilled = 0;                 // objects of the truth not in A*; of them those in A

  std::optional<double> Cne() const;        // error / power: 0 perfect, 1 as if ignored, more: harmful; none when nothing moves
  std::optional<double> Slope() const;      // of D on D* through the origin: product / power
  std::optional<double> Cosine() const;     // mean, [-1, 1]
  std::optional<double> Precision() const;  // |A and A*| / |A|
  std::optional<double> Recall() const;     // |A and A*| / |A*|
  // Over objects in both sets; none where there are none.
  std::optional<double> OnsetError() const;  // mean |t - t*|, frames
  std::optional<double> Early() const;       // light-cone violations: share with t < t* - options.early
  std::optional<double> Order() const;       // Kendall's tau-b of t and t*; none with less than two, or when all t* are one
  std::set<int64_t> Affected() const;        // A*
};

// Throws Error unless all four have the same number of frames.
ObjectEffects CompareObjectEffects(const ObjectFilm& truth, const ObjectFilm& truth_changed, const ObjectFilm& read,
                                   const ObjectFilm& read_changed, const ObjectEffectOptions& options = {});

// Over twin pairs (of one type of intervention).
struct ObjectEffectSummary {
  Estimate cne, r2, slope;             // ratios of sums over pairs; r2 = 1 - cne
  Estimate cosine;                     // over object-frames
  Estimate precision, recall;          // over affected objects
  Estimate spill;                      // spilled / untouched
  Estimate onset_error, early, order;  // means over pairs
  Estimate missing;                    // share of object-frames without a read-out
};
ObjectEffectSummary SummarizeObjectEffects(std::span<const ObjectEffects> pairs);

// Spearman's correlation of what graded interventions do and what the model makes of them: at least three doses, whose true response
// varies. A response is any size of effect, such as sqrt(power) and sqrt(read_power).
Estimate DoseResponse(std::span<const double> truth, std::span<const double> read);

}  // namespace orrery
