// The makers behind the registry of dummies. Each gives a world at the end of the scenario's context that still wants its Reset; each
// throws Error when the dummy means nothing in the scenario's world, with the reason.
#pragma once
#include "eval/dummies/stand_in.h"

namespace orrery {

using DummyWorld = std::unique_ptr<StandIn>;

// The true world, as the scenario's take has it, and in another take. The latter means nothing where Perturb changes nothing.
DummyWorld CopyDummy(const Scenario& scenario);
DummyWorld Take2Dummy(const Scenario& scenario, uint64_t nudge);  // take + nudge

// The truth through a bad lens; the frame on screen after the context is clean.
// Gaussian of `sigma` pixels, cut at 4 sigma, the image mirrored at its edge (edge pixels twice): scipy.ndimage.gaussian_filter.
DummyWorld BlurDummy(const Scenario& scenario, double sigma);
// Independent normal noise of `sigma` (data range 1) on every byte, then clamped and rounded.
DummyWorld NoiseDummy(const Scenario& scenario, double sigma);
// Such noise whose power grows by `rise` dB every 100 frames after the context, from `sigma` at its end: errors that heap up.
DummyWorld RisingNoiseDummy(const Scenario& scenario, double sigma, double rise);
// What was so `frames` frames ago.
DummyWorld LagDummy(const Scenario& scenario, int64_t frames);

// Films that nobody's actions change. They know the scenario's future; frozen goes on for ever, the others end with it.
DummyWorld FrozenDummy(const Scenario& scenario);   // the last frame of the context
DummyWorld ShuffleDummy(const Scenario& scenario);  // frames context .. T, each once, in random order
DummyWorld ReverseDummy(const Scenario& scenario);  // frames T .. context
// The true film, each picture with a quarter of that `frames` frames later (at most of the last one) in it: as if the future were known.
DummyWorld LeakDummy(const Scenario& scenario, int64_t frames);
// The truth of another scenario of the same world: another seed and WrongActions. Twins that differ in anything get different ones.
DummyWorld RandomDummy(const Scenario& scenario);

// Simulators that do not obey. wrongact: under WrongActions instead of those it is given; hands' changes are taken. ignore: under an
// action that does nothing (the context's last action where the world has none such), and hands' changes are not taken either.
DummyWorld WrongActDummy(const Scenario& scenario);
DummyWorld IgnoreDummy(const Scenario& scenario);

// Simulators that lose what is out of sight: maze, occluder, and keys and pair with a partial view.
// forget: what has been out of sight for more than `frames` frames, or was never seen, is drawn anew, once until it is seen again. maze:
// colour and pictures of cells, place and kind of objects (walls stay, so that poses stay comparable); occluder: colour, shape, place
// and direction of discs; keys, pair: where things lie among the forgotten tiles, colours of keys and doors.
DummyWorld ForgetDummy(const Scenario& scenario, int64_t frames);
// stale: what is out of sight stands still, and nothing that a hand does to it is noticed; it returns as and where it was.
DummyWorld StaleDummy(const Scenario& scenario);

// Bodies pass through each other: balls of billiards (cushions stop them), discs through the post of occluder.
DummyWorld PassthruDummy(const Scenario& scenario);

// Every key opens every door of keys and pair.
DummyWorld AnyKeyDummy(const Scenario& scenario);

// Each of the two agents of pair does what the other one is told.
DummyWorld MixupDummy(const Scenario& scenario);

// The scenario's actions after the context, begun elsewhere and going round: the same habits at the wrong time. The start is drawn by
// `seed` among those that differ from the right actions at least as often as the average start does; random actions where all starts are
// right.
std::vector<std::vector<float>> WrongActions(const Scenario& scenario, const ActionSpace& space, uint64_t seed);

}  // namespace orrery
