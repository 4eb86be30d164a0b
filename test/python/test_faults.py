"""Ctrl-C in every stage of every long verb, and a disk that fills up: one line, the right exit code, nothing half written."""
import hashlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest
from program import ORRERY, TINY, make_world, run

FOREVER = 10**6  # steps or frames; `interrupted` ends the program after a minute in any case


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = make_world(tmp_path_factory.mktemp("faults"))
    clips = root / "clips"
    clips.mkdir()
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=30:duration=20", "-pix_fmt", "yuv420p",
                    clips / "000.mp4"], check=True)
    for i in range(1, 60):
        shutil.copy(clips / "000.mp4", clips / f"{i:03}.mp4")
    return root


def digest(folder):
    """Every file below a folder and what it holds."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def interrupted(args, stage):
    """Runs the program on a terminal, presses Ctrl-C once its progress bar shows `stage`; returns what it said."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([ORRERY, *map(str, args)], stdout=subprocess.DEVNULL, stderr=follower)
    os.close(follower)
    said, sent, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([leader], [], [], 1)[0]:
            continue
        try:
            part = os.read(leader, 4096)
        except OSError:  # the program has closed its side
            break
        said += part
        if not sent and re.search(stage + r" +\[", said.decode(errors="replace")):
            process.send_signal(signal.SIGINT)
            sent = True
    else:
        process.kill()
    os.close(leader)
    assert process.wait(timeout=60) == 130 and sent, said.decode()
    said = said.decode().replace("\r", "\n").strip()
    assert said.splitlines()[-1] == "orrery: interrupted", said
    return said


STAGES = {
    "record": ("recording out", ["record", "maze(size=5)", "--episodes", FOREVER, "--frames", 8, "--out", "{out}"]),
    "import": ("importing", ["import", "--videos", "{root}/clips", "--out", "{out}"]),
    "codec": ("training", ["train", "codec", "--data", "{root}/set", "--out", "{out}", "--batch", 4, "--steps", FOREVER]),
    "codec statistics": ("latent statistics", ["train", "codec", "--data", "{root}/set", "--out", "{out}", "--batch", 4, "--steps", 1]),
    "codec of a model": ("training", ["train", "model", "--data", "{root}/set", "--out", "{out}", *TINY, "--steps", 1]),
    "model": ("training", ["train", "model", "--data", "{root}/set", "--codec", "{root}/codec", "--out", "{out}", *TINY, "--steps", FOREVER]),
    "film": ("rolling out", ["rollout", "--model", "{root}/run", "--data", "{root}/set", "--frames", FOREVER, "--out", "{out}/film.mp4"]),
    "drift": ("rolling out", ["rollout", "--model", "{root}/run", "--data", "{root}/set", "--frames", 20000, "--score", "drift"]),
    "actions": ("inverse model", ["rollout", "--model", "{root}/run", "--data", "{root}/set", "--score", "actions"]),
}


@pytest.mark.parametrize("name", STAGES)
def test_ctrl_c(world, tmp_path, name):
    stage, words = STAGES[name]
    args = [str(w).format(root=world, out=tmp_path / "out") for w in words]
    before = {part: digest(world / part) for part in ("set", "codec", "run")}
    interrupted(args, stage)
    assert {part: digest(world / part) for part in before} == before
    left = list(tmp_path.rglob("*"))
    assert not [p for p in left if "tmp" in p.name], left
    if name == "import":
        assert not (tmp_path / "out").exists()
    if name == "codec of a model":
        assert (tmp_path / "out/codec/checkpoint.safetensors").exists() and not (tmp_path / "out/model.safetensors").exists()
    elif "codec" in name or name == "model":
        assert (tmp_path / "out/checkpoint.safetensors").exists()
    if name == "film":
        assert not (tmp_path / "out/film.mp4").exists()


def test_ctrl_c_while_encoding_and_then_again(world, tmp_path):
    assert run("record", "maze(size=5)", "--episodes", 40, "--frames", 256, "--out", tmp_path / "set").returncode == 0
    args = ["train", "model", "--data", tmp_path / "set", "--codec", world / "codec", "--out", tmp_path / "run", *TINY, "--steps", 1]
    interrupted(args, "encoding")
    assert not (tmp_path / "run/latents/index.json").exists() and not (tmp_path / "run/latents/latents.f16").exists()
    assert run(*args).returncode == 0
    assert (tmp_path / "run/model.safetensors").exists()


def test_a_film_that_is_there_survives_ctrl_c(world, tmp_path):
    film = tmp_path / "film.mp4"
    words = ["rollout", "--model", world / "run", "--data", world / "set", "--out", film, "--frames"]
    assert run(*words, 4).returncode == 0
    before = film.read_bytes()
    interrupted([*words, FOREVER], "rolling out")
    assert film.read_bytes() == before


# On a file system of 1.5 MB in a mount namespace of its own: first `before` succeeds, then `words` fails.
SMALL_DISK = """
set -e
mount -t tmpfs -o size=1536k tmpfs {disk}
cd {disk}
eval "$BEFORE"
find . -type f | sort | xargs -r sha256sum > {log}/before
set +e
"$@" > {log}/stdout 2> {log}/stderr
echo $? > {log}/code
find . -type f | sort | xargs -r sha256sum > {log}/after
"""


def on_a_small_disk(tmp_path, words, before="true"):
    disk = tmp_path / "disk"
    disk.mkdir()
    script = SMALL_DISK.format(disk=disk, log=tmp_path)
    user = [] if os.geteuid() == 0 else ["-r"]
    done = subprocess.run(["unshare", *user, "-m", "bash", "-c", script, "bash", *map(str, words)], capture_output=True, text=True,
                          env=os.environ | {"BEFORE": before, "ORRERY_QUIET": "1"}, timeout=300)
    if "unshare failed" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no right to mount a small file system here: " + done.stderr.strip())
    assert done.returncode == 0, done.stderr
    said = (tmp_path / "stderr").read_text()
    assert (tmp_path / "code").read_text().strip() == "2", said
    assert len(said.splitlines()) == 1 and "No space left" in said, said
    return (tmp_path / "before").read_text(), (tmp_path / "after").read_text()


def test_full_disk_while_recording(world, tmp_path):
    words = [ORRERY, "record", "maze(size=5)", "--episodes", 4000, "--frames", 64, "--out", "set", "--overwrite"]
    keep = f"{ORRERY} record 'maze(size=5)' --episodes 1 --frames 8 --out set >&2"
    before, after = on_a_small_disk(tmp_path, words, keep)
    assert "set/main_data.hdf5" in before and after == before


def test_full_disk_while_importing(world, tmp_path):
    before, after = on_a_small_disk(tmp_path, [ORRERY, "import", "--videos", world / "clips", "--out", "set"])
    assert after == before == ""


def test_full_disk_while_filming(world, tmp_path):
    words = [ORRERY, "rollout", "--model", world / "run", "--data", world / "set", "--frames", 4000, "--scale", 16, "--out", "film.gif"]
    before, after = on_a_small_disk(tmp_path, words)
    assert after == before == ""


def test_full_disk_at_a_training_checkpoint(world, tmp_path):
    words = [ORRERY, "train", "codec", "--data", world / "set", "--out", "run", "--batch", 4, "--steps", 2]
    _, after = on_a_small_disk(tmp_path, words)
    assert "safetensors" not in after and "tmp" not in after


def test_full_disk_in_the_middle_of_a_pack(world, tmp_path):
    keep = f"mkdir small; cp {world}/run/config.json small; head -c 1300000 /dev/zero > ballast"
    before, after = on_a_small_disk(tmp_path, [ORRERY, "pack", world / "run", "--out", "small"], keep)
    assert before and after == before


@pytest.mark.parametrize("flag", ["--out", "--to-videos"])
def test_full_disk_while_recording_a_gymnasium_world(tmp_path, flag):
    recorder = os.path.join(os.path.dirname(ORRERY), "orrery-record")
    words = [recorder, "gymnasium:VizdoomBasic-v1", "--frames", 200000, "--workers", 1, flag, "made"]
    before, after = on_a_small_disk(tmp_path, words)
    assert after == before == ""
