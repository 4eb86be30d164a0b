"""The path of a user with videos of their own, on Atari: record to MP4, import, train codec and model, roll out. Minutes long."""
import json
import os
import subprocess

import pytest
from program import ORRERY, run

RECORDER = os.path.join(os.path.dirname(ORRERY), "orrery-record")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Every file of the path, and what training reported."""
    root = tmp_path_factory.mktemp("atari")
    subprocess.run([RECORDER, "gymnasium:ALE/Breakout-v5", "--frames", "4000", "--policy", "random", "--to-videos", root / "videos"], check=True)
    done = run("import", "--videos", root / "videos", "--actions", root / "videos/actions.csv", "--out", root / "set", "--stretch")
    assert done.returncode == 0, done.stderr
    assert "actions: 4 choices" in done.stdout
    codec = run("train", "codec", "--data", root / "set", "--out", root / "codec", "--steps", 250)
    assert codec.returncode == 0, codec.stderr
    model = run("train", "model", "--data", root / "set", "--codec", root / "codec", "--out", root / "run", "--steps", 120, "--batch", 8)
    assert model.returncode == 0, model.stderr
    return root, json.loads(codec.stdout)["validation"], json.loads(model.stdout)["validation"]


def test_the_codec_has_learnt_the_picture(path):
    _, codec, _ = path
    assert codec["held_out"] and codec["psnr"] > 24


def test_the_model_has_learnt_something(path):
    _, _, model = path
    assert model["loss"] < 0.6  # 1 + variance of the latents at the start


def test_it_rolls_out(path):
    root, _, _ = path
    done = run("rollout", "--model", root / "run", "--data", root / "set", "--frames", 64, "--out", root / "film.mp4")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["psnr_mean"] > 15
    score = run("rollout", "--model", root / "run", "--data", root / "set", "--score", "actions")
    assert score.returncode == 0, score.stderr
    assert len(json.loads(score.stdout)["result"]["per_action"]) == 4
