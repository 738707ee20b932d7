"""The policy on large networks: window by window, so that nothing of the size of all pairs is made.

A window holds neighbouring devices and the servers that they list. What a server's load is, how many devices it has
on average, is taken from the whole network; what the network pools over a server's devices, it pools over those of
the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.p1.dense import Dense

from . import features

WINDOW = 64
"""Devices of a window."""


def windows(numbers: Coefficients) -> Iterator[tuple[Indices, Indices, Dense]]:
    """Candidates (n,) of each window, their servers within it, and its numbers as tables without batteries."""
    for first in range(0, numbers.devices, WINDOW):
        last = min(first + WINDOW, numbers.devices)
        pairs = np.arange(numbers.start[first], numbers.start[last])
        servers, inside = np.unique(numbers.server[pairs], return_inverse=True)
        device = numbers.device[pairs] - first
        shape = last - first, len(servers)
        uplink, band = np.full(shape, np.inf), np.zeros(shape)
        uplink[device, inside], band[device, inside] = numbers.uplink_ms[pairs], numbers.band_cost_ms[pairs]
        wait = np.zeros(len(servers))
        wait[inside] = numbers.wait_ms[pairs]
        own = numbers.start[first:last]
        yield (
            pairs,
            inside,
            Dense(
                uplink[None],
                band[None],
                numbers.local_ms[own][None],
                numbers.work[own][None] * numbers.work_flop,
                numbers.work_per_ms[servers][None] * numbers.work_flop,
                wait[None],
                np.ones((1, last - first)),
                np.array([numbers.sync_weight_per_ms]),
            ),
        )


def log_weights(
    numbers: Coefficients,
    battery_fraction: Floats,
    prior: features.Prior,
    run: Callable[..., NDArray[np.float32]],
) -> tuple[Floats, Floats]:
    """(K,) Log-weights of Y and of Z.

    Parameters
    ----------
    numbers, battery_fraction
        Of the network; neighbours should be counted near each other (:mod:`..common.locality`).
    run
        The policy's network, from features, usable pairs and first log-weights of a window.
    """
    found = np.empty((len(numbers.server), 2))
    band_load, compute_load = loads(numbers)
    column = {name: features.NAMES.index(name) for name in ("log M/E", "band load", "compute load")}
    crowd = np.log(numbers.devices / numbers.servers) - 2.0
    for pairs, inside, dense in windows(numbers):
        device = numbers.device[pairs]
        dense = dense._replace(battery_fraction=battery_fraction[device[0] : device[-1] + 1][None])
        values, usable = features.pair_features(dense, np)
        rows = device - device[0]
        server = numbers.server[pairs]
        for name, exact in (
            ("log M/E", np.full(len(pairs), crowd)),
            ("band load", np.log(band_load[server] + 1e-3)),
            ("compute load", np.log(compute_load[server] + 1e-3) - 6.0),
        ):
            values[0, rows, inside, column[name]] = np.clip(exact, -features.LARGEST, features.LARGEST)
        start = features.prior_log_weights(dense, prior, np)
        if prior == "uniform":  # equal shares of the network's crowd, not of the window's
            start[..., 0] += np.log(max(1.0, usable.shape[1] / usable.shape[2]))
            start[..., 0] -= np.log(max(1.0, numbers.devices / numbers.servers))
        mean = run(values, usable, start)
        found[pairs] = mean[0, rows, inside]
    return found[:, 0].copy(), found[:, 1].copy()


def loads(numbers: Coefficients) -> tuple[Floats, Floats]:
    """(E,) Band and compute loads if each device went to its servers in proportion to their speed."""
    speed = numbers.work_per_ms[numbers.server]
    chance = speed / np.add.reduceat(speed, numbers.start[:-1])[numbers.device]
    band = np.bincount(
        numbers.server, chance * numbers.uplink_ms / numbers.local_ms, minlength=numbers.servers
    )
    compute = np.bincount(numbers.server, chance * numbers.work, minlength=numbers.servers)
    return np.asarray(band), np.asarray(compute / numbers.work_per_ms)
