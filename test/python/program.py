"""The built program, for tests that run it from outside."""
import os
import subprocess

ORRERY = os.environ["ORRERY"]
TINY = ["--dim", "32", "--depth", "1", "--heads", "2", "--batch", "2", "--state", "window(3)"]


def run(*args, **kwargs):
    return subprocess.run([ORRERY, *map(str, args)], capture_output=True, text=True, timeout=300, **kwargs)


def make_world(root):
    """A tiny maze set, codec and model below `root`, made by the program."""
    assert run("record", "maze(size=5)", "--episodes", 6, "--frames", 48, "--out", root / "set").returncode == 0
    codec = run("train", "codec", "--data", root / "set", "--out", root / "codec", "--steps", 3, "--batch", 4)
    assert codec.returncode == 0, codec.stderr
    model = run("train", "model", "--data", root / "set", "--codec", root / "codec", "--out", root / "run", "--steps", 4, *TINY)
    assert model.returncode == 0, model.stderr
    return root
