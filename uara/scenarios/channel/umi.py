"""Channel gains by the stochastic 3GPP TR 38.901 urban micro-cell model (Sionna PHY)."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import NonNegative, Positive
from uara.scenarios.channel import isolation
from uara.scenarios.channel.drop import Drop

_WORKER = "uara.scenarios.channel.umi_worker"


class UrbanMicro(Record):
    """Settings of the 38.901 UMi street-canyon channel; every device is outdoors.

    Gains are for isotropic vertically polarised antennas of 0 dBi at both ends.
    """

    box_m: Positive = 400.0
    """Side of the square in which servers and devices stand."""
    carrier_hz: Annotated[float, Field(ge=0.5e9, le=100e9)] = 3.5e9
    min_best_gain_db: float = -120.0
    """A device whose best server is below is drawn again."""
    server_height_m: Positive = 10.0
    """The model is calibrated for 10 m."""
    device_height_m: Annotated[float, Field(ge=1.5, le=22.5)] = 1.5
    min_distance_m: Annotated[float, Field(ge=10)] = 10.0
    """Least distance in the plane between a device and a server; the model is valid from 10 m."""
    server_spacing_m: NonNegative = 30.0
    """Least distance in the plane between servers."""


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
    facts, arrays = _call("draw", settings, {"servers": servers, "devices": devices, "seed": seed})
    return Drop(arrays["server_position_m"], arrays["device_position_m"], arrays["power_gain"], facts)


def gains(
    settings: UrbanMicro,
    server_position_m: NDArray[np.float64],
    device_position_m: NDArray[np.float64],
    *,
    seed: int,
) -> Drop:
    """Draw the channel between given positions (E, 3) and (M, 3) [m].

    Raises
    ------
    InputError
        If a device is nearer to a server than ``settings.min_distance_m``.
    MissingExtra, ChannelError
        As :func:`draw`.
    """
    positions = {"server_position_m": server_position_m, "device_position_m": device_position_m}
    facts, arrays = _call("gains", settings, {"seed": seed}, positions)
    return Drop(server_position_m, device_position_m, arrays["power_gain"], facts)


def _call(
    function: str,
    settings: UrbanMicro,
    data: dict[str, Any],
    arrays: dict[str, NDArray[np.float64]] | None = None,
) -> isolation.Reply:
    if data["seed"] < 0:
        raise InputError(f"the seed must not be negative: {data['seed']}")
    return isolation.call(f"{_WORKER}:{function}", {"settings": settings.model_dump(), **data}, arrays)
