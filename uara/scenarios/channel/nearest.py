"""The nearest servers of each device: channels of networks whose full table of pairs would be too large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from uara.base.quantities import Floats, Indices

BYTES_PER_PAIR = 200.0
"""Memory of an instance while it is drawn and written, by pair: its columns, and the copies on their way."""
BYTES_PER_DEVICE = 1_500.0
"""The same by device, ids and tasks as texts included."""


@dataclass(frozen=True)
class ListedDrop:
    """Positions, and the channel between each device and the servers that are listed for it.

    Attributes
    ----------
    server_position_m : (E, 3)
    device_position_m : (M, 3)
    server : (M, K)
        Servers of each device, increasing.
    power_gain : (M, K)
        h_ij^2, linear.
    facts
        What the simulator reports about itself.
    """

    server_position_m: Floats
    device_position_m: Floats
    server: Indices
    power_gain: Floats
    facts: dict[str, Any]


def nearest_servers(
    server_position_m: Floats, device_position_m: Floats, count: int
) -> tuple[Indices, Floats]:
    """The ``count`` nearest servers of each device by increasing index, and the distances to them [m].

    Parameters
    ----------
    server_position_m, device_position_m
        (E, 3) and (M, 3).
    count
        All servers where there are no more.

    Returns
    -------
    server, distance_m
        (M, K) each, K the lesser of ``count`` and E.
    """
    from scipy.spatial import cKDTree

    count = min(count, len(server_position_m))
    _, found = cKDTree(server_position_m).query(device_position_m, np.arange(1, count + 1))
    server = np.sort(found, axis=1)
    gaps = device_position_m[:, None] - server_position_m[server]
    return server, np.asarray(np.linalg.norm(gaps, axis=-1))


def needed_bytes(servers: int, devices: int, candidates: int) -> float:
    """Memory that drawing and writing such an instance takes, about."""
    pairs = float(devices) * min(servers, candidates)
    return BYTES_PER_PAIR * pairs + BYTES_PER_DEVICE * (devices + servers)
