// How well the actions that a film was made under can be read off it again.
#pragma once
#include "eval/causality/estimate.h"

namespace orrery {

// Indices of actions, a row a scenario; all rows of one length.
using ActionRows = std::vector<std::vector<int64_t>>;

// Mean over the actions that occur in `labels` of the share of them that is read right, over chosen rows; NaN of none.
double BalancedAccuracy(const ActionRows& labels, const ActionRows& read, std::span<const int64_t> rows);

// What reading gives for labels that have nothing to do with the films: the mean accuracy of all pairings of a film with another
// scenario's labels, over all actions of them. At least 2 scenarios.
double AccuracyFloor(const ActionRows& labels, const ActionRows& read);

// What reading gives for films of the right actions at the wrong times: the accuracy of every row of `read` against its own labels, over
// all rotations of it but the true one. Above the floor where ways have habits. Rows of at least 2.
double HabitAccuracy(const ActionRows& labels, const ActionRows& read, std::span<const int64_t> rows);

struct ActionRates {
  int64_t action = 0, labels = 0, read = 0, right = 0;
  std::optional<double> Precision() const;  // none when it is never read
  std::optional<double> Recall() const;     // none when it never occurs
  double F1() const { return labels + read ? 2.0 * static_cast<double>(right) / static_cast<double>(labels + read) : 0; }
};

struct ActionScores {
  Estimate following;  // AF = (made - floor) / (real - floor): 1 as in real films, 0 by chance
  // (made - blind) / (real - blind): 1 as in real films, 0 or less for who obeys nothing. blind: the largest of floor, habit and context,
  // in every resample anew.
  Estimate obeyed;
  Estimate above_habit, above_context;  // the same against one of them alone
  Estimate made;                        // balanced accuracy on the subject's films
  Estimate f1;                          // mean over the actions that occur
  double real = 0, floor = 0;
  double habit = 0;                  // HabitAccuracy of on_real
  double context = 0;                // balanced accuracy of from_context
  std::vector<ActionRates> actions;  // that occur or are read, ascending; on the subject's films
};

// labels: what was done; on_real, on_made: what was read off true and made films of the same scenarios; from_context: what was said of them
// without a film. Without a value where real films do not tell the actions better than chance (or blind readings) by a tenth. Throws Error
// on less than 2 scenarios, or rows of different lengths or of less than 2.
ActionScores ScoreActionReading(const ActionRows& labels, const ActionRows& on_real, const ActionRows& on_made,
                                const ActionRows& from_context);

}  // namespace orrery
