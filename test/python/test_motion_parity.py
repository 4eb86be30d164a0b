"""Motion: flow agrees with OpenCV's pyramidal Lucas-Kanade and with the true shift, colours with OpenCV's, FVMD with the released package."""
import importlib.util
import pathlib
import sys
import types

import cv2
import numpy as np
import pytest

import eval_tool


def texture(shift, seed=0, size=96):
    """A smooth random texture, moved by (x, y) pixels in its Fourier transform: exactly, whatever the shift."""
    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(2 * size), np.fft.fftfreq(2 * size), indexing="ij")
    spectrum = np.fft.fft2(rng.normal(size=(2 * size, 2 * size))) * np.exp(-0.5 * (np.hypot(fx, fy) / 0.05) ** 2)
    moved = np.real(np.fft.ifft2(spectrum * np.exp(-2j * np.pi * (fx * shift[0] + fy * shift[1]))))
    grey = 128 + 38 * moved[:size, :size] / np.real(np.fft.ifft2(spectrum)).std()
    return np.repeat(np.clip(np.round(grey), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("shift", [(0.3, -0.6), (2.5, 1.25), (-7.0, 4.5)])
def test_flow_is_the_shift_and_opencv_s(shift):
    film = np.stack([texture((0, 0)), texture(shift)])
    points = np.stack(np.meshgrid(np.arange(20, 76, 4), np.arange(20, 76, 4), indexing="ij"), -1).reshape(-1, 2).astype(np.float64)
    _, out = eval_tool.run("flow", {"film": film, "points": points})
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in film]
    moved, found, _ = cv2.calcOpticalFlowPyrLK(*grey, points[:, None].astype(np.float32), None, winSize=(9, 9), maxLevel=2)
    assert found.all()
    error = np.linalg.norm(out["moved"] - points - shift, axis=1)
    assert np.quantile(error, 0.95) < 0.12  # windows between pixels are blurred by their interpolation, OpenCV's too
    difference = np.linalg.norm(out["moved"] - moved[:, 0], axis=1)
    assert np.median(difference) < 0.02 and difference.max() < 0.15


def test_flow_of_a_still_picture_is_nothing():
    film = np.stack([texture((0, 0), 4)] * 2)
    points = np.random.default_rng(1).uniform(5, 90, (50, 2))
    np.testing.assert_array_equal(eval_tool.run("flow", {"film": film, "points": points})[1]["moved"], points)


def test_hue_saturation_value_and_their_change():
    rng = np.random.default_rng(2)
    film = rng.integers(0, 256, (4, 40, 56, 3), np.uint8)
    film[2] = film[2] // 64 * 64
    _, out = eval_tool.run("content", {"film": film})
    hsv = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2HSV) for frame in film])
    off = np.abs(out["hsv"].astype(int) - hsv.astype(int))
    off[..., 0] = np.minimum(off[..., 0], 180 - off[..., 0])
    assert off.max() <= 1 and (off > 0).mean() < 0.02
    np.testing.assert_allclose(out["change"], np.abs(np.diff(hsv.astype(float), axis=0)).mean((1, 2, 3)), rtol=2e-3)


@pytest.fixture(scope="module")
def package():
    """The modules of the PyPI package fvmd, without its __init__, which wants a graphics card."""
    folder = pathlib.Path(importlib.util.find_spec("fvmd").origin).parent
    shell, logs = types.ModuleType("fvmd"), types.ModuleType("loguru")
    shell.__path__, logs.logger = [str(folder)], None
    sys.modules["fvmd"] = shell
    sys.modules.setdefault("loguru", logs)
    from fvmd import extract_motion_features, frechet_distance

    return extract_motion_features, frechet_distance


def tracks(seed, count):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 6, (count, 16, 400, 2)) * rng.choice([0, 0.05, 1, 30], (count, 1, 400, 1))
    return 128 + np.cumsum(steps, axis=1)


@pytest.mark.parametrize("released", [False, True])
def test_fvmd_histograms_are_the_package_s(package, released):
    features, _ = package
    x = tracks(3, 6)
    velocity, second = np.zeros_like(x), np.zeros_like(x)
    velocity[:, 1:] = np.diff(x, axis=1)
    second[:, 2:] = np.diff(x if released else velocity, axis=1)[:, 1:]
    expected = np.concatenate([features.calc_hist(v).reshape(len(x), -1) for v in (velocity, second)], axis=1)
    _, out = eval_tool.run("fvmd", {"tracks": x}, released=released)
    np.testing.assert_allclose(out["features"], expected, rtol=1e-4, atol=1e-9)
    pooled = expected.reshape(len(x), 2, 4, 4, 4, 8).mean((3, 4)).reshape(len(x), 64)
    np.testing.assert_allclose(out["pooled"], pooled, rtol=1e-9)


def test_fvmd_distance_is_the_package_s(package):
    _, distance = package
    rng = np.random.default_rng(5)
    mix = rng.normal(size=(32, 32)) / 4
    a, b = rng.normal(size=(200, 32)) @ mix, 0.3 + 1.2 * rng.normal(size=(150, 32)) @ mix
    value = eval_tool.run("fvmd_distance", {"a": a, "b": b})[0]["distance"]
    assert value == pytest.approx(distance.calculate_fd_given_vectors(a, b), rel=1e-4)
    assert eval_tool.run("fvmd_distance", {"a": a, "b": a})[0]["distance"] == pytest.approx(-2e-5 * 32, abs=1e-6)
