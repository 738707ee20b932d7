"""Walks through a channel by distance law: shadowing changes along the way, not from slot to slot. No Sionna."""

from __future__ import annotations

import numpy as np

from uara.base.errors import InputError
from uara.base.quantities import Floats
from uara.base.randomness import stream
from uara.scenarios.channel import pathloss
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.mobility import MovingDrop, Walk, Walkers
from uara.scenarios.channel.pathloss import PathLoss
from uara.scenarios.channel.positions import Box, flat_ground

DECORRELATION_M = 10.0
"""Distance after which shadowing has a correlation of 1/e: 3GPP TR 38.901, Table 7.5-6, UMi with line of sight."""
MOST_GAINS = 200_000_000
"""Largest number of gains of a walk, slots times devices times servers, which are all in memory."""


def draw(settings: PathLoss, walk: Walk, *, servers: int, devices: int, seed: int) -> MovingDrop:
    """Walks in the box; slot 0 is the drop of :func:`uara.scenarios.channel.pathloss.draw`.

    Raises
    ------
    InputError
        As there, and for a walk that the memory does not hold.
    """
    _check_size(walk, servers, devices)
    start = pathloss.draw(settings, servers=servers, devices=devices, seed=seed)
    return follow(settings, walk, start, Box.centred(settings.box_m), seed=seed)


def follow(settings: PathLoss, walk: Walk, start: Drop, box: Box, *, seed: int) -> MovingDrop:
    """Walks that begin with a given drop and stay in a box.

    The shadowing of a pair is a first-order autoregression over the way that the device has gone: its
    correlation falls with ``exp(-way / DECORRELATION_M)`` (M. Gudmundson, Electron. Lett. 27, 1991).

    Returns
    -------
    MovingDrop
        T slots; the first is ``start``.
    """
    servers_m, devices_m = start.server_position_m, start.device_position_m
    _check_size(walk, len(servers_m), len(devices_m))
    walkers = Walkers(
        devices_m, flat_ground, box, servers_m, settings.min_distance_m, walk, stream(seed, "walks")
    )
    fading = stream(seed, "shadowing on the way")
    loss_db = _law_db(settings, servers_m, devices_m)
    shadowing_db = -10 * np.log10(start.power_gain) - loss_db
    positions, gains = [devices_m.copy()], [start.power_gain]
    for _ in range(1, walk.slots):
        walkers.step()
        here = walkers.position_m.copy()
        way_m = np.linalg.norm(here - positions[-1], axis=1)[:, None]
        kept = np.exp(-way_m / DECORRELATION_M)
        news_db = settings.shadowing_db * fading.standard_normal(shadowing_db.shape)
        shadowing_db = kept * shadowing_db + np.sqrt(1 - kept**2) * news_db
        positions.append(here)
        gains.append(10 ** (-(_law_db(settings, servers_m, here) + shadowing_db) / 10))
    facts = {**start.facts, "decorrelation_m": DECORRELATION_M}
    return MovingDrop(servers_m, np.stack(positions), np.stack(gains), facts)


def _law_db(settings: PathLoss, servers_m: Floats, devices_m: Floats) -> Floats:
    """(M, E) Loss by distance alone; no distance counts less than 1 m."""
    distance_m = np.linalg.norm(devices_m[:, None] - servers_m[None], axis=-1)
    loss_db: Floats = settings.intercept_db + settings.slope_db_per_decade * np.log10(
        np.maximum(distance_m, pathloss.NEAREST_M)
    )
    return loss_db


def _check_size(walk: Walk, servers: int, devices: int) -> None:
    gains = walk.slots * servers * devices
    if gains > MOST_GAINS:
        raise InputError(f"{gains} gains, more than the {MOST_GAINS} of a walk", path="walk.slots")
