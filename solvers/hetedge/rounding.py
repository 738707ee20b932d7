"""From a bound to a plan: the best chain of known groups that serves every request once, as an order of service.

Only groups that prices and potentials leave within the gap can be part of a better plan than the one at hand; there
are few of them where the bound is close.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.solver import Context

from .groups import Groups

_LONGEST_S = 20.0
"""Longest time for one integer program."""


def promising(groups: Groups, price_ms: Floats, most_ms: float) -> Indices:
    """Columns that a chain of at most so much total cost less prices can hold, by the known columns alone."""
    reduced_ms = groups.reduced_ms(price_ms)
    to_come = groups.potentials_ms(reduced_ms)
    start, stop = np.array(groups.start), np.array(groups.stop)
    before = np.full(groups.requests + 1, np.inf)
    before[0] = 0.0
    for column in np.argsort(start, kind="stable").tolist():
        reached = before[start[column]] + reduced_ms[column]
        before[stop[column]] = min(before[stop[column]], reached)
    return np.flatnonzero(before[start] + reduced_ms + to_come[stop] <= most_ms)


def rounded_order(groups: Groups, price_ms: Floats, value_ms: float, context: Context[Any]) -> Indices | None:
    """(K,) An order of service whose groups cost less than a value, without waits for prompts; None if there is none.

    Parameters
    ----------
    price_ms
        (K,) Prices at which a bound has been found.
    value_ms
        What the groups of the order must cost less than.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csc_matrix

    kept = promising(groups, price_ms, value_ms - float(price_ms.sum()))
    requests, seconds = groups.requests, min(_LONGEST_S, context.remaining_s())
    if not len(kept) or seconds <= 0:
        return None
    members = [groups.members[column] for column in kept]
    start, stop = np.array(groups.start)[kept], np.array(groups.stop)[kept]
    every = np.arange(len(kept))
    inner = np.flatnonzero(stop < requests)
    sizes = np.array([len(each) for each in members])
    row = np.concatenate([start, stop[inner], requests + np.concatenate(members)])
    column = np.concatenate([every, inner, np.repeat(every, sizes)])
    value = np.ones(len(row))
    value[len(kept) : len(kept) + len(inner)] = -1.0
    wanted = np.concatenate([[1.0], np.zeros(requests - 1), np.ones(requests)])
    matrix = csc_matrix((value, (row, column)), (2 * requests, len(kept)))
    cost = np.array(groups.cost_ms)[kept]
    solved = milp(
        cost,
        integrality=np.ones(len(kept)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, wanted, wanted),
        options={"time_limit": seconds, "mip_rel_gap": 1e-5},
    )
    if solved.x is None or solved.fun >= value_ms:
        return None
    chosen = np.flatnonzero(solved.x > 0.5)
    chosen = chosen[np.argsort(start[chosen])]
    return np.concatenate([np.array(members[each]) for each in chosen])
