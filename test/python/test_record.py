"""orrery-record as users run it."""

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

import orrery
from orrery.record import main

BUILD = Path(os.environ["ORRERY_BUILD"])
ODD = "gymnasium:odd_worlds:"


@dataclass
class Done:
    returncode: int
    stderr: str


def run(*words):
    """The command in this process, which saves its start."""
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        code = main([*map(str, words), *([] if "--workers" in words else ["--workers", "1"])])
    return Done(code, told.getvalue())


def recorded(folder, *words):
    done = run(*words, "--out", folder)
    assert done.returncode == 0, done.stderr
    return orrery.Dataset(folder)


@pytest.fixture(scope="module")
def doom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doom") / "set"
    return recorded(folder, "gymnasium:VizdoomMyWayHome-v1", "--episodes", 2, "--max-steps", 80, "--policy", "sticky"), folder


def test_doom_facts(doom):
    data, _ = doom
    assert len(data) == 2 and data.frames(0) == 81
    assert data.facts["fps"] == 35 / 4
    assert data.facts["source"] == "gymnasium:VizdoomMyWayHome-v1"
    assert set(data.facts["actions"]["names"]) == {"noop", "forward", "turn left", "turn right", "strafe left", "strafe right"}
    frames = data[0].frames
    assert frames.shape == (81, 64, 64, 3) and frames.std() > 10


def test_doom_actions_lead_to_their_frames(doom):
    data, _ = doom
    names = data.facts["actions"]["names"]
    turned = {"turn left": [], "turn right": [], "noop": []}
    for i in range(len(data)):
        episode = data[i]
        change = (np.diff(episode.pose[:, 2]) + np.pi) % (2 * np.pi) - np.pi
        for action, angle in zip(episode.actions[1:, 0], change):
            if names[int(action)] in turned:
                turned[names[int(action)]].append(angle)
    assert turned["turn left"] and min(turned["turn left"]) > 0.05
    assert turned["turn right"] and max(turned["turn right"]) < -0.05
    assert np.allclose(turned["noop"], 0)
    assert not data[0].actions[0].any()


def test_doom_on_disk_holds_the_action_of_the_frame_on_screen(doom):
    data, folder = doom
    with h5py.File(folder / "main_data.hdf5") as file:
        group = file["episode_1"]
        assert np.array_equal(np.asarray(group["actions"]).ravel(), data[1].actions[1:, 0])
        assert len(group["actions"]) == data.frames(1) - 1


def test_same_seed_same_recording(tmp_path):
    words = ["gymnasium:VizdoomMyWayHome-v1", "--episodes", 3, "--max-steps", 40, "--seed", 5, "--workers", 2]
    first, second = recorded(tmp_path / "a", *words), recorded(tmp_path / "b", *words)
    for i in range(3):
        a, b = first[i], second[i]
        assert a.seed == b.seed
        assert np.array_equal(a.actions, b.actions) and np.array_equal(a.pose, b.pose) and np.array_equal(a.frames, b.frames)


def test_atari_as_data_set_and_as_videos(tmp_path):
    words = ["gymnasium:ALE/Breakout-v5", "--episodes", 1, "--max-steps", 60, "--workers", 1]
    data = recorded(tmp_path / "set", *words)
    assert data.facts["actions"]["names"] == ["noop", "fire", "right", "left"]
    assert data.facts["fps"] == 15 and not data.facts["has_pose"] and data[0].pose is None
    assert data[0].frames.std(0).max() > 0

    done = run(*words, "--size", 64, "--to-videos", tmp_path / "films")
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "films/actions.csv") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["video", "frame", "a0"]
    assert [int(r["frame"]) for r in rows] == list(range(60))
    assert [int(r["a0"]) for r in rows] == data[0].actions[1:, 0].tolist()

    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "films/episode_0000.mp4", "-f", "rawvideo", "-pix_fmt",
                          "rgb24", "-"], capture_output=True, check=True).stdout
    shown = np.frombuffer(raw, np.uint8).reshape(-1, 64, 64, 3)
    assert len(shown) == 61
    assert np.abs(shown.astype(int) - data[0].frames).mean() < 8


def test_videos_keep_pose_and_native_size(tmp_path):
    done = run(ODD + "Odd-v0", "--episodes", 2, "--pose", "east,north,facing", "--to-videos", tmp_path / "films")
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "films/actions.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 42
    assert [float(rows[20][k]) for k in ("x", "y", "angle")] == [20, -1, 0.5]
    probe = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "json",
                            tmp_path / "films/episode_0001.mp4"], capture_output=True, check=True, text=True).stdout
    assert json.loads(probe)["streams"][0] == {"width": 24, "height": 16}


def test_rows_of_a_known_world(tmp_path):
    data = recorded(tmp_path / "set", ODD + "Odd-v0", "--episodes", 3, "--size", 8, "--pose", "east,north,facing",
                    "--policy", "random")
    for i in range(3):
        episode = data[i]
        assert episode.frames[:, 3, 3, 0].tolist() == list(range(21))
        assert (episode.frames[1:, 3, 3, 1] == episode.actions[1:, 0] + 1).all()
        assert np.array_equal(episode.pose[:, 0], np.arange(21))
    assert data.facts["fps"] == 20


def test_frame_skip_repeats_the_action(tmp_path):
    data = recorded(tmp_path / "set", ODD + "Odd-v0", "--episodes", 1, "--size", 8, "--frame-skip", 3, "--min-steps", 2)
    assert data[0].frames[:, 0, 0, 0].tolist() == [0, 3, 6, 9, 12, 15, 18, 20]
    assert data.facts["fps"] == pytest.approx(20 / 3)


def test_rendered_frames_and_buttons(tmp_path):
    rendered = recorded(tmp_path / "rendered", ODD + "Rendered-v0", "--episodes", 1)
    assert rendered[0].frames[:, 5, 5, 2].tolist() == list(range(21))
    buttons = recorded(tmp_path / "buttons", ODD + "Buttons-v0", "--episodes", 1, "--size", 8)
    assert buttons.facts["actions"]["dims"] == 3 and buttons.facts["actions"]["high"] == [1, 1, 1]
    assert (buttons[0].frames[1:, 0, 0, 1] == buttons[0].actions[1:].sum(1) + 1).all()


def test_names_and_walking_of_a_named_world(tmp_path):
    data = recorded(tmp_path / "set", ODD + "Named-v0", "--episodes", 4, "--pose", "east,north,facing", "--seed", 1)
    assert data.facts["actions"]["names"] == ["stay", "forward", "turn left", "turn right", "jump"]
    taken = np.concatenate([data[i].actions[1:, 0] for i in range(4)])
    assert np.isin(taken, [1, 2, 3]).mean() > 0.7


def test_frames_limit_ends_with_a_whole_episode(tmp_path):
    data = recorded(tmp_path / "set", ODD + "Odd-v0", "--frames", 50)
    assert len(data) == 3 and data.total_frames == 63


def check_twins(data):
    """Every twin repeats its episode up to the fork, where the actions part."""
    twins = [i for i in range(len(data)) if data[i].twin]
    for i in twins:
        twin, (of, begin, at) = data[i], data[i].twin
        own = data[of]
        assert of < i and own.twin is None
        assert np.array_equal(twin.frames[:at + 1], own.frames[begin:begin + at + 1])
        assert np.array_equal(twin.actions[1:at + 1], own.actions[begin + 1:begin + at + 1])
        assert not np.array_equal(twin.actions[at + 1], own.actions[begin + at + 1])
    return twins


def test_twins_of_a_known_world(tmp_path):
    data = recorded(tmp_path / "set", ODD + "Saved-v0", "--episodes", 3, "--size", 8, "--twins", 2, "--twin-steps", 16)
    twins = check_twins(data)
    assert len(twins) == 6 and len(data) == 9
    for i in twins:
        twin, (of, begin, at) = data[i], data[i].twin
        assert at == 16 and len(twin.frames) == 33
        own = data[of]
        sums = int(own.frames[begin + at, 0, 0, 2]) + np.cumsum(twin.actions[at + 1:, 0])
        assert twin.frames[at + 1:, 0, 0, 2].tolist() == sums.tolist(), "the frames are those of the twin's own actions"
        assert twin.frames[:, 0, 0, 0].tolist() == list(range(begin, begin + 33))
        assert np.array_equal(twin.actions[at + 9:], own.actions[begin + at + 9:begin + 33]), "after 8 steps the episode's own"
        assert (twin.actions[at + 1:at + 9] == twin.actions[at + 1]).all()
    with h5py.File(tmp_path / "set/main_data.hdf5") as file:
        assert file["episode_1"].attrs["twin_of"] == 0 and file["episode_1"].attrs["twin_at"] == 16
        assert "twin_of" not in file["episode_0"].attrs
    again = recorded(tmp_path / "again", ODD + "Saved-v0", "--episodes", 3, "--size", 8, "--twins", 2, "--twin-steps", 16)
    assert all(np.array_equal(data[i].frames, again[i].frames) and data[i].twin == again[i].twin for i in range(9))
    plain = recorded(tmp_path / "plain", ODD + "Saved-v0", "--episodes", 3, "--size", 8)
    assert all(np.array_equal(plain[i].frames, data[3 * i].frames) for i in range(3)), "making twins changes no episode"


def test_twins_of_atari_return_to_the_byte(tmp_path):
    data = recorded(tmp_path / "set", "gymnasium:ALE/Pong-v5", "--episodes", 2, "--max-steps", 150, "--policy", "sticky",
                    "--twins", 2, "--twin-steps", 24)  # every null twin is compared while recording
    twins = check_twins(data)
    assert len(twins) == 4
    after = [(data[i].frames[17:].astype(int) - data[data[i].twin[0]].frames[data[i].twin[1] + 17:][:24]).any() for i in twins]
    assert any(after), "other actions show"


@pytest.mark.parametrize("words, told", [
    (["gymnasium:VizdoomMyWayHme-v1"], "did you mean 'VizdoomMyWayHome-v1'"),
    (["gymnasium:ALE/Breakuot-v5"], "ALE/Breakout-v5"),
    (["gymnasium:no_such_module:World-v0"], "the module no_such_module cannot be imported"),
    (["gymnasium:Nothing-v0"], "unknown Gymnasium world 'Nothing-v0'"),
    (["maze"], "expected gymnasium:ID"),
    ([ODD + "Blind-v0"], "cannot render RGB"),
    ([ODD + "Nested-v0"], "action space Dict"),
    ([ODD + "Short-v0"], "fewer than 16 steps"),
    ([ODD + "Dying-v0"], "exit code 3"),
    ([ODD + "Raising-v0"], "RuntimeError: the engine is broken"),
    ([ODD + "Locked-v0", "--env-option", "key=open"], "wrong key open"),
    ([ODD + "Odd-v0", "--env-option", "nothing"], "expected key=value"),
    ([ODD + "Odd-v0", "--pose", "east,norht,facing"], "did you mean 'north'"),
    (["gymnasium:VizdoomMyWayHome-v1", "--pose", "POSITION_X,POSITON_Y,ANGLE"], "POSITION_Y"),
    ([ODD + "Odd-v0", "--pose", "east"], "expected three names"),
    ([ODD + "Odd-v0", "--polcy", "random"], "did you mean '--policy'"),
    ([ODD + "Odd-v0", "--policy", "clever"], "invalid choice"),
    ([ODD + "Odd-v0", "--episodes", "0"], "at least 1"),
    ([ODD + "Odd-v0", "--frames", "many"], "whole number"),
    ([ODD + "Odd-v0", "--size", "2"], "at least 8"),
    ([ODD + "Odd-v0", "--twins", "1"], "cannot be put back"),
    ([ODD + "Chancy-v0", "--twins", "1", "--twin-steps", "8"], "without hidden chance"),
    ([ODD + "Saved-v0", "--twins", "1", "--twin-steps", "50"], "lower --twin-steps"),
    (["gymnasium:ALE/Pong-v5", "--twins", "1", "--max-steps", "80", "--env-option", "repeat_action_probability=0.5"], "repeat_action"),
])
def test_faults_are_one_line(tmp_path, words, told):
    done = run(*words, "--out", tmp_path / "set")
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_missing_output_and_both_outputs(tmp_path):
    for words in ([], ["--out", tmp_path / "a", "--to-videos", tmp_path / "b"]):
        done = run(ODD + "Odd-v0", *words)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "--to-videos" in done.stderr


@pytest.mark.parametrize("world, package", [("VizdoomBasic-v1", "vizdoom"), ("ALE/Pong-v5", "ale-py")])
def test_missing_package_is_named(tmp_path, monkeypatch, world, package):
    module = tmp_path / package.replace("-", "_")
    module.mkdir()
    (module / "__init__.py").write_text("raise ModuleNotFoundError('not here')\n")
    monkeypatch.syspath_prepend(tmp_path)
    done = run(f"gymnasium:{world}", "--out", tmp_path / "set")
    assert done.returncode == 2 and f"pip install {package}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("flag", ["--out", "--to-videos"])
def test_existing_recording_stays_unless_overwritten(tmp_path, flag):
    words = [ODD + "Odd-v0", "--episodes", 1, flag, tmp_path / "set"]
    assert run(*words).returncode == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "set").iterdir()}
    refused = run(*words)
    assert refused.returncode == 2 and "overwrite" in refused.stderr
    assert {p.name: p.read_bytes() for p in (tmp_path / "set").iterdir()} == before
    assert run(*words, "--seed", 1, "--overwrite").returncode == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "set").iterdir()} != before
    (tmp_path / "set/notes.txt").write_text("mine")
    assert run(*words, "--overwrite").returncode == 2
    assert (tmp_path / "set/notes.txt").read_text() == "mine"


def interrupted(tmp_path, words, resets):
    """Starts a recording, sends SIGINT after so many resets of its worlds, returns (exit code, stderr)."""
    mark = tmp_path / "mark"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent), "ODD_MARK": str(mark)}
    process = subprocess.Popen([str(BUILD / "orrery-record"), *map(str, words)], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not mark.exists() or len(mark.read_text().splitlines()) < resets:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    return process.returncode, told


def test_interrupt_keeps_whole_episodes(tmp_path):
    # By then some episodes are written: at most four may wait, and each worker may be sending one and making one.
    code, told = interrupted(tmp_path, [ODD + "Odd-v0", "--frames", 10**9, "--out", tmp_path / "set"], resets=30)
    assert code == 130 and "kept" in told
    data = orrery.Dataset(tmp_path / "set")
    assert len(data) > 0 and all(data.frames(i) == 21 for i in range(len(data)))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mark", "set"]


def test_interrupt_before_the_first_whole_episode_leaves_nothing(tmp_path):
    words = [ODD + "Endless-v0", "--max-steps", 10**9, "--out", tmp_path / "set"]
    code, told = interrupted(tmp_path, words, resets=2)
    assert code == 130 and "nothing is written" in told
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mark"]
