"""What happens inside a run's own process: import the solver, prepare it, solve, send the answer."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np

from uara.bench.kinds import KINDS
from uara.errors import InputError, MissingExtra, SolverError
from uara.problem import Decision, Problem
from uara.registry import GROUP, LOADING, Method, Traits, blaming, method_of
from uara.solver import Progress, solve

Send = Callable[[str, Any], None]
"""How a run's process sends a message."""


class Work(Protocol):
    """What a run's process can be given to do."""

    def run(self, send: Send) -> Any:
        """Do it; the result is the answer."""


@dataclass(frozen=True)
class Job:
    """One run of a solver. ``solver`` is a name, ``package.module:function`` or a callable."""

    problem: bytes
    """The pickled instance."""
    solver: str | Callable[..., Any]
    options: dict[str, Any]
    seed: int
    time_limit_s: float
    start: Decision | None = None

    def run(self, send: Send) -> RawAnswer:
        """Solve, and send what the solver reports on the way."""
        began = time.perf_counter()
        problem: Problem = pickle.loads(self.problem)
        freeze(problem)
        best: list[float] = [np.inf, -np.inf]

        def on_progress(point: Progress) -> None:
            news = [point.objective_ms, point.bound_ms]
            if news != best:
                best[:] = news
                numbers = (
                    point.elapsed_s,
                    point.objective_ms,
                    point.controllable_ms,
                    point.bound_ms,
                    point.gap,
                )
                send("point", tuple(map(float, numbers)))

        result = solve(
            problem,
            prepare(self.solver, send, began),
            options=self.options,
            seed=self.seed,
            time_limit_s=self.time_limit_s if np.isfinite(self.time_limit_s) else None,
            start=self.start,
            on_progress=on_progress,
        )
        return RawAnswer(
            decision=plain(result.decision),
            certificate=None if result.certificate is None else plain(result.certificate),
            claimed_bound_ms=None if result.bound_ms is None else float(result.bound_ms),
            own_objective_ms=float(result.evaluation.objective_ms),
            ended=result.ended,
            runtime_s=result.runtime_s,
            details={name: float(value) for name, value in result.details.items()},
        )


@dataclass(frozen=True)
class RawAnswer:
    """What a run sends back; nothing of it is believed before it is re-computed.

    Decision and certificate are plain data: their classes may be the solver's own, and stay in its process.
    """

    decision: Any
    certificate: Any
    claimed_bound_ms: float | None
    own_objective_ms: float
    ended: str
    runtime_s: float
    details: dict[str, float]


@dataclass(frozen=True)
class Failure:
    """Why a run has no answer."""

    status: str
    reason: str


@cache
def installed() -> dict[str, metadata.EntryPoint]:
    """Entry points of the installed solvers, none of them loaded."""
    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def find_method(solver: str | Callable[..., Any]) -> Method:
    """The solver, importing it alone and none of the others that are installed.

    Raises
    ------
    InputError
        If there is no solver of this name.
    SolverError
        If it cannot be imported.
    """
    if not isinstance(solver, str):
        return method_of(solver)
    if ":" not in solver and solver not in installed():
        raise InputError(f"there is no solver {solver!r}", source="solver")
    with blaming(solver, "cannot be imported", LOADING):
        if ":" in solver:
            module, _, name = solver.partition(":")
            return method_of(getattr(import_module(module), name))
        return method_of(installed()[solver].load(), solver)


def prepare(solver: str | Callable[..., Any], send: Send, began: float) -> Callable[..., Any]:
    """Import and compile a solver, and say how long that took since ``began``: now its clock may start."""
    method = find_method(solver)
    function = method.require()
    load_kernels(method.traits.kind)
    if method.traits.prepare:
        with blaming(method.name, "cannot be prepared"):
            method.traits.prepare()
    send("prepared", time.perf_counter() - began)
    return prepared(method.name, function, method.traits, send)


def load_kernels(kind: str) -> None:
    """Load what the toolkit compiles for this problem kind: no solver pays for it with its own time."""
    if kind in KINDS:
        load = getattr(import_module(KINDS[kind].partition(":")[0]), "load_kernels", None)
        with suppress(Exception):  # whoever needs what is missing says so
            (load or (lambda: None))()


def plain(value: Any) -> Any:
    """What a solver's object says of itself, as JSON's types."""
    return json.loads(json.dumps(value.to_plain()))


def freeze(value: object) -> None:
    """Make the arrays of a nest of data classes read-only again: pickling forgets that they were."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif dataclasses.is_dataclass(value):
        for item in list(vars(value).values()):
            freeze(item)


def serve(channel: Connection) -> None:
    """Do one run: receive a job, send messages ``(kind, content)`` as it goes on, and what it returns."""

    def send(kind: str, content: Any) -> None:
        channel.send_bytes(pickle.dumps((kind, content)))

    send("started", os.getpid())
    try:
        work: Work = pickle.loads(channel.recv_bytes())
        send("answer", work.run(send))
    except BaseException as error:
        send("failed", _failure(error))


def prepared(name: str, function: Callable[..., Any], traits: Traits, send: Send) -> Callable[..., Any]:
    """The solver under its own name (its random stream hangs on it), with nothing left to prepare.

    It says when it is called and when it has returned: what ``solve`` does around it, re-computing the bound of a
    large certificate for one, is not on its account.
    """

    def solver(instance: Problem, context: Any) -> Any:
        send("called", None)
        answer = function(instance, context)
        send("returned", None)
        return answer

    solver.__name__ = name
    solver.uara_traits = dataclasses.replace(traits, prepare=None)  # type: ignore[attr-defined]
    return solver


def _failure(error: BaseException) -> Failure:
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    traceback.print_exception(error)
    if any(isinstance(cause, MemoryError) for cause in causes):
        return Failure("memory", f"out of memory: {causes[-1]}".rstrip(": "))
    if isinstance(error, MissingExtra):
        return Failure("skipped", str(error))
    text = str(error) or type(error).__name__
    return Failure(
        "error", text if isinstance(error, InputError | SolverError) else f"{type(error).__name__}: {text}"
    )
