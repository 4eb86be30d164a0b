"""Between the action spaces of Gymnasium and rows of numbers."""

import numpy as np

from .errors import Error


class Actions:
    """The actions of a world as rows of float32, as a data set stores them.

    Discrete spaces are one number, the index of the choice. Box, MultiBinary and MultiDiscrete spaces are one number a
    dimension. `facts` is the action space as a data set describes it.
    """

    def __init__(self, space, names=None):
        self.space = space
        kind = type(space).__name__
        self.discrete = kind == "Discrete"
        self.count = int(space.n) if self.discrete else 0
        if self.discrete:
            self.width, size = 1, self.count
            self.facts = {"count": self.count}
        elif kind in ("Box", "MultiBinary", "MultiDiscrete"):
            self.low, self.high = self._bounds(space, kind)
            self.width = size = self.low.size
            self.facts = {"dims": size}
            if np.isfinite(self.low).all() and np.isfinite(self.high).all():
                self.facts |= {"low": self.low.tolist(), "high": self.high.tolist()}
        else:
            raise Error(f"action space {kind}: expected Discrete, Box, MultiBinary or MultiDiscrete; wrap the world so "
                        "that it has one of these")
        self.names = list(names) if names is not None and len(names) == size else []
        if self.names:
            self.facts["names"] = self.names

    @staticmethod
    def _bounds(space, kind):
        if kind == "Box":
            # The largest floats stand for "no bound" in some worlds.
            low, high = (np.asarray(b, np.float32).ravel() for b in (space.low, space.high))
            return np.where(low < -1e30, -np.inf, low), np.where(high > 1e30, np.inf, high)
        shape = np.ones(space.shape, np.float32).ravel()
        if kind == "MultiBinary":
            return 0 * shape, shape
        return 0 * shape, np.asarray(space.nvec, np.float32).ravel() - 1

    def sample(self, rng):
        """A random row; unbounded dimensions are drawn from a normal distribution."""
        if self.discrete:
            return self.row(rng.integers(self.count))
        bounded = np.isfinite(self.low) & np.isfinite(self.high)
        low, high = np.where(bounded, self.low, 0), np.where(bounded, self.high, 1)
        if np.issubdtype(self.space.dtype, np.integer):
            return rng.integers(low.astype(np.int64), high.astype(np.int64) + 1).astype(np.float32)
        row = np.where(bounded, rng.uniform(low, high), rng.standard_normal(self.width))
        return row.astype(np.float32).clip(self.low, self.high)

    @staticmethod
    def row(index):
        return np.array([index], np.float32)

    def decode(self, row):
        """The row as the world takes it."""
        if self.discrete:
            return int(row[0]) + int(self.space.start)
        return np.asarray(row).reshape(self.space.shape).astype(self.space.dtype)
