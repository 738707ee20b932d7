"""HiGHS driven directly: rows are added to one living model; Ctrl-C and deadlines end a solve with its bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from uara.base.errors import SolverError
from uara.base.quantities import Floats
from uara.solver import Context

from ..common.highs import run
from .perspective import Perspective, Rows


@dataclass(frozen=True)
class HighsRun:
    """What a solve gave."""

    bound_ms: float
    """Lower bound on the relaxation's optimum that HiGHS states; infinite where the cutoff excludes all."""
    column: Floats | None
    """The best point found, if any."""
    nodes: int
    finished: bool


class Model:
    """The perspective relaxation in HiGHS; tangents are added to it, and nothing is ever rebuilt."""

    SECONDS = 2e-5
    """Time for each pair before a first result can be expected; HiGHS heeds no limit in parts of it."""

    def __init__(self, relaxation: Perspective, prices: Floats, *, integer: bool = False) -> None:
        import highspy

        self.relaxation = relaxation
        self.tangents = 0
        self.grain_s = 1e-6 * relaxation.count
        """Time between two looks of HiGHS at its clock."""
        self._integer = False
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self._highs.HandleUserInterrupt = True
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)
        costs = relaxation.costs()
        lower, upper = relaxation.bounds()
        upper[np.isinf(upper)] = highspy.kHighsInf
        columns = len(costs)
        empty = np.empty(0)
        self._highs.addCols(
            columns, costs, lower, upper, 0, np.zeros(columns, dtype=np.int32), empty.astype(np.int32), empty
        )
        for rows in relaxation.structure():
            self._add(rows)
        self.add(relaxation.first_tangents(prices))
        if integer:
            self.set_integer()

    def set_integer(self) -> None:
        """Make x binary."""
        import highspy

        count = self.relaxation.count
        self.grain_s, self._integer = 5e-5 * count, True
        kinds = np.full(count, highspy.HighsVarType.kInteger)
        self._highs.changeColsIntegrality(count, np.arange(count, dtype=np.int32), kinds)

    def add(self, tangents: Sequence[Rows]) -> int:
        """Add tangents, but those whose numbers are too large; returns how many."""
        taken = [rows.moderate() for rows in tangents]
        added = sum(len(rows.lower) for rows in taken)
        for rows in taken:
            self._add(rows)
        self.tangents += added
        return added

    def _add(self, rows: Rows) -> None:
        import highspy

        lower = np.where(np.isinf(rows.lower), -highspy.kHighsInf, rows.lower)
        upper = np.where(np.isinf(rows.upper), highspy.kHighsInf, rows.upper)
        status = self._highs.addRows(
            len(lower),
            lower,
            upper,
            len(rows.column),
            rows.start[:-1].astype(np.int32),
            rows.column.astype(np.int32),
            rows.value,
        )
        if status == highspy.HighsStatus.kError:
            raise SolverError("HiGHS", "refuses a row: its coefficients are too far apart")

    def solve(
        self,
        context: Context[Any],
        *,
        start: Floats | None = None,
        cutoff_ms: float | None = None,
        abs_gap_ms: float = 0.0,
        watch: Callable[[float, float], None] | None = None,
    ) -> HighsRun:
        """Solve as it stands.

        Parameters
        ----------
        start
            A point to begin from.
        cutoff_ms
            Points that cost this much or more are of no interest: the search may end without one.
        abs_gap_ms
            Distance between point and bound at which a search may end.
        watch
            Receives the bound and the number of nodes now and then.
        """
        import highspy

        highs = self._highs
        # Its clock goes on from solve to solve, and so must its limit; a search over integers has a clock of its own.
        used_s = 0.0 if self._integer else highs.getRunTime()
        limit_s = used_s + max(0.0, context.remaining_s() - self.grain_s)
        highs.setOptionValue("time_limit", min(limit_s, 1e7))
        unit_ms = self.relaxation.unit_ms
        highs.setOptionValue("mip_abs_gap", abs_gap_ms / unit_ms)
        highs.setOptionValue("mip_rel_gap", 0.0)
        cutoff = highspy.kHighsInf if cutoff_ms is None else cutoff_ms / unit_ms
        highs.setOptionValue("objective_bound", cutoff)
        if start is not None:
            point = highspy.HighsSolution()
            point.col_value = start.tolist()
            highs.setSolution(point)
        seen = [-np.inf]
        if watch is not None:
            highs.cbMipLogging += _follower(seen, watch, unit_ms)
        try:
            run(highs)
            if highs.getModelStatus() == highspy.HighsModelStatus.kSolveError:
                # Its postsolve returns points that it then finds infeasible now and then; go without.
                highs.clearSolver()
                highs.setOptionValue("presolve", "off")
                run(highs)
                highs.setOptionValue("presolve", "choose")
            if cutoff_ms is not None and self._contradicted() and np.isfinite(highs.getInfo().mip_dual_bound):
                # Of what the cutoff excludes it may say too much; without one it must not.
                cutoff_ms = None
                highs.setOptionValue("objective_bound", highspy.kHighsInf)
                run(highs)
        finally:
            highs.cbMipLogging.clear()
        if highs.getModelStatus() == highspy.HighsModelStatus.kTimeLimit:
            context.affords(self.grain_s)  # it does not: so the run learns that its limit cut this short
        return self._outcome(cutoff_ms)

    def _contradicted(self) -> bool:
        """Whether the bound that HiGHS states exceeds the cost of an answer."""
        info = self._highs.getInfo()
        stated = info.mip_dual_bound if info.mip_node_count >= 0 else info.objective_function_value
        return bool(stated > self.relaxation.cap_ms * (1 + 1e-6))

    def _outcome(self, cutoff_ms: float | None) -> HighsRun:
        import highspy

        status, info = self._highs.getModelStatus(), self._highs.getInfo()
        kinds = highspy.HighsModelStatus
        column = None
        if info.primal_solution_status == 2:
            column = np.array(self._highs.getSolution().col_value)
        integer = info.mip_node_count >= 0
        finished = status in (kinds.kOptimal, kinds.kInfeasible, kinds.kObjectiveBound)
        if integer:
            bound = info.mip_dual_bound
        else:
            bound = info.objective_function_value if status == kinds.kOptimal else -np.inf
        if cutoff_ms is None and self._contradicted():  # its arithmetic has failed
            bound, column, finished = -np.inf, None, False
        if finished and column is None and cutoff_ms is not None:
            bound = np.inf
        return HighsRun(
            float(bound) * self.relaxation.unit_ms, column, int(max(info.mip_node_count, 0)), finished
        )


def _follower(
    seen: list[float], watch: Callable[[float, float], None], unit_ms: float
) -> Callable[[Any], None]:
    def follow(event: Any) -> None:
        bound = float(event.data_out.mip_dual_bound) * unit_ms
        if bound > seen[0]:
            seen[0] = bound
            watch(bound, float(event.data_out.mip_node_count))

    return follow
