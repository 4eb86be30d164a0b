"""Quality metrics agree with torchmetrics, pytorch-msssim, scikit-image, SciPy and PyTorch: on random frames, on rendered frames of a
built-in world, and on noisy and blurred ones."""
import numpy as np
import pytest
import pytorch_msssim
import scipy.linalg
import scipy.ndimage
import scipy.spatial
import skimage.metrics
import torch
import torchmetrics.functional.image as tmf
from PIL import Image
from pytorch_msssim.ssim import _fspecial_gauss_1d, _ssim
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance, poly_mmd

import eval_tool

torch.set_num_threads(1)
PAIRS = ["random", "noisy", "blurred", "other"]


@pytest.fixture(scope="module")
def pairs():
    """(a, b) films [T, H, W, 3] uint8 by kind."""
    rng = np.random.default_rng(1)
    _, films = eval_tool.run("films", world="maze", seed=3, frames=12)
    _, other = eval_tool.run("films", world="billiards", seed=4, frames=12)
    return {"random": tuple(rng.integers(0, 256, (3, 52, 76, 3), np.uint8) for _ in "ab"),
            "noisy": (films["noisy"], films["film"]), "blurred": (films["blurred"], films["film"]), "other": (other["blurred"], films["film"])}


def planes(film, dtype=torch.float64):
    return torch.from_numpy(film).permute(0, 3, 1, 2).to(dtype) / 255


def double(film):
    return film.astype(np.float64) / 255


def send(pair):
    return {"a": pair[0], "b": pair[1]}


@pytest.mark.parametrize("kind", PAIRS)
def test_psnr(pairs, kind):
    a, b = pairs[kind]
    values, out = eval_tool.run("psnr", send(pairs[kind]))
    frames = [skimage.metrics.peak_signal_noise_ratio(double(y), double(x), data_range=1) for x, y in zip(a, b)]
    np.testing.assert_allclose(out["psnr"], frames, rtol=0, atol=1e-9)
    assert values["mean_of_frames"] == pytest.approx(np.mean(frames), abs=1e-9)
    whole = tmf.peak_signal_noise_ratio(planes(a), planes(b), data_range=1.0)
    assert values["of_mean_mse"] == pytest.approx(whole.item(), abs=1e-4)


@pytest.mark.parametrize("kind", PAIRS)
def test_ssim_with_mirrored_borders(pairs, kind):
    _, out = eval_tool.run("ssim", send(pairs[kind]), border="reflect")
    expected = tmf.structural_similarity_index_measure(*map(planes, pairs[kind]), data_range=1.0, reduction="none")
    np.testing.assert_allclose(out["ssim"], expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", PAIRS)
def test_ssim_with_valid_windows(pairs, kind):
    a, b = pairs[kind]
    _, out = eval_tool.run("ssim", send(pairs[kind]), border="valid")
    window = pytorch_msssim.ssim(planes(a), planes(b), data_range=1, size_average=False)
    np.testing.assert_allclose(out["ssim"], window, rtol=0, atol=1e-5)
    cropped = [skimage.metrics.structural_similarity(double(x), double(y), gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                                     data_range=1, channel_axis=2) for x, y in zip(a, b)]
    np.testing.assert_allclose(out["ssim"], cropped, rtol=0, atol=1e-9)


def weights(scales):
    w = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]
    return list(w if scales == 5 else w / w.sum())


def tall(pairs, kind, side):
    """Films repeated to at least `side` pixels, for five scales."""
    return tuple(np.tile(x[:2], (1, -(-side // x.shape[1]), -(-side // x.shape[2]), 1))[:, :side, :side].copy() for x in pairs[kind])


def ms_ssim_torchmetrics(pair, scales):
    return tmf.multiscale_structural_similarity_index_measure(*map(planes, pair), data_range=1.0, reduction="none",
                                                              betas=tuple(weights(scales)), normalize="relu")


def ms_ssim_by_scales(pair, scales):
    """From pytorch-msssim's terms of single scales, since the whole refuses anything below 161 pixels; odd edges are repeated."""
    x, y = map(planes, pair)
    product = 1
    for scale, weight in enumerate(weights(scales)):
        ssim, contrast = _ssim(x, y, data_range=1, win=_fspecial_gauss_1d(11, 1.5).repeat(3, 1, 1, 1), size_average=False)
        product *= torch.relu(ssim if scale == scales - 1 else contrast) ** weight
        x, y = (torch.nn.functional.avg_pool2d(torch.nn.functional.pad(v, (0, v.shape[3] % 2, 0, v.shape[2] % 2), mode="replicate"), 2)
                for v in (x, y))
    return product.mean(1)


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("scales", [3, 5])
def test_ms_ssim_of_large_frames(pairs, kind, scales):
    pair = tall(pairs, kind, 192)
    values, out = eval_tool.run("ms_ssim", send(pair), border="valid", scales=scales)
    assert values["name"] == ("MS-SSIM(3)" if scales == 3 else "MS-SSIM")
    expected = pytorch_msssim.ms_ssim(*map(planes, pair), data_range=1, size_average=False, weights=weights(scales))
    np.testing.assert_allclose(out["ms_ssim"], expected, rtol=0, atol=1e-5)
    _, out = eval_tool.run("ms_ssim", send(pair), border="reflect", pool_channels=True, scales=scales)
    np.testing.assert_allclose(out["ms_ssim"], ms_ssim_torchmetrics(pair, scales), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", PAIRS)
def test_ms_ssim_of_small_frames(pairs, kind):
    pair = tall(pairs, kind, 64)
    values, out = eval_tool.run("ms_ssim", send(pair), border="valid")
    assert values["name"] == "MS-SSIM(3)"
    np.testing.assert_allclose(out["ms_ssim"], ms_ssim_by_scales(pair, 3), rtol=0, atol=1e-5)
    _, out = eval_tool.run("ms_ssim", send(pair), border="reflect", pool_channels=True)
    np.testing.assert_allclose(out["ms_ssim"], ms_ssim_torchmetrics(pair, 3), rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(41, 57), (161, 175)])
def test_ms_ssim_of_odd_sides(pairs, size):
    pair = tuple(x[:, :size[0], :size[1]].copy() for x in tall(pairs, "blurred", 192))
    _, out = eval_tool.run("ms_ssim", send(pair), border="valid")
    np.testing.assert_allclose(out["ms_ssim"], ms_ssim_by_scales(pair, 3 if size[0] < 161 else 5), rtol=0, atol=1e-5)


def test_ms_ssim_refuses_small_frames(pairs):
    with pytest.raises(ValueError, match="above 160 pixels expected, got 64 x 64"):
        eval_tool.run("ms_ssim", send(pairs["noisy"]), scales=5)


def test_quantize():
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.uniform(-0.2, 1.2, 5000), (np.arange(255) + 0.5) / 255, np.arange(256) / 255])
    levels = np.clip(values, 0, 1) * 255
    expected = np.trunc(levels) + (levels - np.trunc(levels) >= 0.5)
    _, out = eval_tool.run("quantize", {"values": values})
    np.testing.assert_array_equal(out["bytes"], expected.astype(np.uint8))


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(17, 40), (128, 100), (64, 64), (20, 90)])
def test_resize(pairs, size, antialias):
    film = pairs["noisy"][1]
    _, out = eval_tool.run("resize", {"images": film}, height=size[0], width=size[1], antialias=antialias)
    expected = torch.nn.functional.interpolate(planes(film) * 255, size=size, mode="bilinear", align_corners=False, antialias=antialias)
    np.testing.assert_allclose(out["resized"], expected.permute(0, 2, 3, 1), rtol=0, atol=1e-9)


def test_resample(pairs):
    film = pairs["noisy"][1]
    for count in (5, 12, 30):
        _, out = eval_tool.run("resample", {"film": film}, count=count)
        place = np.linspace(0, len(film) - 1, count)
        expected = scipy.ndimage.map_coordinates(film.reshape(len(film), -1).astype(np.float64)[:, :50],
                                                 np.stack(np.meshgrid(place, np.arange(50), indexing="ij")), order=1, mode="nearest")
        np.testing.assert_allclose(out["resampled"].reshape(count, -1)[:, :50], expected, rtol=0, atol=1e-9)


def features(seed, rows, width, shift=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(width, width))
    return shift + scale * np.maximum(rng.normal(size=(rows, width)) @ mixing, -0.5)


def frechet(a, b):
    root = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)


class Flat(torch.nn.Module):
    """An extractor for images that are features already."""

    num_features = 12

    def forward(self, x):
        return x.flatten(1)


SETS = [(features(1, 300, 12), features(2, 500, 12, 0.3, 1.1)), (features(3, 300, 12), features(4, 300, 12)),
        (features(5, 400, 12), features(6, 200, 12, -2.0, 0.2))]


@pytest.mark.parametrize("pair", SETS)
def test_frechet(pair):
    a, b = pair
    values, _ = eval_tool.run("distances", send(pair))
    assert values["frechet"] == pytest.approx(frechet(a, b), rel=1e-6)
    metric = FrechetInceptionDistance(feature=Flat(), input_img_size=(3, 2, 2)).set_dtype(torch.float64)
    for rows, real in ((a, True), (b, False)):
        metric.update(torch.from_numpy(rows).view(-1, 3, 2, 2), real=real)
    assert values["frechet"] == pytest.approx(metric.compute().item(), rel=1e-4)


@pytest.mark.parametrize("pair", SETS)
def test_mmd(pair):
    a, b = pair
    values, _ = eval_tool.run("distances", send(pair))

    def mmd(degree, offset, biased):
        def k(x, y):
            return (x @ y.T / x.shape[1] + offset) ** degree
        own = [k(x, x).mean() if biased else k(x, x)[~np.eye(len(x), dtype=bool)].mean() for x in pair]
        return sum(own) - 2 * k(a, b).mean()

    assert values["kid"] == pytest.approx(mmd(3, 1, False), rel=1e-9, abs=1e-9)
    assert values["jedi"] == pytest.approx(100 * mmd(2, 0, True), rel=1e-9, abs=1e-9)
    assert values["jedi_unbiased"] == pytest.approx(100 * mmd(2, 0, False), rel=1e-9, abs=1e-9)


def test_kid_is_that_of_torchmetrics():
    a, b = SETS[0][0], SETS[0][1][:300].copy()
    values, _ = eval_tool.run("distances", {"a": a, "b": b})
    assert values["kid"] == pytest.approx(poly_mmd(torch.from_numpy(a), torch.from_numpy(b)).item(), rel=1e-9)
    metric = KernelInceptionDistance(feature=Flat(), subsets=1, subset_size=300).set_dtype(torch.float64)
    metric.update(torch.from_numpy(a).view(-1, 3, 2, 2), real=True)
    metric.update(torch.from_numpy(b).view(-1, 3, 2, 2), real=False)
    assert values["kid"] == pytest.approx(metric.compute()[0].item(), rel=1e-4)


@pytest.mark.parametrize("pair", SETS)
def test_precision_and_recall(pair):
    real, fake = pair

    def covered(items, anchors):
        reach = scipy.spatial.cKDTree(anchors).query(anchors, 4)[0][:, 3]
        return np.mean([np.any(np.linalg.norm(anchors - x, axis=1) <= reach) for x in items])

    values, _ = eval_tool.run("distances", send(pair))
    assert values["precision"] == pytest.approx(covered(fake, real), abs=1e-12)
    assert values["recall"] == pytest.approx(covered(real, fake), abs=1e-12)


@pytest.mark.parametrize("splits", [1, 10])
def test_inception_score(monkeypatch, splits):
    logits = torch.from_numpy(np.random.default_rng(7).normal(size=(500, 12))) * 2
    monkeypatch.setattr(torch, "randperm", lambda n, **_: torch.arange(n))
    metric = InceptionScore(feature=Flat(), splits=splits).set_dtype(torch.float64)
    metric.update(logits.view(-1, 3, 2, 2))
    mean, deviation = metric.compute()
    values, _ = eval_tool.run("inception", {"probabilities": logits.softmax(1).numpy()}, splits=splits)
    assert values["mean"] == pytest.approx(mean.item(), rel=1e-9)
    if splits == 1:
        assert values["deviation"] is None
    else:
        assert values["deviation"] == pytest.approx(deviation.item(), rel=1e-9)


@pytest.mark.parametrize("kind", ["noisy", "blurred", "other"])
def test_diagnostics(pairs, kind):
    generated, real = pairs[kind]
    values, out = eval_tool.run("diagnostics", {"generated": generated, "real": real})

    def sharpness(film):
        grey = film @ np.array([0.299, 0.587, 0.114])
        return np.array([scipy.ndimage.laplace(frame)[1:-1, 1:-1].var() for frame in grey])

    np.testing.assert_allclose(out["sharpness"], sharpness(generated), rtol=1e-9)
    assert values["sharpness_ratio"]["value"] == pytest.approx(sharpness(generated).mean() / sharpness(real).mean(), rel=1e-9)
    x, y = generated.astype(np.float64), real.astype(np.float64)
    motion = [np.abs(np.diff(film, axis=0)).mean() for film in (x, y)]
    assert values["motion_ratio"]["value"] == pytest.approx(motion[0] / motion[1], rel=1e-12)
    assert values["flickering"] == pytest.approx((255 - motion[0]) / 255, rel=1e-12)
    blend = np.abs((x[0:-2:2] + x[2::2]) / 2 - x[1:-1:2]).mean()
    assert values["smoothness"] == pytest.approx((255 - blend) / 255, rel=1e-12)
    np.testing.assert_allclose(out["drift_mean"], np.abs(x.mean((1, 2)) - y.mean((1, 2))).mean(1) / 255, atol=1e-12)
    np.testing.assert_allclose(out["drift_deviation"], np.abs(x.std((1, 2)) - y.std((1, 2))).mean(1) / 255, atol=1e-12)
    np.testing.assert_allclose(out["spectrum"], [spectrum_slope(frame) for frame in generated], rtol=1e-6, atol=1e-9)


def spectrum_slope(frame):
    grey = frame @ np.array([0.299, 0.587, 0.114]) / 255
    n = len(grey)
    window = np.outer(*[0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)] * 2)
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    cycles = np.abs(np.fft.fftfreq(n) * n)
    radius = np.floor(np.hypot(cycles[:, None], cycles[None, :]) + 0.5)
    rings = np.arange(1, n // 2 + 1)
    return -np.polyfit(np.log(rings), [np.log(power[radius == r].mean()) for r in rings], 1)[0]


def test_grey(pairs):
    film = pairs["noisy"][1]
    _, out = eval_tool.run("grey", {"film": film})
    np.testing.assert_allclose(out["grey"], film @ np.array([0.299, 0.587, 0.114]), rtol=0, atol=1e-9)
    rounded = np.stack([np.asarray(Image.fromarray(frame).convert("L")) for frame in film])  # the same weights, in whole levels
    assert np.abs(out["grey"] - rounded).max() <= 1
