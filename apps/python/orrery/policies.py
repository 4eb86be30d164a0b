"""What to do while recording.

A policy is made once for many episodes of one world: begin(rng) starts an episode, act(frame, pose) returns the next
row of actions. `frame` is the recorded (small) frame, `pose` [x, y, angle] or None.
"""

import numpy as np

from .errors import Error, near
from .explorer import Explorer, Roles

HOLD = (4, 20)  # steps an action is held, both ends included


class Random:
    """A new random action at every step."""

    def __init__(self, actions):
        self.actions = actions

    def begin(self, rng):
        self.rng = rng

    def act(self, frame, pose):
        return self.actions.sample(self.rng)


class Sticky(Random):
    """Random actions, each held for 4 to 20 steps."""

    def begin(self, rng):
        self.rng, self.left = rng, 0

    def act(self, frame, pose):
        if not self.left:
            self.row, self.left = self.choose(frame), int(self.rng.integers(HOLD[0], HOLD[1] + 1))
        self.left -= 1
        return self.row

    def choose(self, frame):
        return self.actions.sample(self.rng)


class Curious(Sticky):
    """For worlds without pose: holds actions, lets go of one that changes nothing on screen, and prefers actions that
    were seldom tried where the screen looks as it does now."""

    NOISE = 0.05  # share of steps with a random action instead
    STILL = 0.3  # mean change of a pixel (of 255) that counts as nothing
    PATIENCE = 2  # steps without change before an action is let go
    CANDIDATES = 6  # actions drawn in a space that is not discrete

    def __init__(self, actions):
        super().__init__(actions)
        self.tried = {}

    def begin(self, rng):
        super().begin(rng)
        self.before, self.still = None, 0

    def act(self, frame, pose):
        look = frame.astype(np.int16)
        if self.before is not None:
            self.still = self.still + 1 if np.abs(look - self.before).mean() < self.STILL else 0
        self.before = look
        if self.still >= self.PATIENCE:
            self.left = self.still = 0
        row = super().act(frame, pose)
        return self.actions.sample(self.rng) if self.rng.random() < self.NOISE else row

    def choose(self, frame):
        if self.actions.discrete:
            rows = [self.actions.row(i) for i in range(self.actions.count)]
        else:
            rows = [self.actions.sample(self.rng) for _ in range(self.CANDIDATES)]
        place = self._place(frame)
        keys = [(place, np.round(row, 1).tobytes()) for row in rows]
        weights = np.array([1 / (1 + self.tried.get(key, 0)) for key in keys])
        chosen = self.rng.choice(len(rows), p=weights / weights.sum())
        self.tried[keys[chosen]] = self.tried.get(keys[chosen], 0) + 1
        return rows[chosen]

    @staticmethod
    def _place(frame):
        """The frame at 4 x 4 pixels and 4 shades of grey, as bytes."""
        height, width = (side // 4 * 4 for side in frame.shape[:2])
        grey = frame[:height, :width].mean(2).reshape(4, height // 4, 4, width // 4).mean((1, 3))
        return (grey // 64).astype(np.uint8).tobytes()


NAMES = ("random", "sticky", "explore")


def make_policy(name, actions, has_pose):
    if name not in NAMES:
        raise Error(f"unknown policy '{name}'{near(name, NAMES)} (valid: {', '.join(NAMES)})")
    if name == "random":
        return Random(actions)
    if name == "sticky":
        return Sticky(actions)
    roles = Roles.of(actions)
    return Explorer(actions, roles) if has_pose and roles else Curious(actions)
