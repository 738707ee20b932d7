"""Channel gains by a distance law with shadowing: no Sionna, any size, for trials and very large instances."""

from __future__ import annotations

import numpy as np

from uara.base.errors import InputError
from uara.base.quantities import Finite, Floats, Indices, NonNegative, Positive
from uara.base.randomness import stream
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.nearest import ListedDrop, nearest_servers
from uara.scenarios.channel.positions import Box, Placing, away_from, flat_ground

NEAREST_M = 1.0
"""Where the law begins."""


class PathLoss(Placing):
    """41 + 28 log10(d) dB with log-normal shadowing (M. Kim et al., IEEE Trans. Mobile Comput. 23, 2024)."""

    intercept_db: Finite = 41.0
    """Loss at 1 m."""
    slope_db_per_decade: Positive = 28.0
    """Loss for each tenfold distance."""
    shadowing_db: NonNegative = 5.0
    """Standard deviation, independent for each pair."""


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


def _positions(settings: PathLoss, servers: int, devices: int, seed: int) -> tuple[Floats, Floats]:
    """Where servers (E, 3) and devices (M, 3) stand."""
    placed, points = settings.places(flat_ground, Box.centred(settings.box_m), servers, seed)
    return placed, points.take(devices, away_from(placed, settings.min_distance_m))


def gains(settings: PathLoss, server_position_m: Floats, device_position_m: Floats, *, seed: int) -> Drop:
    """Draw the channel between given positions (E, 3) and (M, 3) [m].

    Raises
    ------
    InputError
        If a device is nearer to a server than 1 m, where the law begins.
    """
    distance_m = np.linalg.norm(device_position_m[:, None] - server_position_m[None], axis=-1)
    gain = _gain(
        settings, distance_m, np.broadcast_to(np.arange(len(server_position_m)), distance_m.shape), seed
    )
    return Drop(server_position_m, device_position_m, gain, {"versions": {}})


def _gain(settings: PathLoss, distance_m: Floats, server: Indices, seed: int) -> Floats:
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
