"""Channel gains by the stochastic 3GPP TR 38.901 urban micro-cell model (Sionna PHY)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from uara.base.quantities import Floats
from uara.scenarios.channel import isolation
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.positions import Placing

_WORKER = "uara.scenarios.channel.umi_worker"


class UrbanMicro(Placing):
    """Settings of the 38.901 UMi street-canyon channel; every device is outdoors, and servers of 10 m are what it is
    calibrated for.

    Gains are for isotropic vertically polarised antennas of 0 dBi at both ends.
    """

    carrier_hz: Annotated[float, Field(ge=0.5e9, le=100e9)] = 3.5e9
    min_best_gain_db: float = -120.0
    """A device whose best server is below is drawn again."""
    device_height_m: Annotated[float, Field(ge=1.5, le=22.5)] = 1.5
    min_distance_m: Annotated[float, Field(ge=10)] = 10.0
    """Least distance in the plane between a device and a server; the model is valid from 10 m."""


def draw(settings: UrbanMicro, *, servers: int, devices: int, seed: int) -> Drop:
    """Place servers and devices uniformly in the box and draw the channel between them.

    Raises
    ------
    InputError
        A box without room, or in which too few devices reach a server.
    MissingExtra
        Sionna or PyTorch is not installed.
    ChannelError
        The worker process failed.
    """
    data = {"servers": servers, "devices": devices, "seed": seed}
    facts, arrays = isolation.simulate(f"{_WORKER}:draw", settings, data)
    return Drop(**arrays, facts=facts)


def gains(settings: UrbanMicro, server_position_m: Floats, device_position_m: Floats, *, seed: int) -> Drop:
    """Draw the channel between given positions (E, 3) and (M, 3) [m].

    Raises
    ------
    InputError
        If a device is nearer to a server than ``settings.min_distance_m``.
    MissingExtra, ChannelError
        As :func:`draw`.
    """
    positions = {"server_position_m": server_position_m, "device_position_m": device_position_m}
    facts, arrays = isolation.simulate(f"{_WORKER}:gains", settings, {"seed": seed}, positions)
    return Drop(**positions, **arrays, facts=facts)
