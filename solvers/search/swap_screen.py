"""Which exchanges of two devices are worth computing: a scan over plain arrays.

The compiled search spends nearly all its time on exchanges that cannot gain. Reading an array out of a
named tuple costs more than the test itself, so they are all read before the scan begins.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Indices

from .state import State, Task


@kernel
def next_promising(
    task: Task, state: State, one: int, place: int, last_place: int, row: Indices, least_gain: float
) -> int:
    """Place of the next pair whose device may gain by an exchange with device ``one``, or ``last_place``.

    Under the weighted rule there are no bounds, and every possible exchange is promising.

    Parameters
    ----------
    place, last_place
        Range within ``task.server_pairs`` of the pairs of the server of ``one``, by increasing device.
    row
        (E,) The pair of ``one`` with each server, -1 where there is none.
    least_gain
        Smallest gain that counts, relative to the cost of the two servers.
    """
    screened = not task.weighted
    server_pairs, device_of, root_flop = task.server_pairs, task.device_of, task.root_flop
    flop_per_ms = task.flop_per_ms
    chosen, pair, psi_ms, root_sum, cost_ms = (
        state.chosen,
        state.pair,
        state.psi_ms,
        state.root_sum,
        state.cost_ms,
    )
    here = chosen[one]
    root, psi = root_flop[one], psi_ms[pair[one]]
    for k in range(place, last_place):
        coming = server_pairs[k]
        other = device_of[coming]
        there = chosen[other]
        if other <= one or there == here or row[there] < 0:
            continue
        if not screened:
            return k
        # Waiting times cancel; compute changes exactly, band by no less than the pair costs say.
        rise = root_flop[other] - root
        bound = rise * (2.0 * root_sum[here] + rise) / flop_per_ms[here]
        bound -= rise * (2.0 * root_sum[there] - rise) / flop_per_ms[there]
        bound += psi_ms[coming] - psi + psi_ms[row[there]] - psi_ms[pair[other]]
        if bound < -least_gain * (cost_ms[here] + cost_ms[there]):
            return k
    return last_place


@kernel
def fill_row(start: Indices, server: Indices, device: int, row: Indices) -> None:
    """Write the pairs of a device into the (E,) ``row``, -1 where there is none."""
    row[:] = -1
    for k in range(start[device], start[device + 1]):
        row[server[k]] = np.int64(k)
