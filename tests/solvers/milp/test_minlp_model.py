"""P1 in Pyomo costs at an answer what the scorer says, and holds what P1 holds."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance, random_association
from uara.solvers.milp.minlp_model import minlp_model

from uara import allocate, evaluate
from uara.p1.model import coefficients

pyo = pytest.importorskip("pyomo.environ")


def fill(model, instance, decision) -> None:
    """Set the variables to an answer."""
    numbers = coefficients(instance)
    for pair in model.pairs:
        model.x[pair].value = model.y[pair].value = model.z[pair].value = 0.0
    for i, pair in enumerate(numbers.pairs_of(decision.association)):
        key = i, int(decision.association[i])
        model.x[key].value = 1.0
        model.y[key].value, model.z[key].value = decision.bandwidth[i], decision.compute[i]
        model.uplink[i].value = numbers.uplink_ms[pair] / decision.bandwidth[i]
        speed = decision.compute[i] * numbers.work_per_ms[key[1]]
        model.remote[i].value = numbers.work[pair] / speed


@pytest.mark.parametrize("inequalities", [False, True])
@pytest.mark.parametrize("constants", [{}, {"sync_weight_per_ms": 0.0}, {"energy_weight_ms_per_j": 0.0}])
def test_an_answer_costs_what_the_scorer_says_and_breaks_nothing(inequalities, constants) -> None:
    instance = make_instance(6, 3, 4, **constants)
    decision = allocate(instance, random_association(instance, 1), "sqrt")
    model = minlp_model(instance, inequalities=inequalities)
    fill(model, instance, decision)
    score = evaluate(instance, decision)
    assert pyo.value(model.cost) == pytest.approx(score.controllable_ms, rel=1e-9)
    for row in model.component_data_objects(pyo.Constraint, active=True):
        value = pyo.value(row.body)
        assert row.lower is None or value >= pyo.value(row.lower) - 1e-9
        assert row.upper is None or value <= pyo.value(row.upper) + 1e-9


def test_what_breaks_a_budget_breaks_a_row() -> None:
    instance = make_instance(6, 2, 4, missing=0.0)
    decision = allocate(instance, np.zeros(6, dtype=np.int64))
    model = minlp_model(instance)
    fill(model, instance, decision)
    assert pyo.value(model.compute[0].body) == pytest.approx(1.0)
    model.z[0, 0].value *= 3.0
    assert pyo.value(model.compute[0].body) > 1.0
    model.x[0, 0].value = 0.0
    assert pyo.value(model.association[0].body) == 0.0
    assert pyo.value(model.band_use[0, 0].body) > 0.0


def test_its_variables_are_the_usable_pairs() -> None:
    instance = make_instance(10, 4, 2, missing=0.5)
    numbers = coefficients(instance)
    assert set(minlp_model(instance).pairs) == set(zip(numbers.device, numbers.server, strict=True))
