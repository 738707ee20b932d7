"""The best association that the columns at hand make up: a set partitioning program, given to HiGHS."""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.solver import Context

from ..common.highs import run
from .pool import Pool
from .pricing import Prices

_NODES = 200
"""Most nodes of HiGHS's own tree: an answer is wanted, not a proof."""
_MOST = 4000
"""Most columns, cheapest first."""


def combined(
    pool: Pool, prices: Prices, lower: Floats, gap_ms: float, context: Context[Any]
) -> Indices | None:
    """The association of least cost among the columns, as far as HiGHS finds it; None where it finds nothing.

    Parameters
    ----------
    prices, lower
        Prices and (E,) the servers' minima at them: a column that costs its server more than the gap above its
        minimum is in no better association.
    gap_ms
        What these prices miss to the best answer.
    """
    import highspy

    server, member, cost = pool.server, pool.member, pool.cost_ms
    rise = cost - member @ prices.pi - member.sum(axis=1) * prices.nu[server] - lower[server]
    near = np.flatnonzero(rise <= gap_ms)
    near = near[np.argsort(rise[near], kind="stable")[:_MOST]]
    count, devices, servers = len(near), member.shape[1], len(lower)
    if count == 0:
        return None
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.HandleUserInterrupt = True
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("mip_rel_gap", 1e-9),
        ("mip_max_nodes", _NODES),
    ):
        highs.setOptionValue(name, value)
    highs.setOptionValue("time_limit", min(context.remaining_s(), 1e7))
    rows = devices + servers
    lower_row = np.ones(rows)
    none = np.zeros(0, dtype=np.int32)
    highs.addRows(rows, lower_row, np.ones(rows), 0, np.zeros(rows, np.int32), none, np.zeros(0))
    # Costs above the prices, in gaps: numbers of the order of one, whose sum is the rise of the whole.
    column, device = np.nonzero(member[near])
    column, row = np.concatenate([column, np.arange(count)]), np.concatenate([device, devices + server[near]])
    order = np.lexsort((row, column))
    start = np.searchsorted(column[order], np.arange(count)).astype(np.int32)
    highs.addCols(
        count,
        rise[near] / gap_ms,
        np.zeros(count),
        np.ones(count),
        len(row),
        start,
        row[order].astype(np.int32),
        np.ones(len(row)),
    )
    highs.changeColsIntegrality(count, np.arange(count, dtype=np.int32), np.ones(count, dtype=np.uint8))
    run(highs)
    solution = highs.getSolution()
    if not solution.value_valid:
        return None
    used = near[np.array(solution.col_value)[:count] > 0.5]
    association = np.full(devices, -1, dtype=np.int64)
    for c in used:
        association[member[c]] = server[c]
    return association if (association >= 0).all() and member[used].sum() == devices else None
