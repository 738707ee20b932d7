"""The perspective rows: valid for every answer, exact where they touch, and the same in Pyomo."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.dual.ascent import first_prices
from uara.solvers.dual.kernel import prices_of
from uara.solvers.milp.highs import Model
from uara.solvers.milp.perspective import Perspective, Rows
from uara.solvers.milp.perspective_model import perspective_model, tangents_around

from uara import Allocation, Context, Instance, allocate, evaluate, solve
from uara.p1.model import coefficients
from uara.registry import NoOptions


def relaxation_of(instance: Instance) -> Perspective:
    decision = allocate(instance, random_association(instance))
    return Perspective(coefficients(instance), evaluate(instance, decision).controllable_ms)


def point(relaxation: Perspective, decision: Allocation) -> np.ndarray:  # type: ignore[type-arg]
    """The relaxation's columns at an answer, with the costs at what they are."""
    count, device = relaxation.count, relaxation.device
    x = (relaxation.numbers.server == decision.association[device]).astype(float)
    v = np.where(x > 0, np.minimum(1.0, decision.bandwidth[device] / relaxation.widest), 0.0)
    e = np.zeros(count)
    used = np.flatnonzero(x)
    if relaxation.numbers.sync_weight_per_ms > 0:
        e[used] = relaxation.synchronisation(used, v[used])[0]
    load = np.bincount(decision.association, relaxation.numbers.root_work[used], relaxation.servers)
    return np.concatenate([x, v, e, load, load**2 / relaxation.numbers.work_per_ms])


def broken(rows: Rows, column: np.ndarray, tolerance: float) -> float:  # type: ignore[type-arg]
    worst = 0.0
    for n in range(len(rows.lower)):
        part = slice(rows.start[n], rows.start[n + 1])
        terms = rows.value[part] * column[rows.column[part]]
        size = tolerance * (1.0 + np.abs(terms).sum())
        worst = max(worst, (rows.lower[n] - terms.sum()) - size, (terms.sum() - rows.upper[n]) - size)
    return worst


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 10**6))
def test_every_optimal_allocation_satisfies_every_row(instance: Instance, seed: int) -> None:
    relaxation = relaxation_of(instance)
    decision = allocate(instance, random_association(instance, seed))
    column = point(relaxation, decision)
    other = allocate(instance, random_association(instance, seed + 1))
    rows = relaxation.structure() + relaxation.first_tangents(first_prices(relaxation.numbers))
    rows += relaxation.tangents_at(other.association, other.bandwidth)
    for block in rows:
        assert broken(block, column, 1e-9) <= 0.0
    if relaxation.numbers.sync_weight_per_ms > 0:
        cost = float(relaxation.costs() @ column)
        assert cost == pytest.approx(evaluate(instance, decision).controllable_ms, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("payload", [1.0, 50.0])
def test_the_relaxation_is_exact_at_an_association_that_it_was_cut_at(payload: float) -> None:
    instance = make_instance(10, 3, 1, payload=payload)
    relaxation = relaxation_of(instance)
    decision = allocate(instance, random_association(instance))
    model = Model(relaxation, first_prices(relaxation.numbers))
    model.add(relaxation.tangents_at(decision.association, decision.bandwidth))
    mine = relaxation.numbers.server == decision.association[relaxation.device]
    fixed = np.arange(relaxation.count, dtype=np.int32)
    model._highs.changeColsBounds(len(fixed), fixed, mine.astype(float), mine.astype(float))
    outcome = model.solve(Context(instance, NoOptions()))
    assert outcome.bound_ms == pytest.approx(evaluate(instance, decision).controllable_ms, rel=1e-6)


def test_one_tangent_at_the_best_prices_has_the_value_of_the_price_bound() -> None:
    instance = make_instance(30, 4, 2, payload=50.0)
    numbers = coefficients(instance)
    result = solve(instance, "price", options={"gap": 0.5})
    prices = prices_of(numbers, result.certificate)  # type: ignore[arg-type]
    outcome = Model(relaxation_of(instance), prices).solve(Context(instance, NoOptions()))
    assert result.bound_ms is not None
    price_bound = result.bound_ms - coefficients(instance).constant_ms
    assert outcome.bound_ms >= price_bound * (1 - 1e-7)


def test_pyomo_and_highs_state_the_same_program() -> None:
    from pyomo.contrib.solver.solvers.highs import Highs

    instance = make_instance(8, 3, 3, payload=50.0)
    relaxation = relaxation_of(instance)
    prices = first_prices(relaxation.numbers)
    model = Model(relaxation, prices, integer=True)
    model.add(tangents_around(relaxation, prices))
    direct = model.solve(Context(instance, NoOptions()))
    tangents = relaxation.first_tangents(prices) + tangents_around(relaxation, prices)
    pyomo = perspective_model(relaxation, tangents)
    result = Highs().solve(pyomo, rel_gap=0.0)
    assert result.objective_bound == pytest.approx(direct.bound_ms, rel=1e-5)
    truth = solve(instance, "brute-force").evaluation.controllable_ms
    assert direct.bound_ms <= truth * (1 + 1e-6)


def test_the_cutoff_ends_a_search_without_an_answer() -> None:
    instance = make_instance(8, 3, 3)
    relaxation = relaxation_of(instance)
    model = Model(relaxation, first_prices(relaxation.numbers), integer=True)
    outcome = model.solve(Context(instance, NoOptions()), cutoff_ms=1.0)
    assert outcome.bound_ms >= 1.0


@pytest.mark.parametrize("largest", [1.0, 1e3])
def test_the_unit_changes_no_bound(largest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(12, 3, 3, payload=50.0)
    plain = relaxation_of(instance)
    prices = first_prices(plain.numbers)
    monkeypatch.setattr("uara.solvers.milp.perspective.LARGEST_CAP", largest)
    scaled = Perspective.scaled(plain.numbers, plain.cap_ms)
    assert scaled.unit_ms > 1.0
    assert scaled.cap_ms <= largest
    context = Context(instance, NoOptions())
    for integer in (False, True):
        one, two = (Model(each, prices, integer=integer).solve(context) for each in (plain, scaled))
        assert two.bound_ms == pytest.approx(one.bound_ms, rel=1e-5)


def test_costs_that_are_not_large_are_in_milliseconds() -> None:
    numbers = relaxation_of(make_instance(12, 3, 3)).numbers
    assert Perspective.scaled(numbers, 1e6).unit_ms == 1.0
    assert Perspective.scaled(numbers, 0.0).unit_ms == 1.0


def test_tangents_with_numbers_out_of_proportion_are_left_out() -> None:
    value = np.array([1.0, 1e15, 2.0, 3.0, np.nan, -np.inf, -1e12])
    rows = Rows(np.arange(5.0), np.full(5, np.inf), np.array([0, 2, 4, 5, 6, 7]), np.arange(7), value)
    kept = rows.moderate()
    assert kept.lower.tolist() == [1.0, 4.0]
    assert kept.start.tolist() == [0, 2, 3]
    assert kept.column.tolist() == [2, 3, 6]
    assert kept.value.tolist() == [2.0, 3.0, -1e12]
    assert len(Rows(*(np.empty(0, dtype=int) for _ in range(5))).moderate().lower) == 0


def test_a_bound_that_a_known_answer_contradicts_is_none() -> None:
    relaxation = relaxation_of(make_instance(12, 3, 3))
    context, prices = Context(make_instance(12, 3, 3), NoOptions()), first_prices(relaxation.numbers)
    bound_ms = Model(relaxation, prices).solve(context).bound_ms
    wrong = Model(Perspective(relaxation.numbers, bound_ms / 2), prices).solve(context)
    assert (wrong.bound_ms, wrong.column, wrong.finished) == (-np.inf, None, False)
