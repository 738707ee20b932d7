"""Channel gains by a distance law with shadowing: no Sionna, any size, for trials and very large instances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Finite, NonNegative, Positive
from uara.base.randomness import stream
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.nearest import ListedDrop, nearest_servers
from uara.scenarios.channel.positions import Box, StreetPoints, away_from, flat_ground, spaced_points

NEAREST_M = 1.0
"""Where the law begins."""


class PathLoss(Record):
    """41 + 28 log10(d) dB with log-normal shadowing (M. Kim et al., IEEE Trans. Mobile Comput. 23, 2024)."""

    box_m: Positive = 400.0
    """Side of the square in which servers and devices are drawn."""
    intercept_db: Finite = 41.0
    """Loss at 1 m."""
    slope_db_per_decade: Positive = 28.0
    """Loss for each tenfold distance."""
    shadowing_db: NonNegative = 5.0
    """Standard deviation, independent for each pair."""
    server_height_m: Positive = 10.0
    """Height of servers above the ground, where it is not given."""
    device_height_m: Positive = 1.5
    """Height of devices above the ground, where it is not given."""
    min_distance_m: NonNegative = 10.0
    server_spacing_m: NonNegative = 30.0


def draw(settings: PathLoss, *, servers: int, devices: int, seed: int) -> Drop:
    """Place servers and devices uniformly in the box; gains (M, E) fall with the distance in space.

    Raises
    ------
    InputError
        If the box has no room.
    """
    placed, devices_m = _positions(settings, servers, devices, seed)
    drop = gains(settings, placed, devices_m, seed=seed)
    return Drop(placed, devices_m, drop.power_gain, {**drop.facts, "devices_drawn": devices})


def draw_nearest(settings: PathLoss, *, servers: int, devices: int, candidates: int, seed: int) -> ListedDrop:
    """The same positions, and the gains (M, K) of each device's nearest servers alone.

    With as many candidates as servers the gains are those of :func:`draw`.

    Raises
    ------
    InputError
        If the box has no room.
    """
    placed, devices_m = _positions(settings, servers, devices, seed)
    server, distance_m = nearest_servers(placed, devices_m, candidates)
    gain = _gain(settings, distance_m, server, seed)
    return ListedDrop(placed, devices_m, server, gain, {"versions": {}, "devices_drawn": devices})


def _positions(
    settings: PathLoss, servers: int, devices: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where servers (E, 3) and devices (M, 3) stand."""
    if seed < 0:
        raise InputError(f"the seed must not be negative: {seed}")
    box = Box.centred(settings.box_m)
    server_points = StreetPoints(flat_ground, box, stream(seed, "server positions"), settings.server_height_m)
    placed = spaced_points(server_points, servers, settings.server_spacing_m)
    points = StreetPoints(flat_ground, box, stream(seed, "device positions"), settings.device_height_m)
    return placed, points.take(devices, away_from(placed, settings.min_distance_m))


def gains(
    settings: PathLoss,
    server_position_m: NDArray[np.float64],
    device_position_m: NDArray[np.float64],
    *,
    seed: int,
) -> Drop:
    """Draw the channel between given positions (E, 3) and (M, 3) [m].

    Raises
    ------
    InputError
        If a device is nearer to a server than 1 m, where the law begins.
    """
    if seed < 0:
        raise InputError(f"the seed must not be negative: {seed}")
    distance_m = np.linalg.norm(device_position_m[:, None] - server_position_m[None], axis=-1)
    gain = _gain(
        settings, distance_m, np.broadcast_to(np.arange(len(server_position_m)), distance_m.shape), seed
    )
    return Drop(server_position_m, device_position_m, gain, {"versions": {}})


def _gain(
    settings: PathLoss, distance_m: NDArray[np.float64], server: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """(M, K) Gains at some distances to some servers."""
    if (distance_m < NEAREST_M).any():
        place = np.unravel_index(np.argmin(distance_m), distance_m.shape)
        raise InputError(
            f"device {place[0]} stands {distance_m[place]:g} m from server {server[place]}; "
            f"the path-loss law begins at {NEAREST_M:g} m"
        )
    loss_db = settings.intercept_db + settings.slope_db_per_decade * np.log10(distance_m)
    shadowing_db = settings.shadowing_db * stream(seed, "shadowing").standard_normal(loss_db.shape)
    return np.asarray(10 ** (-(loss_db + shadowing_db) / 10))
