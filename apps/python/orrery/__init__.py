"""Orrery from Python: data sets as numpy arrays, built-in worlds as Gymnasium environments, recording."""

from .errors import Error

_LAZY = {"Dataset": "dataset", "DatasetWriter": "dataset", "Episode": "dataset", "make_world": "world",
         "world_names": "world", "WorldEnv": "world"}
__all__ = ["Error", *_LAZY]


def __getattr__(name):
    # The extension loads libtorch; what does without it (the processes that record) stays small.
    if name not in _LAZY:
        raise AttributeError(f"module 'orrery' has no attribute '{name}'")
    import importlib
    return getattr(importlib.import_module("." + _LAZY[name], __name__), name)
