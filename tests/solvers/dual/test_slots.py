"""Slots: from good prices, from lost ones, from none, and with no time at all."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.dual.slots import LOST, SlotSolver

from uara import Instance, evaluate
from uara.base.errors import InputError
from uara.p1.certificate import Certificate
from uara.problem import lower_bound
from uara.tracker import SlotAnswer


def in_time() -> bool:
    return False


def check(instance: Instance, answer: SlotAnswer) -> None:
    """It is feasible, costs what is said, and its prices prove its bound."""
    score = evaluate(instance, answer.allocation)
    assert score.feasible
    assert answer.objective_ms == pytest.approx(score.objective_ms, rel=1e-9)
    assert answer.constant_ms == pytest.approx(score.constant_ms, rel=1e-12)
    assert lower_bound(instance, answer.certificate) == pytest.approx(answer.bound_ms, rel=1e-9)
    assert answer.bound_ms <= answer.objective_ms


@pytest.mark.parametrize("payload", [1.0, 50.0])
def test_the_next_slot_is_as_good_from_the_prices_of_the_last(payload: float) -> None:
    solver = SlotSolver()
    for seed in range(3):  # other devices at the same places in the arrays: prices of servers carry over
        instance = make_instance(25, 4, seed, payload=payload)
        answer, cold = solver.solve(instance, in_time), SlotSolver().solve(instance, in_time)
        check(instance, answer)
        check(instance, cold)
        assert answer.complete
        assert answer.gap <= max(LOST, 1.5 * cold.gap)
        assert solver.certificate is answer.certificate


def test_prices_that_fit_nothing_are_found_out() -> None:
    instance, solver = make_instance(25, 4, 1, payload=20.0), SlotSolver()
    cold = SlotSolver().solve(instance, in_time)
    solver.restart(Certificate(np.full(4, 1e9), np.full(4, 1e9)))
    lost = solver.solve(instance, in_time)
    check(instance, lost)
    assert lost.gap <= max(LOST, cold.gap)
    solver.restart(Certificate(np.full(3, 1.0), np.full(3, 1.0)))  # of fewer servers
    assert solver.solve(instance, in_time).bound_ms == cold.bound_ms


def test_no_prices_are_the_first_slot_again() -> None:
    instance, solver = make_instance(20, 3, 2), SlotSolver()
    first = solver.solve(instance, in_time)
    solver.restart(None)
    assert solver.certificate is None
    again = solver.solve(instance, in_time)
    assert (again.bound_ms, again.objective_ms) == (first.bound_ms, first.objective_ms)


def test_prices_of_another_kind_are_refused() -> None:
    with pytest.raises(InputError, match="prices of compute and band, not list"):
        SlotSolver().restart([1.0])  # type: ignore[arg-type]


def test_without_time_there_is_an_answer_and_a_bound() -> None:
    instance = make_instance(20, 3, 2)
    answer = SlotSolver().solve(instance, lambda: True)
    check(instance, answer)
    assert not answer.complete
