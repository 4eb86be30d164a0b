"""Data sets as numpy arrays."""

import json
from dataclasses import dataclass
from os import fspath

import numpy as np

from . import _core


@dataclass
class Episode:
    """Rows of one episode. actions[t] leads to frame t; row 0 of an episode is a dummy (zeros)."""
    frames: np.ndarray  # [T, H, W, 3] uint8 RGB
    actions: np.ndarray | None  # [T, A] float32; None when the set has no actions
    pose: np.ndarray | None  # [T, 3] float32: x, y, angle in radians; None when the set has none
    seed: int = 0
    twin: tuple | None = None  # (of, begin, at): frames 0 .. at repeat frames begin .. begin + at of the earlier episode `of`


class Dataset:
    """A data set on disk, read by random access. `facts` is a dictionary: name, source, height, width, fps, actions
    (count or dims, names, low, high), has_pose. Raises orrery.Error when the folder is not a whole data set."""

    def __init__(self, folder):
        self._core = _core.Dataset(fspath(folder))
        self.facts = json.loads(self._core.facts())

    def __len__(self):
        return self._core.episodes()

    def frames(self, episode):
        """Frames of one episode."""
        return self._core.frames(self._index(episode))

    @property
    def total_frames(self):
        return self._core.total_frames()

    def read(self, episode, begin=0, count=None):
        """Rows begin .. begin + count of an episode, all from `begin` by default."""
        episode = self._index(episode)
        count = self._core.frames(episode) - begin if count is None else count
        return Episode(*self._core.read(episode, begin, count))

    def __getitem__(self, episode):
        return self.read(episode)

    def _index(self, episode):
        if not -len(self) <= episode < len(self):
            raise IndexError(f"episode {episode} of {len(self)}")
        return episode % len(self)


class DatasetWriter:
    """Writes episodes; finish() puts the folder in place, and until then nothing is there. As a context manager it
    finishes unless an exception passes. `facts` as Dataset gives them."""

    def __init__(self, folder, facts, overwrite=False):
        self._core = _core.DatasetWriter(fspath(folder), json.dumps(facts), overwrite)

    def add(self, episode):
        self._core.add(episode.frames, episode.actions, episode.pose, episode.seed, episode.twin)

    @property
    def episodes(self):
        return self._core.episodes()

    def finish(self):
        self._core.finish()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.finish()
        self._core = None
