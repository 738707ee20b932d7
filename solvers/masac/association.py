"""Algorithm 1 under given weights: what a server's devices get is renormalised, then devices move and swap.

A server's cost under weights is a function of seven sums over its devices, so that a trial costs some thirty
nanoseconds: training plays thousands of slots. (:mod:`..local_search` serves every sharing rule, at twenty
times the price; the tests compare the two.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.model import Coefficients

if TYPE_CHECKING:
    from torch import Tensor

    from uara.mec.worlds import Slot

Bools = NDArray[np.bool_]
SUMS = 7
"""Of w_z, f / w_z, w_y, D c / w_y, (c / w_y)^2, a w_y, and D^2."""
_MEANINGFUL = 1e-10
_CHUNK_TRIALS = 2_000_000


def associate(
    numbers: Coefficients,
    band_weight: Floats,
    compute_weight: Floats,
    start: Indices,
    expired: Callable[[], bool] = lambda: False,
) -> Indices:
    """(M,) Phase 2 of Alg. 1, with vacancies, from a first association.

    Parameters
    ----------
    band_weight, compute_weight
        (K,) weights of the usable pairs; a band weight is a wanted share.
    start
        (M,) Every device at a server that it can use.
    """
    devices, servers = len(numbers.local_ms), len(numbers.flop_per_ms)
    device = np.repeat(np.arange(devices), np.diff(numbers.pair_start))
    ratio = numbers.uplink_ms / band_weight
    local, flop = numbers.local_ms[device], numbers.server_flop[device]
    terms = np.zeros((devices, servers, SUMS))
    terms[device, numbers.pair_server] = np.stack(
        [
            compute_weight,
            flop / compute_weight,
            band_weight,
            local * ratio,
            ratio**2,
            numbers.band_cost_ms * band_weight,
            local**2,
        ],
        axis=1,
    )
    usable = np.zeros((devices, servers), dtype=np.bool_)
    usable[device, numbers.pair_server] = True
    chosen = np.array(start, dtype=np.int64)
    given = terms, usable, numbers.wait_ms, numbers.flop_per_ms, numbers.sync_weight_per_ms
    rows = max(1, _CHUNK_TRIALS // devices)
    while not expired():
        changes = _move_pass(chosen, *given)
        for first in range(0, devices, rows):
            if expired():
                return chosen
            changes += _swap_pass(chosen, first, min(first + rows, devices), *given)
        if changes == 0:
            break
    return chosen


@kernel(inline="always")
def _cost(
    count: int,
    s0: float,
    s1: float,
    s2: float,
    s3: float,
    s4: float,
    s5: float,
    s6: float,
    wait_ms: float,
    flop_per_ms: float,
    sync_weight: float,
) -> float:
    """Cost of a server from its seven sums."""
    if count == 0:
        return 0.0
    held = max(s2, 1.0)
    synchronisation = s6 - 2.0 * held * s3 + held * held * s4
    return count * wait_ms + s0 * s1 / flop_per_ms + sync_weight * synchronisation + s5 / held


@kernel
def _server_costs(
    chosen: Indices, terms: Floats, wait_ms: Floats, flop_per_ms: Floats, sync_weight: float
) -> tuple[Floats, Indices, Floats]:
    """Sums (E, 7), numbers of devices (E,) and costs (E,)."""
    servers = len(wait_ms)
    sums, count, cost = np.zeros((servers, SUMS)), np.zeros(servers, dtype=np.int64), np.zeros(servers)
    for device in range(len(chosen)):
        count[chosen[device]] += 1
        for k in range(SUMS):
            sums[chosen[device], k] += terms[device, chosen[device], k]
    for j in range(servers):
        s = sums[j]
        cost[j] = _cost(
            count[j], s[0], s[1], s[2], s[3], s[4], s[5], s[6], wait_ms[j], flop_per_ms[j], sync_weight
        )
    return sums, count, cost


@kernel(inline="always")
def _after(
    sums: Floats,
    gone: Floats,
    come: Floats,
    leaves: float,
    comes: float,
    count: int,
    wait_ms: float,
    flop_per_ms: float,
    sync_weight: float,
) -> float:
    """Cost of a server after one device's terms have gone and another's have come (factors 0 or 1)."""
    return _cost(
        count,
        sums[0] - leaves * gone[0] + comes * come[0],
        sums[1] - leaves * gone[1] + comes * come[1],
        sums[2] - leaves * gone[2] + comes * come[2],
        sums[3] - leaves * gone[3] + comes * come[3],
        sums[4] - leaves * gone[4] + comes * come[4],
        sums[5] - leaves * gone[5] + comes * come[5],
        sums[6] - leaves * gone[6] + comes * come[6],
        wait_ms,
        flop_per_ms,
        sync_weight,
    )


@kernel
def _move_pass(
    chosen: Indices, terms: Floats, usable: Bools, wait_ms: Floats, flop_per_ms: Floats, sync_weight: float
) -> int:
    """Move each device in turn to the server where the cost falls most; returns the number of moves."""
    sums, count, cost = _server_costs(chosen, terms, wait_ms, flop_per_ms, sync_weight)
    changes = 0
    for i in range(len(chosen)):
        here = chosen[i]
        own = terms[i, here]
        left = _after(
            sums[here], own, own, 1.0, 0.0, count[here] - 1, wait_ms[here], flop_per_ms[here], sync_weight
        )
        best, target, target_cost = 0.0, -1, 0.0
        for j in range(len(wait_ms)):
            if j == here or not usable[i, j]:
                continue
            new = terms[i, j]
            joined = _after(
                sums[j], new, new, 0.0, 1.0, count[j] + 1, wait_ms[j], flop_per_ms[j], sync_weight
            )
            change = left + joined - cost[here] - cost[j]
            if change < best and change < -_MEANINGFUL * (cost[here] + cost[j]):
                best, target, target_cost = change, j, joined
        if target >= 0:
            for k in range(SUMS):
                sums[here, k] -= terms[i, here, k]
                sums[target, k] += terms[i, target, k]
            count[here] -= 1
            count[target] += 1
            cost[here], cost[target] = left, target_cost
            chosen[i] = target
            changes += 1
    return changes


@kernel
def _swap_pass(
    chosen: Indices,
    first: int,
    last: int,
    terms: Floats,
    usable: Bools,
    wait_ms: Floats,
    flop_per_ms: Floats,
    sync_weight: float,
) -> int:
    """Exchange the servers of devices ``first..last`` with any later device where the cost falls."""
    sums, count, cost = _server_costs(chosen, terms, wait_ms, flop_per_ms, sync_weight)
    changes = 0
    for i in range(first, last):
        for k in range(i + 1, len(chosen)):
            here, there = chosen[i], chosen[k]
            if here == there or not usable[i, there] or not usable[k, here]:
                continue
            a = _after(
                sums[here], terms[i, here], terms[k, here], 1.0, 1.0,
                count[here], wait_ms[here], flop_per_ms[here], sync_weight,
            )  # fmt: skip
            if a - cost[here] - cost[there] >= 0.0:  # costs are not negative: no gain is possible
                continue
            b = _after(
                sums[there], terms[k, there], terms[i, there], 1.0, 1.0,
                count[there], wait_ms[there], flop_per_ms[there], sync_weight,
            )  # fmt: skip
            before = cost[here] + cost[there]
            if a + b - before < -_MEANINGFUL * before:
                for n in range(SUMS):
                    sums[here, n] += terms[k, here, n] - terms[i, here, n]
                    sums[there, n] += terms[i, there, n] - terms[k, there, n]
                cost[here], cost[there] = a, b
                chosen[i], chosen[k] = there, here
                changes += 1
    return changes


def associate_batch(slot: Slot, log_weight: Tensor, start: Tensor) -> Tensor:
    """(B, M) Alg. 1 in every world of a batch, one after the other on the CPU.

    Parameters
    ----------
    log_weight
        (B, M, E, 2) log-weights of Y and Z.
    start
        (B, M) First association; a pair that is not usable is replaced by the strongest one.
    """
    import torch

    weights = log_weight.detach().double().exp().cpu().numpy()
    rows = start.cpu().numpy()
    found = []
    for world, (numbers, usable) in enumerate(coefficients_of(slot)):
        chosen = rows[world]
        stale = ~usable[np.arange(len(chosen)), chosen]
        if stale.any():
            best = np.where(usable, -_dense(numbers.uplink_ms, usable), -np.inf).argmax(1)
            chosen = np.where(stale, best, chosen)
        picked = weights[world][usable]
        found.append(associate(numbers, picked[:, 0].copy(), picked[:, 1].copy(), chosen))
    return torch.as_tensor(np.stack(found), device=start.device)


def coefficients_of(slot: Slot) -> list[tuple[Coefficients, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]]:
    """Every world's P1 for the compiled search, with its usable pairs (M, E)."""
    parts = {name: getattr(slot, name).detach().double().cpu().numpy() for name in vars(slot)}
    worlds = []
    for world, uplink in enumerate(parts["uplink_ms"]):
        usable = np.isfinite(uplink)
        worlds.append(
            (
                Coefficients(
                    pair_start=np.concatenate([[0], np.cumsum(usable.sum(1))]),
                    pair_server=np.nonzero(usable)[1],
                    uplink_ms=uplink[usable],
                    band_cost_ms=parts["band_cost_ms"][world][usable],
                    local_ms=parts["local_ms"][world],
                    server_flop=parts["server_flop"][world],
                    flop_per_ms=parts["flop_per_ms"][world],
                    wait_ms=parts["wait_ms"][world],
                    sync_weight_per_ms=float(parts["sync_weight_per_ms"][world]),
                    constant_ms=0.0,
                ),
                usable,
            )
        )
    return worlds


def _dense(values: Floats, usable: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> Floats:
    dense = np.full(usable.shape, np.inf)
    dense[usable] = values
    return dense
