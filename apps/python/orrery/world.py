"""The built-in worlds as Gymnasium environments."""

import json

import gymnasium
import numpy as np

from . import _core
from .errors import Error


class WorldEnv(gymnasium.Env):
    """A built-in world. Observations are frames, uint8 [H, W, 3]; there is no reward and no end. `info` holds the true
    state by name, and the pose (x, y, angle in radians) where the world has one.

    Raises orrery.Error on an unknown world or parameter, listing the valid ones.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}

    def __init__(self, spec, render_mode=None):
        if render_mode not in (None, "rgb_array"):
            raise Error(f"render mode '{render_mode}': expected rgb_array or None")
        self._core = _core.World(spec)
        self._begun = False
        self.facts = json.loads(self._core.facts())
        self.render_mode = render_mode
        self.metadata = self.metadata | {"render_fps": self.facts["fps"]}
        self.observation_space = gymnasium.spaces.Box(0, 255, (self.facts["height"], self.facts["width"], 3), np.uint8)
        actions = self.facts["actions"]
        if actions["count"]:
            self.action_space = gymnasium.spaces.Discrete(actions["count"])
        else:
            shape = (actions["dims"],)
            low = np.array(actions["low"] or np.full(shape, -np.inf), np.float32)
            high = np.array(actions["high"] or np.full(shape, np.inf), np.float32)
            self.action_space = gymnasium.spaces.Box(low, high, shape, np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._core.reset(int(self.np_random.integers(2**63)) if seed is None else seed)
        self._begun = True
        return self._core.render(), self._info()

    def step(self, action):
        if not self._begun:
            raise Error("step() before reset(): call reset() first")
        self._core.step(np.atleast_1d(np.asarray(action, np.float32)).tolist())
        return self._core.render(), 0.0, False, False, self._info()

    def render(self):
        return self._core.render() if self.render_mode else None

    def events(self):
        """What happened in the last step, in order: (kind, subject, object), by the ids of things; -1 for none."""
        return self._core.events()

    def snapshot(self):
        """Everything that decides the future, as bytes."""
        return self._core.snapshot()

    def restore(self, snapshot):
        self._core.restore(snapshot)

    def _info(self):
        info = self._core.state()
        pose = self._core.pose()
        return info if pose is None else info | {"pose": np.array(pose)}


def make_world(spec, **options):
    """make_world("maze(size=9)"), make_world("billiards", render_mode="rgb_array")."""
    return WorldEnv(spec, **options)


def world_names():
    return _core.world_names()
