"""Validity gates of feature nets on one world: G1 distances rise with severity, G2 two halves of real films are near each other, G3 a
net of clips sees time, G4 the same numbers again. Frechet distances throughout."""
import hashlib
import pathlib
import subprocess
import sys

import numpy as np
import scipy.linalg
import scipy.stats
import torch

from . import corruptions as c

CLIP = 16
FILMS, SHORT = 2048, 128  # real films, in two halves; spoiled films a level of G1
EVERY = 8  # frames between two that a net of frames sees: 2048 frames of 1024 films a half
MATCH = 512  # clips of G3
# Mildest to strongest. Blur: sigma in pixels; noise: sigma; colour: deviation of a film's gain, and half of it of its lift; patches and
# shuffle: pairs of 8 x 8 patches or of frames that change places; drop: share of frames that repeat their predecessor.
LEVELS = {"blur": [0.4, 0.7, 1.0, 1.5, 2.2, 3.2], "noise": [0.01, 0.02, 0.035, 0.06, 0.1, 0.17],
          "colour": [0.03, 0.06, 0.1, 0.15, 0.22, 0.3], "patches": [1, 2, 4, 8, 16, 32],
          "drop": [0.05, 0.1, 0.2, 0.3, 0.45, 0.6], "shuffle": [1, 2, 3, 5, 8, 16]}
OF_TIME = ("drop", "shuffle")
LEVEL = 2  # index of the level of G2
MOST_HALVES, LEAST_RANK, LEAST_TIME, LEAST_PAIR = 0.05, 0.9, 1.5, 0.95


def films(world, build, folder, seed=1990, count=FILMS):
    """[count, 16, H, W, 3] uint8, recorded from seeds that no training saw."""
    sys.path.insert(0, str(build / "python"))
    import orrery
    path = pathlib.Path(folder) / f"{''.join(x if x.isalnum() else '_' for x in world)}-{seed}"
    if not path.exists():
        subprocess.run([build / "orrery", "record", world, "--episodes", str(count), "--frames", str(CLIP + 8), "--seed", str(seed), "--out",
                        path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    data = orrery.Dataset(path)
    return np.stack([data[i].frames[4:4 + CLIP] for i in range(count)])


def spoil(kind, value, x, g):
    """x [n, T, 3, H, W] in 0..1, all by the same severity. Faults that a film keeps are drawn once a film."""
    n, T = x.shape[:2]
    flat = x.flatten(0, 1)
    if kind == "blur":
        y = c.gaussian(flat, torch.full((n * T,), float(value)))
    elif kind == "noise":
        y = flat + value * torch.randn(flat.shape, generator=g)
    elif kind == "colour":
        r = torch.randn(2, n, 1, 3, 1, 1, generator=g).expand(2, n, T, 3, 1, 1).reshape(2, n * T, 3, 1, 1)
        y = flat * (1 + value * r[0]) + value * r[1] / 2
    else:
        of_film = {"patches": c.swap_patches, "drop": c.repeat_frames, "shuffle": c.swap_frames}[kind]
        y = torch.cat([of_film(film, value, g) for film in x])
    return c.quantised(y).view_as(x)


def bent(x, pixels, each, g):
    """Elastic warps of so many pixels; of every frame its own, or the same for all."""
    T, side = x.shape[1], x.shape[-1]
    fields = [c.smooth_field(T if each else 1, torch.full((T if each else 1,), float(pixels)), side, g).expand(T, -1, -1, -1) for _ in x]
    return c.quantised(torch.stack([c.warp(film, field) for film, field in zip(x, fields)]))


def frechet(a, b):
    a, b = a.double().numpy(), b.double().numpy()
    s, r = np.cov(a.T), np.cov(b.T)
    values, vectors = scipy.linalg.eigh(s)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ r @ root).clip(0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s) + np.trace(r) - 2 * cross)


class Net:
    def __init__(self, name, path):
        self.name, self.path = name, pathlib.Path(path)
        self.clips = name.endswith("clips")
        self.module = torch.jit.load(str(path)).float().eval()

    def hash(self):
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def rows(self, x):
        """x [n, T, 3, H, W]"""
        return self.module(x.transpose(1, 2)) if self.clips else self.module(x[:, ::EVERY].flatten(0, 1))


def embed(nets, x, change=None):
    """x [n, T, H, W, 3] uint8 -> rows by net's name."""
    rows = {net.name: [] for net in nets}
    for begin in range(0, len(x), 32):
        z = torch.from_numpy(x[begin:begin + 32]).permute(0, 1, 4, 2, 3).float() / 255
        z = change(z) if change else z
        for net in nets:
            rows[net.name].append(net.rows(z))
    return {name: torch.cat(r) for name, r in rows.items()}


def matched(net, a, x, pixels):
    """Clips [n, T, 3, H, W] whose frames are bent each in its own way, so strongly that the net of frames sees them as far away as those
    bent alike by so many pixels, within 2 %: (alike, each)."""
    def far(z):
        return frechet(a, torch.cat([net.rows(part) for part in z.split(32)]))

    def draw(strength, each):
        h = torch.Generator().manual_seed(77)
        return torch.cat([bent(part, strength, each, h) for part in x.split(32)])

    alike = draw(pixels, False)
    wanted, low, high = far(alike), pixels / 3, pixels * 3
    for _ in range(12):
        middle = (low * high) ** 0.5
        each = draw(middle, True)
        got = far(each)
        if abs(got / wanted - 1) <= 0.02:
            return alike, each
        low, high = (middle, high) if got < wanted else (low, middle)
    return None


def gate(nets, x, log=print):
    """Numbers of every net on films x, and the gates it fails, by net's name."""
    g = torch.Generator().manual_seed(3)
    half = len(x) // 2
    a, b = embed(nets, x[:half]), embed(nets, x[half:])
    out = {n.name: {"halves": frechet(a[n.name], b[n.name]), "levels": {}, "failed": []} for n in nets}
    mild = {n.name: {} for n in nets}
    for kind, levels in LEVELS.items():
        fit = [n for n in nets if n.clips or kind not in OF_TIME]
        by = [embed(fit, x[half:half + SHORT], lambda z, v=v: spoil(kind, v, z, g)) for v in levels]
        full = embed(fit, x[half:], lambda z: spoil(kind, levels[LEVEL], z, g))
        for n in fit:
            far = [frechet(a[n.name], r[n.name]) for r in by]
            rank = float(scipy.stats.spearmanr(range(len(far)), far)[0])
            out[n.name]["levels"][kind] = {"distances": far, "rank": rank}
            mild[n.name][kind] = frechet(a[n.name], full[n.name])
            if rank < LEAST_RANK:
                out[n.name]["failed"].append(f"G1, distance does not rise with {kind} (rank correlation {rank:.2f}, at least {LEAST_RANK})")
        log(kind)
    for n in nets:
        o = out[n.name]
        mildest = min(mild[n.name], key=mild[n.name].get)
        o["mildest"], o["level3"] = mildest, mild[n.name]
        o["ratio"] = o["halves"] / mild[n.name][mildest]
        if o["ratio"] > MOST_HALVES:
            o["failed"].append(f"G2, two halves of real films are {o['ratio']:.3f} of real against {mildest} apart (at most {MOST_HALVES})")
    time_gate(nets, x[half:half + MATCH], a, out)
    again = embed([Net(n.name, n.path) for n in nets], x[:64])
    for n in nets:
        first = a[n.name][:len(again[n.name])]
        out[n.name]["repeats"] = bool(torch.equal(first, again[n.name]))
        if not out[n.name]["repeats"]:
            out[n.name]["failed"].append("G4, another run gave other numbers")
    return out


def time_gate(nets, x, a, out, pixels=1.0):
    """G3, of nets of clips; beside them the first net of frames says which warps are as far away frame by frame."""
    of_frames, of_clips = next(n for n in nets if not n.clips), [n for n in nets if n.clips]
    z = torch.from_numpy(x).permute(0, 1, 4, 2, 3).float() / 255
    pair = matched(of_frames, a[of_frames.name], z, pixels)
    for n in of_clips:
        if pair is None:
            out[n.name]["time"] = None
            out[n.name]["failed"].append("G3, no strength of warps matches frame by frame")
            continue
        alike, each = (frechet(a[n.name], torch.cat([n.rows(p) for p in part.split(32)])) for part in pair)
        out[n.name]["time"] = each / alike
        if each / alike < LEAST_TIME and n.name.startswith("F-vid"):
            out[n.name]["failed"].append(f"G3, warps that differ from frame to frame are {each / alike:.2f} times as far as equal ones "
                                         f"(at least {LEAST_TIME})")


def pair_agreement(module, x, count=256):
    """Share of triplets in which the stronger fault is the farther one, by LPIPS's formula on the stages of a net of frames."""
    def unit(stage):
        return stage / (stage.pow(2).sum(1, keepdim=True).sqrt() + 1e-10)

    z = torch.from_numpy(x[:count, :1]).permute(0, 1, 4, 2, 3).float() / 255
    real = [unit(s) for s in module.stages(z.flatten(0, 1))]
    share = {}
    for kind in (k for k in LEVELS if k not in OF_TIME):
        far = []
        for v in LEVELS[kind]:
            made = module.stages(spoil(kind, v, z, torch.Generator().manual_seed(5)).flatten(0, 1))
            far.append(sum((unit(s) - r).pow(2).mean((1, 2, 3)) for s, r in zip(made, real)))
        far = torch.stack(far)
        pairs = [(i, j) for i in range(6) for j in range(i + 1, 6)]
        share[kind] = float(torch.stack([(far[j] > far[i]).float().mean() for i, j in pairs]).mean())
    return share
