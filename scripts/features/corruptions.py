"""What is done to frames and clips in training, each with a severity in 0..1 that the nets must tell."""
import torch
import torch.nn.functional as F

FRAME_KINDS = ["blur", "noise", "colour", "patches", "blocks", "fade", "ghost", "warp"]
CLIP_KINDS = ["reversed", "shuffled", "dropped", "jitter", "flicker", "frozen"]


def scaled(severity, least, most):
    """Severity 0..1 on a logarithmic scale."""
    return least * (most / least) ** severity


def smooth_field(n, amplitude, side, generator, cells=5):
    """Random displacements [n, side, side, 2] of a few pixels, smooth; amplitude [n] in pixels."""
    coarse = torch.randn(n, 2, cells, cells, generator=generator)
    field = F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=True)
    return (field * amplitude[:, None, None, None] * 2 / side).permute(0, 2, 3, 1)


def warp(x, field):
    """x [n, 3, H, W] displaced by a field of normalised units."""
    identity = torch.eye(2, 3).expand(len(x), 2, 3)
    grid = F.affine_grid(identity, list(x.shape), align_corners=False) + field
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def gaussian(x, sigma):
    """sigma [n] in pixels"""
    sigma = sigma[:, None]
    at = torch.arange(-8, 9).float()[None]
    kernel = torch.exp(-at ** 2 / (2 * sigma ** 2))
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)
    n, _, h, w = x.shape
    y = F.pad(x, (8, 8, 8, 8), mode="reflect").reshape(1, n * 3, h + 16, w + 16)
    y = F.conv2d(F.conv2d(y, kernel[:, None, :, None], groups=n * 3), kernel[:, None, None, :], groups=n * 3)
    return y.view(n, 3, h, w)


def blur(x, s, g):
    return gaussian(x, scaled(s, 0.3, 3.5))


def noise(x, s, g):
    return x + scaled(s, 0.006, 0.2)[:, None, None, None] * torch.randn(x.shape, generator=g)


def colour(x, s, g):
    gain, lift = torch.randn(2, len(x), 3, 1, 1, generator=g) * scaled(s, 0.02, 0.35)[None, :, None, None, None]
    return x * (1 + gain) + lift / 2


def patches(x, s, g):
    """Random pairs of 8 x 8 patches change places."""
    n, c, h, w = x.shape
    cells = x.view(n, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 1, 3, 5).reshape(n, -1, c, 8, 8).clone()
    for i in range(n):
        for _ in range(max(1, int(scaled(s[i], 1, 40)))):
            a, b = torch.randint(cells.shape[1], (2,), generator=g).tolist()
            cells[i, [a, b]] = cells[i, [b, a]]
    return cells.view(n, h // 8, w // 8, c, 8, 8).permute(0, 3, 1, 4, 2, 5).reshape(n, c, h, w)


def blocks(x, s, g):
    """Means over 2 x 2 or 4 x 4 pixels, mixed in: what coarse latents and strong compression leave."""
    coarse = torch.where(torch.rand(len(x), 1, 1, 1, generator=g) < 0.5, F.interpolate(F.avg_pool2d(x, 2), scale_factor=2),
                         F.interpolate(F.avg_pool2d(x, 4), scale_factor=4))
    a = scaled(s, 0.1, 1)[:, None, None, None]
    return x + a * (coarse - x)


def fade(x, s, g):
    mean = x.mean((2, 3), keepdim=True)
    a = scaled(s, 0.05, 0.9)[:, None, None, None]
    return x + a * (mean - x)


def ghost(x, s, g):
    """A weak copy of another picture."""
    a = scaled(s, 0.03, 0.5)[:, None, None, None]
    return x + a * (x.roll(1, 0) - x)


def warped(x, s, g):
    return warp(x, smooth_field(len(x), scaled(s, 0.3, 3), x.shape[-1], g))


FRAME = dict(zip(FRAME_KINDS, [blur, noise, colour, patches, blocks, fade, ghost, warped]))


def quantised(x):
    return (x.clamp(0, 1) * 255).round() / 255


def corrupt_frames(x, g, clean=0.4, chance=0.2):
    """x [n, 3, H, W] -> corrupted frames, severities [n, kinds] (0: not applied)."""
    n = len(x)
    severity = torch.rand(n, len(FRAME_KINDS), generator=g) * 0.95 + 0.05
    severity *= torch.rand(n, len(FRAME_KINDS), generator=g) < chance
    severity[torch.rand(n, generator=g) < clean] = 0
    for k in torch.randperm(len(FRAME_KINDS), generator=g).tolist():
        on = severity[:, k].nonzero()[:, 0]
        if len(on) > 1:
            x[on] = FRAME[FRAME_KINDS[k]](x[on], severity[on, k], g)
        else:
            severity[on, k] = 0
    return quantised(x), severity


def corrupt_clips(x, g, clean=0.35):
    """x [n, T, 3, H, W] -> clips, severities [n, frame kinds + clip kinds]. One picture's fault is the same in all frames; noise is not."""
    n, T = x.shape[:2]
    kinds = len(FRAME_KINDS)
    severity = torch.zeros(n, kinds + len(CLIP_KINDS))
    sure = (torch.rand(n, generator=g) >= clean).nonzero()[:, 0].tolist()
    for i in range(n):  # half of all clips are bent in the same way in every frame, which is no fault
        if torch.rand((), generator=g) < 0.3:
            x[i] = warp(x[i], smooth_field(1, torch.rand(1, generator=g) * 2, x.shape[-1], g).expand(T, -1, -1, -1))
    for i in sure:
        kind, s = int(torch.randint(severity.shape[1], (), generator=g)), torch.rand(1, generator=g) * 0.95 + 0.05
        severity[i, kind] = s
        amount = s.expand(T)
        if kind < kinds:
            name = FRAME_KINDS[kind]
            if name in ("colour", "patches", "warp"):  # the same for all frames: as one tall picture of 3 T channels
                x[i] = same_for_all(name, x[i], s, g)
            else:
                x[i] = FRAME[name](x[i], amount, g)
            continue
        x[i] = TIME[CLIP_KINDS[kind - kinds]](x[i], float(s), g)
        if kind - kinds in (0, 5):
            severity[i, kind] = 1
    return quantised(x), severity


def same_for_all(name, x, s, g):
    T, _, h, w = x.shape
    if name == "colour":
        gain, lift = torch.randn(2, 1, 3, 1, 1, generator=g) * scaled(s, 0.02, 0.35)
        return x * (1 + gain) + lift / 2
    if name == "warp":
        return warp(x, smooth_field(1, scaled(s, 0.3, 3), w, g).expand(T, -1, -1, -1))
    return swap_patches(x, max(1, int(scaled(s, 1, 40))), g)


def swap_patches(x, count, g):
    """So many pairs of 8 x 8 patches change places, the same in all frames of x [T, 3, H, W]."""
    T, _, h, w = x.shape
    cells = x.reshape(T, 3, h // 8, 8, w // 8, 8).permute(0, 2, 4, 1, 3, 5).reshape(T, -1, 3, 8, 8).clone()
    for _ in range(count):
        a, b = torch.randint(cells.shape[1], (2,), generator=g).tolist()
        cells[:, [a, b]] = cells[:, [b, a]]
    return cells.view(T, h // 8, w // 8, 3, 8, 8).permute(0, 3, 1, 4, 2, 5).reshape(T, 3, h, w)


def backwards(x, s, g):
    return x.flip(0)


def shuffled(x, s, g):
    return swap_frames(x, max(1, int(scaled(s, 1, 20))), g)


def swap_frames(x, count, g):
    """So many pairs of frames change places."""
    order = list(range(len(x)))
    for _ in range(count):
        a, b = torch.randint(len(x), (2,), generator=g).tolist()
        order[a], order[b] = order[b], order[a]
    return x[order]


def dropped(x, s, g):
    return repeat_frames(x, scaled(s, 0.04, 0.8), g)


def repeat_frames(x, share, g):
    """Frames repeat their predecessor."""
    out = x.clone()
    for t in range(1, len(x)):
        if torch.rand((), generator=g) < share:
            out[t] = out[t - 1]
    return out


def jitter(x, s, g):
    return warp(x, smooth_field(len(x), torch.full((len(x),), scaled(s, 0.15, 3)), x.shape[-1], g))


def flicker(x, s, g):
    return x * (1 + scaled(s, 0.01, 0.3) * torch.randn(len(x), 1, 1, 1, generator=g))


def frozen(x, s, g):
    return x[:1].expand_as(x)


TIME = dict(zip(CLIP_KINDS, [backwards, shuffled, dropped, jitter, flicker, frozen]))
