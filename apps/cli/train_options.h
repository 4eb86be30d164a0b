// Options that all training verbs share.
#pragma once
#include <CLI/App.hpp>

#include "model/trainer.h"

namespace orrery::cli {

// Budget, optimiser, precision, seed.
void AddTrainingOptions(CLI::App& verb, TrainOptions& training, bool& fp32);

// `minutes`, unless some budget is set.
void SetDefaultBudget(TrainOptions& training, double minutes);

}  // namespace orrery::cli
