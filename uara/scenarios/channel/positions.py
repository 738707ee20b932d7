"""Where servers and devices stand: on streets, inside a box, not on top of each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError

Floats = NDArray[np.float64]
Surface = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""Heights (n,) [m] of the first thing seen from the sky and of the ground below it; NaN where there is none."""

STREET_CLEARANCE_M = 0.5
"""A point whose first surface from the sky is this close to the ground has nothing above it: a street."""

_BLOCK = 256
_MAX_BLOCKS = 400
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
        chosen: Floats = np.zeros((0, 3))
        for _ in range(_MAX_BLOCKS):
            stock = self._stock if len(self._stock) else self._block()
            self._stock = np.zeros((0, 3))
            indices = np.arange(len(stock)) if keep is None else np.flatnonzero(keep(stock))
            needed = count - len(chosen)
            if len(indices) >= needed:
                last = indices[needed - 1] + 1 if needed else 0
                self._stock = stock[last:]
                return np.concatenate([chosen, stock[indices[:needed]]])
            chosen = np.concatenate([chosen, stock[indices]])
        raise InputError(
            f"only {len(chosen)} of {count} points found on streets in the box after "
            f"{_MAX_BLOCKS * _BLOCK} draws: choose a larger or another box"
        )

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
    """Points (count, 3) from a supply, each at least ``spacing_m`` from those before it.

    Raises
    ------
    InputError
        If the box cannot hold so many.
    """
    chosen = np.zeros((0, 3))

    def far_enough(new: Floats) -> NDArray[np.bool_]:
        return nearest_distance_m(new, chosen) >= spacing_m

    while len(chosen) < count:
        try:
            chosen = np.concatenate([chosen, points.take(1, far_enough)])
        except InputError:
            raise InputError(
                f"no room on the streets of the box for server {len(chosen) + 1} of {count} at {spacing_m:g} m "
                "from the others: choose a larger box, fewer servers, or another scene"
            ) from None
    return chosen
