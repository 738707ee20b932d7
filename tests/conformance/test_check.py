"""Each way of breaking the contract is caught, and named."""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
import time
from typing import Any

import numpy as np
import pytest

from uara.problem import evaluate

pytest.importorskip("psutil", reason="conformance trials need the extra 'bench'")
pytest.importorskip("cloudpickle", reason="conformance trials need the extra 'bench'")

from uara import Allocation, Answer, Context, InputError, Instance, Options, SolverError, allocate
from uara.base.files import Record
from uara.bench.execution.introduce import introduce
from uara.conformance.check import _documentation, check_solver
from uara.registry import as_solver


def first(instance: Instance) -> np.ndarray[Any, Any]:
    return instance.channel.pair_server[instance.channel.pair_start[:-1]]


def honest(instance: Instance, context: Context[Any]) -> Allocation:
    """Each device's first usable server."""
    return allocate(instance, first(instance))


def writes(instance: Instance, context: Context[Any]) -> Allocation:
    """Writes into the instance."""
    instance.devices.upload_bits[:] = 1.0
    return allocate(instance, first(instance))


def forces(instance: Instance, context: Context[Any]) -> Allocation:
    """Makes an array writable, and shrinks the uploads a little."""
    object.__setattr__(
        instance, "devices", instance.devices.replace(upload_bits=instance.devices.upload_bits * (1 - 1e-9))
    )
    return allocate(instance, first(instance))


def dices(instance: Instance, context: Context[Any]) -> Allocation:
    """Draws from a generator that nobody seeded."""
    start, server = instance.channel.pair_start, instance.channel.pair_server
    return allocate(instance, np.array([random.choice(server[a:b]) for a, b in itertools.pairwise(start)]))


def overbooks(instance: Instance, context: Context[Any]) -> Allocation:
    """Shares that sum to more than one."""
    right = allocate(instance, first(instance))
    return Allocation(right.association, np.minimum(1.0, right.bandwidth * 1.5), right.compute)


def overbounds(instance: Instance, context: Context[Any]) -> Answer:
    """Takes its own answer, a little lowered, for a bound."""
    decision = allocate(instance, first(instance))
    return Answer(decision, bound_ms=evaluate(instance, decision).objective_ms * (1 - 1e-9))


def dawdles(instance: Instance, context: Context[Any]) -> Allocation:
    """Takes two seconds for large instances, whatever the limit."""
    if len(instance.devices) > 100:
        time.sleep(2.0)
    return allocate(instance, first(instance))


def hangs(instance: Instance, context: Context[Any]) -> Allocation:
    """Never comes back from large instances."""
    while len(instance.devices) > 100:
        pass
    return allocate(instance, first(instance))


def stumbles(instance: Instance, context: Context[Any]) -> Allocation:
    """Cannot do with one server."""
    return allocate(instance, np.minimum(first(instance), 1) / (len(instance.servers) - 1))


def dies(instance: Instance, context: Context[Any]) -> Allocation:
    """Takes its process down where w is 0."""
    if instance.parameters.energy_weight_ms_per_j == 0:
        os._exit(3)
    return allocate(instance, first(instance))


def spoils(instance: Instance, context: Context[Any]) -> Allocation:
    """Changes the start that it is given."""
    if context.start is not None:
        object.__setattr__(context.start, "bandwidth", context.start.bandwidth * 0.5)  # type: ignore[attr-defined]
    return allocate(instance, first(instance))


def is_large(instance: Instance) -> bool:
    return len(instance.devices) > 100


def hides(instance: Instance, context: Context[Any]) -> Allocation:
    """Reports an answer that is right, and returns one that is not."""
    context.incumbent(allocate(instance, first(instance)))
    return overbooks(instance, context)


def overbooks_large(instance: Instance, context: Context[Any]) -> Allocation:
    """Shares too much where nobody knows the optimum."""
    return overbooks(instance, context) if is_large(instance) else honest(instance, context)


def forces_large(instance: Instance, context: Context[Any]) -> Allocation:
    """Changes large instances only."""
    return forces(instance, context) if is_large(instance) else honest(instance, context)


def faints(instance: Instance, context: Context[Any]) -> Allocation:
    """Fails on large instances at once."""
    if is_large(instance):
        raise ZeroDivisionError("so many")
    return honest(instance, context)


def gives_up_early(instance: Instance, context: Context[Any]) -> Allocation:
    """Says that it has nothing, long before its time is over."""
    if is_large(instance):
        raise SolverError("gives-up-early", "nothing yet")
    return honest(instance, context)


def gives_up_in_time(instance: Instance, context: Context[Any]) -> Allocation:
    """Works until its time is over, and has nothing to show then."""
    if is_large(instance):
        while not context.expired():
            time.sleep(0.01)
        raise SolverError("gives-up-in-time", "found nothing")
    return honest(instance, context)


def declines(instance: Instance, context: Context[Any]) -> Allocation:
    """Will not have large instances."""
    if is_large(instance):
        raise InputError("has too many devices", source=instance.name)
    return honest(instance, context)


def flatters(instance: Instance, context: Context[Any]) -> Allocation:
    """Has its answers scored a little better than they are."""
    from uara import solver

    def score(instance: Instance, decision: Allocation) -> Any:
        true = evaluate(instance, decision)
        return dataclasses.replace(true, objective_ms=true.objective_ms - 1e-3 * true.controllable_ms)

    solver.evaluate = score  # type: ignore[attr-defined, assignment]
    return honest(instance, context)


def overbounds_on_the_way(instance: Instance, context: Context[Any]) -> Allocation:
    """Reports its own answer as a bound while it works, and nothing in the end."""
    decision = allocate(instance, first(instance))
    if context.start is None:
        context.bound(evaluate(instance, decision).objective_ms)
    return decision


def forgets(instance: Instance, context: Context[Any]) -> Allocation:
    """Drops the start that it was given, and answers with something worse."""
    context._ledger.best = None
    return honest(instance, context)


@as_solver(warm_start=True)
def worsens(instance: Instance, context: Context[Any]) -> Allocation:
    """Says that it takes a start, and takes none."""
    return honest(instance, context)


def counts_by_number(instance: Instance, context: Context[Any]) -> Answer:
    """Answers well, with a number for a name."""
    return Answer(allocate(instance, first(instance)), details={"rounds": 1.0, 7: 2.0})  # type: ignore[dict-item]


def forges_findings(instance: Instance, context: Context[Any]) -> Allocation:
    """Says itself how well it did, in words of its own."""
    import gc

    line: Any = next(each for each in gc.get_objects() if type(each).__name__ == "Line")
    line.send("answer", attempts=[{"decision": {}, "verdict": "conforms"}] * 3)
    time.sleep(60)
    return allocate(instance, first(instance))


def forges_decisions(instance: Instance, context: Context[Any]) -> Allocation:
    """Sends three calls that hold no decision."""
    import gc

    line: Any = next(each for each in gc.get_objects() if type(each).__name__ == "Line")
    facts = {"objective_ms": 1.0, "bounds_ms": [], "runtime_s": 0.0}
    facts |= {"instance_changed": False, "start_changed": False}
    line.send("answer", attempts=[{"decision": {}, "returned": {}, **facts}] * 3)
    time.sleep(60)
    return allocate(instance, first(instance))


class Mute(Record):
    depth: int = 3


@as_solver(options=Mute)
def mute(instance: Instance, context: Context[Mute]) -> Allocation:
    return allocate(instance, first(instance))


@pytest.mark.integration
def test_an_honest_solver_conforms() -> None:
    seen: list[str] = []
    verdict = check_solver(honest, on_trial=seen.append)
    assert verdict.conforms, verdict.breaches
    assert len(seen) >= 11
    assert set(verdict.to_plain()["checks"].values()) == {"ok"}


OFTEN = pytest.mark.integration
"""Every trial starts a process for each of its runs: seconds. One of them stands for all in the default suite."""


@pytest.mark.parametrize(
    ("solver", "check", "words"),
    [
        pytest.param(writes, "instance", "read-only", marks=OFTEN),
        pytest.param(forces, "instance", "changed the instance", marks=OFTEN),
        pytest.param(forces_large, "instance", "changed the instance", marks=OFTEN),
        pytest.param(dices, "seeds", "two answers", marks=OFTEN),
        pytest.param(overbooks, "feasible", "bandwidth budget", marks=OFTEN),
        pytest.param(overbooks_large, "feasible", "bandwidth budget", marks=OFTEN),
        pytest.param(hides, "feasible", "solve kept an incumbent instead", marks=OFTEN),
        pytest.param(flatters, "scores", "ms outside", marks=OFTEN),
        (overbounds, "bounds", "above"),
        pytest.param(overbounds_on_the_way, "bounds", "is reached", marks=OFTEN),
        pytest.param(forgets, "warm start", "ended at", marks=OFTEN),
        pytest.param(worsens, "warm start", "ended at", marks=OFTEN),
        pytest.param(dawdles, "time limit", "took 2.", marks=OFTEN),
        pytest.param(stumbles, "answers", "server indices", marks=pytest.mark.slow),
        pytest.param(dies, "answers", "exit code 3", marks=OFTEN),
        pytest.param(counts_by_number, "answers", "the key 7 is no word", marks=OFTEN),
        pytest.param(forges_findings, "answers", "answer.attempts[0]", marks=OFTEN),
        pytest.param(
            forges_decisions, "answers", "cannot be used: $.decision.association: Field required", marks=OFTEN
        ),
        pytest.param(faints, "answers", "so many", marks=OFTEN),
        pytest.param(gives_up_early, "answers", "gave up after 0.", marks=OFTEN),
        pytest.param(mute, "documented", "no docstring", marks=pytest.mark.slow),
        pytest.param(mute, "documented", "option depth", marks=OFTEN),
    ],
)
def test_a_breach_is_caught_and_named(solver: Any, check: str, words: str) -> None:
    verdict = check_solver(solver)
    assert not verdict.conforms
    assert {breach.check for breach in verdict.breaches} == {check}
    assert any(words in breach.problem for breach in verdict.breaches), verdict.breaches


class WantingOptions(Options):
    """Options of a test."""

    depth: int
    """How deep."""


@as_solver(options=WantingOptions)
def wants(instance: Instance, context: Context[WantingOptions]) -> Allocation:
    """Has an option that must be given."""
    return allocate(instance, first(instance))


def test_an_option_without_a_default_is_named() -> None:
    found = introduce(wants, [{"depth": 3}])
    assert [breach.problem for breach in _documentation(found)] == ["option depth has no default"]
    with pytest.raises(InputError, match="depth: Field required"):
        check_solver(wants)


@pytest.mark.integration
def test_a_hanging_solver_is_ended_and_named() -> None:
    verdict = check_solver(hangs)
    assert [breach.check for breach in verdict.breaches] == ["time limit"]
    assert "still ran" in verdict.breaches[0].problem


@pytest.mark.integration
def test_a_spoilt_start_is_caught() -> None:
    assert "warm start" in {breach.check for breach in check_solver(spoils).breaches}


@pytest.mark.integration
def test_running_out_of_time_and_declining_are_no_breaches() -> None:
    late, small = check_solver(gives_up_in_time), check_solver(declines)
    assert late.conforms, late.breaches
    assert small.conforms, small.breaches
    assert any("no answer within 1 s" in note and "found nothing" in note for note in late.notes)
    assert any("declines" in note and "too many devices" in note for note in small.notes)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["random", "max-sinr", "greedy", "tma", "price"])
def test_shipped_solvers_conform(name: str) -> None:
    verdict = check_solver(name)
    assert verdict.conforms, verdict.breaches


def test_an_unknown_solver_is_an_error() -> None:
    with pytest.raises(InputError, match="no solver 'nobody'"):
        check_solver("nobody")
    with pytest.raises(InputError, match="moves"):
        check_solver("tma", options={"moves": "backwards"})


@pytest.mark.integration
def test_breaches_are_plain_data() -> None:
    plain = check_solver(overbooks).to_plain()
    assert plain["conforms"] is False
    assert "budget" in plain["checks"]["feasible"][0]["problem"]


@pytest.mark.integration
def test_the_second_problem_kind_has_trials_too() -> None:
    verdict = check_solver("hetedge-rules")
    assert verdict.conforms, verdict.breaches
