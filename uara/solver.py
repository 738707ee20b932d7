"""Running a solver: what it is given, what it returns, and ``solve``, which scores it from outside."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, SupportsFloat, TypeVar

import numpy as np

from uara.base.clock import Clock
from uara.base.deferred import deferred
from uara.base.errors import InputError, SolverError, UaraError, reason_of
from uara.base.files import Record
from uara.base.randomness import stream
from uara.base.scores import finite
from uara.problem import Decision, Problem, Proof, Score, evaluate, kind_of, lower_bound, plot
from uara.registry import Method, blaming, find

if TYPE_CHECKING:
    import pandas as pd

OPTIMAL_GAP = 1e-4
"""Proven gap, on the controllable part, at which an answer is called optimal."""

ROUNDING_GAP = 1e-6
"""A bound may exceed a feasible objective by this part of the controllable part: the solvers' own tolerances."""

Ended = Literal["completed", "time_limit", "interrupted"]
"""How a run ended."""
Proven = Literal["optimal", "feasible", "infeasible"]
"""What is known of its answer: optimal means a proven gap of at most 1e-4."""

O = TypeVar("O", bound=Record)  # noqa: E741


@dataclass(frozen=True)
class Answer:
    """What a solver returns when it knows more than a decision.

    Parameters
    ----------
    decision
        The allocation.
    bound_ms
        A lower bound on the objective that it claims, constant part included.
    certificate
        Proof of a lower bound; ``solve`` re-computes the bound from it.
    details
        Numbers worth showing: cuts, rounds, nodes.
    """

    decision: Decision
    bound_ms: float | None = None
    certificate: Proof | None = None
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """A point of a run, as progress callbacks receive it."""

    elapsed_s: float
    objective_ms: float
    controllable_ms: float
    bound_ms: float
    gap: float
    message: str = ""
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass
class _Ledger:
    """What a run knows so far, whichever of its parts found it."""

    best: tuple[Score, Decision] | None = None
    bound_ms: float = -math.inf
    certificate: Proof | None = None


class Context(Generic[O]):
    """What a solver may know and say during a run.

    Attributes
    ----------
    options
        The solver's validated options.
    seed, rng
        Root seed, and a generator of the run's own stream under it.
    start
        A decision to start from, or None; ``solve`` never returns a worse one.
    """

    def __init__(
        self,
        instance: Problem,
        options: O,
        *,
        seed: int = 0,
        time_limit_s: float = math.inf,
        start: Decision | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        name: str = "",
    ) -> None:
        self.options = options
        self.seed = seed
        self.rng: np.random.Generator = stream(seed, name, instance.digest)
        self.start = start
        self.time_limit_s = time_limit_s
        self.trajectory: list[Progress] = []
        self._instance = instance
        self._on_progress = on_progress
        self._ledger = _Ledger()
        self._clock = Clock()
        self._limit_is_the_runs = True

    def part(
        self,
        options: Any = None,
        *,
        name: str | None = None,
        seconds: float = math.inf,
        share: float = 1.0,
        apart: bool = False,
    ) -> Context[Any]:
        """A part of this run with options and time of its own.

        Parameters
        ----------
        options
            Options of the part; this context's by default.
        name
            Solver whose random numbers it draws; by default it goes on with this context's.
        seconds
            Longest time for it. A run whose parts stop by that has not been ended by its own limit.
        share
            Part of the remaining time for it.
        apart
            Whether answers and bounds that it reports stay unknown to this run, which knows them otherwise.
        """
        part = copy.copy(self)
        if options is not None:
            part.options = options
        if apart:
            part._ledger, part.trajectory, part._on_progress = _Ledger(), [], None
        if name is not None:
            part.rng = stream(self.seed, name, self._instance.digest)
        now_s = self._clock.wall_s()
        shared_s = self.time_limit_s if share == 1.0 else now_s + share * self.remaining_s()
        part.time_limit_s = min(shared_s, now_s + seconds)
        part._limit_is_the_runs = self._limit_is_the_runs and shared_s <= now_s + seconds
        return part

    def remaining_s(self) -> float:
        """Seconds until the time limit, never below 0; infinite without one."""
        left = max(0.0, self.time_limit_s - self._clock.wall_s())  # a user's limit knows no pauses
        self._clock.rung |= left <= 0.0 and self._limit_is_the_runs
        return left

    def expired(self) -> bool:
        """Whether the time limit has been reached: return what there is."""
        return self.remaining_s() <= 0.0

    def affords(self, seconds: float) -> bool:
        """Whether so much time is left for a stage that cannot be stopped; leaving one out counts as the limit."""
        enough = self.remaining_s() >= seconds
        self._clock.rung |= not enough and self._limit_is_the_runs
        return enough

    @property
    def best(self) -> Decision | None:
        """The best decision that was reported so far."""
        return self._ledger.best[1] if self._ledger.best else None

    def incumbent(self, decision: Decision) -> None:
        """Report a feasible decision; it is scored outside with the clock stopped, and kept if it is the best."""
        with self._clock.paused():
            score = evaluate(self._instance, decision)
            if not counts(score):
                return
            best = self._ledger.best
            if best is None or score.objective_ms < best[0].objective_ms:
                self._ledger.best = (score, decision)
                self._publish()

    def bound(self, bound_ms: float, message: str = "", **details: float) -> None:
        """Report a lower bound on the objective, in ms, constant part included; one that is not finite says nothing."""
        with self._clock.paused():
            if math.isfinite(bound_ms):
                self._ledger.bound_ms = max(self._ledger.bound_ms, bound_ms)
            self._publish(message, details)

    def certify(self, certificate: Proof) -> None:
        """Leave a proof for the case that the run is interrupted before it returns one."""
        self._ledger.certificate = certificate

    def progress(self, message: str, **details: float) -> None:
        """Say how far the work has come."""
        with self._clock.paused():
            self._publish(message, details)

    def _publish(self, message: str = "", details: Mapping[str, float] | None = None) -> None:
        ledger = self._ledger
        score = ledger.best[0] if ledger.best else None
        point = Progress(
            self._clock.elapsed_s(),
            score.objective_ms if score else math.inf,
            score.controllable_ms if score else math.inf,
            ledger.bound_ms,
            gap_of(score, ledger.bound_ms),
            message,
            details or {},
        )
        self.trajectory.append(point)
        if self._on_progress:
            self._on_progress(point)


# What people see looks at results, not the reverse.
_frame, _text, _page = (
    deferred(f"uara.answers.tables:{name}") for name in ("frame", "summary_text", "summary_page")
)


@dataclass(frozen=True)
class Result:
    """The outcome of a run, every number of it computed outside the solver."""

    instance: Problem
    solver: str
    options: Record
    seed: int
    decision: Decision
    evaluation: Score
    ended: Ended
    bound_ms: float | None
    """The best lower bound on the objective that is known from this run."""
    certified_bound_ms: float | None
    """The lower bound re-computed from the certificate; None where it proves nothing."""
    certificate: Proof | None
    runtime_s: float
    setup_s: float
    """Imports and compilation, not part of ``runtime_s``."""
    trajectory: tuple[Progress, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float | None:
        """(objective - bound) / controllable part; None without a bound or without a feasible answer."""
        if self.bound_ms is None or not counts(self.evaluation):
            return None
        gap = gap_of(self.evaluation, self.bound_ms)
        return gap if math.isfinite(gap) else None

    @property
    def status(self) -> Proven:
        """What is proven of the answer; :attr:`ended` says how the run ended."""
        if not counts(self.evaluation):
            return "infeasible"
        return (
            "optimal" if self.gap is not None and self.gap <= OPTIMAL_GAP * (1 + ROUNDING_GAP) else "feasible"
        )

    @property
    def allocation(self) -> Any:
        """The decision, where it is an allocation: another name of :attr:`decision`."""
        if not hasattr(self.decision, "association"):
            raise AttributeError(f"answers of kind {self.instance.kind} are no allocations; see decision")
        return self.decision

    def to_frame(self, table: str | None = None) -> pd.DataFrame:
        """A table of the answer as a data frame, units in the names of its columns.

        Parameters
        ----------
        table
            For P1 ``devices`` (the default): who, which server, shares, rate, delays, energy; or ``servers``:
            load, shares used, and the prices of compute and band where the certificate holds them.

        Raises
        ------
        InputError
            If there is no such table.
        MissingExtra
            If pandas is not installed.
        """
        shown: pd.DataFrame = _frame(self, table)
        return shown

    def plot(self, path: str | Path | None = None, *, ax: Any = None) -> Any:
        """Draw the answer; see :func:`uara.plot`."""
        return plot(self.instance, path, self.decision, ax=ax)

    def __repr__(self) -> str:
        return str(_text(self))

    def _repr_html_(self) -> str:
        return str(_page(self))

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "instance": self.instance.name,
            "solver": self.solver,
            "options": self.options.model_dump(),
            "seed": self.seed,
            "status": self.status,
            "ended": self.ended,
            **self.evaluation.to_plain(),
            "lower_bound": self.bound_ms,
            "certified_lower_bound": self.certified_bound_ms,
            "gap": self.gap,
            "runtime_s": self.runtime_s,
            "setup_s": self.setup_s,
            **self.decision.to_plain(),
            "certificate": self.certificate.to_plain() if self.certificate else None,
            "details": {name: finite(value) for name, value in self.details.items()},
        }


def counts(score: Score) -> bool:
    """Whether a score is one: what breaks a constraint or is not finite scores nothing."""
    return score.feasible and math.isfinite(score.objective_ms) and math.isfinite(score.controllable_ms)


def gap_of(score: Score | None, bound_ms: float) -> float:
    """Proven relative gap on the controllable part; infinite where nothing is known."""
    if score is None or not math.isfinite(bound_ms) or not math.isfinite(score.objective_ms):
        return math.inf
    distance = max(0.0, score.objective_ms - bound_ms)
    if not distance > 0.0:
        return 0.0
    return distance / score.controllable_ms if score.controllable_ms > 0.0 else math.inf


def solve(
    instance: Problem,
    solver: str | Callable[..., Any],
    *,
    options: Mapping[str, Any] | Record | None = None,
    seed: int = 0,
    time_limit_s: float | None = None,
    start: Decision | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Run one solver on one instance, and score its answer from outside with the clock stopped.

    Parameters
    ----------
    instance
        An :class:`uara.Instance`, or an instance of another problem kind.
    solver
        Name of an installed solver, ``package.module:function`` (the current folder included), or a callable
        ``(instance, context) -> Allocation | Answer``.
    options
        Values of the solver's options.
    time_limit_s
        Wall time after which the solver returns what it has.
    start
        Decision to start from; the result is never worse.
    on_progress
        Receives a :class:`Progress` for each incumbent and bound that the solver reports.

    Returns
    -------
    Result
        Ctrl-C ends the run with the best incumbent there is.

    Raises
    ------
    InputError
        For an unknown solver, bad options, a solver of another problem kind, or a start that is no decision
        for the instance: another number of devices, or a pair without a path. Shares may break their budgets.
    SolverError
        If the solver fails, or answers with something that is no answer.
    """
    method = find(solver)
    function = method.require()
    if method.traits.kind != instance.kind:
        raise InputError(f"solves {method.traits.kind}, not {instance.kind}", source=f"solver {method.name}")
    if time_limit_s is not None and not time_limit_s > 0:
        raise InputError("must be positive", source="time_limit_s")
    if not isinstance(seed, int) or seed < 0:
        raise InputError("must be an integer of at least 0", source="seed")
    checked = method.make_options(options)
    if start is not None:
        kind_of(instance.kind).check_start(instance, start)
    began = time.perf_counter()
    if method.traits.prepare:
        with blaming(method.name, "cannot be prepared"):
            method.traits.prepare()
    setup_s = time.perf_counter() - began
    context = Context(
        instance,
        checked,
        seed=seed,
        time_limit_s=math.inf if time_limit_s is None else time_limit_s,
        start=start,
        on_progress=on_progress,
        name=method.name,
    )
    if start is not None:
        context.incumbent(start)
    answer, interrupted = _run(method, function, instance, context)
    runtime_s = context._clock.elapsed_s()
    return _result(method, instance, context, answer, interrupted, runtime_s, setup_s)


def _run(
    method: Method, function: Callable[..., Any], instance: Problem, context: Context[Any]
) -> tuple[Answer | None, bool]:
    try:
        with blaming(method.name, "failed"):
            answer = function(instance, context)
    except KeyboardInterrupt:
        if context._ledger.best is None:
            raise
        return None, True
    if isinstance(answer, Answer):
        return answer, False
    if hasattr(answer, "to_plain"):
        return Answer(answer), False
    raise SolverError(method.name, f"returned {type(answer).__name__}, not an Allocation or an Answer")


def _result(
    method: Method,
    instance: Problem,
    context: Context[Any],
    answer: Answer | None,
    interrupted: bool,
    runtime_s: float,
    setup_s: float,
) -> Result:
    certificate = answer.certificate if answer else context._ledger.certificate
    try:
        score, decision = _best_of(instance, answer, context._ledger.best)
        certified = finite(lower_bound(instance, certificate)) if certificate is not None else None
        claims = [finite(context._ledger.bound_ms), certified, finite(answer.bound_ms) if answer else None]
        bound = max((claim for claim in claims if claim is not None), default=None)
        details = _checked(answer.details) if answer else {}
    except Exception as error:  # whatever a plug-in handed back
        reason = str(error) if isinstance(error, UaraError) else reason_of(error)
        raise SolverError(method.name, f"gave an answer that cannot be used: {reason}") from error
    if bound is not None and counts(score):
        excess_ms = bound - score.objective_ms
        rounding_ms = 4 * math.ulp(score.objective_ms)  # what adding up may lose beside a vast constant part
        if excess_ms > ROUNDING_GAP * score.controllable_ms + rounding_ms:
            raise SolverError(
                method.name, f"claims a lower bound {excess_ms:g} ms above a feasible objective"
            )
    ended: Ended = "interrupted" if interrupted else "time_limit" if context._clock.rung else "completed"
    return Result(
        instance=instance,
        solver=method.name,
        options=context.options,
        seed=context.seed,
        decision=decision,
        evaluation=score,
        ended=ended,
        bound_ms=bound,
        certified_bound_ms=certified,
        certificate=certificate,
        runtime_s=runtime_s,
        setup_s=setup_s,
        trajectory=tuple(context.trajectory),
        details=details,
    )


def _checked(details: Mapping[str, float]) -> dict[str, float]:
    for name, value in details.items():
        if not isinstance(name, str):
            raise TypeError(f"details: the key {name!r} is no word")
        if not isinstance(value, SupportsFloat) or not math.isfinite(value):
            raise TypeError(f"details: {name} is {value!r}, not a finite number")
    return dict(details)


def _best_of(
    instance: Problem, answer: Answer | None, best: tuple[Score, Decision] | None
) -> tuple[Score, Decision]:
    """The answer or the best incumbent, whichever is better, with its score."""
    if answer is None:
        if best is None:
            raise ValueError("there is none")
        return best
    score = evaluate(instance, answer.decision)
    if best is not None and not (counts(score) and score.objective_ms <= best[0].objective_ms):
        return best
    return score, answer.decision
