"""What happens inside a run's own process: import the solver, prepare it, solve."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from uara.base import compiling
from uara.base.scores import finite
from uara.isolation.line import Line
from uara.isolation.template import Home
from uara.problem import Problem, Proof, kind_of, warm_up_all
from uara.registry import blaming, find, installed
from uara.solver import Answer, Progress, solve

HOME = Home(__name__)
"""Where runs come from."""


def later() -> None:
    """Load what most runs need; solvers themselves are imported in the run, on its own account."""
    import scipy.optimize  # noqa: F401

    installed()
    warm_up_all()
    inspect.getmodule(later.__code__)  # finds all modules' files, as a solver's options will ask for


@dataclass(frozen=True)
class Job:
    """One run of a solver. ``solver`` is a name, ``package.module:function`` or a callable."""

    solver: str | Callable[..., Any]
    options: dict[str, Any]
    seed: int
    time_limit_s: float

    def run(self, line: Line) -> dict[str, Any]:
        """Solve, and report better answers and bounds on the way."""
        solver = prepare(self.solver)
        contexts: list[Any] = []
        certificates: list[Proof | None] = []
        problem: Problem = pickle.loads(line.content())
        freeze(problem)
        said: list[Any] = [None, -math.inf]

        def watched(instance: Problem, context: Any) -> Any:
            contexts.append(context)
            answer = solver(instance, context)
            line.returned = True
            if not isinstance(answer, Answer):
                return answer
            # Only the harness can say what a certificate proves, and does so in its own time.
            certificates.append(answer.certificate)
            return dataclasses.replace(answer, certificate=None)

        def on_progress(point: Progress) -> None:
            news: dict[str, Any] = {}
            if (best := contexts[-1].best) is not said[0]:
                news["decision"] = best.to_plain()
            if point.bound_ms > said[1]:
                news["bound_ms"] = finite(point.bound_ms)
            said[:] = best, max(said[1], point.bound_ms)
            if news:
                line.send("point", **news)

        result = solve(
            problem,
            functools.update_wrapper(watched, solver),
            options=self.options,
            seed=self.seed,
            time_limit_s=self.time_limit_s if np.isfinite(self.time_limit_s) else None,
            on_progress=on_progress,
        )
        certificate = certificates[-1] if certificates else result.certificate
        return {
            "decision": result.decision.to_plain(),
            "certificate": None if certificate is None else certificate.to_plain(),
            "claimed_bound_ms": finite(result.bound_ms),
            "own_objective_ms": finite(result.evaluation.objective_ms),
            "ended": result.ended,
            "details": {name: float(value) for name, value in result.details.items()},
        }


def prepare(solver: str | Callable[..., Any]) -> Callable[..., Any]:
    """Import and compile a solver: it comes under its own name, on which its random stream hangs."""
    method = find(solver, alone=True)
    function = method.require()
    load_kernels(method.traits.kind)
    if method.traits.prepare:
        with blaming(method.name, "cannot be prepared"), _told(method.name):
            method.traits.prepare()

    def prepared(instance: Problem, context: Any) -> Any:
        return function(instance, context)

    prepared.__name__ = method.name
    prepared.uara_traits = dataclasses.replace(method.traits, prepare=None)  # type: ignore[attr-defined]
    return prepared


@contextmanager
def _told(solver: str) -> Iterator[None]:
    """Say once on standard error that this run compiles; the next ones find what it keeps."""
    heard: list[str] = []

    def hear(kernel: str) -> None:
        if not heard:
            print(f"uara: {compiling.said(solver)}", file=sys.stderr, flush=True)
        heard.append(kernel)

    with compiling.hearing(hear):
        yield


def load_kernels(kind: str) -> None:
    """Load what the toolkit compiles for this problem kind: no solver pays for it with its own time."""
    with suppress(Exception):  # whoever needs what is missing says so
        kind_of(kind).warm_up()


def freeze(value: object) -> None:
    """Make the arrays of a nest of data classes read-only again: pickling forgets that they were."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif dataclasses.is_dataclass(value):
        for item in list(vars(value).values()):
            freeze(item)
