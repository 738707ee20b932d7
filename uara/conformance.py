"""Conformance of solvers: does a plug-in keep the contract of :mod:`uara.solver`? Each breach is named.

Every trial runs in a process of its own, so that a solver that hangs or takes its process down is caught too.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from uara.errors import InputError, MissingExtra
from uara.problem import Problem
from uara.registry import Method

if TYPE_CHECKING:
    from uara.bench.supervise import Outcome
    from uara.bench.trial import Attempt, Findings

TOLERANCE = 1e-6
"""Relative to the controllable part."""
TIME_LIMIT_S = 1.0
"""Time limit of the trial that tests time limits."""
CHECKS = {
    "answers": "answers every small instance, in every regime",
    "feasible": "its answers keep all constraints",
    "instance": "leaves the instance as it was",
    "scores": "its answers score the same inside and outside its process",
    "seeds": "the same seed gives the same answer, whatever the global random state is",
    "warm start": "a start solution is not changed, and not made worse",
    "bounds": "no bound of it lies above the optimum",
    "time limit": "a large instance with a limit of one second is answered, or given up, within 1.1 s",
    "documented": "it and its options say what they do",
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
    try:
        from uara.bench.child import find_method
        from uara.bench.kinds import kind_of
    except ImportError as error:
        raise MissingExtra(error.name or "psutil", "bench") from None
    method = find_method(solver)
    method.require()
    values = method.make_options(options, strict=False).model_dump(mode="json")
    kind = kind_of(method.traits.kind)
    problems = kind.trials()
    if not problems:
        raise InputError(f"there are no trials for problem kind {method.traits.kind!r}", source=method.name)
    verdict = Verdict(method.name)
    verdict.breaches += _documentation(method)
    for problem in problems:
        if on_trial:
            on_trial(problem.name)
        best = kind.optimum(problem) if kind.optimum else None
        _try_small(verdict, problem, best, solver, values)
    if kind.large is not None:
        if on_trial:
            on_trial("large")
        _try_large(verdict, kind.large(), solver, values)
    return verdict


def _documentation(method: Method) -> Iterator[Breach]:
    if not method.summary:
        yield Breach("documented", "", "the solver has no docstring")
    for name, field_ in method.traits.options.model_fields.items():
        if not field_.description:
            yield Breach("documented", "", f"option {name} has no description")


def _outcome(trial: Any, limit_s: float) -> Outcome:
    from uara.bench.parcel import packed
    from uara.bench.supervise import Allowance, supervise

    return supervise(packed(trial, trial.solver), Allowance(limit_s, 4000.0, grace_s=5.0))


def _try_small(
    verdict: Verdict, problem: Problem, best: Any, solver: str | Callable[..., Any], options: dict[str, Any]
) -> None:
    from uara.bench.trial import Trial

    content = pickle.dumps(problem)
    outcome = _outcome(Trial(content, solver, options, start=best), 30.0)
    if outcome.log:
        verdict.notes.append(f"{problem.name}: prints {outcome.log.splitlines()[0]!r}")
    if outcome.status != "ok":
        verdict.breaches.append(Breach(_check_of(outcome.reason), problem.name, outcome.reason))
        return
    findings: Findings = outcome.answer
    start = findings.first.decision if best is None else best
    calls = {"first": findings.first, "second": findings.again, "warm-started": findings.warm}
    for which, attempt in calls.items():
        if attempt is not None:
            verdict.breaches += _breaches(pickle.loads(content), start, which, attempt)
    if findings.again and findings.again.decision.to_plain() != findings.first.decision.to_plain():
        verdict.breaches.append(Breach("seeds", problem.name, "two calls with one seed gave two answers"))
    if findings.warm:
        verdict.breaches += _cooled(problem, start, findings.warm)


def _check_of(reason: str) -> str:
    """The check that a failed trial speaks of."""
    if "read-only" in reason or "WRITEABLE" in reason:
        return "instance"
    return "bounds" if "lower bound" in reason else "answers"


def _breaches(problem: Problem, best: Any, which: str, attempt: Attempt) -> Iterator[Breach]:
    score, optimum = problem.evaluate(attempt.decision), problem.evaluate(best)
    slack = TOLERANCE * abs(optimum.controllable_ms) + 1e-9
    if attempt.instance_changed:
        yield Breach("instance", problem.name, f"the {which} call changed the instance")
    if not score.feasible:
        broken = "; ".join(str(each) for each in getattr(score, "violations", ())[:2])
        yield Breach("feasible", problem.name, f"the answer of the {which} call breaks {broken}")
    elif abs(score.objective_ms - attempt.objective_ms) > slack:
        yield Breach(
            "scores",
            problem.name,
            f"the answer of the {which} call scored {attempt.objective_ms:.6f} ms inside and "
            f"{score.objective_ms:.6f} ms outside",
        )
    wrong = [bound for bound in attempt.bounds_ms if bound > optimum.objective_ms + slack]
    if wrong:
        yield Breach(
            "bounds",
            problem.name,
            f"the {which} call bounds the objective by {max(wrong):.6f} ms, but {optimum.objective_ms:.6f} ms "
            "is reached",
        )


def _cooled(problem: Problem, best: Any, warm: Attempt) -> Iterator[Breach]:
    start = problem.evaluate(best)
    if warm.start_changed:
        yield Breach("warm start", problem.name, "changed the start solution")
    if warm.objective_ms > start.objective_ms + TOLERANCE * abs(start.controllable_ms) + 1e-9:
        yield Breach(
            "warm start",
            problem.name,
            f"started from {start.objective_ms:.6f} ms and ended at {warm.objective_ms:.6f} ms",
        )


def _try_large(
    verdict: Verdict, problem: Problem, solver: str | Callable[..., Any], options: dict[str, Any]
) -> None:
    from uara.bench.trial import Trial

    outcome = _outcome(Trial(pickle.dumps(problem), solver, options, TIME_LIMIT_S, once=True), TIME_LIMIT_S)
    if outcome.status in ("timeout", "memory"):
        verdict.breaches.append(Breach("time limit", problem.name, outcome.reason))
    elif outcome.status != "ok":
        verdict.notes.append(f"{problem.name}: no answer within {TIME_LIMIT_S:g} s: {outcome.reason}")
    elif outcome.answer.first.runtime_s > 1.1 * TIME_LIMIT_S:
        took = outcome.answer.first.runtime_s
        verdict.breaches.append(
            Breach("time limit", problem.name, f"was given {TIME_LIMIT_S:g} s and took {took:.2f} s")
        )
