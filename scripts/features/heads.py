"""The last layer of F-vid, in closed form from the pools of its two trunks on films of the training worlds.

A Frechet distance of N rows is biased by the spread of real films: two halves of them are k / N apart, and k grows with that spread. A net
that was trained to tell states spreads real films widely, and mild faults drown in the bias. So the features are few directions in which
spoiled films leave what is real, each scaled by how much of the leaving it shows, beside the main axes of the trained embedding."""
import torch

RIDGE = 0.1  # added to the variance of every pool, which is 1
DEAD = 0.1  # of the median deviation: pools that hardly ever move are not blown up further
FRAMES, TRAINED, TIME = (0.4, 12), (0.8, 8), (0.7, 2)  # scale and number of features
OF_TIME = ("dropped", "shuffled", "jitter")


def moments(rows):
    mean = rows.mean(0)
    centred = rows - mean
    return mean, centred.T @ centred / (len(rows) - 1)


def leaving(real, spoiled, width, power):
    """real {world: [n, P]}, spoiled {world: {kind: [m, P]}} -> weight [width, P]: directions in which the second moment of spoiled rows
    exceeds that of real rows of the same world, strongest first, each scaled by its share to this power; real rows then have a mean
    variance of 1 over 64 such features."""
    rows = {w: r.double() for w, r in real.items()}
    deviation = torch.stack([r.std(0) for r in rows.values()]).pow(2).mean(0).sqrt()
    deviation = deviation.clamp_min(DEAD * deviation.median())
    stats = {w: moments(r / deviation) for w, r in rows.items()}
    within = torch.stack([s for _, s in stats.values()]).mean(0)
    values, vectors = torch.linalg.eigh(within + RIDGE * torch.eye(len(within), dtype=within.dtype))
    whiten = vectors * values.rsqrt()
    excess = torch.zeros_like(within)
    for w, kinds in spoiled.items():
        mean, spread = stats[w]
        for x in kinds.values():
            off = (x.double() / deviation - mean) @ whiten
            more = off.T @ off / len(x) - whiten.T @ spread @ whiten
            excess += more / more.diagonal().clamp_min(0).sum()
    shares, directions = torch.linalg.eigh(excess)
    shares, directions = shares.flip(0)[:64], directions.flip(1)[:, :64]
    scale = (shares / shares[0]).clamp_min(0).pow(power).clamp_min(0.02)
    weight = (whiten @ directions * scale).T / deviation
    weight = weight / (torch.cat(list(rows.values())) @ weight.T).var(0).mean().sqrt()
    return weight[:width].float()


def main_axes(weight, real, spoiled, width):
    """The embedding `weight` [d, P] turned to its main axes over real and spoiled rows, the first of them."""
    rows = torch.cat([*real.values(), *(x for kinds in spoiled.values() for x in kinds.values())]) @ weight.T
    return torch.linalg.eigh(torch.cov(rows.T))[1].flip(1)[:, :width].T @ weight


def two_streams(frames, clips, trained):
    """frames and clips: (real, spoiled) pools of each trunk; trained [64, P] the clip net's own embedding -> weight [22, P + P'], bias. Real
    films have mean 0 and a mean variance of 1."""
    looks = FRAMES[0] * leaving(*frames, FRAMES[1], 0.5)
    of_time = {w: {k: x for k, x in kinds.items() if k in OF_TIME} for w, kinds in clips[1].items()}
    moves = torch.cat([TRAINED[0] * main_axes(trained, *clips, TRAINED[1]), TIME[0] * leaving(clips[0], of_time, TIME[1], 1.0)])
    real_looks, real_moves = (torch.cat(list(real.values())) for real in (frames[0], clips[0]))
    means = torch.cat([looks @ real_looks.mean(0), moves @ real_moves.mean(0)])
    variances = torch.cat([(real_looks @ looks.T).var(0), (real_moves @ moves.T).var(0)])
    weight = torch.block_diag(looks, moves)
    scale = variances.mean().rsqrt()
    return weight * scale, -means * scale
