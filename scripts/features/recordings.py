"""Frames with their true state: recorded by `orrery record`, replayed in the same world for the state and the events."""
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import numpy as np

# world spec: episodes of FRAMES frames
WORLDS = {"maze": 300, "billiards": 120, "billiards(speed=8, friction=0)": 80, "occluder": 160, "pendulum": 100,
          "pendulum(kind=double)": 60, "keys": 120, "stack": 120, "growth(frames=60)": 100, "dominoes": 100, "pair": 100}
FRAMES = 64
EVENTS = ["none", "collision", "cushion", "topple", "half", "end", "pick", "drop", "done", "slide", "push", "unlock", "lever", "gate-open",
          "gate-shut", "found", "bounce", "hidden", "seen", "turn", "fall", "turns-left", "turns-right", "walks"]


@dataclass
class Recording:
    """Episodes of one world. actions[t] leads to frame t; state and presence are of frame t, event of the step that led there."""
    world: str
    frames: np.ndarray  # [E, T, H, W, 3] uint8
    actions: np.ndarray  # [E, T] int64
    count: int  # of actions
    state: np.ndarray  # [E, T, D] float32, standardised; dimensions that never change are left out
    presence: np.ndarray  # [E, T, P] float32 of 0 and 1
    event: np.ndarray  # [E, T, len(EVENTS)] bool


def turns(angle):
    return np.concatenate([np.cos(angle), np.sin(angle)], -1)


def maze(s):
    """Distances to the walls along five rays, the region's colour, and which objects are in sight."""
    x, y, angle = s["agent"]
    walls, size = s["walls"], len(s["walls"])

    def open_way(bearing, limit):
        steps = np.arange(0.05, limit, 0.05)
        cx, cy = (x + steps * np.cos(bearing)).astype(int), (y + steps * np.sin(bearing)).astype(int)
        hit = np.flatnonzero(walls[np.clip(cy, 0, size - 1), np.clip(cx, 0, size - 1)] > 0.5)
        return steps[hit[0]] if len(hit) else limit

    rays = [1 / (0.3 + open_way(angle + turn, 8)) for turn in np.radians([-35, -15, 0, 15, 35])]
    seen = np.zeros(8)
    for ox, oy, kind, _ in s["objects"]:
        away, bearing = np.hypot(ox - x, oy - y), np.arctan2(oy - y, ox - x)
        off = np.angle(np.exp(1j * (bearing - angle)))
        if abs(off) < np.radians(42) and away < 8 and open_way(bearing, away + 0.01) >= away:
            seen[int(kind) % 8] = 1
    region = np.eye(12)[int(s["colors"][int(y), int(x)])]
    return np.array(rays), np.concatenate([seen, region])


def billiards(s):
    return np.concatenate([s["position"].ravel(), s["velocity"].ravel()]), np.eye(12)[s["color"].astype(int)].max(0)


def occluder(s):
    shown = s["visible"] > 0
    state = np.concatenate([(s["position"] * shown[:, None]).ravel(), s["screens"].ravel(), s["camera"], s["dark"]])
    return state, np.concatenate([shown, (np.eye(12)[s["color"].astype(int) % 12] * shown[:, None]).max(0)])


def stack(s):
    return np.concatenate([s["position"].ravel(), turns(s["angle"]), s["velocity"].ravel()]), np.concatenate([s["fallen"], s["gone"]])


def pendulum(s):
    return np.concatenate([s["position"].ravel(), turns(s["angle"]), s["rate"], s["length"]]), s["cut"]


def dominoes(s):
    return np.concatenate([s["position"].ravel(), turns(s["angle"])]), s["fallen"]


def keys(s):
    agents, tiles = s["agents"], s["tiles"].reshape(-1, s["tiles"].shape[-1]).astype(int)
    state = np.concatenate([agents[:, :2].ravel(), turns(agents[:, 2] * np.pi / 2)])
    kinds = [np.any(np.all(tiles == key, axis=1)) for key in KINDS]
    return state, np.concatenate([np.array(kinds, float), agents[:, 3] > 0])


KINDS = [(floor, item, color, is_open) for floor in (0, 3) for item in (2, 3, 5, 6) for color in range(4) for is_open in (0, 1)]
READERS = {"maze": maze, "billiards": billiards, "occluder": occluder, "stack": stack, "pendulum": pendulum, "dominoes": dominoes,
           "keys": keys, "pair": keys, "growth": lambda s: (np.concatenate([s["progress"], s["speed"]]), s["progress"] > 0.5)}


def own_motion(states):
    """Events of a maze's walker: turning (more than 5 degrees a frame) and walking."""
    agent = np.array([s["agent"] for s in states])
    turn = np.diff(np.unwrap(agent[:, 2]), prepend=agent[0, 2])
    step = np.r_[0, np.hypot(*np.diff(agent[:, :2], axis=0).T)]
    return {"turns-left": turn > 0.09, "turns-right": turn < -0.09, "walks": step > 0.1}


def replay(world, actions, seed):
    """States and events of an episode that begins with `seed`."""
    world.reset(seed=seed)
    states, happened = [world._core.state()], np.zeros((len(actions), len(EVENTS)), bool)
    for t in range(1, len(actions)):
        world._core.step([float(actions[t])])
        states.append(world._core.state())
        for kind, _, _ in world.events():
            happened[t, EVENTS.index(kind)] = True
    if "agent" in states[0]:
        for kind, on in own_motion(states).items():
            happened[:, EVENTS.index(kind)] |= on
    return states, happened


def load(spec, episodes, seed, folder, build, told=True):
    """Recording of one world; the data set is made below `folder` unless it is there. Not told: frames and actions alone."""
    sys.path.insert(0, str(build / "python"))
    import orrery
    path = pathlib.Path(folder) / f"{''.join(c if c.isalnum() else '_' for c in spec)}-{seed}"
    if not path.exists():
        subprocess.run([build / "orrery", "record", spec, "--episodes", str(episodes), "--frames", str(FRAMES), "--seed", str(seed), "--out",
                        path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    data, world = orrery.Dataset(path), orrery.make_world(spec)
    count, episodes = world.facts["actions"]["count"], [data[i] for i in range(len(data))]
    frames, actions = (np.stack([getattr(e, name) for e in episodes]) for name in ("frames", "actions"))
    actions = actions[..., 0].astype(np.int64)
    if not told:
        return Recording(spec, frames, actions, count, None, None, None)
    reader = READERS[spec.split("(")[0]]
    state, presence, event = [], [], []
    for episode in episodes:
        states, happened = replay(world, episode.actions[:, 0], episode.seed)
        rows = [reader(s) for s in states]
        state.append(np.array([r[0] for r in rows], np.float32))
        presence.append(np.array([r[1] for r in rows], np.float32))
        event.append(happened)
    state = np.stack(state)
    flat = state.reshape(-1, state.shape[-1])
    keep = flat.std(0) > 1e-4
    state = ((state - flat.mean(0)) / np.maximum(flat.std(0), 1e-4))[..., keep]
    return Recording(spec, frames, actions, count, state.clip(-4, 4), np.stack(presence), np.stack(event))
