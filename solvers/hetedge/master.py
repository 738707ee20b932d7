"""The linear program over groups of batches: a flow from 0 to all requests served that serves each of them once.

Its dual is a price for each request. Left to themselves the prices swing far from step to step, so that they are kept
within a box around the best ones known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from uara.base.quantities import Floats
from uara.solver import Context

from .groups import Groups


class Step(NamedTuple):
    """What the program of C columns says."""

    value_ms: float
    price_ms: Floats
    """(K,)"""
    weight: Floats
    """(C,) How much of each column a cheapest mixture of chains holds."""


def next_prices(groups: Groups, centre_ms: Floats, width_ms: float, context: Context[Any]) -> Step | None:
    """The program's value and prices, within ``width_ms`` of the centre; None where time is up."""
    from scipy.optimize import linprog
    from scipy.sparse import csc_matrix

    requests, columns = groups.requests, len(groups.start)
    sizes = np.array([len(each) for each in groups.members])
    start, stop = np.array(groups.start), np.array(groups.stop)
    inner = np.flatnonzero(stop < requests)
    every = np.arange(columns)
    k = np.arange(requests)
    row = np.concatenate(
        [start, stop[inner], requests + np.concatenate(groups.members), requests + k, requests + k]
    )
    column = np.concatenate([every, inner, np.repeat(every, sizes), columns + k, columns + requests + k])
    value = np.ones(len(row))
    value[columns : columns + len(inner)] = -1.0
    value[-requests:] = -1.0
    matrix = csc_matrix((value, (row, column)), (2 * requests, columns + 2 * requests))
    unit = float(np.mean(centre_ms)) or 1.0
    cost = np.concatenate([groups.cost_ms, centre_ms + width_ms, width_ms - centre_ms]) / unit
    wanted = np.concatenate([[1.0], np.zeros(requests - 1), np.ones(requests)])
    left_s = context.remaining_s()
    limit = {"time_limit": max(left_s, 1e-3)} if np.isfinite(left_s) else {}
    solved = linprog(cost, A_eq=matrix, b_eq=wanted, method="highs", options=limit)
    if solved.status != 0:
        return None
    price_ms = np.asarray(solved.eqlin.marginals[requests:]) * unit
    return Step(float(solved.fun) * unit, price_ms, np.asarray(solved.x[:columns]))
