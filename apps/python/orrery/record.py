"""The command orrery-record."""

import argparse
import math
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from .errors import Error, near
from .policies import NAMES as POLICIES
from .recording import Job, Recorder
from .sources import SourceOptions

EXAMPLES = """examples:
  orrery-record gymnasium:VizdoomMyWayHome-v1 --episodes 200 --policy explore --out data/doom
  orrery-record gymnasium:ALE/Breakout-v5 --frames 50000 --policy sticky --out data/breakout
  orrery-record gymnasium:ALE/Pong-v5 --episodes 20 --to-videos videos/pong
  orrery-record gymnasium:ALE/Pong-v5 --episodes 24 --twins 2 --seed 1 --out data/pong-test
  orrery-record gymnasium:CarRacing-v3 --policy sticky --env-option continuous=false --out data/cars
"""


class Parser(argparse.ArgumentParser):
    """Faults of the command line are one line and exit code 2."""

    def error(self, message):
        raise Error(f"{message}; see orrery-record --help")

    def parse(self, words):
        options, rest = self.parse_known_args(words)
        if rest:
            flags = [flag for action in self._actions for flag in action.option_strings]
            name = rest[0].partition("=")[0]
            raise Error(f"unknown {'option' if name.startswith('-') else 'argument'} '{name}'{near(name, flags, 1)}; "
                        "see orrery-record --help")
        return options


def whole(low):
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected a whole number, got '{text}'") from None
        if value < low:
            raise argparse.ArgumentTypeError(f"expected at least {low}, got {value}")
        return value
    return parse


def env_option(text):
    """key=value with value true, false, a number or text."""
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise argparse.ArgumentTypeError(f"expected key=value, got '{text}'")
    if value in ("true", "false"):
        return key, value == "true"
    for kind in (int, float):
        try:
            return key, kind(value)
        except ValueError:
            pass
    return key, value


def pose_names(text):
    if text == "none":
        return []
    names = text.split(",")
    if len(names) != 3 or not all(names):
        raise argparse.ArgumentTypeError(f"expected three names as x,y,angle or 'none', got '{text}'")
    return names


def make_parser():
    parser = Parser(prog="orrery-record", allow_abbrev=False, epilog=EXAMPLES,
                    formatter_class=argparse.RawDescriptionHelpFormatter,
                    description="Records a Gymnasium world as a data set (--out) or as videos with an action table "
                                "(--to-videos). Ctrl-C keeps the whole episodes so far.")
    add = parser.add_argument
    add("world", help="gymnasium:ID, for example gymnasium:VizdoomMyWayHome-v1 or gymnasium:ALE/Breakout-v5")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", metavar="DIR", help="folder of the data set")
    where.add_argument("--to-videos", metavar="DIR", help="folder of MP4 files and actions.csv instead")
    add("--overwrite", action="store_true", help="replace an earlier recording at the same place, once this one is whole")
    add("--episodes", type=whole(1), metavar="N", help="stop after N episodes (default 100, no limit with --frames)")
    add("--frames", type=whole(2), metavar="N", help="stop with the episode that reaches N frames")
    add("--policy", default="explore", choices=POLICIES,
        help="random; sticky: random, held for 4 to 20 steps; explore: goes places by the pose, or by what changes on "
             "screen (default)")
    add("--size", type=whole(0), metavar="N",
        help="frames are N x N (default 64; videos: 0, as the world shows them)")
    add("--fit", default="stretch", choices=("stretch", "crop"),
        help="stretch keeps the whole view (default); crop cuts the centre square first")
    add("--frame-skip", type=whole(1), metavar="N", help="game ticks a step (default 4 for Doom and Atari, else 1)")
    add("--max-steps", type=whole(1), default=1000, metavar="N", help="longest episode (default 1000)")
    add("--min-steps", type=whole(1), default=16, metavar="N", help="shorter episodes are left out (default 16)")
    add("--pose", type=pose_names, metavar="X,Y,ANGLE",
        help="what to store as pose: Doom's game variables (default POSITION_X,POSITION_Y,ANGLE), or entries of the "
             "world's info; none: no pose. Angles in radians")
    add("--render", action="store_true", help="take frames from render() although observations are images")
    add("--env-option", type=env_option, action="append", default=[], metavar="KEY=VALUE",
        help="an argument of the world, may be repeated")
    add("--seed", type=whole(0), default=0, metavar="N", help="the same seed and workers give the same recording (default 0)")
    add("--twins", type=whole(1), metavar="K",
        help="make up to K twins of every episode: back to an earlier frame, then another action for a while; for sets "
             "that models are judged on (worlds that can be put back, as Atari's)")
    add("--twin-steps", type=whole(8), default=32, metavar="N", help="steps of a twin after the last shared frame (default 32)")
    add("--workers", type=whole(1), default=2, metavar="N", help="worlds that run at once (default 2)")
    return parser


class Motion:
    """Counts what the summary tells: steps, and steps in which the pose changed."""

    def __init__(self):
        self.steps = self.moved = 0

    def add(self, episode):
        self.steps += len(episode.frames) - 1
        if episode.pose is not None:
            change = np.diff(episode.pose.astype(np.float64), axis=0)
            change[:, 2] = (change[:, 2] + math.pi) % (2 * math.pi) - math.pi
            self.moved += int((np.abs(change).max(1) > 1e-3).sum())


def record(options, stopped):
    """Records until the limits or `stopped()`. Returns the number of episodes."""
    from . import _core
    from .sinks import DatasetSink, VideoSink
    videos = options.to_videos is not None
    size = options.size if options.size is not None else 0 if videos else 64
    if not videos and size < 8:
        raise Error(f"--size {size}: expected at least 8")
    if videos and options.twins:
        raise Error("--twins: twins are marked in data sets only; record with --out")
    if videos and size % 2:
        raise Error(f"--size {size}: expected an even number for videos")
    target = Path(options.to_videos if videos else options.out)
    job = Job(options.world, SourceOptions(options.frame_skip or 0, options.render, options.pose, dict(options.env_option)),
              options.policy, size, options.fit, options.max_steps, options.min_steps, options.seed, options.workers,
              options.twins or 0, options.twin_steps)
    max_episodes = options.episodes or (math.inf if options.frames else 100)
    max_frames = options.frames or math.inf
    with Recorder(job) as recorder:
        facts = {"name": target.name, "source": options.world, "height": size, "width": size} | recorder.facts
        sink = (VideoSink if videos else DatasetSink)(target, facts, options.overwrite)
        total, unit = (options.frames, "frames") if options.frames else (max_episodes, "episodes")
        progress = _core.Progress(target.name, total, unit)
        motion, episodes, frames, twins, start = Motion(), 0, 0, 0, time.monotonic()
        try:
            for episode in recorder.episodes(stopped):
                sink.add(episode)
                for twin in episode.twins:
                    twin.twin = (episodes + twins, *twin.twin[1:])
                    sink.add(twin)
                twins += len(episode.twins)
                motion.add(episode)
                episodes, frames = episodes + 1, frames + len(episode.frames)
                progress.update(min(frames, total) if options.frames else episodes,
                                f"{episodes} episodes, {frames} frames")
                if episodes >= max_episodes or frames >= max_frames:
                    break
            seconds = time.monotonic() - start
            progress.finish()
            if options.twins and episodes and not twins and not stopped():
                raise Error(f"--twins: no episode went on for {options.twin_steps} steps after its 16th frame, in the world and in "
                            "a twin; lower --twin-steps")
            if episodes:
                sink.finish()
            else:
                sink.discard()
        except BaseException:
            sink.discard()
            raise
    if episodes:
        moved = f", pose changes in {motion.moved / motion.steps:.0%} of steps" if facts["has_pose"] else ""
        told = f", {twins} twins" if options.twins else ""
        print(f"{target}: {episodes} episodes, {frames} frames{told}, {motion.steps / seconds:.0f} steps/s{moved}")
    return episodes


def main(words=None):
    """Exit code: 0, 2 for bad input, 130 after Ctrl-C (whole episodes are kept)."""
    stop = []

    def on_signal(number, frame):
        if stop:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stop.append(number)

    before = {}
    try:
        options = make_parser().parse(words)
        before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        episodes = record(options, lambda: bool(stop))
    except Error as problem:
        print(f"orrery-record: {problem}", file=sys.stderr)
        return 2
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop:
        kept = f"the {episodes} whole episodes so far are kept" if episodes else "no episode was whole yet, nothing is written"
        print(f"orrery-record: interrupted; {kept}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
