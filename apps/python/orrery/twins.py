"""Twins of recorded episodes: the same beginning from a snapshot, then other actions. What differs is what they did."""

import hashlib

import numpy as np

from .errors import Error

BEFORE = 16  # frames before the last shared one that a twin repeats
HOLD = 8  # steps for which the other action is held; then the episode's own actions go on
EVERY = 4  # steps between snapshots
TRIES = 100  # draws of an action that differs


def digest(frame):
    return hashlib.blake2b(np.ascontiguousarray(frame).tobytes(), digest_size=16).digest()


class TwinMaker:
    """Makes up to `count` twins of each episode of `source`, `steps` steps long after the last shared frame."""

    def __init__(self, source, count, steps):
        self.source, self.count, self.steps = source, count, steps

    def begin(self):
        self._saved, self._seen = {}, []

    def look(self, frame, done=False):
        """Every frame of the episode, as the world shows it, while it is on screen."""
        t = len(self._seen)
        self._seen.append(digest(frame))
        if t >= BEFORE and t % EVERY == 0 and not done:
            self._saved[t] = self.source.snapshot()

    def make(self, actions, rng, resize):
        """[(fork, rows, frames, poses)] of an episode with these `actions`: what followed frame `fork` under other rows.
        Forks lie in equal parts of the episode. Error when the world, put back, does not do the same again."""
        last = len(actions) - 1
        twins = []
        for span in np.array_split([t for t in self._saved if t + self.steps <= last], self.count):
            if not len(span):
                continue
            fork = int(rng.choice(span))
            own = actions[fork + 1:fork + self.steps + 1]
            self._check(fork, own)
            rows = own.copy()
            rows[:HOLD] = self._other(own[0], rng)
            frames, poses = [], []
            self.source.restore(self._saved[fork])
            for row in rows:
                frame, pose, done = self.source.step(row)
                if frame is None:
                    break
                frames.append(resize(frame))
                poses.append(pose)
                if done:
                    break
            if len(frames) == self.steps:  # a twin that ends early has nothing to be compared with
                twins.append((fork, rows, frames, poses))
        return twins

    def _check(self, fork, rows):
        """The null twin: from the same snapshot under the same actions every frame must come again, byte for byte."""
        self.source.restore(self._saved[fork])
        for i, row in enumerate(rows):
            frame, _, _ = self.source.step(row)
            if frame is None or digest(frame) != self._seen[fork + 1 + i]:
                raise Error(f"twins: put back to frame {fork}, the world showed another frame {fork + 1 + i} under the same "
                            "actions; only worlds without hidden chance have twins (for Atari: repeat_action_probability=0)")

    def _other(self, row, rng):
        for _ in range(TRIES):
            other = self.source.actions.sample(rng)
            if not np.array_equal(other, row):
                return other
        raise Error("twins: a world with at least two different actions expected")
