"""The label search over flips against all subsets, for one row and for several."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from uara.solvers.columns.labels import Flips, Workspace, search_one_row, search_rows, workspace
from uara.solvers.columns.room import Room, room_for

from uara.base.kernels import kernel

pytestmark = pytest.mark.integration  # two large kernels are compiled anew


@kernel(allocates=False)
def one_row(
    flips: Flips, best: float, cut: float, tolerance: float, work: Workspace, room: Room
) -> tuple[float, int, int, bool]:
    return search_one_row(flips, best, cut, tolerance, work, room)


@kernel(allocates=False)
def many_rows(
    flips: Flips, best: float, cut: float, tolerance: float, work: Workspace, room: Room
) -> tuple[float, int, int, bool]:
    return search_rows(flips, best, cut, tolerance, work, room)


def case(seed: int, rows: int) -> Flips:
    """Up to eight flips; those of the base row raise its cost."""
    rng = np.random.default_rng(seed)
    n, base = int(rng.integers(1, 9)), int(rng.integers(rows))
    flip = rng.normal(0, 1, (rows, n)) * rng.choice([0.1, 1.0])
    flip[base] = np.abs(flip[base])
    start = -rng.random(rows)
    start[base] = 0.0
    sign = rng.uniform(0.3, 1.0, n) * rng.choice([-1.0, 1.0], n)
    return Flips(float(10 ** rng.uniform(-1, 1)), float(rng.normal()), start, sign, flip, base)


def value(flips: Flips, chosen: np.ndarray) -> float:  # type: ignore[type-arg]
    load = flips.deviation + flips.sign @ chosen
    return float((flips.start + flips.flip @ chosen).max() + load**2 / flips.flop)


def least(flips: Flips) -> float:
    return min(value(flips, np.array(each)) for each in product([0.0, 1.0], repeat=len(flips.sign)))


def members(work: Workspace, trace: int, size: int) -> np.ndarray:  # type: ignore[type-arg]
    chosen = np.zeros(size)
    while trace > 0:
        chosen[work.item[trace]], trace = 1.0, int(work.parent[trace])
    return chosen


@pytest.mark.parametrize(("rows", "search"), [(1, one_row), (1, many_rows), (3, many_rows)])
def test_the_best_of_all_flips_is_found_and_can_be_read(rows: int, search) -> None:  # type: ignore[no-untyped-def]
    work, room, found = workspace(1 << 10, rows), room_for(10, rows), 0
    for seed in range(120):
        flips = case(seed, rows)
        none = value(flips, np.zeros(len(flips.sign)))
        best, labels, trace, whole = search(flips, none, np.inf, 1e-9, work, room)
        assert whole
        assert labels >= 1
        assert best == pytest.approx(least(flips), abs=2e-9)
        if trace < 0:
            assert best == none
        else:
            found += 1
            assert value(flips, members(work, trace, len(flips.sign))) == pytest.approx(best, abs=1e-9)
    assert found > 20


@pytest.mark.parametrize(("rows", "search"), [(1, one_row), (3, many_rows)])
def test_what_is_lost_for_want_of_room_is_said(rows: int, search) -> None:  # type: ignore[no-untyped-def]
    lost = 0
    for seed in range(60):
        flips = case(seed, rows)
        none = value(flips, np.zeros(len(flips.sign)))
        best, _, _, whole = search(flips, none, np.inf, 1e-9, workspace(2, rows), room_for(10, rows))
        assert best >= least(flips) - 2e-9
        lost += not whole
        assert not whole or best == pytest.approx(least(flips), abs=2e-9)
    assert lost > 0


def test_below_the_cut_nothing_is_missed() -> None:
    work, room = workspace(1 << 10), room_for(10, 1)
    for seed in range(60):
        flips = case(seed, 1)
        none, truth = value(flips, np.zeros(len(flips.sign))), least(flips)
        cut = truth + 0.05
        best, _, _, whole = one_row(flips, none, cut, 1e-9, work, room)
        assert whole
        assert min(best, cut) == pytest.approx(min(truth, cut), abs=2e-9)
