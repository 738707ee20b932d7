"""Algorithm 1 under given weights: what a server's devices get is renormalised, then devices move and swap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.p1.dense import Dense, candidates_of

from ..search.local_search import improve
from ..search.state import make_state, make_task

if TYPE_CHECKING:
    from torch import Tensor

    from uara.mec.worlds import Slot

WHOLE_BAND = 1.0
"""Wanted shares of a band are scaled down where their sum exceeds this."""

SECOND_THOUGHTS = 2
"""Times that a policy which looks at who is served where chooses the association anew."""


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
