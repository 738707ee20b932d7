"""Moving devices: walks along streets, slot by slot, and the channel on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Floats, NonNegative, Positive
from uara.scenarios.channel import isolation
from uara.scenarios.channel.positions import Box, Surface, nearest_distance_m, street_height
from uara.scenarios.channel.raytrace import RayTracing
from uara.scenarios.channel.umi import UrbanMicro

MAX_UMI_SLOTS = 2000
"""Longest 38.901 walk: the memory of its random fields grows with the square of the slots."""
_TRIES = 30
_DECIMALS = 3


class Walk(Record):
    """How devices move."""

    slots: Annotated[int, Field(ge=1, le=100_000)] = 60
    """Number of slots T."""
    speed_m_per_s: NonNegative = 1.5
    """Speed of every device; it stands only where no step of that length is free."""
    slot_s: Positive = 1.0
    """Time from one slot to the next, tau."""
    wander_deg: NonNegative = 10.0
    """Standard deviation of the change of heading from slot to slot."""


@dataclass(frozen=True)
class MovingDrop:
    """Positions and the channel between them over T slots.

    Attributes
    ----------
    server_position_m : (E, 3)
    device_position_m : (T, M, 3)
    power_gain : (T, M, E)
        h_ij^2, linear; 0 where there is no path. Every device has a server above the least gain in every slot.
    facts
        What the simulator reports about itself.
    """

    server_position_m: Floats
    device_position_m: Floats
    power_gain: Floats
    facts: dict[str, Any]


@dataclass(eq=False)
class Walkers:
    """Devices that go straight on, wander a little, and turn where the street ends.

    Parameters
    ----------
    start_m
        (M, 3) Positions in slot 0, at one height above the street.
    surface, box
        Where there are streets.
    servers_m, min_distance_m
        Nobody comes nearer to a server than this, in the plane.
    walk
        Speed and wandering.
    generator
        Stream of the headings.
    """

    start_m: Floats
    surface: Surface
    box: Box
    servers_m: Floats
    min_distance_m: float
    walk: Walk
    generator: np.random.Generator

    def __post_init__(self) -> None:
        self.position_m = self.start_m.copy()
        self._height_m = self.start_m[:, 2] - street_height(self.surface, self.start_m[:, :2])
        self._heading = self.generator.uniform(0, 2 * np.pi, len(self.start_m))
        self._before = self.position_m.copy()

    def step(self) -> None:
        """Go on for one slot."""
        walk, rng = self.walk, self.generator
        self._before = self.position_m.copy()
        self._heading += np.deg2rad(walk.wander_deg) * rng.standard_normal(len(self._heading))
        waiting = np.arange(len(self._heading))
        for _ in range(_TRIES):
            there = self._ahead(waiting)
            free = self._free(there)
            self.position_m[waiting[free]] = there[free]
            waiting = waiting[~free]
            if not len(waiting):
                return
            self._heading[waiting] = rng.uniform(0, 2 * np.pi, len(waiting))

    def turn_back(self, who: NDArray[np.bool_]) -> None:
        """Put some devices back to where they were before the last step, with new headings."""
        self.position_m[who] = self._before[who]
        self._heading[who] = self.generator.uniform(0, 2 * np.pi, int(who.sum()))

    def _ahead(self, who: NDArray[np.intp]) -> Floats:
        stride_m = self.walk.speed_m_per_s * self.walk.slot_s
        direction = np.c_[np.cos(self._heading[who]), np.sin(self._heading[who])]
        xy = np.round(self.position_m[who, :2] + stride_m * direction, _DECIMALS)
        height: Floats = np.round(street_height(self.surface, xy) + self._height_m[who], _DECIMALS)
        there: Floats = np.c_[xy, height]
        return there

    def _free(self, there_m: Floats) -> NDArray[np.bool_]:
        apart = nearest_distance_m(there_m, self.servers_m) >= self.min_distance_m
        return np.isfinite(there_m[:, 2]) & self.box.contains(there_m) & apart


def draw_traced(settings: RayTracing, walk: Walk, *, servers: int, devices: int, seed: int) -> MovingDrop:
    """Ray-trace walks along the streets of a scene; slot 0 is :func:`uara.scenarios.channel.raytrace.draw`'s drop.

    A device that a step would take out of every server's reach turns back instead.

    Raises
    ------
    InputError, MissingExtra, ChannelError
        As :func:`uara.scenarios.channel.raytrace.draw`.
    """
    data = {"walk": walk.model_dump(), "servers": servers, "devices": devices, "seed": seed}
    job = "uara.scenarios.channel.raytrace_worker:walk"
    facts, arrays = isolation.simulate(job, settings, data, traced=True)
    return MovingDrop(**arrays, facts=facts)


def draw_umi(settings: UrbanMicro, walk: Walk, *, servers: int, devices: int, seed: int) -> MovingDrop:
    """Draw a 38.901 UMi channel along walks in the box, spatially consistent along each of them.

    A slot's gain is the mean over the slot of the fading that the device's own speed causes. A device that
    is out of every server's reach in some slot is drawn again, with its walk.

    Raises
    ------
    InputError, MissingExtra, ChannelError
        As :func:`uara.scenarios.channel.umi.draw`.
    """
    if walk.slots > MAX_UMI_SLOTS:
        raise InputError(
            f"38.901 walks have at most {MAX_UMI_SLOTS} slots, not {walk.slots}", path="walk.slots"
        )
    data = {"walk": walk.model_dump(), "servers": servers, "devices": devices, "seed": seed}
    facts, arrays = isolation.simulate("uara.scenarios.channel.umi_worker:walk", settings, data)
    return MovingDrop(**arrays, facts=facts)
