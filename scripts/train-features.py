#!/usr/bin/env python3
"""Makes the evaluation's frozen feature nets from films of the built-in worlds, as TorchScript.

    scripts/train-features.py f-img --steps 2400      ->  OUT/f-img.pt, OUT/f-img.json
    scripts/train-features.py f-vid --steps 1000 --batch 48
    scripts/train-features.py f-rand                  ->  OUT/f-rand-img.pt, OUT/f-rand-vid.pt

f-img sees single frames: true state, presence of things, kind and severity of faults. f-vid sees clips of 16 frames: actions (inverse
dynamics), state, events, and faults of time: reversed, shuffled, dropped, bent differently from frame to frame; then the trunk of
OUT/f-img.pt is put beside its own, and the last layer is fitted in closed form (features/heads.py). f-rand is never trained.
scripts/feature-gates.py says where the nets may be used.
"""
import argparse
import hashlib
import json
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from features import corruptions, heads, nets, recordings

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLIP = 16


class Task(nn.Module):
    """What is asked of an embedding, world by world."""

    def __init__(self, sets, faults, clips):
        super().__init__()
        self.state = nn.ModuleList(nn.Linear(nets.WIDTH, s.state.shape[-1] * (2 if clips else 1)) for s in sets)
        self.presence = nn.ModuleList(nn.Linear(nets.WIDTH, s.presence.shape[-1]) for s in sets)
        self.actions = nn.ModuleList(nn.Linear(nets.WIDTH, 4 * s.count) for s in sets) if clips else None
        self.fault = nn.Linear(nets.WIDTH, faults)  # whether
        self.severity = nn.Linear(nets.WIDTH, faults)
        self.events = nn.Linear(nets.WIDTH, len(recordings.EVENTS)) if clips else None


def pick(sets, rng, share, batch):
    """(set index, rows) of one batch, each world by its share."""
    counts = np.bincount(rng.choice(len(sets), batch, p=share), minlength=len(sets))
    return [(w, n) for w, n in enumerate(counts) if n]


def frames_batch(sets, rng, share, batch):
    x, parts = [], []
    for w, n in pick(sets, rng, share, batch):
        s = sets[w]
        e, t = rng.integers(s.frames.shape[0], size=n), rng.integers(s.frames.shape[1], size=n)
        x.append(s.frames[e, t])
        parts.append((w, torch.from_numpy(s.state[e, t]), torch.from_numpy(s.presence[e, t])))
    return torch.from_numpy(np.concatenate(x)).permute(0, 3, 1, 2).float() / 255, parts


def clips_batch(sets, rng, share, batch):
    x, parts = [], []
    for w, n in pick(sets, rng, share, batch):
        s = sets[w]
        e, t = rng.integers(s.frames.shape[0], size=n), rng.integers(s.frames.shape[1] - CLIP + 1, size=n)
        at = t[:, None] + np.arange(CLIP)
        x.append(s.frames[e[:, None], at])
        state = np.concatenate([s.state[e, t], s.state[e, t + CLIP - 1]], 1)
        parts.append((w, torch.from_numpy(state), torch.from_numpy(s.presence[e, t + CLIP - 1]), torch.from_numpy(s.actions[e[:, None], at]),
                      torch.from_numpy(s.event[e[:, None], at[:, 1:]].any(1))))
    return torch.from_numpy(np.concatenate(x)).permute(0, 1, 4, 2, 3).float() / 255, parts


def event_class(event, order):
    """The rarest event of a clip; 0, none, without any. event [n, K] bool, order: rank of rarity, rarest lowest."""
    rank = torch.where(event, order, torch.full_like(order, 10 ** 6))
    best = rank.argmin(1)
    return torch.where(event.any(1), best, torch.zeros_like(best))


def task_loss(task, embedding, parts, severity, clips):
    """Weighted sum, and its terms. State, presence and actions are asked of whole clips only where time is as it was."""
    hidden = embedding
    on = (severity > 0).float()
    terms = {"fault": F.binary_cross_entropy_with_logits(task.fault(hidden), on),
             "severity": ((task.severity(hidden) - severity) ** 2 * (1 + 3 * on)).mean()}
    begin, state, presence, actions = 0, [], [], []
    kept = torch.ones(len(hidden), dtype=torch.bool)
    if clips:
        kept = severity[:, len(corruptions.FRAME_KINDS):].sum(1) == 0
    for part in parts:
        w, n = part[0], len(part[1])
        h, ok = hidden[begin:begin + n], kept[begin:begin + n]
        state.append(F.mse_loss(task.state[w](h), part[1], reduction="none").mean(1)[ok])
        presence.append(F.binary_cross_entropy_with_logits(task.presence[w](h), part[2], reduction="none").mean(1)[ok])
        if clips:  # the actions that led to four frames of the clip
            logits = task.actions[w](h).view(n, 4, -1)
            actions.append(F.cross_entropy(logits.flatten(0, 1), part[3][:, [4, 7, 10, 13]].flatten(), reduction="none").view(n, 4).mean(1)[ok])
        begin += n
    terms["state"], terms["presence"] = torch.cat(state).mean(), torch.cat(presence).mean()
    if clips:
        terms["actions"] = torch.cat(actions).mean()
    return terms


WEIGHTS = {"fault": 1.0, "severity": 4.0, "state": 0.5, "presence": 0.5, "actions": 0.3, "events": 0.3}


def train(kind, sets, o):
    clips = kind == "f-vid"
    torch.manual_seed(o.seed)
    rng, g = np.random.default_rng(o.seed), torch.Generator().manual_seed(o.seed)
    share = np.array([len(s.frames) for s in sets], float)
    share /= share.sum()
    net = nets.ClipNet() if clips else nets.FrameNet()
    net = net.to(memory_format=torch.channels_last_3d if clips else torch.channels_last)
    faults = len(corruptions.FRAME_KINDS) + (len(corruptions.CLIP_KINDS) if clips else 0)
    task = Task(sets, faults, clips)
    order = torch.from_numpy(np.argsort(np.argsort(np.sum([s.event.sum((0, 1)) for s in sets], 0))))
    parameters = [*net.parameters(), *task.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=o.rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, o.rate, total_steps=o.steps, pct_start=0.05)
    log, sums, start = [], {}, time.time()
    for step in range(1, o.steps + 1):
        x, parts = (clips_batch if clips else frames_batch)(sets, rng, share, o.batch)
        x, severity = (corruptions.corrupt_clips if clips else corruptions.corrupt_frames)(x, g)
        with torch.autocast("cpu", torch.bfloat16):
            embedding = net(x.transpose(1, 2)) if clips else net(x)
        embedding = embedding.float()
        terms = task_loss(task, embedding, parts, severity, clips)
        if clips:
            whole = severity[:, len(corruptions.FRAME_KINDS):].sum(1) == 0
            labels = event_class(torch.cat([p[4] for p in parts]), order)
            terms["events"] = F.cross_entropy(task.events(embedding)[whole], labels[whole])
        loss = sum(WEIGHTS[k] * v for k, v in terms.items()) + 1e-4 * (embedding ** 2).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        for k, v in terms.items():
            sums[k] = sums.get(k, 0) + v.item()
        if step % o.log == 0 or step == o.steps:
            log.append({"step": step, "seconds": round(time.time() - start, 1), **{k: round(v / o.log, 4) for k, v in sums.items()}})
            sums = {}
            print(json.dumps(log[-1]), flush=True)
    return net.eval(), log


def spoiled(kind, x, g):
    """Films x [n, (T,) 3, H, W], each with this fault at a random severity."""
    severity = torch.rand(len(x), generator=g) * 0.95 + 0.05
    if x.dim() == 4:
        return corruptions.quantised(corruptions.FRAME[kind](x, severity, g))
    films = []
    for film, s in zip(x, severity):
        if kind in corruptions.TIME:
            films.append(corruptions.TIME[kind](film, float(s), g))
        elif kind in ("colour", "patches", "warp"):
            films.append(corruptions.same_for_all(kind, film, s[None], g))
        else:
            films.append(corruptions.FRAME[kind](film, s.expand(len(film)), g))
    return corruptions.quantised(torch.stack(films))


@torch.no_grad()
def pools_of(net, sets, seed, faults=True):
    """(real {world: [n, P]}, spoiled {world: {kind: [m, P]}}) of a trunk on training films."""
    clips = isinstance(net, nets.ClipNet)
    batch, real_batches, batches = (32, 12, 3) if clips else (128, 12, 2)
    rng, g = np.random.default_rng(seed), torch.Generator().manual_seed(seed)

    def draw(s):
        e, length = rng.integers(s.frames.shape[0], size=batch), CLIP if clips else 1
        at = rng.integers(s.frames.shape[1] - length + 1, size=batch)[:, None] + np.arange(length)
        x = torch.from_numpy(s.frames[e[:, None], at]).permute(0, 1, 4, 2, 3).float() / 255
        return x if clips else x[:, 0]

    def pools(s, count, kind=None):
        rows = []
        for _ in range(count):
            x = spoiled(kind, draw(s), g) if kind else draw(s)
            rows.append(net.pools(x.transpose(1, 2) if clips else x))
        return torch.cat(rows)

    kinds = corruptions.FRAME_KINDS + (corruptions.CLIP_KINDS if clips else []) if faults else []
    return {s.world: pools(s, real_batches) for s in sets}, {s.world: {kind: pools(s, batches, kind) for kind in kinds} for s in sets}


def trunk_of(path, kind):
    """A net whose trunk is that of a file made earlier."""
    net = nets.ClipNet() if kind == "f-vid" else nets.FrameNet()
    old = torch.jit.load(str(path)).float().state_dict()
    net.load_state_dict({name: old[name] for name in net.state_dict()})
    return net.eval()


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("kind", choices=["f-img", "f-vid", "f-rand"])
    a.add_argument("--steps", type=int, default=2400)
    a.add_argument("--batch", type=int, default=128)
    a.add_argument("--rate", type=float, default=2e-3)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--log", type=int, default=100)
    a.add_argument("--trunk", type=pathlib.Path, help="take the trained net of this file, whose .json lies beside it, and do the rest")
    a.add_argument("--data", default="data/features", help="folder of the recordings, made when missing")
    a.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    a.add_argument("--out", type=pathlib.Path, default=ROOT / "models/features")
    o = a.parse_args()
    torch.set_num_threads(1)
    if o.kind == "f-vid" and not (o.out / "f-img.pt").exists():
        raise SystemExit(f"train-features: {o.out}/f-img.pt expected, whose trunk is a part of f-vid; make f-img first")
    sets = []
    if o.kind != "f-img" or not o.trunk:
        told = not o.trunk and o.kind != "f-rand"
        sets = [recordings.load(world, count, 7, o.data, o.build, told) for world, count in recordings.WORLDS.items()]
    if o.kind == "f-rand":
        for name, kind in (("img", "frames"), ("vid", "clips")):
            net = nets.random_net(kind, o.seed)
            nets.standardise(net, torch.cat(list(pools_of(net, sets, o.seed + 10, faults=False)[0].values())))
            export(net, o.out / f"f-rand-{name}.pt")
        return
    if o.trunk:
        net, facts = trunk_of(o.trunk, o.kind), json.loads(o.trunk.with_suffix(".json").read_text())
    else:
        net, log = train(o.kind, sets, o)
        facts = {"kind": o.kind, "steps": o.steps, "batch": o.batch, "rate": o.rate, "seed": o.seed, "seconds": log[-1]["seconds"],
                 "worlds": recordings.WORLDS, "frames": recordings.FRAMES, "log": log}
    if o.kind == "f-vid":
        frames = trunk_of(o.out / "f-img.pt", "f-img")
        head = heads.two_streams(pools_of(frames, sets, o.seed + 10), pools_of(net, sets, o.seed + 11), net.project.weight.detach())
        net = nets.TwoStreams(frames, net, *head)
    path = o.out / f"{o.kind}.pt"
    export(net, path)
    facts |= {"parameters": sum(p.numel() for p in net.parameters()), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")


def export(net, path):
    """TorchScript with half-precision weights; the loader turns them into single precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    script = torch.jit.script(net.to(memory_format=torch.contiguous_format))
    script.half()
    script.save(str(path))


if __name__ == "__main__":
    main()
