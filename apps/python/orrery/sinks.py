"""Where recorded episodes go."""

import csv
import os
import shutil
from pathlib import Path

from . import _core
from .dataset import DatasetWriter
from .errors import Error


class DatasetSink:
    """A data set."""

    def __init__(self, folder, facts, overwrite):
        self._writer = DatasetWriter(folder, facts, overwrite)

    def add(self, episode):
        self._writer.add(episode)

    def finish(self):
        self._writer.finish()

    def discard(self):
        self._writer = None


class VideoSink:
    """A folder with one MP4 an episode and actions.csv: video, frame, a0, a1, ... and, with pose, x, y, angle.

    The row of frame t holds the action taken while t is on screen, which leads to frame t+1. The last frame has a row
    (with zeros for the action that was never taken) only where there is a pose to tell. The folder appears when it is
    whole; an existing one that holds anything but such files is never replaced.
    """

    def __init__(self, folder, facts, overwrite):
        self._folder = Path(folder).absolute()
        check_video_folder(self._folder, overwrite)
        self._partial = self._folder.with_name(f".{self._folder.name}.{os.getpid()}.partial")
        self._discrete, self._fps = bool(facts["actions"].get("count")), facts["fps"]
        self._episodes = 0
        width = 1 if self._discrete else facts["actions"]["dims"]
        header = ["video", "frame", *(f"a{i}" for i in range(width))]
        try:
            self._partial.mkdir(parents=True)
            self._file = open(self._partial / "actions.csv", "w", newline="")
            self._table = csv.writer(self._file, lineterminator="\n")
            self._table.writerow(header + ["x", "y", "angle"] * bool(facts["has_pose"]))
        except OSError as problem:
            raise Error(f"{folder}: {problem.strerror}") from None

    def add(self, episode):
        name = f"episode_{self._episodes:04d}.mp4"
        height, width = episode.frames.shape[1:3]
        video = _core.VideoWriter(self._partial / name, height, width, self._fps, 18)
        for frame in episode.frames:
            video.add(frame)
        video.finish()
        number = (lambda v: int(v)) if self._discrete else (lambda v: repr(float(v)))
        last = len(episode.frames) - 1
        try:
            for t in range(last + (episode.pose is not None)):
                taken = episode.actions[t + 1] if t < last else 0 * episode.actions[0]
                pose = [] if episode.pose is None else [repr(float(v)) for v in episode.pose[t]]
                self._table.writerow([name, t, *map(number, taken), *pose])
            self._file.flush()
        except OSError as problem:
            raise Error(f"{self._partial / 'actions.csv'}: {problem.strerror}") from None
        self._episodes += 1

    def finish(self):
        try:
            self._file.close()
            if self._folder.exists():
                shutil.rmtree(self._folder)
            self._partial.rename(self._folder)
        except OSError as problem:
            raise Error(f"{self._folder}: {problem.strerror}") from None

    def discard(self):
        self._file.close()
        shutil.rmtree(self._partial, ignore_errors=True)


def check_video_folder(folder, overwrite):
    """Error unless `folder` is free, or may be overwritten and holds nothing but a recording."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise Error(f"{folder}: is a file, expected a folder")
    inside = sorted(p.name for p in folder.iterdir())
    strange = [n for n in inside if n != "actions.csv" and not (n.startswith("episode_") and n.endswith(".mp4"))]
    if inside and not overwrite:
        raise Error(f"{folder}: exists; choose another folder or pass --overwrite")
    if strange:
        raise Error(f"{folder}: holds {strange[0]}, which is not of a recording; choose another folder")
