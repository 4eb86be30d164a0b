"""The parts of recording that need no world: policies, map of places, frames, actions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

from orrery.actions import Actions
from orrery.errors import Error
from orrery.explorer import Explorer
from orrery.images import Resizer
from orrery.navigation import VisitMap, wrapped
from orrery.policies import Curious, Sticky, make_policy

NAMES = ["noop", "forward", "turn left", "turn right"]


class Rooms:
    """Two rooms joined by a door; a walker that turns 15 degrees and walks 0.5 a step and stops at walls."""

    def __init__(self, rng):
        self.free = np.zeros((12, 25), bool)
        self.free[1:11, 1:12] = self.free[1:11, 13:24] = True
        self.free[5:7, 12] = True
        while True:
            self.x, self.y = rng.uniform(1, 12), rng.uniform(1, 11)
            if self.free[int(self.y), int(self.x)]:
                break
        self.angle = rng.uniform(-math.pi, math.pi)

    def step(self, action):
        if action in (2, 3):
            self.angle = wrapped(self.angle + math.radians(15 if action == 2 else -15))
        if action == 1:
            x, y = self.x + 0.5 * math.cos(self.angle), self.y + 0.5 * math.sin(self.angle)
            if self.free[int(y), int(x)]:
                self.x, self.y = x, y

    @property
    def pose(self):
        return [self.x, self.y, self.angle]


def walk(policy, episodes=4, steps=400):
    """(share of forward steps that moved, cells seen)."""
    frame = np.zeros((8, 8, 3), np.uint8)
    ahead, moved, cells = 0, 0, set()
    for i in range(episodes):
        rng = np.random.default_rng(i)
        world = Rooms(rng)
        policy.begin(rng)
        for _ in range(steps):
            action, before = int(policy.act(frame, world.pose)[0]), (world.x, world.y)
            world.step(action)
            if action == 1:
                ahead, moved = ahead + 1, moved + ((world.x, world.y) != before)
            cells.add((int(world.x), int(world.y)))
    return moved / ahead, len(cells)


def test_explorer_goes_places_instead_of_pushing_into_walls():
    actions = Actions(Discrete(4), NAMES)
    explorer = make_policy("explore", actions, True)
    assert isinstance(explorer, Explorer)
    moved, cells = walk(explorer)
    sticky_moved, sticky_cells = walk(Sticky(actions))
    assert moved > 0.8 > sticky_moved
    assert cells > 1.3 * sticky_cells


def test_explorer_asks_for_a_pose_and_walking_actions():
    assert isinstance(make_policy("explore", Actions(Discrete(4), NAMES), False), Curious)
    assert isinstance(make_policy("explore", Actions(Discrete(2), ["a", "b"]), True), Curious)
    with pytest.raises(Error, match="did you mean 'sticky'"):
        make_policy("stiky", Actions(Discrete(2)), False)


def test_curious_lets_go_of_actions_that_change_nothing():
    actions = Actions(Discrete(3))
    policy = Curious(actions)
    policy.begin(np.random.default_rng(0))
    still = [int(policy.act(np.zeros((8, 8, 3), np.uint8), None)[0]) for _ in range(300)]
    rng = np.random.default_rng(1)
    policy.begin(np.random.default_rng(0))
    lively = [int(policy.act(rng.integers(0, 255, (8, 8, 3), np.uint8), None)[0]) for _ in range(300)]
    assert (np.diff(still) != 0).sum() > 2 * (np.diff(lively) != 0).sum()


def test_sticky_holds_actions():
    policy = Sticky(Actions(Discrete(1000)))
    policy.begin(np.random.default_rng(3))
    taken = [int(policy.act(None, None)[0]) for _ in range(2000)]
    edges = np.flatnonzero(np.diff(taken)) + 1
    runs = np.diff(edges)
    assert runs.min() == 4 and runs.max() == 20


def test_paths_follow_links():
    places = VisitMap(1.0)
    before = None
    for x, y in [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)]:
        before = places.visit(x + 0.5, y + 0.5, before)
    assert places.path((0, 0), (2, 1)) == [(1, 0), (2, 0), (2, 1)]
    assert len(places.path((0, 0), (0, 1))) == 7
    places.visit(0.5, 0.5, before)
    assert places.path((0, 0), (0, 1)) == [(0, 1)]
    places.unlink((0, 0), (1, 0))
    assert places.path((0, 0), (1, 0))[0] == (0, 1)
    assert places.path((0, 0), (9, 9)) == []
    assert places.in_sight(0.5, 0.5, (2.5, 0.5)) and not places.in_sight(0.5, 0.5, (2.5, 2.5))


def averaged(line, target):
    """The area average of a line of numbers in exact fractions."""
    step, result = Fraction(len(line), target), []
    for i in range(target):
        low, high, total = i * step, (i + 1) * step, Fraction(0)
        for j, value in enumerate(line):
            total += max(Fraction(0), min(high, Fraction(j + 1)) - max(low, Fraction(j))) * int(value)
        result.append(float(total / step))
    return result


def test_resizing_averages_areas():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (21, 16, 3), np.uint8)
    small = Resizer(8, 8)(frame)
    for c in range(3):
        tall = np.array([averaged(frame[:, j, c], 8) for j in range(16)]).T
        assert np.abs(small[..., c] - np.array([averaged_line(row, 8) for row in tall])).max() <= 0.51


def averaged_line(line, target):
    weights = np.array([averaged(row, target) for row in np.eye(len(line), dtype=int)])
    return line @ weights


def test_resizing_keeps_what_it_should():
    frame = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert np.array_equal(Resizer(64, 64)(frame), frame)
    assert Resizer(0, 0)(frame[:63, :61]).shape == (62, 60, 3)
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    assert (Resizer(10, 10, "crop")(wide) == 200).all()
    assert Resizer(10, 10)(wide)[0, 0].max() == 0
    assert Resizer(8, 8)(np.full((16, 16), 7, np.uint8)).tolist() == np.full((8, 8, 3), 7).tolist()


@pytest.mark.parametrize("space, width", [
    (Discrete(5, start=2), 1), (Box(-1, 1, (2, 2), np.float32), 4), (MultiBinary(3), 3), (MultiDiscrete([2, 5]), 2),
    (Box(-np.inf, np.inf, (2,), np.float32), 2), (Box(0, 3, (2,), np.int8), 2)])
def test_sampled_actions_are_of_the_space(space, width):
    actions = Actions(space)
    rng = np.random.default_rng(0)
    assert actions.width == width
    rows = [actions.sample(rng) for _ in range(50)]
    assert all(row.shape == (width,) and row.dtype == np.float32 and space.contains(actions.decode(row)) for row in rows)
    assert len({row.tobytes() for row in rows}) > 1
    assert ("low" in actions.facts) == (not actions.discrete and bool(np.isfinite(np.asarray(actions.low)).all()))
