"""Data sets cross the border to Python: h5py and Minari read what Orrery writes, and Orrery reads what Minari writes."""

import io
import json
import os
import subprocess

import gymnasium as gym
import h5py
import minari
import numpy as np
import pytest
from minari.data_collector import EpisodeBuffer
from PIL import Image
from safetensors import safe_open

TOOL = os.environ["ORRERY_DATA_TOOL"]
KINDS = ["discrete", "box", "none"]


def tool(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)


def read_with_orrery(folder, tmp_path):
    out = tmp_path / "read.safetensors"
    done = tool("read", folder, out)
    assert done.returncode == 0, done.stderr
    with safe_open(out, "np") as file:
        return json.loads(file.metadata()["facts"]), {key: file.get_tensor(key) for key in file.keys()}


def ramp(*shape):
    return np.arange(np.prod(shape)).reshape(shape)


def expected(kind, frames, number):
    """The content of data_tool.cpp's Fill, in Minari's convention for actions."""
    observations = ((ramp(frames, 32, 48, 3) * 7 + number) % 251).astype(np.uint8)
    actions = {
        "discrete": (np.arange(frames) % 5)[1:],
        "box": (ramp(frames, 2) / 1024).astype(np.float32)[1:],
        "none": np.zeros((frames - 1, 0), np.float32),
    }[kind]
    return observations, actions, (ramp(frames, 3) / 8).astype(np.float32)


@pytest.fixture(params=KINDS)
def written(request, tmp_path):
    done = tool("write", tmp_path / "set", request.param)
    assert done.returncode == 0, done.stderr
    return request.param, tmp_path / "set"


def test_h5py_reads_what_orrery_writes(written):
    kind, folder = written
    with h5py.File(folder / "main_data.hdf5") as file:
        assert sorted(file) == ["episode_0", "episode_1"]
        for number, frames in enumerate([40, 9]):
            observations, actions, pose = expected(kind, frames, number)
            group = file[f"episode_{number}"]
            assert np.array_equal(group["observations"], observations)
            assert group["observations"].dtype == np.uint8
            assert np.array_equal(group["actions"], actions)
            assert group["actions"].dtype == actions.dtype
            assert np.array_equal(group["infos/pose"], pose)
            assert group["terminations"].dtype == bool
            assert dict(group.attrs) == {"id": number, "seed": 100 + number, "total_steps": frames - 1}


def test_minari_reads_what_orrery_writes(written):
    kind, folder = written
    data = minari.MinariDataset(folder)
    assert (data.total_episodes, data.total_steps) == (2, 47)
    assert data.spec.dataset_name == "tool"
    assert data.observation_space == gym.spaces.Box(0, 255, (32, 48, 3), np.uint8)
    assert data.action_space == {
        "discrete": gym.spaces.Discrete(5),
        "box": gym.spaces.Box(np.array([-1, -np.inf], np.float32), np.array([1, np.inf], np.float32)),
        "none": gym.spaces.Box(np.zeros(0, np.float32), np.zeros(0, np.float32)),
    }[kind]
    for number, episode in enumerate(data):
        observations, actions, pose = expected(kind, [40, 9][number], number)
        assert np.array_equal(episode.observations, observations)
        assert np.array_equal(episode.actions, actions)
        assert np.array_equal(episode.infos["pose"], pose)
        assert data.observation_space.contains(episode.observations[0])
        assert all(data.action_space.contains(action) for action in episode.actions)
        assert not episode.terminations.any()
        assert episode.truncations.nonzero()[0].tolist() == [len(episode) - 1]
        repr(episode)


def test_minari_loads_a_set_below_its_own_folder(tmp_path, monkeypatch):
    tool("write", tmp_path / "orrery" / "tool-v0" / "data", "discrete")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert minari.load_dataset("orrery/tool-v0").total_steps == 47


def picture_set(tmp_path, name, frames, action_space, actions, infos=None, observation_space=None, **options):
    """A data set by Minari's own writer, of one episode for each entry of `frames`."""
    buffers = [
        EpisodeBuffer(
            id=i, seed=7 + i, observations=f, actions=a, rewards=[0.5] * len(a), terminations=[False] * len(a),
            truncations=[False] * len(a), infos=infos[i] if infos else {})
        for i, (f, a) in enumerate(zip(frames, actions))
    ]
    space = observation_space or gym.spaces.Box(0, 255, frames[0][0].shape, np.uint8)
    path = tmp_path / name
    path.mkdir()
    storage = minari.dataset.minari_storage.MinariStorage.new(
        path, observation_space=space, action_space=action_space, **options)
    storage.update_metadata({"dataset_id": f"test/{name}-v0", "minari_version": minari.__version__})
    storage.update_episodes(buffers)
    return path


def smooth(frames, height, width, channels, seed):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (frames, 4, 4, channels), dtype=np.uint8)
    return small.repeat(-(-height // 4), 1).repeat(-(-width // 4), 2)[:, :height, :width]


@pytest.mark.parametrize("jpeg", [False, True])
def test_orrery_reads_a_discrete_set_of_minari(tmp_path, jpeg):
    frames = [smooth(12, 40, 33, 3, 0), smooth(5, 40, 33, 3, 1)]
    actions = [np.arange(11) % 3 + 2, np.arange(4) % 3 + 2]
    poses = [np.random.default_rng(i).normal(size=(len(f), 3)) for i, f in enumerate(frames)]
    path = picture_set(tmp_path, "pictures", frames, gym.spaces.Discrete(3, start=2), actions,
                       infos=[{"pose": list(p)} for p in poses], jpeg_encoding=jpeg)
    facts, tensors = read_with_orrery(path, tmp_path)
    assert facts["actions"]["count"] == 3
    assert (facts["height"], facts["width"], facts["has_pose"]) == (40, 33, True)
    assert facts["source"] == "minari:test/pictures-v0"
    for i, episode in enumerate(minari.MinariDataset(path)):
        # Both sides decode JPEG by libjpeg, at most a rounding apart.
        difference = np.abs(tensors[f"{i}/frames"].astype(int) - episode.observations.astype(int))
        assert difference.max() <= (2 if jpeg else 0)
        assert tensors[f"{i}/actions"][:, 0].tolist() == [0, *(episode.actions - 2)]
        assert np.allclose(tensors[f"{i}/pose"], poses[i], rtol=1e-6)
        assert tensors[f"{i}/seed"] == 7 + i


def test_orrery_reads_pictures_of_equal_jpeg_size(tmp_path):
    frames = [np.broadcast_to(smooth(1, 32, 32, 3, 0), (6, 32, 32, 3))]
    path = picture_set(tmp_path, "equal", frames, gym.spaces.Discrete(2), [np.zeros(5, int)])
    with h5py.File(path / "main_data.hdf5") as file:
        assert file["episode_0/observations"].ndim == 2  # Minari stores bytes x frames here, not rows of any length
    _, tensors = read_with_orrery(path, tmp_path)
    buffer = io.BytesIO()
    Image.fromarray(frames[0][0]).save(buffer, "JPEG")
    assert np.abs(tensors["0/frames"].astype(int) - np.array(Image.open(buffer)).astype(int)).max() <= 2


# Pillow, and so Minari, writes no JPEG of a picture with a channel axis of one.
@pytest.mark.parametrize("shape, jpeg", [((40, 33), False), ((40, 33), True), ((40, 33, 1), False)])
def test_orrery_spreads_grey_frames(tmp_path, shape, jpeg):
    frames = [smooth(7, 40, 33, 1, 3).reshape(7, *shape)]
    path = picture_set(tmp_path, "grey", frames, gym.spaces.Discrete(2), [np.zeros(6, int)], jpeg_encoding=jpeg)
    _, tensors = read_with_orrery(path, tmp_path)
    stored = minari.MinariDataset(path)[0].observations.reshape(7, 40, 33, 1).astype(int)
    assert tensors["0/frames"].shape == (7, 40, 33, 3)
    assert np.abs(tensors["0/frames"].astype(int) - stored).max() <= (2 if jpeg else 0)


def test_orrery_reads_compressed_frames(written, tmp_path):
    kind, folder = written
    with h5py.File(folder / "main_data.hdf5", "a") as file:
        frames = file["episode_0/observations"][:]
        del file["episode_0/observations"]
        file.create_dataset("episode_0/observations", data=frames, compression="gzip", chunks=(7, 20, 48, 3))
    _, tensors = read_with_orrery(folder, tmp_path)
    assert np.array_equal(tensors["0/frames"], frames)


def test_orrery_reads_a_dictionary_and_a_box_of_doubles(tmp_path):
    space = gym.spaces.Dict({"speed": gym.spaces.Box(-1, 1, (1,)), "screen": gym.spaces.Box(0, 255, (8, 9, 3), np.uint8)})
    screen = smooth(6, 8, 9, 3, 5)
    actions = np.random.default_rng(0).uniform(-1, 1, (5, 2, 2))
    low = np.array([[-1.0, -np.inf], [-1.0, -1.0]])
    path = picture_set(
        tmp_path, "dictionary", [{"speed": np.zeros((6, 1), np.float32), "screen": screen}],
        gym.spaces.Box(low, 1.0, (2, 2), np.float64), [actions], observation_space=space)
    facts, tensors = read_with_orrery(path, tmp_path)
    assert facts["actions"]["dims"] == 4
    assert facts["actions"]["low"][0] == -1.0
    assert facts["actions"]["low"][1] < -1e38
    assert not facts["has_pose"]
    assert np.array_equal(tensors["0/frames"], screen)
    assert np.array_equal(tensors["0/actions"][1:], actions.reshape(5, 4).astype(np.float32))
    assert not tensors["0/actions"][0].any()
    assert "0/pose" not in tensors


def test_orrery_refuses_what_it_cannot_use(tmp_path):
    frames, numbers = [smooth(4, 32, 32, 3, 0)], [np.zeros((3, 2), int)]
    path = picture_set(tmp_path, "multi", frames, gym.spaces.MultiDiscrete([3, 3]), numbers)
    done = tool("read", path, tmp_path / "out")
    assert done.returncode == 2
    assert "metadata.json" in done.stderr and "MultiDiscrete" in done.stderr and done.stderr.count("\n") == 1
    path = picture_set(tmp_path, "vector", [np.zeros((4, 3), np.float32)], gym.spaces.Discrete(2), [np.zeros(3, int)],
                       observation_space=gym.spaces.Box(-1, 1, (3,)))
    done = tool("read", path, tmp_path / "out")
    assert done.returncode == 2
    assert "metadata.json" in done.stderr and "frames" in done.stderr and done.stderr.count("\n") == 1


def test_wrong_number_of_actions_names_file_and_episode(written, tmp_path):
    kind, folder = written
    with h5py.File(folder / "main_data.hdf5", "a") as file:
        actions = file["episode_1/actions"][:-1]
        del file["episode_1/actions"]
        file["episode_1/actions"] = actions
    done = tool("read", folder, tmp_path / "out")
    assert done.returncode == 2
    assert f"{folder}/main_data.hdf5, episode 1: expected 8 actions for 9 frames, got 7" in done.stderr
