"""A walker for worlds that tell where one is: it goes places instead of pushing into walls."""

import math
from dataclasses import dataclass

import numpy as np

from .navigation import VisitMap, wrapped


@dataclass
class Roles:
    """Indices of the actions that walk and turn; None where the world has no such action."""
    forward: int
    left: int
    right: int
    others: list

    ALIASES = {
        "forward": ("forward", "move forward", "move_forward", "go forward"),
        "left": ("turn left", "turn_left", "left"),
        "right": ("turn right", "turn_right", "right"),
    }

    @classmethod
    def of(cls, actions):
        """The roles by the names of the actions; None unless there are a forward and two turns."""
        if not actions.discrete:
            return None
        names = [name.lower() for name in actions.names]
        found = {role: next((names.index(a) for a in aliases if a in names), None)
                 for role, aliases in cls.ALIASES.items()}
        if None in found.values():
            return None
        return cls(**found, others=[i for i in range(actions.count) if i not in found.values()])


class Explorer:
    """Strings manoeuvres together: travel to seldom visited places along known ways, walk into the unknown, go out and
    back, loop, look around, side-step, stand. A way that proves blocked is left after a moment and remembered.

    The map of visited places is kept over episodes (a fixed world is covered better), and forgotten when too many of its
    ways turn out to be blocked (a world that changes with every episode).
    """

    NOISE = 0.03  # chance a step of a burst of one random action
    STUCK = 0.25  # of a usual step forward: less is standing
    FORGET = 0.6  # share of known ways found blocked at which the map is taken for another world's
    SLACK = 1.5  # turns that the course may be off before it is corrected
    MANOEUVRES = {"travel": 0.36, "wander": 0.15, "out_and_back": 0.04, "loop": 0.05, "look": 0.03, "aside": 0.27,
                  "stand": 0.10}

    def __init__(self, actions, roles):
        self.actions, self.roles = actions, roles
        self.map = None
        self.stride, self.turn = 0.0, 0.0  # learned: length of a usual step forward, usual angle of a turn
        self.failing = 0.0  # share of ways that proved blocked lately

    def begin(self, rng):
        self.rng = rng
        self.pose, self.cell, self.last = None, None, None
        self.still = 0  # steps forward in a row that led nowhere
        self.noise = (0, 0)  # action, steps left
        self.plan = self._find_feet()
        if self.failing > self.FORGET:
            self.map, self.failing = None, 0.0

    def act(self, frame, pose):
        self._observe(pose)
        action, left = self.noise
        if left:
            self.noise = (action, left - 1)
        elif self.rng.random() < self.NOISE:
            action = int(self.rng.integers(self.actions.count))
            self.noise = (action, int(self.rng.integers(0, 3)))
        else:
            action = self._planned()
        self.last = action
        return self.actions.row(action)

    def _planned(self):
        for _ in range(20):
            try:
                return next(self.plan)
            except StopIteration:
                names, weights = zip(*self.MANOEUVRES.items())
                weights = np.array(weights) / sum(weights)
                self.plan = getattr(self, "_" + names[self.rng.choice(len(names), p=weights)])()
        return int(self.rng.integers(self.actions.count))

    def _observe(self, pose):
        before, self.pose = self.pose, [float(v) for v in pose]
        x, y, angle = self.pose
        if before is not None:
            moved = math.hypot(x - before[0], y - before[1])
            turned = abs(wrapped(angle - before[2]))
            if self.last == self.roles.forward:
                self.stride = max(self.stride * 0.999, moved) if moved < 4 * self.stride or not self.stride else self.stride
                self.still = self.still + 1 if moved < self.STUCK * self.stride else 0
            elif self.last in (self.roles.left, self.roles.right):
                self.turn = max(self.turn * 0.999, turned)
        if self.stride > 0:
            if self.map is None or 1.5 * self.stride > 1.4 * self.map.cell:  # the first steps may be slow ones
                self.map, self.cell = VisitMap(1.5 * self.stride), None
            self.cell = self.map.visit(x, y, self.cell)

    # Pieces of manoeuvres: generators of actions. They return False when the way is blocked.

    def _turn_to(self, heading, slack=0.6):
        for _ in range(int(2 * math.pi / self._turn_angle()) + 2):
            off = wrapped(heading - self.pose[2])
            if abs(off) <= slack * self._turn_angle():
                return
            yield self.roles.left if off > 0 else self.roles.right

    def _ahead(self, heading, steps):
        """`steps` forward along `heading`, correcting the course."""
        self.still = 0
        for _ in range(steps):
            if abs(wrapped(heading - self.pose[2])) > self.SLACK * self._turn_angle():
                yield from self._turn_to(heading)
            yield self.roles.forward
            if self.still >= 2:
                if self.map:
                    self.map.block(self.pose[0], self.pose[1], self.pose[2])
                yield from self._turn_away()
                return False
        return True

    def _turn_away(self):
        heading = self.map.open_heading(self.pose, self.rng) if self.map else self.rng.uniform(-math.pi, math.pi)
        yield from self._turn_to(heading)
        self.still = 0

    def _reach(self, x, y, steps):
        """Towards a spot for at most `steps`; True when it was reached."""
        self.still = 0
        for _ in range(steps):
            if math.dist((x, y), self.pose[:2]) < self.map.cell:
                return True
            heading = math.atan2(y - self.pose[1], x - self.pose[0])
            if abs(wrapped(heading - self.pose[2])) > self.SLACK * self._turn_angle():
                yield from self._turn_to(heading)
            yield self.roles.forward
            if self.still >= 2:
                return False
        return False

    def _turn_angle(self):
        return max(self.turn, 0.05)

    # Manoeuvres.

    def _find_feet(self):
        """The first steps of an episode: some ahead, some turns; this also measures stride and turn in a new world."""
        side = self.roles.left if self.rng.random() < 0.5 else self.roles.right
        for _ in range(6 if self.turn == 0 else int(self.rng.integers(0, 12))):
            yield side
        while self.stride == 0:
            for _ in range(5):
                yield self.roles.forward
            if self.stride == 0:
                for _ in range(5):
                    yield side

    def _travel(self):
        """Along known ways to one of a few goals, the one that asks for the smallest turn."""
        goals = self.map.far_goals(self.cell, self.rng, 4) if self.map and self.cell in self.map.links else []
        paths = [path for path in (self.map.path(self.cell, goal) for goal in goals) if path]
        if not paths:
            yield from self._wander()
            return
        path = min(paths, key=lambda p: abs(wrapped(self._bearing(p[self._furthest(p)]) - self.pose[2])))
        while path:
            ahead, start = self._furthest(path), self.cell
            reached = yield from self._reach(*self.map.spots[path[ahead]], 12)
            self.failing += 0.05 * ((not reached) - self.failing)
            if not reached:
                if ahead == 0:
                    self.map.unlink(start, path[0])
                yield from self._turn_away()
                return
            path = path[ahead + 1:]

    def _furthest(self, path):
        """Index of the furthest cell of `path` among the next five that can be walked to straight."""
        x, y, _ = self.pose
        return next((i for i in range(min(5, len(path)) - 1, 0, -1) if self.map.in_sight(x, y, self.map.spots[path[i]])), 0)

    def _bearing(self, cell):
        x, y = self.map.spots[cell]
        return math.atan2(y - self.pose[1], x - self.pose[0])

    def _wander(self):
        """Into a direction that is little known; sometimes in an arc."""
        if self.map:
            heading = self.map.open_heading(self.pose, self.rng)
        else:
            heading = self.rng.uniform(-math.pi, math.pi)
        bend = self.rng.choice([0, 0, -1, 1]) * self.rng.uniform(0.02, 0.15)
        yield from self._turn_to(heading)
        for _ in range(int(self.rng.integers(2, 8))):
            if not (yield from self._ahead(heading, int(self.rng.integers(2, 6)))):
                return
            heading = wrapped(heading + bend * 4)

    def _out_and_back(self):
        steps = int(self.rng.integers(4, 14))
        start = self.pose[:2]
        heading = self.pose[2]
        yield from self._ahead(heading, steps)
        if self.map:
            yield from self._turn_to(wrapped(math.atan2(start[1] - self.pose[1], start[0] - self.pose[0])))
            yield from self._reach(*start, steps + 4)

    def _loop(self):
        side = 1 if self.rng.random() < 0.5 else -1
        steps, corners = int(self.rng.integers(2, 7)), int(self.rng.integers(3, 7))
        heading = self.pose[2]
        for _ in range(corners):
            if not (yield from self._ahead(heading, steps)):
                return
            heading = wrapped(heading + side * 2 * math.pi / corners)
            yield from self._turn_to(heading)

    def _look(self):
        """All the way round, or part of it and back."""
        side, other = self.roles.left, self.roles.right
        if self.rng.random() < 0.5:
            side, other = other, side
        full = int(2 * math.pi / self._turn_angle()) + 1
        if self.rng.random() < 0.4:
            yield from (side for _ in range(full))
        else:
            steps = int(self.rng.integers(3, full // 2 + 4))
            yield from (side for _ in range(steps))
            if self.rng.random() < 0.6:
                yield from (other for _ in range(steps))

    def _aside(self):
        """One of the actions that neither walk nor turn, held; the explorer lets go of what moves nothing."""
        if not self.roles.others:
            return
        action = int(self.rng.choice(self.roles.others))
        for _ in range(int(self.rng.integers(3, 12))):
            before = self.pose
            yield action
            if math.dist(before, self.pose) < 0.1 * self.stride and self.rng.random() < 0.5:
                return

    def _stand(self):
        still = [i for i in self.roles.others if self.actions.names[i].lower() in ("noop", "no-op", "none", "stay")]
        if still:
            yield from (still[0] for _ in range(int(self.rng.integers(2, 6))))
