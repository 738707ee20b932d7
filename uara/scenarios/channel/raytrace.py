"""Channel gains by ray tracing (Sionna RT): what to trace, and the call into the worker process."""

from __future__ import annotations

import os
from typing import Annotated, Any

from pydantic import Field

from uara.base.errors import InputError
from uara.base.quantities import Floats, Positive
from uara.scenarios.channel import isolation
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.positions import Placing

_WORKER = "uara.scenarios.channel.raytrace_worker"
MAPPED = ("etoile", "florence", "munich", "san_francisco")
"""Scenes of Sionna RT whose buildings come from OpenStreetMap."""
MAP_CREDIT = (
    "Scene geometry of the city scenes: (c) OpenStreetMap contributors, ODbL "
    "(https://www.openstreetmap.org/copyright), as shipped with Sionna RT"
)


class RayTracing(Placing):
    """Settings of ray tracing; the defaults are those of the shipped instances.

    Gains are for isotropic vertically polarised antennas of 0 dBi at both ends. The box lies around the scene's centre.
    """

    scene: str = "etoile"
    """A scene of Sionna RT by name, or the path of a Mitsuba scene (``.xml``)."""
    carrier_hz: Positive = 3.5e9
    rays_per_server: Annotated[int, Field(ge=1, le=10**8)] = 10_000
    """Gains far from line of sight depend on it (sampling noise): it is part of the instance."""
    max_depth: Annotated[int, Field(ge=0, le=20)] = 3
    """Most interactions of a path with the scene."""
    min_best_gain_db: float = -120.0
    """A device whose best server is below is drawn again."""


def draw(settings: RayTracing, *, servers: int, devices: int, seed: int) -> Drop:
    """Place servers and devices on the streets of a scene and trace the paths between them.

    A larger draw of the same seed, settings and servers begins with the positions of a smaller one, unless
    the threshold is near. The gains are those that :func:`gains` finds at the positions.

    Raises
    ------
    InputError
        Unknown scene; a box without room, or from which too few devices reach a server.
    MissingExtra
        Sionna RT is not installed.
    ChannelError
        No usable LLVM, or the tracer died.
    """
    data = {"servers": servers, "devices": devices, "seed": seed}
    try:
        facts, arrays = _call("draw", settings, data)
    except InputError as error:
        if not settings.scene.endswith(".xml") or "streets" not in error.problem:
            raise
        hint = "a street is where the ground is all that a vertical line meets: a floor without thickness"
        raise InputError(f"{error.problem}; {hint}", source=settings.scene) from None
    return Drop(**arrays, facts=facts)


def gains(settings: RayTracing, server_position_m: Floats, device_position_m: Floats, *, seed: int) -> Drop:
    """The drop of given positions (E, 3) and (M, 3) [m], in the scene's coordinates; raises as :func:`draw`."""
    positions = {"server_position_m": server_position_m, "device_position_m": device_position_m}
    facts, arrays = _call("gains", settings, {"seed": seed}, positions)
    return Drop(**positions, **arrays, facts=facts)


def map_credits(channel: str, scene: str) -> list[str]:
    """Whom the map of a scene must be credited to; nobody for a scene of one's own."""
    return [MAP_CREDIT] if channel == "sionna-rt" and scene in MAPPED else []


def _call(
    function: str, settings: RayTracing, data: dict[str, Any], arrays: dict[str, Floats] | None = None
) -> isolation.Reply:
    if settings.scene.endswith(".xml") and not os.path.isfile(settings.scene):
        raise InputError("no such scene file", source=settings.scene)
    return isolation.simulate(f"{_WORKER}:{function}", settings, data, arrays, traced=True)
