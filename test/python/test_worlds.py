"""The Python package: built-in worlds and data sets."""

import h5py
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import orrery

FACTS = {"name": "tiny", "source": "test", "height": 8, "width": 8, "fps": 10, "has_pose": True,
         "actions": {"count": 3, "names": ["a", "b", "c"]}}


def episode(frames=6, seed=9):
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, 3, (frames, 1)).astype(np.float32)
    actions[0] = 0
    return orrery.Episode(rng.integers(0, 256, (frames, 8, 8, 3), np.uint8), actions,
                          rng.standard_normal((frames, 3)).astype(np.float32), seed)


@pytest.mark.parametrize("spec", orrery.world_names())
@pytest.mark.filterwarnings("ignore")
def test_built_in_worlds_are_gymnasium_environments(spec):
    check_env(orrery.make_world(spec, render_mode="rgb_array"))


def test_snapshot_restores_a_world():
    world = orrery.make_world("maze(size=9)")
    first, info = world.reset(seed=4)
    assert first.dtype == np.uint8 and info["pose"].shape == (3,)
    saved = world.snapshot()
    taken = [world.action_space.sample() for _ in range(20)]
    frames = [world.step(a)[0] for a in taken]
    world.restore(saved)
    assert all(np.array_equal(world.step(a)[0], f) for a, f in zip(taken, frames))
    with pytest.raises(orrery.Error):
        world.restore(saved[:-1])


def test_worlds_tell_what_is_wrong():
    with pytest.raises(orrery.Error, match="did you mean 'maze'"):
        orrery.make_world("maze2")
    with pytest.raises(orrery.Error, match="reset"):
        orrery.make_world("maze").step(0)
    world = orrery.make_world("maze")
    world.reset(seed=0)
    with pytest.raises(orrery.Error):
        world.step(99)


def test_data_set_comes_back(tmp_path):
    written = [episode(6, 1), episode(9, 2)]
    with orrery.DatasetWriter(tmp_path / "set", FACTS) as writer:
        for e in written:
            writer.add(e)
        assert not (tmp_path / "set").exists()
    data = orrery.Dataset(tmp_path / "set")
    assert len(data) == 2 and data.total_frames == 15 and data.facts["actions"]["names"] == ["a", "b", "c"]
    for read, e in zip(data, written):
        assert np.array_equal(read.frames, e.frames) and np.array_equal(read.actions, e.actions)
        assert np.array_equal(read.pose, e.pose) and read.seed == e.seed
    assert [e.twin for e in data] == [None, None]
    part = data.read(-1, 3, 4)
    assert np.array_equal(part.frames, written[1].frames[3:7]) and np.array_equal(part.actions, written[1].actions[3:7])
    with h5py.File(tmp_path / "set/main_data.hdf5") as file:
        assert np.array_equal(np.asarray(file["episode_0/actions"]).ravel(), written[0].actions[1:, 0])


def test_data_set_keeps_marks_of_twins(tmp_path):
    with orrery.DatasetWriter(tmp_path / "set", FACTS) as writer:
        writer.add(episode(9, 1))
        twin = episode(6, 2)
        twin.twin = (0, 3, 2)
        writer.add(twin)
    assert [e.twin for e in orrery.Dataset(tmp_path / "set")] == [None, (0, 3, 2)]
    writer = orrery.DatasetWriter(tmp_path / "other", FACTS)
    twin.twin = (0, 0, 2)
    with pytest.raises(orrery.Error, match="twin_of = 0"):
        writer.add(twin)


def test_data_set_refuses_what_does_not_fit(tmp_path):
    writer = orrery.DatasetWriter(tmp_path / "set", FACTS)
    good = episode()
    with pytest.raises(orrery.Error, match="uint8"):
        writer.add(orrery.Episode(good.frames.astype(np.float32), good.actions, good.pose))
    with pytest.raises(orrery.Error):
        writer.add(orrery.Episode(good.frames, good.actions[:-1], good.pose))
    with pytest.raises(orrery.Error):
        writer.add(orrery.Episode(good.frames, good.actions * np.nan, good.pose))
    with pytest.raises(orrery.Error, match="unknown key|heigth"):
        orrery.DatasetWriter(tmp_path / "other", FACTS | {"heigth": 8})
    with pytest.raises(orrery.Error):
        orrery.Dataset(tmp_path / "missing")
    with pytest.raises(IndexError):
        with orrery.DatasetWriter(tmp_path / "third", FACTS) as third:
            third.add(good)
            raise IndexError
    assert not (tmp_path / "third").exists()
