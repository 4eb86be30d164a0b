"""Motion masks and scores of Physics-IQ agree with OpenCV and numpy, which know nothing of Orrery."""

import os
import subprocess

import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

TOOL = os.environ["ORRERY_PHYSICS_IQ_TOOL"]


def orrery(tmp_path, real, made, kernel=0, reduce=1):
    save_file({"real": np.ascontiguousarray(real), "made": np.ascontiguousarray(made)}, tmp_path / "in")
    done = subprocess.run([TOOL, tmp_path / "in", tmp_path / "out", str(kernel), str(reduce)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return load_file(tmp_path / "out")


def masks(film, size):
    square = np.ones((size, size), np.uint8)
    out, background = [], None
    for frame in film:
        grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (size, size), 0)
        if background is None:
            background = grey.astype(np.float64)
            out.append(np.zeros_like(grey))
            continue
        cv2.accumulateWeighted(grey, background, 0.3)
        moved = cv2.threshold(cv2.absdiff(grey, cv2.convertScaleAbs(background)), 10, 255, cv2.THRESH_BINARY)[1]
        out.append(cv2.morphologyEx(cv2.morphologyEx(moved, cv2.MORPH_OPEN, square), cv2.MORPH_CLOSE, square))
    return np.stack(out)


def resized(film, height, width):
    return np.stack([cv2.resize(frame, (width, height)) for frame in film])


def scores(real, made, real_masks, made_masks):
    a, b = real_masks > 127, made_masks > 127

    def iou(x, y):
        return 1.0 if (x + y).sum() == 0 else np.minimum(x, y).sum() / np.maximum(x, y).sum()

    mean_a, mean_b = a.mean(0), b.mean(0)
    return [
        iou(a.any(0).astype(float), b.any(0).astype(float)),
        np.mean([iou(x.astype(float), y.astype(float)) for x, y in zip(a, b)]),
        iou(mean_a, mean_b),
        np.mean((real / 255.0 - made / 255.0) ** 2),
    ]


def film(seed, frames, height, width):
    """Drifting discs and boxes over a textured, slightly noisy ground that grows brighter."""
    rng = np.random.default_rng(seed)
    ground = cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), (9, 9), 3)
    things = [(rng.uniform(0, [width, height]), rng.uniform(-4, 4, 2), int(rng.integers(3, 3 + height // 8)),
               [int(c) for c in rng.integers(0, 256, 3)], rng.random() < 0.5) for _ in range(6)]
    out = []
    for t in range(frames):
        frame = np.clip(ground.astype(int) + t + rng.integers(-9, 10, ground.shape), 0, 255).astype(np.uint8)
        for place, speed, radius, color, disc in things:
            x, y = (int(v) for v in place + t * speed)
            if disc:
                cv2.circle(frame, (x, y), radius, color, -1)
            else:
                cv2.rectangle(frame, (x - radius, y - radius), (x + radius, y + radius), color, -1)
        out.append(frame)
    return np.stack(out)


@pytest.mark.parametrize("height,width,kernel", [(64, 64, 3), (37, 53, 3), (128, 128, 5), (130, 141, 5)])
@pytest.mark.parametrize("seed", range(4))
def test_masks_and_scores(tmp_path, height, width, kernel, seed):
    real, made = film(seed, 12, height, width), film(seed + 100, 12, height, width)
    ours = orrery(tmp_path, real, made)
    theirs = {name: masks(video, kernel) for name, video in (("real", real), ("made", made))}
    for name in theirs:
        moving = (theirs[name] > 0).mean()
        assert 0.02 < moving < 0.98, "a film that tells right masks from wrong ones"
        np.testing.assert_array_equal(ours[name] * 255, theirs[name])
    np.testing.assert_allclose(ours["scores"], scores(real, made, theirs["real"], theirs["made"]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kernel", [3, 5])
def test_noise_meets_every_level(tmp_path, kernel):
    """Ties of the rounded background and of the blur, which smooth films seldom meet: blocks of random grey levels."""
    rng = np.random.default_rng(9)
    real, made = (np.kron(rng.integers(0, 256, (10, 16, 16, 3), dtype=np.uint8), np.ones((1, 8, 8, 1), np.uint8)) for _ in range(2))
    ours = orrery(tmp_path, real, made, kernel=kernel)
    np.testing.assert_array_equal(ours["real"] * 255, masks(real, kernel))
    np.testing.assert_array_equal(ours["made"] * 255, masks(made, kernel))
    small = (rng.integers(0, 40, (40, 64, 64, 1)) + 100).repeat(3, 3).astype(np.uint8)
    ours = orrery(tmp_path, small, small[::-1], kernel=kernel)
    np.testing.assert_array_equal(ours["real"] * 255, masks(small, kernel))


def test_a_quarter_of_the_size_as_published(tmp_path):
    """A generated film of another size is brought to a quarter of the real one's."""
    real, made = film(1, 10, 256, 384), film(2, 10, 192, 256)
    ours = orrery(tmp_path, real, made, reduce=4)
    theirs = {name: resized(masks(video, 5), 64, 96) for name, video in (("real", real), ("made", made))}
    np.testing.assert_array_equal(ours["frames_real"], resized(real, 64, 96))
    np.testing.assert_array_equal(ours["small_real"], theirs["real"] > 127)
    other = resized(made, 64, 96)
    assert np.abs(ours["frames_made"].astype(int) - other).max() <= 1, "OpenCV's fixed point rounds otherwise at ratios such as 8/3"
    np.testing.assert_array_equal(ours["small_made"], theirs["made"] > 127)
    expected = scores(ours["frames_real"], ours["frames_made"], theirs["real"], theirs["made"])
    np.testing.assert_allclose(ours["scores"], expected, atol=1e-6, rtol=0)


def test_a_still_film(tmp_path):
    still = film(3, 1, 64, 64).repeat(6, 0)
    assert orrery(tmp_path, still, still)["scores"].tolist() == [1, 1, 1, 0]
    assert orrery(tmp_path, film(3, 6, 64, 64), still)["scores"][0] == 0
