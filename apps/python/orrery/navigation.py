"""The places that were visited and how they hang together."""

import math
from collections import deque

import numpy as np

HEADINGS = 16  # directions in which a cell may be blocked


def wrapped(angle):
    """Into [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


class VisitMap:
    """Square cells of side `cell` with a count of visits, a spot known to be free, links between cells that were walked
    in one go, and the headings that were tried or blocked. Nothing else of the world is assumed."""

    def __init__(self, cell):
        self.cell = cell
        self.visits, self.spots, self.links, self.blocked, self.tried = {}, {}, {}, {}, {}

    def key(self, x, y):
        return math.floor(x / self.cell), math.floor(y / self.cell)

    def visit(self, x, y, before):
        """Counts a visit and links it to the cell `before` (or None). Returns the cell."""
        key = self.key(x, y)
        self.visits[key] = self.visits.get(key, 0) + 1
        self.spots[key] = (x, y)
        if before is not None and before != key:
            self.links.setdefault(before, set()).add(key)
            self.links.setdefault(key, set()).add(before)
        return key

    def unlink(self, a, b):
        self.links.get(a, set()).discard(b)
        self.links.get(b, set()).discard(a)

    def block(self, x, y, heading):
        key = (self.key(x, y), self._bucket(heading))
        self.blocked[key] = self.blocked.get(key, 0) + 1

    @staticmethod
    def _bucket(heading):
        return round(heading / (2 * math.pi) * HEADINGS) % HEADINGS

    def open_heading(self, pose, rng, reach=6):
        """A heading along which one can go far: over cells that were visited before, or into the unknown where that was
        not tried from here; rather ahead than behind. Drawn with chances, so that every heading comes up now and then."""
        x, y, facing = pose
        here = self.key(x, y)
        scores = np.empty(HEADINGS)
        for i in range(HEADINGS):
            angle = 2 * math.pi * i / HEADINGS
            free = 0
            while free < reach and self.key(x + math.cos(angle) * self.cell * (free + 1),
                                            y + math.sin(angle) * self.cell * (free + 1)) in self.visits:
                free += 1
            ahead = math.exp(-abs(wrapped(angle - facing)) / 2)
            novelty = 2 / (1 + self.tried.get((here, i), 0))
            scores[i] = ahead * (0.3 + free + novelty) / (1 + self.blocked.get((here, i), 0))
        scores **= 2
        chosen = rng.choice(HEADINGS, p=scores / scores.sum())
        self.tried[here, chosen] = self.tried.get((here, chosen), 0) + 1
        return wrapped(2 * math.pi * (chosen + rng.uniform(-0.5, 0.5)) / HEADINGS)

    def far_goals(self, start, rng, count):
        """Up to `count` cells that can be reached from `start`: rather far and seldom visited ones."""
        hops = self._hops(start)
        cells = [cell for cell, n in hops.items() if n >= 3]
        if not cells:
            return []
        weights = np.array([min(hops[c], 12) / self.visits[c] for c in cells])
        return [cells[i] for i in rng.choice(len(cells), count, p=weights / weights.sum())]

    def _hops(self, start):
        hops, queue = {start: 0}, deque([start])
        while queue:
            cell = queue.popleft()
            for following in self.links.get(cell, ()):
                if following not in hops:
                    hops[following] = hops[cell] + 1
                    queue.append(following)
        return hops

    def path(self, start, goal):
        """Cells from after `start` to `goal` along links, the fewest; [] when there is no way."""
        hops = self._hops(goal)
        if start not in hops:
            return []
        cells = [start]
        while cells[-1] != goal:
            cells.append(min(sorted(self.links[cells[-1]]), key=lambda c: hops.get(c, math.inf)))
        return cells[1:]

    def in_sight(self, x, y, spot):
        """Whether the straight line to `spot` runs over visited cells only."""
        steps = math.ceil(2 * math.dist((x, y), spot) / self.cell) + 1
        return all(self.key(x + (spot[0] - x) * i / steps, y + (spot[1] - y) * i / steps) in self.visits
                   for i in range(1, steps))
