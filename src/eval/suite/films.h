// Films of scenarios, as metrics take them.
#pragma once
#include <ATen/ATen.h>

#include <algorithm>

#include "eval/causality/frames.h"
#include "eval/scenario.h"

namespace orrery {

// A view of a contiguous film [N, H, W, 3] uint8, which must outlive it.
inline FrameSpan Span(const at::Tensor& film) {
  ORRERY_CHECK(film.is_contiguous());
  return {{film.const_data_ptr<uint8_t>(), static_cast<size_t>(film.numel())}, film.size(1), film.size(2)};
}

// Frames context .. T of the truth: those that a subject imagines.
inline at::Tensor Future(const Truth& truth, const Scenario& scenario) {
  return truth.film.frames.narrow(0, scenario.context, scenario.Last() + 1 - scenario.context).contiguous();
}

// The last frame of the context, [1, H, W, 3].
inline at::Tensor LastShown(const Truth& truth, const Scenario& scenario) { return truth.film.frames.narrow(0, scenario.context - 1, 1); }

// Before which action a hand interferes: a simulator can be told, after the context; a learned model must see it happen, in the last frames
// of its context.
inline int64_t HandAt(bool told, const Scenario& scenario) { return told ? scenario.context : std::max<int64_t>(0, scenario.context - 3); }

// The same beginning, then the scenario's own actions from half way on, going round: actions that fit less well.
inline Scenario AtAnotherTime(Scenario s) {
  const auto first = s.actions.begin() + s.context - 1;
  std::rotate(first, first + (s.actions.end() - first) / 2, s.actions.end());
  return s;
}

}  // namespace orrery
