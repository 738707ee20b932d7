"""Each MILP solver that is here on programs small enough to be tried out, and what it says where it has nothing."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from uara.solvers.peers.engines import PEERS, Found

WORTH, WEIGHT, ROOM = np.array([6.0, 5.0, 4.5, 1.0]), np.array([4.0, 3.0, 3.0, 1.0]), 7.0
"""A knapsack: which of the four, at most once each."""


def knapsack(path: Path, *, least: float = 0.0) -> Path:
    """Its program in c0 .. c3, and c4 that is continuous and at least 0.25; at least so much weight is taken."""
    columns = [
        line
        for k, (worth, weight) in enumerate(zip(WORTH, WEIGHT, strict=True))
        for line in (f"    c{k} cost {-worth}", f"    c{k} room {weight}", f"    c{k} least {weight}")
    ]
    lines = ["NAME knapsack", "ROWS", " N cost", " L room", " G least", "COLUMNS"]
    lines += ["    M1 'MARKER' 'INTORG'", *columns, "    M2 'MARKER' 'INTEND'", "    c4 cost 1.0"]
    lines += ["RHS", f"    RHS room {ROOM}", f"    RHS least {least}", "BOUNDS"]
    lines += [*(f" UP BND c{k} 1.0" for k in range(4)), " LO BND c4 0.25", "ENDATA"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def optimum() -> float:
    return 0.25 - max(WORTH @ x for x in map(np.array, product([0, 1], repeat=4)) if WEIGHT @ x <= ROOM)


def solved(name: str, path: Path) -> Found:
    peer = PEERS[name]
    pytest.importorskip(peer.module)
    return peer.solve(path, 60.0, 0.0)


EACH = [
    name if name in ("highs", "scip") else pytest.param(name, marks=pytest.mark.integration) for name in PEERS
]


@pytest.mark.parametrize("name", EACH)
def test_the_optimum_is_found_and_bounded(name: str, tmp_path: Path) -> None:
    found = solved(name, knapsack(tmp_path / "p.mps"))
    point = found.column(5)
    assert point is not None
    assert -WORTH @ point[:4] + point[4] == pytest.approx(optimum(), abs=1e-3)
    assert WEIGHT @ point[:4] <= ROOM + 1e-6
    assert found.bound == (-np.inf if name == "cp-sat" else pytest.approx(optimum(), abs=1e-6))


@pytest.mark.parametrize("name", EACH)
def test_where_nothing_fits_there_is_no_point(name: str, tmp_path: Path) -> None:
    found = solved(name, knapsack(tmp_path / "p.mps", least=ROOM + 1))
    assert found.values is None
    assert found.column(5) is None


def test_columns_that_a_solver_leaves_out_are_zero() -> None:
    assert Found(1.0, {"c2": 3.0, "c0": 1.0, "else": 9.0}).column(4).tolist() == [1.0, 0.0, 3.0, 0.0]  # type: ignore[union-attr]
    assert Found(1.0, {}).column(2).tolist() == [0.0, 0.0]  # type: ignore[union-attr]
