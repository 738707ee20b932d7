"""The perspective program in Pyomo: the rows of the one that HiGHS is given, solved to the same optimum."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance, random_association
from uara.solvers.dual.ascent import first_prices
from uara.solvers.milp.perspective import Perspective
from uara.solvers.milp.perspective_model import (
    EXPORTED_FACTORS,
    add_tangents,
    export_milp,
    perspective_model,
    tangents_around,
)

from uara import allocate, evaluate, solve
from uara.p1.model import coefficients

pyo = pytest.importorskip("pyomo.environ")


def stated(seed: int = 2):
    instance = make_instance(6, 3, seed)
    cost_ms = evaluate(instance, allocate(instance, random_association(instance))).controllable_ms
    return instance, Perspective(coefficients(instance), cost_ms)


def test_tangents_lie_around_the_prices_at_every_factor() -> None:
    _, relaxation = stated()
    found = tangents_around(relaxation, first_prices(relaxation.numbers))
    assert len(found) == 2 * len(EXPORTED_FACTORS)
    assert all(len(rows.lower) for rows in found)


def test_tangents_are_added_one_row_each() -> None:
    _, relaxation = stated()
    rows = tangents_around(relaxation, first_prices(relaxation.numbers))
    model = perspective_model(relaxation, rows)
    count = sum(len(each.lower) for each in rows)
    assert len(model.tangents) == count
    assert add_tangents(model, rows[:1], list(model.pairs)) == len(rows[0].lower)
    assert len(model.tangents) == count + len(rows[0].lower)


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(3))
def test_its_optimum_is_a_close_lower_bound(seed: int) -> None:
    instance = make_instance(6, 3, seed)
    model = export_milp(instance)
    solver = pyo.SolverFactory("appsi_highs")
    if not solver.available():
        pytest.skip("no HiGHS for Pyomo")
    solver.solve(model)
    truth = solve(instance, "brute-force").evaluation.controllable_ms
    assert 0.8 * truth <= pyo.value(model.cost) <= truth * (1 + 1e-6)
    chosen = [j for (i, j) in model.pairs if pyo.value(model.x[i, j]) > 0.5]
    assert len(chosen) == len(np.unique([i for (i, j) in model.pairs]))
