"""``verify``: true claims pass; each false one is refused with its difference."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cases import make_instance
from hetedge_cases import make_hetedge

from uara import Allocation, Certificate, solution, solve
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


def test_rounding_is_a_part_of_what_decisions_touch() -> None:
    small = make_instance(8, 3, 1, missing=0.0)
    instance = small.replace(devices=small.devices.replace(device_flop=small.devices.device_flop * 1e3))
    result = solve(instance, "price")
    claims = solution.from_result(result).claims
    controllable_ms = result.evaluation.controllable_ms
    assert result.evaluation.objective_ms > 1e4 * controllable_ms
    assert verify(instance, result.decision, claims, result.certificate).accepted
    for by, accepted in ((0.5e-9, True), (3e-9, False), (-0.5e-9, True), (-3e-9, False)):
        moved = claims.model_copy(update={"objective_ms": claims.objective_ms + by * controllable_ms})
        assert verify(instance, result.decision, moved, result.certificate).accepted == accepted
    raised = claims.certified_lower_bound_ms + 3e-9 * controllable_ms
    moved = claims.model_copy(update={"certified_lower_bound_ms": raised})
    assert not verify(instance, result.decision, moved, result.certificate).accepted


def test_what_is_not_finite_proves_and_scores_nothing(answer) -> None:  # type: ignore[no-untyped-def]
    instance, result, claims = answer
    overflow = Certificate(np.full(3, 1e308), np.full(3, 1e308))
    verdict = verify(instance, result.decision, claims, overflow)
    assert (verdict.accepted, verdict.certified_bound_ms, verdict.certified_gap) == (False, None, None)
    vanishing = Allocation(result.decision.association, np.full(15, 1e-160), result.decision.compute)
    verdict = verify(instance, vanishing, Claims(objective_ms=1.0, lower_bound_ms=1.0, status="optimal"))
    assert (verdict.accepted, verdict.claimed_gap) == (False, None)
    json.dumps(verdict.to_plain(), allow_nan=False)


def test_a_plan_is_scored_again() -> None:
    instance = make_hetedge(6, 3)
    result = solve(instance, "hetedge-dp")
    claims = solution.from_result(result).claims
    assert verify(instance, result.decision, claims).accepted
    for change in (
        {"objective_ms": claims.objective_ms * (1 - 1e-8)},
        {"lower_bound_ms": claims.objective_ms * (1 + 1e-8)},
        {"certified_lower_bound_ms": 1.0},
        {"status": "infeasible"},
    ):
        assert not verify(instance, result.decision, claims.model_copy(update=change)).accepted
