"""Algorithm 1 under given weights: what a server's devices get is renormalised, then devices move and swap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import shares_of
from uara.p1.coefficients import Coefficients
from uara.p1.decision import Allocation
from uara.p1.dense import Dense, candidates_of

from ..search.local_search import improve
from ..search.settling import make_state
from ..search.state import make_task

if TYPE_CHECKING:
    from torch import Tensor

    from uara.mec.worlds import Slot

WHOLE_BAND = 1.0
"""Wanted shares of a band are scaled down where their sum exceeds this."""

SECOND_THOUGHTS = 3
"""Times that a policy which looks at who is served where chooses the association anew, in training's trials."""


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
        (K,) weights of the candidates; a band weight is a wanted share.
    start
        (M,) Every device at a server that it can use.
    """
    task = make_task(numbers, (band_weight, compute_weight), reserve=WHOLE_BAND)
    state = make_state(task, numbers, start)
    improve(task, state, expired=expired)
    return state.chosen


def by_cost(numbers: Coefficients, band_weight: Floats) -> Indices:
    """(M,) Devices by falling load, each at the server where it costs least beside those that came before.

    A second start of Alg. 1: where servers are unlike, or many for few devices, the strongest signal is far from
    good, and moves and swaps do not lead out.

    Parameters
    ----------
    band_weight
        (K,) Share of the band that each pair wishes for.
    """
    share = np.minimum(band_weight, WHOLE_BAND)
    gap_ms = numbers.local_ms - numbers.uplink_ms / share
    alone_ms = numbers.wait_ms + numbers.sync_weight_per_ms * gap_ms**2 + numbers.band_cost_ms * share
    order = np.argsort(-numbers.of_devices(numbers.root_work), kind="stable")
    chosen = np.empty(numbers.devices, dtype=np.int64)
    _one_by_one(numbers, alone_ms, order, np.zeros(numbers.servers), chosen)
    return chosen


@kernel(allocates=False)
def _one_by_one(
    numbers: Coefficients, alone_ms: Floats, order: Indices, roots: Floats, chosen: Indices
) -> None:
    """Give each device in turn its server of least rise; ``roots`` (E,) adds up what the servers have."""
    for n in range(len(order)):
        device = order[n]
        least_ms = np.inf
        chosen[device] = numbers.server[numbers.start[device]]
        for k in range(numbers.start[device], numbers.start[device + 1]):
            j = numbers.server[k]
            root = numbers.root_work[k]
            rise_ms = alone_ms[k] + (root * root + 2.0 * root * roots[j]) / numbers.work_per_ms[j]
            if rise_ms < least_ms:
                least_ms, chosen[device] = rise_ms, j
        roots[chosen[device]] += numbers.root_work[numbers.start[device]]


def cost_ms(numbers: Coefficients, pair: Indices, answer: Allocation) -> float:
    """The controllable cost of shares at the (M,) pairs that an association uses; infinite where it is no number."""
    gap_ms = numbers.local_ms[pair] - numbers.uplink_ms[pair] / answer.bandwidth
    own_ms = (
        numbers.wait_ms[pair]
        + numbers.work[pair] / (answer.compute * numbers.work_per_ms[answer.association])
        + numbers.sync_weight_per_ms * gap_ms**2
        + numbers.band_cost_ms[pair] * answer.bandwidth
    )
    total = float(own_ms.sum())
    return total if np.isfinite(total) else float("inf")


def shared(
    numbers: Coefficients, association: Indices, band_weight: Floats, compute_weight: Floats
) -> Allocation:
    """Shares from (M,) weights of the pairs in use: wanted band, scaled down where a server's is exceeded."""
    wanted = np.bincount(association, weights=band_weight, minlength=numbers.servers)
    return Allocation(
        association,
        band_weight / np.maximum(wanted, WHOLE_BAND)[association],
        shares_of(association, compute_weight, numbers.servers),
    )


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
    for world, numbers in enumerate(coefficients_of(slot)):
        chosen = rows[world]
        stale = numbers.pairs_of(chosen) < 0
        if stale.any():
            chosen = np.where(stale, numbers.dense(numbers.uplink_ms, np.inf).argmin(1), chosen)
        picked = weights[world][numbers.device, numbers.server]
        found.append(associate(numbers, picked[:, 0].copy(), picked[:, 1].copy(), chosen))
    return torch.as_tensor(np.stack(found), device=start.device)


def coefficients_of(slot: Slot) -> Iterator[Coefficients]:
    """Every world's P1 for the compiled search."""

    def array(name: str) -> NDArray[np.float64]:
        return np.asarray(getattr(slot, name).detach().double().cpu().numpy())

    return candidates_of(Dense(*map(array, Dense._fields)))
