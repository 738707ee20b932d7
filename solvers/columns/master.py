"""The linear program over the columns: each device in one set, each server one set at most, its counts within limits.

Its dual is the device and count prices. Columns are added to one living HiGHS model; as they leave the basis primal
feasible, the primal simplex goes on from it. Every device also has a column of its own at a price that no answer pays,
so that the program has a solution in every part of the tree. Costs are scaled to suit HiGHS's absolute tolerances.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.base.quantities import Floats
from uara.solver import Context

from ..common.highs import run
from .pool import Pool
from .pricing import Prices, States

_SCALE = 1e4
_DUAL, _PRIMAL = 1, 4
"""HiGHS's names of the two simplex methods."""


class Master:
    """The program of the pool's columns; rows: M devices, E servers, E counts."""

    def __init__(self, pool: Pool, servers: int, pi: Floats, upper_ms: float, context: Context[Any]) -> None:
        import highspy

        self.pool, self.devices, self.servers = pool, len(pi), servers
        self._context = context
        self._unit = upper_ms / _SCALE
        self._held = 0
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self._highs.HandleUserInterrupt = True
        for name, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
            self._highs.setOptionValue(name, value)
        devices, infinite = self.devices, highspy.kHighsInf
        lower = np.concatenate([np.ones(devices), np.full(servers, -infinite), np.zeros(servers)])
        upper = np.concatenate([np.ones(devices + servers), np.full(servers, float(devices))])
        none = np.zeros(0)
        self._highs.addRows(
            len(lower), lower, upper, 0, np.zeros(len(lower), np.int32), none.astype(np.int32), none
        )
        own = pi + 50.0 * upper_ms / devices
        self._add(own, np.ones(devices, np.int64), np.arange(devices), np.ones(devices))

    def _add(self, cost: Floats, sizes: Any, row: Any, value: Floats) -> None:
        import highspy

        start = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
        count = len(cost)
        self._highs.addCols(
            count,
            cost / self._unit,
            np.zeros(count),
            np.full(count, highspy.kHighsInf),
            len(row),
            start,
            np.asarray(row, dtype=np.int32),
            value,
        )

    def sync(self) -> None:
        """Take over the columns that the pool has gained."""
        fresh = np.arange(self._held, len(self.pool))
        if len(fresh) == 0:
            return
        member, server = self.pool.member[fresh], self.pool.server[fresh]
        column, device = np.nonzero(member)
        sizes = member.sum(axis=1)
        column = np.concatenate([column, np.repeat(np.arange(len(fresh)), 2)])
        rows = np.stack([self.devices + server, self.devices + self.servers + server], axis=1)
        row = np.concatenate([device, rows.ravel()])
        counts = np.stack([np.ones(len(fresh)), sizes], axis=1)
        value = np.concatenate([np.ones(len(device)), counts.ravel()])
        order = np.lexsort((row, column))
        self._add(self.pool.cost_ms[fresh], sizes + 2, row[order], value[order])
        self._held = len(self.pool)

    def enter(self, states: States, low: Floats, high: Floats) -> None:
        """Allow what a part of the tree allows."""
        import highspy

        self.sync()
        upper = np.where(self.pool.fitting(states), highspy.kHighsInf, 0.0)
        place = np.arange(self.devices, self.devices + self._held, dtype=np.int32)
        self._highs.changeColsBounds(self._held, place, np.zeros(self._held), upper)
        for j in range(self.servers):
            self._highs.changeRowBounds(
                self.devices + self.servers + j, float(low[j]), float(max(low[j], high[j]))
            )

    def solve(self, *, most_iterations: int | None = None) -> float:
        """The program's value in ms; with a limit on iterations a lower bound on it, found by the dual simplex."""
        import highspy

        limited = most_iterations is not None
        self._highs.setOptionValue("simplex_strategy", _DUAL if limited else _PRIMAL)
        self._highs.setOptionValue("simplex_iteration_limit", most_iterations if limited else 2**31 - 1)
        # HiGHS's clock runs on from one run of a model to the next.
        until_s = self._highs.getRunTime() + min(self._context.remaining_s(), 1e7)
        self._highs.setOptionValue("time_limit", until_s)
        run(self._highs)
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return np.inf
        return float(self._highs.getInfo().objective_function_value) * self._unit

    def basis(self) -> Any:
        """Where the simplex method stands."""
        return self._highs.getBasis()

    def resume(self, basis: Any) -> None:
        """Go on from there."""
        self._highs.setBasis(basis)

    @property
    def solved(self) -> bool:
        """Whether the last solve came to its end."""
        import highspy

        return bool(self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def prices(self) -> Prices:
        """(M,) device prices and (E,) count prices of the last solve."""
        dual = np.array(self._highs.getSolution().row_dual) * self._unit
        return Prices(dual[: self.devices], dual[self.devices + self.servers :])

    def shares(self) -> Floats:
        """(M, E) How the last solve divides each device among the servers."""
        weight = np.array(self._highs.getSolution().col_value)[self.devices :]
        used = np.flatnonzero(weight > 1e-9)
        shares = np.zeros((self.devices, self.servers))
        for c in used:
            shares[self.pool.member[c], self.pool.server[c]] += weight[c]
        return shares
