from __future__ import annotations

import pickle
from typing import Any

import pytest

from uara import Allocation, Answer, Certificate, Context, InputError, Instance, SolverError, allocate, solve
from uara.bench.execution.messages import Findings
from uara.conformance.trial import Trial, bounds_of, fresh_digest
from uara.problem import evaluate, parse_decision
from uara.registry import as_solver

from ..bench.execution.test_child import Deaf
from ..cases import make_instance, random_association

INSTANCE = make_instance(6, 3)


def findings(solver: Any, instance: Any = INSTANCE, **how: Any) -> Findings:
    line: Any = Deaf(instance)
    return Findings.model_validate(Trial(solver, **how).run(line))


@pytest.mark.integration
def test_three_calls_and_what_they_gave() -> None:
    start = allocate(INSTANCE, random_association(INSTANCE))
    first, again, warm = findings("tma", start=start).attempts
    for attempt in (first, again, warm):
        assert not attempt.instance_changed
        assert not attempt.start_changed
        score = evaluate(INSTANCE, parse_decision(INSTANCE, attempt.decision))
        assert attempt.objective_ms == score.objective_ms
    assert warm.objective_ms <= evaluate(INSTANCE, start).objective_ms
    assert first.decision == again.decision


def test_once_is_once() -> None:
    assert len(findings("random", once=True).attempts) == 1


def better_on_the_way(instance: Instance, context: Context[Any]) -> Answer:
    """Reports the best shares, and returns equal ones."""
    association = random_association(instance)
    context.incumbent(allocate(instance, association, "optimal"))
    return Answer(allocate(instance, association, "uniform"))


def declines(instance: Instance, context: Context[Any]) -> Allocation:
    raise InputError("too large", source=instance.name)


def gives_up(instance: Instance, context: Context[Any]) -> Allocation:
    raise SolverError("gives-up", "nothing")


def test_the_returned_answer_is_kept_beside_the_better_one() -> None:
    for attempt in findings(better_on_the_way).attempts:
        returned = evaluate(INSTANCE, parse_decision(INSTANCE, attempt.returned))
        assert attempt.objective_ms is not None
        assert attempt.objective_ms < returned.objective_ms


def test_the_solver_keeps_its_name_its_traits_and_one_preparation() -> None:
    prepared = []

    @as_solver(prepare=lambda: prepared.append(1))
    def my_solver(instance: Instance, context: Context[Any]) -> Allocation:
        return allocate(instance, random_association(instance, context.rng.integers(100)))

    (first,) = findings(my_solver, once=True).attempts
    assert prepared == [1]
    direct = solve(INSTANCE, my_solver, seed=11)
    assert first.returned == direct.decision.to_plain(), "the random stream hangs on the name"


@pytest.mark.parametrize(("solver", "declined"), [(declines, True), (gives_up, False)])
def test_giving_up_is_an_outcome_of_a_single_call_alone(solver: Any, declined: bool) -> None:
    seen = findings(solver, once=True)
    assert seen.attempts == []
    assert seen.given_up is not None
    assert seen.given_up.declined == declined
    with pytest.raises(InputError if declined else SolverError):
        findings(solver)


def test_a_crash_is_no_giving_up() -> None:
    def divides(instance: Instance, context: Context[Any]) -> Allocation:
        raise ZeroDivisionError

    with pytest.raises(SolverError, match="ZeroDivisionError"):
        findings(divides, once=True)


def test_a_digest_is_of_the_present_data() -> None:
    instance = pickle.loads(pickle.dumps(make_instance(4, 2)))
    before = instance.digest
    instance.devices.upload_bits[0] *= 2  # unpickled arrays can be written
    assert instance.digest == before, "the kept one does not know"
    assert fresh_digest(instance) != before


def test_every_bound_of_a_run_is_collected() -> None:
    import numpy as np

    instance = make_instance(5, 2)

    def bounded(problem: Any, context: Any) -> Answer:
        context.bound(1.0)
        context.bound(2.0)
        decision = allocate(problem, random_association(problem))
        return Answer(decision, bound_ms=0.5, certificate=Certificate(np.zeros(2), np.zeros(2)))

    result = solve(instance, bounded)
    found = bounds_of(result)
    assert {1.0, 2.0, result.certified_bound_ms} <= set(found)
    assert found == sorted(found)


def test_a_failing_solver_fails_the_trial() -> None:
    with pytest.raises(SolverError, match="by <b>nothing</b>"):
        findings("bench_trials:raises")
