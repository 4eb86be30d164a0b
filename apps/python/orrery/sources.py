"""Gymnasium worlds as recorders see them: frames, rows of actions, poses."""

import importlib
import math
import os
import tempfile
import warnings
from dataclasses import dataclass, field

import numpy as np

from .actions import Actions
from .errors import Error, near

PREFIX = "gymnasium:"
PACKAGES = {"vizdoom": "vizdoom.gymnasium_wrapper", "ale_py": "ale_py"}  # worlds that Gymnasium does not know by itself
PIP_NAMES = {"ale_py": "ale-py"}


@dataclass
class SourceOptions:
    frame_skip: int = 0  # game ticks a step; 0: 4 for Doom and Atari, else 1
    render: bool = False  # frames by render() even when observations are images
    pose: list | None = None  # three names; None: position and angle where the game has them; []: none
    env: dict = field(default_factory=dict)  # arguments of gymnasium.make


class Source:
    """One running world. reset() and step() return frames as the world shows them, uint8 [H, W] or [H, W, C]."""

    default_skip = 1
    ticks_a_second = None  # of the game; None: what the world's metadata says
    clone_arguments = {}  # of clone_state, where the world has it

    def __init__(self, env, options, rendered, skip):
        self.env, self.skip, self._rendered = env, skip, rendered
        self._key = None if rendered else image_key(env.observation_space)
        self.actions = Actions(env.action_space, self.action_names())
        self.pose_names = self.check_pose(options.pose)
        ticks = self.ticks_a_second or env.metadata.get("render_fps") or 15
        self.fps = ticks / skip
        self._pose = None

    # What a family of worlds does in its own way.

    @classmethod
    def prepare(cls):
        """Settings of the process, before a world is made."""

    @classmethod
    def make_arguments(cls, skip):
        """Arguments of gymnasium.make that the family needs."""
        return {}

    def action_names(self):
        meanings = getattr(self.env.unwrapped, "get_action_meanings", None)
        return [str(name).lower() for name in meanings()] if meanings else None

    def check_pose(self, names):
        """The three names of the pose, or [] for none; other names are looked up in `info` at every step."""
        return names or []

    def read_pose(self, info):
        missing = [name for name in self.pose_names if name not in info]
        if missing:
            raise Error(f"pose: the world's info has no '{missing[0]}'{near(missing[0], list(info))} "
                        f"(it has: {', '.join(map(str, info)) or 'nothing'})")
        return [float(info[name]) for name in self.pose_names]

    def repeats(self):
        """How often step() repeats an action; 1 where the world skips by itself."""
        return self.skip

    def has_last_frame(self):
        """Whether the observation that ends an episode is a real frame."""
        return True

    # What recorders call.

    def reset(self, seed):
        observation, info = self.env.reset(seed=seed)
        return self._frame(observation), self._read(info)

    def step(self, row):
        """(frame, pose, done); frame is None when the world ended without showing one."""
        action = self.actions.decode(row)
        for _ in range(self.repeats()):
            observation, _, terminated, truncated, info = self.env.step(action)
            if terminated or truncated:
                break
        done = bool(terminated or truncated)
        if done and not self.has_last_frame():
            return None, None, True
        return self._frame(observation), self._read(info), done

    def snapshot(self):
        """Everything that decides the future, for restore(). Error from a world that cannot be put back."""
        if not all(hasattr(self.env.unwrapped, method) for method in ("clone_state", "restore_state")):
            raise Error("twins: this world cannot be put back to an earlier moment (expected the methods clone_state and "
                        "restore_state, which Atari's worlds have); record it without --twins")
        return self.env.unwrapped.clone_state(**self.clone_arguments)

    def restore(self, snapshot):
        self.env.unwrapped.restore_state(snapshot)

    def close(self):
        self.env.close()

    def _read(self, info):
        return np.array(self.read_pose(info), np.float32) if self.pose_names else None

    def _frame(self, observation):
        if self._rendered:
            observation = self.env.render()
            if not isinstance(observation, np.ndarray):
                raise Error(f"render() returned {type(observation).__name__}, expected an RGB array")
            return observation
        if self._key is not None:
            observation = observation[self._key]
        observation = np.asarray(observation)
        if observation.ndim == 3 and observation.shape[2] not in (1, 3, 4):
            observation = observation.transpose(1, 2, 0)
        return observation


class Doom(Source):
    """ViZDoom. Pose: any game variables, angles in radians; the weapon is hidden where no button fires it."""

    default_skip = 4
    ticks_a_second = 35
    BUTTONS = {"MOVE_FORWARD": "forward", "MOVE_BACKWARD": "backward", "MOVE_LEFT": "strafe left",
               "MOVE_RIGHT": "strafe right"}

    def __init__(self, env, options, rendered, skip):
        self.game = env.unwrapped.game
        if "ATTACK" not in self._buttons(self.game):
            self.game.set_render_weapon(False)
        super().__init__(env, options, rendered, skip)

    @classmethod
    def prepare(cls):
        os.chdir(tempfile.gettempdir())  # the engine writes its settings into the working folder

    @classmethod
    def make_arguments(cls, skip):
        return {"frame_skip": skip}

    @staticmethod
    def _buttons(game):
        return [str(b).rpartition(".")[2] for b in game.get_available_buttons()]

    def action_names(self):
        names = [self.BUTTONS.get(b, b.lower().replace("_", " ")) for b in self._buttons(self.game)]
        choices = getattr(self.env.unwrapped, "button_map", None)
        if choices is None:
            return names
        return [" + ".join(n for n, pressed in zip(names, choice) if pressed) or "noop" for choice in choices]

    def check_pose(self, names):
        from vizdoom import GameVariable
        if names is None:
            names = ["POSITION_X", "POSITION_Y", "ANGLE"]
        known = dict(GameVariable.__members__)
        for name in names:
            if name not in known:
                raise Error(f"pose: Doom has no game variable '{name}'{near(name, known)}")
        self._variables = [known[name] for name in names]
        return names

    def read_pose(self, info):
        values = (self.game.get_game_variable(v) for v in self._variables)
        return [math.radians(v) if "ANGLE" in n or n == "PITCH" else v for n, v in zip(self.pose_names, values)]

    def repeats(self):
        return 1

    def has_last_frame(self):
        return self.env.unwrapped.state is not None


class Atari(Source):
    """The Arcade Learning Environment. Actions are obeyed (no repeat_action_probability) unless asked otherwise."""

    default_skip = 4
    ticks_a_second = 60
    clone_arguments = {"include_rng": True}

    @classmethod
    def prepare(cls):
        import ale_py
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)

    @classmethod
    def make_arguments(cls, skip):
        return {"frameskip": skip, "repeat_action_probability": 0.0}

    def repeats(self):
        return 1


FAMILIES = {"vizdoom": Doom, "ale_py": Atari}


def image_key(space):
    """None for a space of images, the key of the images in a space of dictionaries; KeyError when there are none."""
    def is_image(s):
        if getattr(s, "dtype", None) != np.uint8 or len(s.shape or ()) not in (2, 3):
            return False
        sides = s.shape if len(s.shape) == 2 else s.shape[:2] if s.shape[2] in (1, 3, 4) else s.shape[1:]
        channels = 1 if len(s.shape) == 2 else s.shape[2] if s.shape[2] in (1, 3, 4) else s.shape[0]
        return channels in (1, 3, 4) and min(sides) >= 8

    if is_image(space):
        return None
    images = {k: s for k, s in getattr(space, "spaces", {}).items() if is_image(s)} if hasattr(space, "keys") else {}
    for key in ("screen", "image", "rgb", "pixels", *images):
        if key in images:
            return key
    raise KeyError("no image")


def import_package(package):
    """Imports what registers the worlds of `package`."""
    imported = importlib.import_module(PACKAGES[package])
    if package == "ale_py":
        import gymnasium
        gymnasium.register_envs(imported)


def find_spec(name):
    """Gymnasium's entry for `name`; Error with the nearest names when there is none, or naming a missing package."""
    try:
        import gymnasium
    except ImportError:
        raise Error("the package gymnasium is missing; install it with: pip install gymnasium") from None
    module, colon, rest = name.partition(":")
    if colon:
        try:
            importlib.import_module(module)
        except ImportError as problem:
            raise Error(f"{PREFIX}{name}: the module {module} cannot be imported ({problem})") from None
        name = rest
    owner = "vizdoom" if name.startswith("Vizdoom") else "ale_py" if name.startswith("ALE/") else None
    for packages in ([owner] if owner else [], PACKAGES):
        for package in packages:
            try:
                import_package(package)
            except ImportError as problem:
                if package == owner:
                    pip_name = PIP_NAMES.get(package, package)
                    raise Error(f"{PREFIX}{name} needs the package {pip_name}, which cannot be imported ({problem}); "
                                f"install it with: pip install {pip_name}") from None
        try:
            return gymnasium.spec(name)
        except (gymnasium.error.Error, ImportError):
            continue
    hint = near(name, gymnasium.registry) or "; gymnasium.pprint_registry() lists them"
    raise Error(f"unknown Gymnasium world '{name}'{hint}")


def open_source(spec, options):
    """The world called "gymnasium:ID"; throws Error when it is unknown, cannot be made or shows no images."""
    if not spec.startswith(PREFIX) or spec == PREFIX:
        raise Error(f"world '{spec}': expected gymnasium:ID, for example gymnasium:VizdoomMyWayHome-v1 (built-in worlds "
                    "are recorded by `orrery record`)")
    name = spec[len(PREFIX):]
    entry = find_spec(name)
    package = str(entry.entry_point).partition(".")[0]
    family = FAMILIES.get(package, Source)
    skip = options.frame_skip or family.default_skip
    arguments = family.make_arguments(skip) | options.env
    family.prepare()
    env, rendered = _make(entry, name, arguments, options.render)
    return family(env, options, rendered, skip)


def _make(entry, name, arguments, render):
    """(env, whether frames come from render())."""
    import gymnasium

    def make(**more):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return gymnasium.make(entry, disable_env_checker=True, **arguments, **more)
        except Exception as problem:  # whatever a foreign constructor throws is about its arguments or packages
            text = " ".join(str(problem).split())
            raise Error(f"{PREFIX}{name} cannot be made ({type(problem).__name__}: {text})") from None

    if not render:
        env = make()
        try:
            image_key(env.observation_space)
            return env, False
        except KeyError:
            space, modes = env.observation_space, env.metadata.get("render_modes", [])
            env.close()
        if "rgb_array" not in modes:
            raise Error(f"{PREFIX}{name} observes {type(space).__name__}{tuple(space.shape or ())} and cannot render RGB; "
                        "expected images (uint8, 8x8 or larger) or render mode rgb_array")
    env = make(render_mode="rgb_array")
    if env.render_mode != "rgb_array":
        raise Error(f"{PREFIX}{name} has no render mode rgb_array")
    return env, True
