"""Episodes from worlds, by several processes at once, in an order that the seed decides."""

import contextlib
import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import wait

import numpy as np

from .errors import Error
from .images import Resizer
from .policies import make_policy
from .sources import SourceOptions, open_source
from .twins import BEFORE, TwinMaker

# Workers share the cores; each with several threads for small products is many times slower.
THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
AHEAD = 2  # episodes a worker may be ahead of the one that is awaited


@dataclass
class Job:
    world: str
    source: SourceOptions = field(default_factory=SourceOptions)
    policy: str = "explore"
    size: int = 64  # 0: as the world shows them
    fit: str = "stretch"
    max_steps: int = 1000
    min_steps: int = 16
    seed: int = 0
    workers: int = 2
    twins: int = 0  # of each episode
    twin_steps: int = 32


@dataclass
class Recorded:
    """T+1 rows each; actions[t] leads to frame t and row 0 is a dummy. `pose` may be None."""
    frames: np.ndarray
    actions: np.ndarray
    pose: np.ndarray | None
    seed: int
    twin: tuple | None = None  # of a twin: (index of the episode in the set, or None as yet; its frame 0 there; last shared frame)
    twins: list = field(default_factory=list)  # of this episode


class Stopped(Exception):
    """The process that asked for episodes wants no more."""


def record_episode(source, policy, resize, max_steps, seed, stopped=lambda: False, maker=None):
    """One episode of at most `max_steps` steps, with its twins if there is a maker; the same seed gives the same one in a
    world that is deterministic."""
    policy.begin(np.random.default_rng([seed, 1]))
    frame, pose = source.reset(seed)
    if maker:
        maker.begin()
        maker.look(frame)
    frames, poses = [resize(frame)], [pose]
    actions = [np.zeros(source.actions.width, np.float32)]
    for _ in range(max_steps):
        if stopped():
            raise Stopped
        row = policy.act(frames[-1], pose)
        frame, following, done = source.step(row)
        if frame is not None:
            frames.append(resize(frame))
            actions.append(row)
            poses.append(following)
            pose = following
            if maker:
                maker.look(frame, done)
        if done:
            break
    episode = Recorded(np.stack(frames), np.stack(actions), None if poses[0] is None else np.stack(poses), seed)
    if maker:
        made = maker.make(episode.actions, np.random.default_rng([seed, 2]), resize)
        episode.twins = [join_twin(episode, *twin) for twin in made]
    return episode


def join_twin(episode, fork, rows, frames, poses):
    """A twin as an episode of its own: the frames before the fork, then what followed."""
    begin = fork - BEFORE
    actions = np.concatenate([episode.actions[begin:fork + 1], rows])
    actions[0] = 0
    return Recorded(np.concatenate([episode.frames[begin:fork + 1], np.stack(frames)]), actions,
                    None if episode.pose is None else np.concatenate([episode.pose[begin:fork + 1], np.stack(poses)]),
                    episode.seed, (None, begin, BEFORE))


def _serve(job, worker, pipe):
    """A worker: first the facts of the world, then every workers-th episode, until the other end says or is gone."""
    # A group of its own: Ctrl-C on a terminal reaches the recorder only, not the engines that worlds start.
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, fault = None, None
    try:
        source = open_source(job.world, job.source)
        resize = Resizer(job.size, job.size, job.fit)
        policy = make_policy(job.policy, source.actions, bool(source.pose_names))
        maker = TwinMaker(source, job.twins, job.twin_steps) if job.twins else None
        pipe.send(("facts", {"actions": source.actions.facts, "fps": source.fps, "has_pose": bool(source.pose_names)}))
        index = worker
        while True:
            seed = int(np.random.SeedSequence([job.seed, index]).generate_state(1)[0])
            episode = record_episode(source, policy, resize, job.max_steps, seed, pipe.poll, maker)
            pipe.send(("episode", index, episode))
            index += job.workers
    except (Stopped, BrokenPipeError, EOFError):
        pass
    except Error as problem:
        fault = str(problem)
    except Exception as problem:  # a foreign world may throw anything
        text = " ".join(str(problem).split())
        fault = f"{job.world} failed: {type(problem).__name__}: {text}"
    if fault:
        with contextlib.suppress(BrokenPipeError):
            pipe.send(("error", fault))
    if source is not None:
        source.close()


class Recorder:
    """Workers that record. `facts` tells actions, fps and has_pose; episodes() yields them in the order of their index,
    whatever worker is faster. Error when a worker fails."""

    def __init__(self, job):
        self.job = job
        context = multiprocessing.get_context("spawn")
        self._pipes, self._processes = [], []
        before = {name: os.environ.get(name) for name in THREADS}
        os.environ.update(THREADS)
        try:
            for worker in range(job.workers):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(job, worker, theirs), daemon=True)
                process.start()
                theirs.close()
                self._pipes.append(ours)
                self._processes.append(process)
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        try:
            self.facts = [self._receive(worker)[1] for worker in range(job.workers)][0]
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _receive(self, worker):
        try:
            message = self._pipes[worker].recv()
        except (EOFError, ConnectionResetError):
            self._processes[worker].join(5)
            raise Error(f"{self.job.world}: the process that records it ended unexpectedly "
                        f"(exit code {self._processes[worker].exitcode})") from None
        if message[0] == "error":
            raise Error(message[1])
        return message

    def episodes(self, stopped=lambda: False):
        """Episodes in order; shorter ones than min_steps are left out. Ends when `stopped()`, asked several times a
        second, says so."""
        ready, index, dropped = {}, 0, 0
        while not stopped():
            if index not in ready:
                # No more is received from a worker that is ahead, so that memory stays bounded.
                held = [sum(i % self.job.workers == w for i in ready) for w in range(self.job.workers)]
                for pipe in wait([p for p, n in zip(self._pipes, held) if n < AHEAD], timeout=0.2):
                    _, got, episode = self._receive(self._pipes.index(pipe))
                    ready[got] = episode
                continue
            episode = ready.pop(index)
            index += 1
            if len(episode.frames) <= self.job.min_steps:
                dropped += 1
                if dropped > 50:
                    raise Error(f"{self.job.world}: 50 episodes in a row had fewer than {self.job.min_steps} steps; "
                                "lower --min-steps")
                continue
            dropped = 0
            yield episode

    def close(self):
        for pipe in self._pipes:
            try:
                pipe.send("stop")
            except OSError:
                pass
            pipe.close()
        for process in self._processes:
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()
