"""The perspective program that every peer gets, and the MPS file that it is written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate
from uara.p1.instance import Instance
from uara.p1.model import coefficients
from uara.problem import evaluate

from ..milp.perspective import Perspective, Rows


class Program:
    """Columns and rows of the perspective program; tangents are added to it.

    The sum of the roots is stated as ``t_j >= sum s_i x_ij``: q grows with t, so the optimum is the same, and solvers
    that count in integers find points.

    Written by hand, since OR-Tools cannot be loaded beside highspy, nor Python-MIP beside OR-Tools: each brings
    libraries of its own under the same names.
    """

    def __init__(self, relaxation: Perspective, prices: Floats) -> None:
        self.relaxation = relaxation
        association, band, linked, loads = relaxation.structure()
        self._rows = [association, band, linked, loads._replace(upper=np.full(len(loads.upper), np.inf))]
        self.tangents = 0
        self.add(relaxation.first_tangents(prices))

    @property
    def columns(self) -> int:
        """Number of columns."""
        return 3 * self.relaxation.count + 2 * self.relaxation.servers

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(len(rows.lower) for rows in self._rows)

    def add(self, tangents: Sequence[Rows]) -> None:
        """Add tangents, but those whose numbers are too large."""
        taken = [rows.moderate() for rows in tangents]
        self.tangents += sum(len(rows.lower) for rows in taken)
        self._rows += taken

    def write(self, path: Path) -> None:
        """Write it in free MPS, with columns c0, c1, ..., of which the first K are binary."""
        kinds, sides, entries = self._kinds()
        costs, upper = self.relaxation.costs().tolist(), self.relaxation.bounds()[1].tolist()
        lines = ["NAME P1", "ROWS", " N cost", *(f" {kind} r{n}" for n, kind in enumerate(kinds)), "COLUMNS"]
        lines.append(" begin 'MARKER' 'INTORG'")
        for k in range(self.columns):
            if k == self.relaxation.count:
                lines.append(" end 'MARKER' 'INTEND'")
            lines.append(f" c{k} cost {costs[k]!r}")
            lines += [f" c{k} r{row} {value!r}" for row, value in entries[k]]
        lines += ["RHS", *(f" rhs r{n} {side!r}" for n, side in enumerate(sides) if side)]
        lines += ["BOUNDS", *(f" UP bound c{k} {most!r}" for k, most in enumerate(upper) if most < np.inf)]
        path.write_text("\n".join([*lines, "ENDATA", ""]), encoding="ascii")

    def _kinds(self) -> tuple[list[str], list[float], list[list[tuple[int, float]]]]:
        """Kind and right-hand side of each row, and the entries of each column."""
        kinds: list[str] = []
        sides: list[float] = []
        entries: list[list[tuple[int, float]]] = [[] for _ in range(self.columns)]
        for rows in self._rows:
            for n, (low, high) in enumerate(zip(rows.lower.tolist(), rows.upper.tolist(), strict=True)):
                part = slice(rows.start[n], rows.start[n + 1])
                for k, value in zip(rows.column[part].tolist(), rows.value[part].tolist(), strict=True):
                    if value:
                        entries[k].append((len(kinds), value))
                kinds.append("E" if low == high else "G" if np.isinf(high) else "L")
                sides.append(high if np.isinf(low) else low)
        return kinds, sides, entries


def stated(instance: Instance) -> Program:
    """The program over all usable pairs, with tangents at the best 2E prices."""
    from ..dual.ascent import ascend, first_prices
    from ..dual.kernel import at_prices

    numbers = coefficients(instance)
    some: Indices = numbers.server[at_prices(numbers, first_prices(numbers))[2]]
    cap_ms = evaluate(instance, allocate(instance, some, "optimal")).controllable_ms
    return Program(Perspective.scaled(numbers, cap_ms), ascend(numbers).prices)
