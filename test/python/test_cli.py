"""The program as a user meets it: the whole path on a tiny world, and bad input."""
import json
import pathlib
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest
from program import ORRERY, TINY, make_world, run
from safetensors import safe_open


def fails(*args, code=2):
    result = run(*args)
    lines = [line for line in result.stderr.splitlines() if line.startswith("orrery:")]
    assert result.returncode == code, result.stderr
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("cli"))


def test_help_has_an_example_for_every_verb():
    verbs = [["record"], ["import"], ["train", "codec"], ["train", "model"], ["rollout"], ["play"], ["pack"], ["info"], ["worlds"],
             ["dynamics"]]
    for verb in verbs:
        text = run(*verb, "--help").stdout
        assert "Example:" in text and "orrery " + " ".join(verb) in text, verb


def test_the_run_is_complete(world):
    run_folder = world / "run"
    for name in ("config.json", "train.json", "model.safetensors", "codec.safetensors", "starts.safetensors", "metrics.jsonl"):
        assert (run_folder / name).exists(), name
    with safe_open(run_folder / "model.safetensors", "np") as file:
        assert "block0.up.weight" in file.keys()
        assert np.isfinite(file.get_tensor("block0.up.weight")).all()
    lines = [json.loads(line) for line in (run_folder / "metrics.jsonl").read_text().splitlines()]
    assert any("validation" in line for line in lines)
    info = json.loads(run("info", run_folder).stdout)
    assert info["kind"] == "model" and info["parameters"] > 1000


def test_rollout_writes_film_strip_and_scores(world, tmp_path):
    film, strip = tmp_path / "film.mp4", tmp_path / "strip.png"
    result = run("rollout", "--model", world / "run", "--data", world / "set", "--frames", 12, "--out", film, "--strip", strip)
    assert result.returncode == 0, result.stderr
    probe = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", film],
                           capture_output=True, text=True)
    assert probe.stdout.strip() == "12"
    assert strip.read_bytes()[:4] == b"\x89PNG"
    score = json.loads(run("rollout", "--model", world / "run", "--data", world / "set", "--score", "one-step").stdout)
    assert score["result"]["moving"] > 0


def test_rollouts_repeat_to_the_bit(world, tmp_path):
    films = [tmp_path / "a.gif", tmp_path / "b.gif"]
    for film in films:
        assert run("rollout", "--model", world / "run", "--data", world / "set", "--frames", 6, "--out", film).returncode == 0
    assert films[0].read_bytes() == films[1].read_bytes()


def test_every_rollout_runs_a_trained_model_and_is_listed(world, tmp_path):
    listed = run("dynamics").stdout
    for spec in ["sequential", "pyramid(u=1)", "ad(s=2)", "pipeline(window=2)", "rolling(window=3)", "sliding(sink=1)", "recomputed(window=4)"]:
        assert f"\n{spec.split('(')[0]}\n" in listed, listed
        result = run("rollout", "--model", world / "run", "--data", world / "set", "--frames", 5, "--rollout", spec, "--out", tmp_path / "x.gif")
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["rollout"] == spec
    arguments = ["rollout", "--model", world / "run", "--data", world / "set", "--out", tmp_path / "x.gif", "--rollout"]
    assert "pyramid" in fails(*arguments, "pyramids")
    assert "horizon" in fails(*arguments, "pyramid(u=0)")


def test_pack_makes_a_smaller_model_that_runs(world, tmp_path):
    assert run("pack", world / "run", "--out", tmp_path / "small").returncode == 0
    assert (tmp_path / "small" / "model.safetensors").stat().st_size < 0.6 * (world / "run" / "model.safetensors").stat().st_size
    assert run("rollout", "--model", tmp_path / "small", "--data", world / "set", "--frames", 3, "--out", tmp_path / "x.gif").returncode == 0
    assert run("pack", world / "run", "--out", tmp_path / "few", "--starts", 2, "--start-frames", 3).returncode == 0
    with safe_open(tmp_path / "small/starts.safetensors", "np") as whole, safe_open(tmp_path / "few/starts.safetensors", "np") as few:
        assert few.get_tensor("frames").shape[:2] == (2, 3)
        assert (few.get_tensor("frames") == whole.get_tensor("frames")[:2, -3:]).all()
        assert (few.get_tensor("actions") == whole.get_tensor("actions")[:2, -3:]).all()


def test_model_training_resumes_to_the_bit(world, tmp_path):
    common = ["--data", world / "set", "--codec", world / "codec", *TINY, "--seed", 3]
    assert run("train", "model", *common, "--out", tmp_path / "whole", "--steps", 20).returncode == 0
    process = subprocess.Popen([ORRERY, "train", "model", *map(str, common), "--out", tmp_path / "parts", "--steps", "20"],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode in (130, 0)
    assert run("train", "model", *common, "--out", tmp_path / "parts", "--steps", 20).returncode == 0
    assert (tmp_path / "parts" / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()


def test_objectives_train_from_the_command_line(world, tmp_path):
    common = ["train", "model", "--data", world / "set", "--codec", world / "codec", *TINY, "--steps", 4]
    whole, few, student = tmp_path / "whole", tmp_path / "few", tmp_path / "student"
    assert run(*common, "--out", whole, "--objective", "full_sequence").returncode == 0
    assert run(*common, "--out", few, "--objective", "shortcut(grid=4, warmup=1)", "--prefix", 0.5).returncode == 0
    config = json.loads((few / "config.json").read_text())
    assert config["objective"].startswith("shortcut(grid=4") and "prefix=0.5" in config["objective"] and config["transition"]["step"]
    result = run(*common, "--out", student, "--objective", "self_forcing(steps=2, ratio=1)", "--teacher", whole)
    assert result.returncode == 0, result.stderr
    assert json.loads((student / "config.json").read_text())["rollout"]["steps"] == 2
    for model in few, student:
        result = run("rollout", "--model", model, "--data", world / "set", "--out", tmp_path / "film.mp4", "--frames", 3)
        assert result.returncode == 0, result.stderr


def test_objectives_that_cannot_train_say_why(world, tmp_path):
    stateless = ["train", "model", "--data", world / "set", "--codec", world / "codec", *TINY[:-2], "--steps", 1, "--out", tmp_path / "x"]
    common = [*stateless, *TINY[-2:]]
    assert "did you mean 'far'" in fails(*common, "--objective", "fra")
    assert "context_noise" in fails(*common, "--objective", "diffusion_forcing(noise=1)")
    assert "aug" in fails(*common, "--objective", "teacher_forcing", "--prefix", 0.5)
    assert "--teacher" in fails(*common, "--objective", "causal_ode")
    assert "both ways" in fails(*stateless, "--objective", "full_sequence", "--state", "window(2) + ssm()")


def test_unknown_words_suggest_the_nearest(world):
    assert "did you mean '--out'" in fails("record", "maze", "--ouy", "x")
    assert "did you mean 'record'" in fails("recrod")
    assert "did you mean 'maze'" in fails("record", "mazze", "--out", world / "never")
    assert "did you mean 'window'" in fails("train", "model", "--data", world / "set", "--codec", world / "codec", "--out", world / "x", "--state", "widow(3)")
    assert not (world / "never").exists()


def test_existing_data_is_not_replaced_unasked(world):
    before = (world / "set" / "main_data.hdf5").read_bytes()
    assert "overwrite" in fails("record", "maze(size=5)", "--episodes", 1, "--frames", 4, "--out", world / "set")
    assert (world / "set" / "main_data.hdf5").read_bytes() == before


def test_a_cut_data_set_is_one_line(world, tmp_path):
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "metadata.json").write_bytes((world / "set" / "metadata.json").read_bytes())
    whole = (world / "set" / "main_data.hdf5").read_bytes()
    (cut / "main_data.hdf5").write_bytes(whole[: len(whole) // 2])
    assert "main_data.hdf5" in fails("info", cut)


def test_nan_in_actions_names_the_episode(world, tmp_path):
    bad = tmp_path / "nan"
    bad.mkdir()
    (bad / "metadata.json").write_bytes((world / "set" / "metadata.json").read_bytes())
    (bad / "main_data.hdf5").write_bytes((world / "set" / "main_data.hdf5").read_bytes())
    with h5py.File(bad / "main_data.hdf5", "r+") as file:
        pose = file["episode_2/infos/pose"]
        pose[3, 0] = np.nan
    assert "episode_2" in fails("info", bad) or "episode 2" in fails("info", bad)


def test_a_full_disk_leaves_the_previous_files(world, tmp_path):
    target = tmp_path / "small"
    assert run("pack", world / "run", "--out", target).returncode == 0
    before = (target / "model.safetensors").read_bytes()
    command = f"ulimit -f 8; trap '' XFSZ; exec {ORRERY} pack {world / 'run'} --out {target}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    assert "cannot write" in result.stderr
    assert (target / "model.safetensors").read_bytes() == before
    assert not [p for p in target.iterdir() if "tmp" in p.name]


def test_ctrl_c_while_recording_keeps_whole_episodes(tmp_path):
    process = subprocess.Popen([ORRERY, "record", "maze", "--episodes", "100000", "--out", tmp_path / "set"], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    with h5py.File(tmp_path / "set" / "main_data.hdf5") as file:
        episodes = [name for name in file if name.startswith("episode_")]
        assert episodes and all(file[e]["observations"].shape[0] == 256 for e in episodes)


def test_import_names_the_line_at_fault(tmp_path):
    videos = tmp_path / "clips"
    videos.mkdir()
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1", "-pix_fmt", "yuv420p", videos / "a.mp4"], check=True)
    table = tmp_path / "actions.csv"
    good = ["video,frame,a0"] + [f"a.mp4,{t},{t % 2}" for t in range(10)]
    table.write_text("\n".join(good) + "\n")
    assert run("import", "--videos", videos, "--actions", table, "--out", tmp_path / "set").returncode == 0
    table.write_text("\n".join(["video,frame"] + good[1:]) + "\n")
    assert "actions.csv:1" in fails("import", "--videos", videos, "--actions", table, "--out", tmp_path / "bad")
    table.write_text("\n".join(good[:5] + ["a.mp4,4,nan"] + good[6:]) + "\n")
    assert "actions.csv:6" in fails("import", "--videos", videos, "--actions", table, "--out", tmp_path / "bad")
    data = (videos / "a.mp4").read_bytes()
    (videos / "a.mp4").write_bytes(data[: len(data) * 2 // 3])
    table.write_text("\n".join(good) + "\n")
    assert "a.mp4" in fails("import", "--videos", videos, "--actions", table, "--out", tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_other_actions_than_the_models_are_refused(world, tmp_path):
    assert run("record", "billiards", "--episodes", 2, "--frames", 12, "--out", tmp_path / "set").returncode == 0
    assert "other actions" in fails("rollout", "--model", world / "run", "--data", tmp_path / "set", "--out", tmp_path / "x.gif")


def test_missing_things_are_one_line(tmp_path):
    assert "not a model folder" in fails("rollout", "--model", tmp_path, "--data", tmp_path)
    assert "no such file" in fails("info", tmp_path / "nothing")
    assert fails("play", "--model", tmp_path / "nothing")
    assert "--model" in fails("play")
    assert pathlib.Path(ORRERY).exists()
