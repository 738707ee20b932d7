"""Conformance of solvers: does a plug-in keep the contract of :mod:`uara.solver`? Each breach is named.

Every trial runs in a process of its own, so that a solver that hangs or takes its process down is caught too.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from uara.errors import InputError
from uara.extras import needs
from uara.problem import Decision, Problem, Score
from uara.registry import Method

if TYPE_CHECKING:
    from uara.bench.supervise import Outcome
    from uara.bench.trial import Attempt
    from uara.conformance_watch import GivenUp, Observed

TOLERANCE = 1e-6
"""Relative to the controllable part."""
TIME_LIMIT_S = 1.0
"""Time limit of the trial that tests time limits."""
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
    for library in ("psutil", "cloudpickle"):
        needs(library, extra="bench")
    from uara.bench.child import find_method
    from uara.bench.kinds import kind_of

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
        _try_small(verdict, problem, best, solver, values, takes_start=method.traits.warm_start)
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


def _outcome(
    limit_s: float, problem: bytes, solver: str | Callable[..., Any], *rest: Any, **how: Any
) -> Outcome:
    """The outcome of a trial whose every call has so long; ``rest`` and ``how`` as for ``Trial``."""
    from uara.bench.parcel import packed
    from uara.bench.supervise import Allowance, supervise
    from uara.bench.trial import Trial
    from uara.conformance_watch import WatchedTrial

    trial = WatchedTrial(Trial(problem, solver, *rest, **how))
    return supervise(packed(trial, solver), Allowance(limit_s, 4000.0, grace_s=5.0))


def _try_small(
    verdict: Verdict,
    problem: Problem,
    best: Any,
    solver: str | Callable[..., Any],
    options: dict[str, Any],
    *,
    takes_start: bool,
) -> None:
    content = pickle.dumps(problem)
    outcome = _outcome(30.0, content, solver, options, start=best)
    if outcome.log:
        verdict.notes.append(f"{problem.name}: prints {outcome.log.splitlines()[0]!r}")
    if outcome.status != "ok":
        verdict.breaches.append(Breach(_check_of(outcome.reason), problem.name, outcome.reason))
        return
    seen: Observed = outcome.answer
    assert seen.findings is not None
    first, again, warm = seen.findings.first, seen.findings.again, seen.findings.warm
    assert again is not None
    assert warm is not None
    fresh: Problem = pickle.loads(content)
    start = fresh.evaluate(first.decision if best is None else best)
    for which, attempt, returned in zip(CALLS, (first, again, warm), seen.returned, strict=True):
        verdict.breaches += _breaches(fresh, which, attempt, returned)
        verdict.breaches += _overbound(fresh, start, which, attempt)
    if _differ(first.decision, again.decision) or _differ(seen.returned[0], seen.returned[1]):
        verdict.breaches.append(Breach("seeds", problem.name, "two calls with one seed gave two answers"))
    verdict.breaches += _cooled(fresh, start, warm, seen.returned[2] if takes_start else warm.decision)


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


def _breaches(problem: Problem, which: str, attempt: Attempt, returned: Decision) -> Iterator[Breach]:
    """What is wrong with a call, whatever the optimum."""
    if attempt.instance_changed:
        yield Breach("instance", problem.name, f"the {which} call changed the instance")
    score, raw = problem.evaluate(attempt.decision), problem.evaluate(returned)
    if not raw.feasible:
        broken = "; ".join(str(each) for each in getattr(raw, "violations", ())[:2])
        hidden = " (solve kept an incumbent instead)" if score.feasible else ""
        yield Breach("feasible", problem.name, f"the answer of the {which} call breaks {broken}{hidden}")
    if score.feasible and abs(score.objective_ms - attempt.objective_ms) > _slack(score):
        yield Breach(
            "scores",
            problem.name,
            f"the answer of the {which} call scored {attempt.objective_ms:.6f} ms inside and "
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
    ended = problem.evaluate(judged)
    if ended.feasible and _worse(ended.objective_ms, start):
        yield Breach(
            "warm start",
            problem.name,
            f"started from {start.objective_ms:.6f} ms and ended at {ended.objective_ms:.6f} ms",
        )


def _try_large(
    verdict: Verdict, problem: Problem, solver: str | Callable[..., Any], options: dict[str, Any]
) -> None:
    outcome = _outcome(TIME_LIMIT_S, pickle.dumps(problem), solver, options, TIME_LIMIT_S, once=True)
    if outcome.status != "ok":
        check = "time limit" if outcome.status == "timeout" else _check_of(outcome.reason)
        verdict.breaches.append(Breach(check, problem.name, outcome.reason))
        return
    seen: Observed = outcome.answer
    if seen.findings is not None:
        verdict.breaches += _breaches(problem, CALLS[0], seen.findings.first, seen.returned[0])
        took_s = seen.findings.first.runtime_s
    else:
        assert seen.given_up is not None
        _give_up(verdict, problem.name, seen.given_up)
        took_s = seen.given_up.after_s
    if took_s > OVERTIME * TIME_LIMIT_S:
        text = f"was given {TIME_LIMIT_S:g} s and took {took_s:.2f} s"
        verdict.breaches.append(Breach("time limit", problem.name, text))


def _give_up(verdict: Verdict, instance: str, how: GivenUp) -> None:
    """An instance may be declined, and time may run out; whoever fails earlier has failed."""
    if how.declined:
        verdict.notes.append(f"{instance}: declines: {how.reason}")
    elif how.after_s >= 0.9 * TIME_LIMIT_S:
        verdict.notes.append(f"{instance}: no answer within {TIME_LIMIT_S:g} s: {how.reason}")
    else:
        text = f"gave up after {how.after_s:.2f} of {TIME_LIMIT_S:g} s: {how.reason}"
        verdict.breaches.append(Breach("answers", instance, text))
