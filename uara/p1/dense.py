"""P1's numbers as full tables, for what runs faster on them than by candidate: the policy's network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from uara.base.quantities import Floats
from uara.p1.coefficients import Coefficients, by_candidate


class Dense(NamedTuple):
    """B instances of one size: M devices, E servers. Loads are the device's, the same at every server."""

    uplink_ms: Floats
    """(B, M, E) c_ij; infinite where there is no path."""
    band_cost_ms: Floats
    """(B, M, E) a_ij; 0 or more where there is no path."""
    local_ms: Floats
    """(B, M) D_i^MD."""
    server_flop: Floats
    """(B, M) f_i^ES in FLOP."""
    flop_per_ms: Floats
    """(B, E) F_j in FLOP per ms."""
    wait_ms: Floats
    """(B, E) k_j kappa; 0 at a server that no device can use."""
    battery_fraction: Floats
    """(B, M) B_i."""
    sync_weight_per_ms: Floats
    """(B,) lambda."""


def dense_of(numbers: Coefficients, battery_fraction: Floats) -> Dense:
    """One instance as tables (B = 1), from its candidates and its (M,) batteries."""
    wait_ms = np.zeros(numbers.servers)
    wait_ms[numbers.server] = numbers.wait_ms
    return Dense(
        numbers.dense(numbers.uplink_ms, np.inf)[None],
        numbers.dense(numbers.band_cost_ms, 0.0)[None],
        numbers.of_devices(numbers.local_ms)[None],
        numbers.of_devices(numbers.work)[None] * numbers.work_flop,
        numbers.work_per_ms[None] * numbers.work_flop,
        wait_ms[None],
        np.asarray(battery_fraction)[None],
        np.array([numbers.sync_weight_per_ms]),
    )


def candidates_of(dense: Dense) -> Iterator[Coefficients]:
    """Each of the B instances by candidate; the constant part of their objective is left out."""
    for one in range(len(dense.uplink_ms)):
        usable = np.isfinite(dense.uplink_ms[one])
        yield by_candidate(
            np.concatenate([[0], np.cumsum(usable.sum(1))]),
            np.nonzero(usable)[1],
            pair=(dense.uplink_ms[one][usable], dense.band_cost_ms[one][usable]),
            device=(dense.local_ms[one], dense.server_flop[one]),
            station=(dense.flop_per_ms[one], dense.wait_ms[one]),
            sync_weight_per_ms=float(dense.sync_weight_per_ms[one]),
        )
