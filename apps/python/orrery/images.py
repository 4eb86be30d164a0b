"""Frames of any size to the size of a data set."""

import numpy as np


def area_weights(source, target):
    """[target, source] float32: row i averages the part of the source axis that target pixel i covers."""
    edges = np.linspace(0, source, target + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixel = np.arange(source)[None, :]
    cover = np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0, None)
    return (cover / cover.sum(1, keepdims=True)).astype(np.float32)


class Resizer:
    """RGB or grey uint8 frames to [height, width, 3] by averaging the area under each pixel.

    fit="stretch" keeps the whole view and changes its aspect; fit="crop" first cuts the centre to the target's aspect.
    Making a frame larger with area weights repeats pixels. height = width = 0: frames keep their size, cut to even
    sides (which video codecs ask for).
    """

    def __init__(self, height, width, fit="stretch"):
        self.height, self.width, self.fit = height, width, fit
        self._shape = None

    def __call__(self, frame):
        if frame.ndim == 2:
            frame = frame[..., None]
        if frame.shape[2] == 1:
            frame = np.repeat(frame, 3, 2)
        if frame.shape[:2] != self._shape:
            self._prepare(*frame.shape[:2])
        frame = frame[self._rows, self._columns, :3]
        if self._vertical is None:
            return np.ascontiguousarray(frame)
        height, width = frame.shape[:2]
        tall = self._vertical @ frame.reshape(height, width * 3).astype(np.float32)
        small = np.matmul(self._horizontal, tall.reshape(self.height, width, 3))
        return (small + 0.5).astype(np.uint8)

    def _prepare(self, height, width):
        self._shape = (height, width)
        keep_height, keep_width = height, width
        if not self.height:
            keep_height, keep_width = height - height % 2, width - width % 2
        elif self.fit == "crop":
            keep_height = min(height, round(width * self.height / self.width))
            keep_width = min(width, round(height * self.width / self.height))
        top, left = (height - keep_height) // 2, (width - keep_width) // 2
        self._rows, self._columns = slice(top, top + keep_height), slice(left, left + keep_width)
        if not self.height or (keep_height, keep_width) == (self.height, self.width):
            self._vertical = None
            return
        self._vertical = area_weights(keep_height, self.height)
        self._horizontal = area_weights(keep_width, self.width)
