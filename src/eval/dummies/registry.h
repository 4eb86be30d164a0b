// Every dummy by name: models whose one fault is known, so that every metric can be shown to see it.
#pragma once
#include "core/registry.h"
#include "eval/subject.h"

namespace orrery {

// copy, take2, frozen, blur, noise, rising-noise, shuffle, reverse, wrongact, random, forget, stale, passthru, anykey, mixup, leak, lag2,
// ignore.
const Registry<std::unique_ptr<Subject>>& Dummies();

// What such a dummy must fail, or for copy and take2 pass: the metrics in words.
const std::string& DummyFails(std::string_view name);

}  // namespace orrery
