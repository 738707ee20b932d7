from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uara.bench.shifts import EVERYWHERE, over_units, paired, unpaired, within_cells

KEY = ("i", "digest", "s")
values = st.lists(st.floats(-3, 3), min_size=1, max_size=4).map(np.array)


@given(st.dictionaries(st.integers(0, 5), st.tuples(values, values), min_size=2, max_size=5))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_seeds_are_paired_whatever_their_repetitions(runs: dict[int, tuple[object, object]]) -> None:
    old, new = ({seed: pair[side] for seed, pair in runs.items()} for side in (0, 1))
    cell = paired(KEY, "runtime_s", old, new)  # type: ignore[arg-type]
    differences = [float(np.mean(new[seed]) - np.mean(old[seed])) for seed in runs]  # type: ignore[arg-type]
    assert cell.shift == pytest.approx(np.mean(differences), abs=1e-12)
    assert cell.source == "seeds"
    assert cell.squares * cell.weight / cell.degrees == pytest.approx(
        np.var(differences, ddof=1) / len(differences), abs=1e-12
    )


def test_one_seed_falls_back_to_repetitions_and_none_to_all_runs() -> None:
    old, new = {0: np.array([1.0, 2.0])}, {0: np.array([3.0, 5.0])}
    cell = paired(KEY, "runtime_s", old, new)
    assert (cell.source, cell.degrees, cell.squares) == ("repetitions", 2, 2.5)
    apart = paired(KEY, "runtime_s", old, {1: np.array([3.0, 5.0])})
    assert apart.source == "unpaired"
    assert unpaired([cell]) == []
    assert unpaired([cell, apart])[0].startswith("1 pairs")


def test_a_single_run_has_a_change_and_no_interval() -> None:
    (shift,) = within_cells([paired(KEY, "controllable_ms", {0: np.array([1.0])}, {0: np.array([1.5])})])
    assert shift.ratio == pytest.approx(math.exp(0.5) - 1)
    assert math.isnan(shift.found.low)


def test_variants_of_a_drop_are_one_unit() -> None:
    def cell(name: str, change: float):  # type: ignore[no-untyped-def]
        return paired((name, "d", "s"), "runtime_s", {0: np.array([0.0])}, {0: np.array([change])})

    (found,) = over_units([cell("a@w=1", 1.0), cell("a@w=2", 3.0), cell("b", 4.0)])
    assert found.instance == EVERYWHERE
    assert found.found.mean == pytest.approx(3.0)
    assert over_units([cell("a@w=1", 1.0), cell("a@w=2", 3.0)]) == []
