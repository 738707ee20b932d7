"""``verify``: true claims pass; each false one is refused with its difference."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance

from uara import Allocation, solution, solve
from uara.solution import Claims
from uara.verify import verify


@pytest.fixture(scope="module")
def answer():  # type: ignore[no-untyped-def]
    instance = make_instance(15, 3, 2)
    result = solve(instance, "price")
    return instance, result, solution.from_result(result).claims


def test_a_true_answer_is_accepted(answer) -> None:  # type: ignore[no-untyped-def]
    instance, result, claims = answer
    verdict = verify(instance, result.decision, claims, result.certificate)
    assert verdict.accepted
    assert verdict.certified_gap == pytest.approx(result.gap, abs=1e-9)
    assert verdict.objective_ms == pytest.approx(result.evaluation.objective_ms, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"objective_ms": -1.0}, "objective: claimed"),
        ({"certified_lower_bound_ms": 1.0}, "certified lower bound: claimed"),
        ({"lower_bound_ms": 2.0}, "above the objective"),
    ],
)
def test_each_false_number_is_refused_with_the_difference(answer, change, problem: str) -> None:  # type: ignore[no-untyped-def]
    instance, result, claims = answer
    by_ms = {key: sign * 1e-6 * result.evaluation.objective_ms for key, sign in change.items()}
    false = claims.model_copy(
        update={key: getattr(claims, key) + by for key, by in by_ms.items() if key != "lower_bound_ms"}
        | {key: result.evaluation.objective_ms + by for key, by in by_ms.items() if key == "lower_bound_ms"}
    )
    verdict = verify(instance, result.decision, false, result.certificate)
    assert not verdict.accepted
    assert any(problem in text and "difference" in text for text in verdict.refusals)


def test_a_bound_cannot_be_certified_without_a_certificate(answer) -> None:  # type: ignore[no-untyped-def]
    instance, result, claims = answer
    verdict = verify(instance, result.decision, claims, None)
    assert any("without a certificate" in text for text in verdict.refusals)


def test_optimal_needs_a_gap(answer) -> None:  # type: ignore[no-untyped-def]
    instance, result, _ = answer
    verdict = verify(instance, result.decision, Claims(status="optimal"), None)
    assert any("optimal is claimed" in text for text in verdict.refusals)


def test_infeasible_answers_are_refused(answer) -> None:  # type: ignore[no-untyped-def]
    instance, result, claims = answer
    greedy = Allocation(result.decision.association, np.ones(15), result.decision.compute)
    verdict = verify(instance, greedy, claims, result.certificate)
    assert any("infeasible" in text for text in verdict.refusals)
    assert verdict.certified_gap is None
    assert verdict.to_plain()["objective"] is None
