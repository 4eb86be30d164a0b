"""Feature nets give in C++ what PyTorch gives; the distances of their features are those of torchmetrics, SciPy and NumPy; files that are no
nets are refused in one line."""
import hashlib
import pathlib

import numpy as np
import pytest
import scipy.linalg
import torch
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

import eval_tool

torch.set_num_threads(1)
torch.set_grad_enabled(False)
MODELS = pathlib.Path(__file__).resolve().parents[2] / "models" / "features"
SHIPPED = ["f-img.pt", "f-rand-img.pt", "f-vid.pt", "f-rand-vid.pt"]


@pytest.fixture(scope="module")
def film():
    return eval_tool.run("films", world="maze", seed=3, frames=16)[1]


def planes(film):
    return torch.from_numpy(film).permute(0, 3, 1, 2).float() / 255


def by_pytorch(net, film):
    x = planes(film)
    return net(x.transpose(0, 1)[None] if "vid" in net.kind else x)


def load(name):
    net = torch.jit.load(str(MODELS / name)).float().eval()
    net.kind = name
    return net


@pytest.mark.parametrize("place,name", list(enumerate(SHIPPED)))
def test_embeddings_are_those_of_pytorch(film, place, name):
    values, rows = eval_tool.run("features", {"film": film["film"]})
    assert values[str(place)]["sha256"] == hashlib.sha256((MODELS / name).read_bytes()).hexdigest()
    expected = by_pytorch(load(name), film["film"]).numpy()
    np.testing.assert_allclose(rows[str(place)], expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_pair_distance_has_the_formula_of_lpips(film):
    net = load("f-img.pt")

    def unit(x):
        return [(s / (s.norm(dim=1, keepdim=True) + 1e-10)).double() for s in net.stages(planes(x))]

    expected = sum((a - b).pow(2).mean((1, 2, 3)) for a, b in zip(unit(film["film"]), unit(film["blurred"])))
    _, out = eval_tool.run("pair_distance", {"a": film["film"], "b": film["blurred"]})
    np.testing.assert_allclose(out["distance"], expected, rtol=1e-4)


class Module(torch.nn.Module):
    """A shipped net as torchmetrics wants it: bytes in, features out."""

    num_features = 64

    def __init__(self):
        super().__init__()
        self.__dict__["net"] = torch.jit.load(str(MODELS / "f-img.pt")).float().eval()  # no part: set_dtype must not make it double

    def forward(self, x):
        return self.net(x.float() / 255)


def test_frechet_and_kernel_distance_on_f_img_are_those_of_torchmetrics():
    films = [np.concatenate([eval_tool.run("films", world="maze", seed=s, frames=24)[1][k] for s in seeds])
             for seeds, k in ((range(4), "film"), (range(4, 8), "blurred"))]
    fid = FrechetInceptionDistance(feature=Module(), input_img_size=(3, 64, 64)).set_dtype(torch.float64)
    kid = KernelInceptionDistance(feature=Module(), subsets=1, subset_size=96)
    rows = []
    for x, real in zip(films, (True, False)):
        images = torch.from_numpy(x).permute(0, 3, 1, 2)
        fid.update(images, real=real)
        kid.update(images, real=real)
        rows.append(np.concatenate([eval_tool.run("features", {"film": x[i:i + 24]})[1]["0"] for i in range(0, len(x), 24)]))
    values, _ = eval_tool.run("distances", {"a": rows[0], "b": rows[1]})
    assert values["frechet"] == pytest.approx(fid.compute().item(), rel=1e-4)
    assert values["kid"] == pytest.approx(kid.compute()[0].item(), rel=1e-4)
    root = scipy.linalg.sqrtm(np.cov(rows[0].T.astype(np.float64)) @ np.cov(rows[1].T.astype(np.float64))).real
    plain = np.sum((rows[0].mean(0, np.float64) - rows[1].mean(0, np.float64)) ** 2) + sum(np.cov(r.T).trace() for r in rows) - 2 * root.trace()
    assert values["frechet"] == pytest.approx(plain, rel=1e-4)


def test_kernel_distance_of_films_leaves_out_pairs_within_a_film():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(33, 6)), rng.normal(0.3, 1, size=(48, 6))
    fa, fb = np.arange(33) // 3, np.arange(48) // 4
    values, _ = eval_tool.run("film_mmd", {"a": a, "b": b, "a_film": fa, "b_film": fb})

    def own(x, film):
        return ((x @ x.T / 6 + 1) ** 3)[film[:, None] != film[None]].mean()

    cross = ((a @ b.T / 6 + 1) ** 3).mean()
    assert values["kid"] == pytest.approx(own(a, fa) + own(b, fb) - 2 * cross, rel=1e-9)
    assert values["biased"] == pytest.approx(((a @ a.T / 6 + 1) ** 3).mean() + ((b @ b.T / 6 + 1) ** 3).mean() - 2 * cross, rel=1e-9)


class Means(torch.nn.Module):
    """A user's net: mean colour of a frame."""

    def forward(self, x):
        return x.mean(dim=[2, 3])


class Motion(torch.nn.Module):
    """A user's net of clips: mean absolute change of each colour."""

    def forward(self, x):
        return (x[:, :, 1:] - x[:, :, :-1]).abs().mean(dim=[2, 3, 4])


class Flat(torch.nn.Module):
    def forward(self, x):
        return x.mean()


def test_own_nets(tmp_path, film):
    for kind, net, clips in (("means", Means(), False), ("motion", Motion(), True)):
        path = tmp_path / f"{kind}.pt"
        torch.jit.script(net).save(str(path))
        values, rows = eval_tool.run("features", {"film": film["film"]}, add=f"{kind}={path}")
        assert values["4"] == {"name": kind, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "clips": clips}
        net.kind = "vid" if clips else "img"
        np.testing.assert_allclose(rows["4"], by_pytorch(net, film["film"]).numpy(), rtol=1e-5)


def test_bad_files_are_refused_in_one_line(tmp_path, film):
    path = tmp_path / "net.pt"
    for kind in ("not an archive", "a state dict", "a net of something else"):
        if kind == "not an archive":
            path.write_bytes(b"hello")
        elif kind == "a state dict":
            torch.save({"weight": torch.zeros(3)}, path)
        else:
            torch.jit.script(Flat()).save(str(path))
        with pytest.raises(ValueError) as refused:
            eval_tool.run("features", {"film": film["film"]}, add=f"mine={path}")
        assert str(path) in str(refused.value) and "\n" not in str(refused.value) and "expected" in str(refused.value), refused.value
    with pytest.raises(ValueError, match="no/such"):
        eval_tool.run("features", {"film": film["film"]}, add="mine=/no/such/file.pt")
