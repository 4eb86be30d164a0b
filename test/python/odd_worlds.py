"""Gymnasium worlds that are strange in one way each, for the tests of recording."""

import os

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary


class Odd(gymnasium.Env):
    """Frames whose red is the number of the step and whose green is the last action + 1."""

    metadata = {"render_modes": [], "render_fps": 20}
    observation_space = Box(0, 255, (16, 24, 3), np.uint8)
    action_space = Discrete(5)
    length = 20

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time, self.action = 0, -1
        if "ODD_MARK" in os.environ:
            with open(os.environ["ODD_MARK"], "a") as file:
                file.write("reset\n")
        return self.observe(), self.info()

    def step(self, action):
        self.time, self.action = self.time + 1, action
        return self.observe(), 0.0, self.time >= self.length, False, self.info()

    def observe(self):
        frame = np.zeros((16, 24, 3), np.uint8)
        frame[..., 0], frame[..., 1] = self.time, self.number() + 1
        return frame

    def number(self):
        return int(np.sum(self.action))

    def info(self):
        return {"east": float(self.time), "north": -1.0, "facing": 0.5}


class Blind(Odd):
    """No image and nothing to render."""
    observation_space = Box(-1, 1, (4,), np.float32)

    def observe(self):
        return np.zeros(4, np.float32)


class Rendered(Blind):
    """No image, but it renders."""
    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}

    def render(self):
        return np.full((32, 32, 3), self.time, np.uint8)


class Buttons(Odd):
    """Several buttons at once."""
    action_space = MultiBinary(3)


class Named(Odd):
    def get_action_meanings(self):
        return ["STAY", "FORWARD", "TURN LEFT", "TURN RIGHT", "JUMP"]


class Nested(Odd):
    """An action space of parts."""
    action_space = Dict(a=Discrete(2), b=Discrete(2))


class Short(Odd):
    length = 3


class Endless(Odd):
    length = 10**9

    def observe(self):
        return np.zeros((16, 24, 3), np.uint8)


class Dying(Odd):
    """Takes its process along."""

    def step(self, action):
        os._exit(3)


class Raising(Odd):
    def step(self, action):
        raise RuntimeError("the engine\nis broken")


class Locked(Odd):
    def __init__(self, render_mode=None, key=None):
        super().__init__(render_mode)
        if key != "sesame":
            raise ValueError(f"wrong key {key}")


class Saved(Odd):
    """Can be put back; blue is the sum of all actions so far."""
    length = 60

    def reset(self, **rest):
        self.sum = 0
        return super().reset(**rest)

    def step(self, action):
        self.sum += int(action)
        return super().step(action)

    def observe(self):
        frame = super().observe()
        frame[..., 2] = self.sum
        return frame

    def clone_state(self):
        return self.time, self.action, self.sum

    def restore_state(self, state):
        self.time, self.action, self.sum = state


class Chancy(Saved):
    """Put back, it goes on otherwise."""
    steps = 0

    def observe(self):
        frame = super().observe()
        self.steps += 1
        frame[..., 2] += self.steps % 7
        return frame


for kind in (Odd, Blind, Rendered, Buttons, Named, Nested, Short, Endless, Dying, Raising, Locked, Saved, Chancy):
    gymnasium.register(f"{kind.__name__}-v0", entry_point=f"odd_worlds:{kind.__name__}")
