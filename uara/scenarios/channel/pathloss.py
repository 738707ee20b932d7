"""Channel gains by a distance law with shadowing: no Sionna, any size, for trials and very large instances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Finite, NonNegative, Positive
from uara.base.randomness import stream
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.positions import Box, StreetPoints, flat_ground, nearest_distance_m, spaced_points


class PathLoss(Record):
    """41 + 28 log10(d) dB with log-normal shadowing (M. Kim et al., IEEE Trans. Mobile Comput. 23, 2024)."""

    box_m: Positive = 400.0
    intercept_db: Finite = 41.0
    slope_db_per_decade: Positive = 28.0
    shadowing_db: NonNegative = 5.0
    """Standard deviation, independent for each pair."""
    server_height_m: Positive = 10.0
    device_height_m: Positive = 1.5
    min_distance_m: NonNegative = 10.0
    server_spacing_m: NonNegative = 30.0


def draw(settings: PathLoss, *, servers: int, devices: int, seed: int) -> Drop:
    """Place servers and devices uniformly in the box; gains (M, E) fall with the distance in space.

    Raises
    ------
    InputError
        If the box has no room.
    """
    if seed < 0:
        raise InputError(f"the seed must not be negative: {seed}")
    box = Box.centred(settings.box_m)
    server_points = StreetPoints(flat_ground, box, stream(seed, "server positions"), settings.server_height_m)
    placed = spaced_points(server_points, servers, settings.server_spacing_m)
    points = StreetPoints(flat_ground, box, stream(seed, "device positions"), settings.device_height_m)
    devices_m = points.take(devices, lambda new: nearest_distance_m(new, placed) >= settings.min_distance_m)
    gain = _gain(settings, placed, devices_m, stream(seed, "shadowing"))
    return Drop(placed, devices_m, gain, {"versions": {}, "devices_drawn": devices})


def _gain(
    settings: PathLoss,
    server_position_m: NDArray[np.float64],
    device_position_m: NDArray[np.float64],
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    distance_m = np.linalg.norm(device_position_m[:, None] - server_position_m[None], axis=-1)
    loss_db = settings.intercept_db + settings.slope_db_per_decade * np.log10(distance_m)
    gain: NDArray[np.float64] = 10 ** (
        -(loss_db + settings.shadowing_db * generator.standard_normal(loss_db.shape)) / 10
    )
    return gain
