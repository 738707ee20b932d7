"""Where servers and devices stand: on streets, inside a box, not on top of each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Floats, NonNegative, Positive
from uara.base.randomness import stream

Surface = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""Heights (n,) [m] of the first thing seen from the sky and of the ground below it; NaN where there is none."""

STREET_CLEARANCE_M = 0.5
"""A point whose first surface from the sky is this close to the ground has nothing above it: a street."""

_BLOCK = 256
_MAX_BLOCKS = 400
_FEW = 64
"""Points up to this number are compared with all others; beyond it a tree or a grid finds the near ones."""
_DRAWS_PER_POINT = 8
"""Draws a wanted point, where so many are wanted that the most blocks would not do."""
_ASIDE = (-1, 0, 1)
_FINEST_M = 1.0
# Millimetres: what a file stores is what was traced.
_DECIMALS = 3


@dataclass(frozen=True)
class Box:
    """The rectangle of the plane, in metres, that servers and devices stay in."""

    x_min_m: float
    x_max_m: float
    y_min_m: float
    y_max_m: float

    @classmethod
    def centred(cls, side_m: float, centre_m: tuple[float, float] = (0.0, 0.0)) -> Box:
        """The square of this side around a point."""
        if not (np.isfinite(side_m) and side_m > 0):
            raise InputError(f"the side of the box must be positive, not {side_m} m")
        x, y = centre_m
        return cls(x - side_m / 2, x + side_m / 2, y - side_m / 2, y + side_m / 2)

    def clipped(self, other: Box) -> Box:
        """The part that lies in both."""
        return Box(
            max(self.x_min_m, other.x_min_m), min(self.x_max_m, other.x_max_m),
            max(self.y_min_m, other.y_min_m), min(self.y_max_m, other.y_max_m),
        )  # fmt: skip

    def contains(self, xy_m: Floats) -> NDArray[np.bool_]:
        """Which of the points (n, 2 or more) lie inside."""
        x, y = xy_m[:, 0], xy_m[:, 1]
        return (x >= self.x_min_m) & (x <= self.x_max_m) & (y >= self.y_min_m) & (y <= self.y_max_m)


def flat_ground(x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """The surface of a world without buildings."""
    zero = np.zeros_like(x_m)
    return zero, zero


def street_height(surface: Surface, xy_m: Floats) -> Floats:
    """Ground height (n,) under points (n, 2) that lie on a street; NaN under the others."""
    top, ground = surface(xy_m[:, 0], xy_m[:, 1])
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(top - ground) < STREET_CLEARANCE_M, ground, np.nan)


def nearest_distance_m(points_m: Floats, others_m: Floats) -> Floats:
    """Distance in the plane (n,) from each point to the nearest of some others; infinite if there are none."""
    if len(others_m) == 0:
        return np.full(len(points_m), np.inf)
    gaps = points_m[:, None, :2] - others_m[None, :, :2]
    nearest: Floats = np.sqrt((gaps**2).sum(-1)).min(1)
    return nearest


def away_from(others_m: Floats, least_m: float) -> Callable[[Floats], NDArray[np.bool_]]:
    """Whether points (n, 3) stand at least so far from some others in the plane; quick for many others."""
    if len(others_m) <= _FEW:
        return lambda points_m: nearest_distance_m(points_m, others_m) >= least_m
    from scipy.spatial import cKDTree

    tree = cKDTree(others_m[:, :2])
    return lambda points_m: np.asarray(tree.query(points_m[:, :2])[0] >= least_m)


class StreetPoints:
    """An endless supply of uniform street points, the same ones whatever portions they are taken in.

    Parameters
    ----------
    surface
        Heights of the scene.
    box
        Points lie inside it.
    generator
        Their stream; used by nobody else.
    height_m
        Height of the points above the ground.
    """

    def __init__(self, surface: Surface, box: Box, generator: np.random.Generator, height_m: float) -> None:
        self._surface = surface
        self._box = box
        self._generator = generator
        self._height_m = height_m
        self._stock = np.zeros((0, 3))

    def take(self, count: int, keep: Callable[[Floats], NDArray[np.bool_]] | None = None) -> Floats:
        """The next ``count`` points (count, 3) that ``keep`` accepts, in the order of the stream.

        Raises
        ------
        InputError
            If the box offers too few such points.
        """
        chosen: list[Floats] = []
        found, blocks = 0, max(_MAX_BLOCKS, _DRAWS_PER_POINT * count // _BLOCK)
        for _ in range(blocks):
            stock = self.rest()
            indices = np.arange(len(stock)) if keep is None else np.flatnonzero(keep(stock))
            needed = count - found
            if len(indices) >= needed:
                last = indices[needed - 1] + 1 if needed else 0
                self._stock = stock[last:]
                return np.concatenate([*chosen, stock[indices[:needed]]])
            chosen.append(stock[indices])
            found += len(indices)
        raise InputError(
            f"only {found} of {count} points found on streets in the box after "
            f"{blocks * _BLOCK} draws: choose a larger or another box"
        )

    def rest(self) -> Floats:
        """The next points (n, 3) of the stream: what is left of the last portion, or a fresh one."""
        stock = self._stock if len(self._stock) else self._block()
        self._stock = np.zeros((0, 3))
        return stock

    def _block(self) -> Floats:
        box, draw = self._box, self._generator.uniform(size=(_BLOCK, 2))
        low, high = np.array([box.x_min_m, box.y_min_m]), np.array([box.x_max_m, box.y_max_m])
        if not (low < high).all():
            raise InputError("the box does not overlap the scene: choose a larger or another box")
        xy = np.round(low + draw * (high - low), _DECIMALS)
        ground = street_height(self._surface, xy)
        street = np.isfinite(ground) & box.contains(xy)  # rounding may lead out of it
        block: Floats = np.c_[xy, np.round(ground + self._height_m, _DECIMALS)][street]
        return block


def spaced_points(points: StreetPoints, count: int, spacing_m: float) -> Floats:
    """Points (count, 3) from a supply, which is used up, each at least ``spacing_m`` from those before it.

    Raises
    ------
    InputError
        If the box cannot hold so many.
    """
    chosen: list[tuple[float, float, float]] = []
    cells: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
    width = max(spacing_m, _FINEST_M)
    fruitless = 0
    while len(chosen) < count:
        before = len(chosen)
        for x, y, z in points.rest().tolist():
            cell = int(x // width), int(y // width)
            near = (
                each for dx in _ASIDE for dy in _ASIDE for each in cells.get((cell[0] + dx, cell[1] + dy), ())
            )
            if all(((x - a) ** 2 + (y - b) ** 2) ** 0.5 >= spacing_m for a, b, _ in near):
                chosen.append((x, y, z))
                cells.setdefault(cell, []).append((x, y, z))
                if len(chosen) == count:
                    break
        fruitless = 0 if len(chosen) > before else fruitless + 1
        if fruitless >= _MAX_BLOCKS:
            raise InputError(
                f"no room on the streets of the box for server {len(chosen) + 1} of {count} at {spacing_m:g} m "
                "from the others: choose a larger box, fewer servers, or another scene"
            )
    return np.array(chosen).reshape(-1, 3)


class Placing(Record):
    """Where servers and devices may stand; the settings of every channel model begin with it."""

    box_m: Positive = 400.0
    """Side of the square in which servers and devices stand."""
    server_height_m: Positive = 10.0
    """Height of servers above the ground, where it is not given."""
    device_height_m: Positive = 1.5
    """Height of devices above the ground, where it is not given."""
    min_distance_m: NonNegative = 10.0
    """Least distance in the plane between a device and a server."""
    server_spacing_m: NonNegative = 30.0
    """Least distance in the plane between servers."""

    def places(self, surface: Surface, box: Box, servers: int, seed: int) -> tuple[Floats, StreetPoints]:
        """Where servers stand (servers, 3), and the supply of places for devices.

        Raises
        ------
        InputError
            If the box has no room.
        """
        sites = StreetPoints(surface, box, stream(seed, "server positions"), self.server_height_m)
        placed = spaced_points(sites, servers, self.server_spacing_m)
        return placed, StreetPoints(surface, box, stream(seed, "device positions"), self.device_height_m)
