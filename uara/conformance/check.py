"""Conformance of solvers: does a plug-in keep the contract of :mod:`uara.solver`? Each breach is named.

Every trial runs in a process of its own, so that a solver that hangs or takes its process down is caught too.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from uara.base.errors import InputError, UaraError
from uara.base.extras import needs
from uara.problem import Decision, Problem, Score, evaluate, parse_decision

if TYPE_CHECKING:
    from uara.bench.execution.messages import Attempt, Findings, GivenUp, Introduction
    from uara.isolation.supervise import Outcome

TOLERANCE = 1e-6
"""Relative to the controllable part."""
TIME_LIMIT_S = 1.0
"""Time limit of the trial that tests time limits."""
CALL_S = 10.0
"""Time limit of each call on a small instance."""
AROUND_S = 0.5
"""What unpacking the instance, hashing it, scoring and packing the answer may take around a call on the large one."""
OVERTIME = 1.1
"""How much longer than its limit a solver may take."""
CALLS = ("first", "second", "warm-started")
CHECKS = {
    "answers": "answers every small instance, in every regime, and fails on a large one only for want of time",
    "feasible": "what it returns keeps all constraints",
    "instance": "leaves the instance as it was",
    "scores": "its answers score the same inside and outside its process",
    "seeds": "the same seed gives the same answer, whatever the global random state is",
    "warm start": "a start solution is not changed, and not made worse by a solver that says it takes one",
    "bounds": "no bound of it lies above the optimum",
    "time limit": "a large instance with a limit of one second is answered, or given up, within 1.1 s",
    "documented": "it and its options say what they do, and every option has a default",
}


@dataclass(frozen=True)
class Breach:
    """A check that failed, where, and how."""

    check: str
    instance: str
    problem: str


@dataclass
class Verdict:
    """The outcome for one solver."""

    solver: str
    breaches: list[Breach] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        """Whether nothing failed."""
        return not self.breaches

    def of(self, check: str) -> list[Breach]:
        """The breaches of one check."""
        return [breach for breach in self.breaches if breach.check == check]

    def breach(self, check: str, instance: str, problem: str) -> None:
        """Note a breach."""
        self.breaches.append(Breach(check, instance, problem))

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Literal["ok"] | list[dict[str, str]]] = {}
        for check in CHECKS:
            wrong = [{"instance": each.instance, "problem": each.problem} for each in self.of(check)]
            found[check] = wrong or "ok"
        return {"solver": self.solver, "conforms": self.conforms, "checks": found, "notes": self.notes}


def check_solver(
    solver: str | Callable[..., Any],
    *,
    options: Mapping[str, Any] | None = None,
    on_trial: Callable[[str], None] | None = None,
) -> Verdict:
    """Try a solver on small instances of every regime and one large one.

    Parameters
    ----------
    solver
        Name of an installed solver, ``package.module:function``, or a callable.
    options
        Values of its options.
    on_trial
        Called with the name of each instance before its trial.

    Raises
    ------
    InputError
        If there is no such solver, or its options are not valid.
    MissingExtra
        If the harness, or something the solver needs, is not installed.
    """
    for library in ("psutil", "cloudpickle"):
        needs(library, extra="bench")
    from uara.bench.execution.introduce import introduce
    from uara.problem import kind_of

    found = introduce(solver, [options or {}], strict=False)
    found.require()
    values = found.options[0]
    kind = kind_of(found.kind)
    problems = kind.trials()
    if not problems:
        raise InputError(f"there are no trials for problem kind {found.kind!r}", source=found.name)
    verdict = Verdict(found.name)
    verdict.breaches += _documentation(found)
    for problem in problems:
        if on_trial:
            on_trial(problem.name)
        best = kind.optimum(problem) if kind.optimum else None
        _try_small(verdict, problem, best, solver, values, takes_start=found.warm_start)
    if kind.large is not None:
        if on_trial:
            on_trial("large")
        _try_large(verdict, kind.large(), solver, values)
    return verdict


def _documentation(found: Introduction) -> Iterator[Breach]:
    if not found.summary:
        yield Breach("documented", "", "the solver has no docstring")
    for name in found.undocumented:
        yield Breach("documented", "", f"option {name} has no description")
    for name in found.required:
        yield Breach("documented", "", f"option {name} has no default")


def _outcome(problem: Problem, limit_s: float, solver: str | Callable[..., Any], *how: Any) -> Outcome:
    """The outcome of a trial that has so long for all of its calls; ``how`` as for ``Trial``."""
    from uara.bench.execution.child import HOME
    from uara.bench.execution.messages import Findings
    from uara.bench.execution.parcel import packed
    from uara.conformance.trial import Trial
    from uara.isolation.supervise import Allowance, Assignment, supervise

    job = packed(Trial(solver, *how), solver)
    limits = Allowance(limit_s, 4000.0, grace_s=5.0)
    return supervise(Assignment(HOME, job, Findings, pickle.dumps(problem)), limits)


def _try_small(
    verdict: Verdict,
    problem: Problem,
    best: Any,
    solver: str | Callable[..., Any],
    options: dict[str, Any],
    *,
    takes_start: bool,
) -> None:
    outcome = _outcome(problem, len(CALLS) * CALL_S, solver, options, CALL_S, best)
    if outcome.log:
        verdict.notes.append(f"{problem.name}: prints {outcome.log.splitlines()[0]!r}")
    if outcome.status != "ok":
        verdict.breach(_check_of(outcome.reason), problem.name, outcome.reason)
        return
    found: Findings = outcome.answer  # type: ignore[assignment]
    try:
        calls = [_Call.read(problem, attempt) for attempt in found.attempts]
        first, again, warm = calls
    except (UaraError, ValueError) as error:
        verdict.breach("answers", problem.name, f"what it answers cannot be used: {error}")
        return
    start = evaluate(problem, first.decision if best is None else best)
    for which, call in zip(CALLS, calls, strict=True):
        verdict.breaches += _breaches(problem, which, call)
        verdict.breaches += _overbound(problem, start, which, call.attempt)
    if _differ(first.decision, again.decision) or _differ(first.returned, again.returned):
        verdict.breach("seeds", problem.name, "two calls with one seed gave two answers")
    judged = warm.returned if takes_start else warm.decision
    verdict.breaches += _cooled(problem, start, warm.attempt, judged)


@dataclass(frozen=True)
class _Call:
    """A call of a trial, with its decisions as this process understands them."""

    attempt: Attempt
    decision: Decision
    returned: Decision

    @classmethod
    def read(cls, problem: Problem, attempt: Attempt) -> _Call:
        return cls(
            attempt, parse_decision(problem, attempt.decision), parse_decision(problem, attempt.returned)
        )


def _check_of(reason: str) -> str:
    """The check that a failed trial speaks of."""
    if "read-only" in reason or "WRITEABLE" in reason:
        return "instance"
    return "bounds" if "lower bound" in reason else "answers"


def _differ(one: Decision, other: Decision) -> bool:
    return one.to_plain() != other.to_plain()


def _slack(score: Score) -> float:
    return TOLERANCE * abs(score.controllable_ms) + 1e-9


def _worse(objective_ms: float, start: Score) -> bool:
    return objective_ms > start.objective_ms + _slack(start)


def _breaches(problem: Problem, which: str, call: _Call) -> Iterator[Breach]:
    """What is wrong with a call, whatever the optimum."""
    if call.attempt.instance_changed:
        yield Breach("instance", problem.name, f"the {which} call changed the instance")
    score, raw = evaluate(problem, call.decision), evaluate(problem, call.returned)
    own_ms = math.inf if call.attempt.objective_ms is None else call.attempt.objective_ms
    if not raw.feasible:
        broken = "; ".join(str(each) for each in getattr(raw, "violations", ())[:2])
        hidden = " (solve kept an incumbent instead)" if score.feasible else ""
        yield Breach("feasible", problem.name, f"the answer of the {which} call breaks {broken}{hidden}")
    if score.feasible and not abs(score.objective_ms - own_ms) <= _slack(score):
        yield Breach(
            "scores",
            problem.name,
            f"the answer of the {which} call scored {own_ms:.6f} ms inside and "
            f"{score.objective_ms:.6f} ms outside",
        )


def _overbound(problem: Problem, optimum: Score, which: str, attempt: Attempt) -> Iterator[Breach]:
    wrong = [bound for bound in attempt.bounds_ms if _worse(bound, optimum)]
    if wrong:
        yield Breach(
            "bounds",
            problem.name,
            f"the {which} call bounds the objective by {max(wrong):.6f} ms, but {optimum.objective_ms:.6f} ms "
            "is reached",
        )


def _cooled(problem: Problem, start: Score, warm: Attempt, judged: Decision) -> Iterator[Breach]:
    """What went wrong with the start: a solver that takes one is judged by what it returned itself."""
    if warm.start_changed:
        yield Breach("warm start", problem.name, "changed the start solution")
    ended = evaluate(problem, judged)
    if ended.feasible and _worse(ended.objective_ms, start):
        yield Breach(
            "warm start",
            problem.name,
            f"started from {start.objective_ms:.6f} ms and ended at {ended.objective_ms:.6f} ms",
        )


def _try_large(
    verdict: Verdict, problem: Problem, solver: str | Callable[..., Any], options: dict[str, Any]
) -> None:
    outcome = _outcome(problem, TIME_LIMIT_S, solver, options, TIME_LIMIT_S, None, True)
    if outcome.status != "ok":
        check = "time limit" if outcome.status == "timeout" else _check_of(outcome.reason)
        verdict.breach(check, problem.name, outcome.reason)
        return
    found: Findings = outcome.answer  # type: ignore[assignment]
    took_s = (outcome.ran_s or 0.0) - AROUND_S  # its own clock is right where it is not much less
    if found.given_up is not None:
        _give_up(verdict, problem.name, found.given_up)
        took_s = max(took_s, found.given_up.after_s)
    elif len(found.attempts) != 1:
        verdict.breach("answers", problem.name, "says nothing of its one call")
    for attempt in found.attempts[:1]:
        took_s = max(took_s, attempt.runtime_s)
        try:
            verdict.breaches += _breaches(problem, CALLS[0], _Call.read(problem, attempt))
        except (UaraError, ValueError) as error:
            verdict.breach("answers", problem.name, f"what it answers cannot be used: {error}")
    if took_s > OVERTIME * TIME_LIMIT_S:
        text = f"was given {TIME_LIMIT_S:g} s and took {took_s:.2f} s"
        verdict.breach("time limit", problem.name, text)


def _give_up(verdict: Verdict, instance: str, how: GivenUp) -> None:
    """An instance may be declined, and time may run out; whoever fails earlier has failed."""
    if how.declined:
        verdict.notes.append(f"{instance}: declines: {how.reason}")
    elif how.after_s >= 0.9 * TIME_LIMIT_S:
        verdict.notes.append(f"{instance}: no answer within {TIME_LIMIT_S:g} s: {how.reason}")
    else:
        text = f"gave up after {how.after_s:.2f} of {TIME_LIMIT_S:g} s: {how.reason}"
        verdict.breach("answers", instance, text)
