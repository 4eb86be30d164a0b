"""The nets. Weights are stored in half precision and computed with in single precision."""
from typing import List

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 64  # of the embedding
SIDE = 64  # pixels; other sizes are resized


def pooled(x: Tensor) -> Tensor:
    """Mean and deviation over all positions (and times): [B, C, ...] -> [B, 2 C]."""
    x = x.float().flatten(2)
    mean = x.mean(2)
    return torch.cat([mean, ((x * x).mean(2) - mean * mean).clamp_min(0).add(1e-6).sqrt()], 1)


def places(x: Tensor) -> Tensor:
    """Two more channels: where a pixel is, -1..1."""
    h, w = x.shape[-2], x.shape[-1]
    y = torch.linspace(-1, 1, h, dtype=x.dtype).view(1, 1, h, 1).expand(x.shape[0], 1, h, w)
    z = torch.linspace(-1, 1, w, dtype=x.dtype).view(1, 1, 1, w).expand(x.shape[0], 1, h, w)
    return torch.cat([x, y, z], 1)


class FrameNet(nn.Module):
    """[B, 3, H, W] in 0..1 -> [B, 64]. Four stages 32/64/128/128 of half the size each; means and deviations of all stages."""

    def __init__(self):
        super().__init__()
        widths = [5, 32, 64, 128, 128]
        self.stages_ = nn.ModuleList(nn.Conv2d(a, b, 5 if i == 0 else 3, 2, 2 if i == 0 else 1)
                                     for i, (a, b) in enumerate(zip(widths, widths[1:])))
        self.project = nn.Linear(2 * sum(widths[1:]), WIDTH)

    def stages(self, x: Tensor) -> List[Tensor]:
        if x.shape[2] != 64 or x.shape[3] != 64:
            x = F.interpolate(x, size=[64, 64], mode="bilinear", align_corners=False, antialias=True)
        x = places(x * 2 - 1)
        out: List[Tensor] = []
        for stage in self.stages_:
            x = F.relu(stage(x))
            out.append(x)
        return out

    def pools(self, x: Tensor) -> Tensor:
        return torch.cat([pooled(s) for s in self.stages(x)], 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.pools(x))


class ClipNet(nn.Module):
    """[B, 3, T, H, W] in 0..1, T >= 2 -> [B, 64]. Three (2+1)-D stages over frames and their differences."""

    def __init__(self):
        super().__init__()
        self.space = nn.ModuleList([nn.Conv3d(8, 32, (1, 5, 5), (1, 4, 4), (0, 2, 2)), nn.Conv3d(32, 64, (1, 3, 3), (1, 2, 2), (0, 1, 1)),
                                    nn.Conv3d(64, 96, (1, 3, 3), (1, 2, 2), (0, 1, 1))])
        self.time = nn.ModuleList([nn.Conv3d(32, 32, (3, 1, 1), 1, (1, 0, 0)), nn.Conv3d(64, 64, (3, 1, 1), (2, 1, 1), (1, 0, 0)),
                                   nn.Conv3d(96, 96, (3, 1, 1), (2, 1, 1), (1, 0, 0))])
        self.project = nn.Linear(2 * (32 + 64 + 96), WIDTH)

    def pools(self, x: Tensor) -> Tensor:
        B, T, h, w = x.shape[0], x.shape[2], x.shape[3], x.shape[4]
        frames = x.transpose(1, 2).reshape(B * T, 3, h, w)
        if h != 64 or w != 64:
            frames = F.interpolate(frames, size=[64, 64], mode="bilinear", align_corners=False, antialias=True)
        frames = places(frames * 2 - 1).view(B, T, 5, 64, 64).transpose(1, 2)
        change = (frames[:, :3, 1:] - frames[:, :3, :-1]) * 2
        x = torch.cat([frames, F.pad(change, [0, 0, 0, 0, 1, 0])], 1)
        pools: List[Tensor] = []
        for space, time in zip(self.space, self.time):
            x = F.relu(space(x))
            x = F.relu(time(x))
            pools.append(pooled(x))
        return torch.cat(pools, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.pools(x))


class TwoStreams(nn.Module):
    """[B, 3, T, H, W] in 0..1 -> [B, width]. What every 8th frame looks like, on the trunk of a net of frames, and how the clip moves, on
    that of a net of clips (two streams: Simonyan & Zisserman, arXiv 1406.2199)."""

    def __init__(self, frames: FrameNet, clips: ClipNet, weight: Tensor, bias: Tensor):
        super().__init__()
        self.frames, self.clips = frames, clips
        self.project = nn.Linear(weight.shape[1], weight.shape[0])
        self.project.weight.data.copy_(weight)
        self.project.bias.data.copy_(bias)

    def forward(self, x: Tensor) -> Tensor:
        some = x[:, :, ::8].transpose(1, 2)
        looks = self.frames.pools(some.flatten(0, 1)).view(some.shape[0], some.shape[1], -1).mean(1)
        return self.project(torch.cat([looks, self.clips.pools(x)], 1))


def random_net(kind, seed):
    """F-rand: the same trunk, orthogonal weights, no training, a fixed random projection of standardised pools."""
    torch.manual_seed(seed)
    net = FrameNet() if kind == "frames" else ClipNet()
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Conv3d)):
            nn.init.orthogonal_(layer.weight, 2 ** 0.5)
            nn.init.zeros_(layer.bias)
    nn.init.normal_(net.project.weight, std=net.project.in_features ** -0.5)
    nn.init.zeros_(net.project.bias)
    return net.eval()


def standardise(net, pools):
    """The last layer then takes pools [n, P] that have mean 0 and deviation 1 over these rows; hardly varying ones are not blown up."""
    deviation = pools.std(0)
    deviation = deviation.clamp_min(0.1 * deviation.median())
    with torch.no_grad():
        net.project.weight.div_(deviation)
        net.project.bias.copy_(-net.project.weight @ pools.mean(0))
