"""What a solver itself does in a conformance trial, before :func:`uara.solve` makes the best of it."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any

from uara.bench.child import Send, prepare
from uara.bench.trial import Findings, Trial
from uara.errors import InputError, SolverError, UaraError
from uara.problem import Decision
from uara.solver import Answer


@dataclass(frozen=True)
class GivenUp:
    """A call in which the solver said that it has no answer, by an error of uara's own."""

    reason: str
    after_s: float
    declined: bool
    """Whether it will not have such an instance at all (:class:`uara.InputError`)."""


@dataclass(frozen=True)
class Observed:
    """What users see of each call, and what the solver returned in it."""

    findings: Findings | None
    returned: list[Decision] = field(default_factory=list)
    """In the order of the calls; ``solve`` may have put a better incumbent in its place."""
    given_up: GivenUp | None = None


@dataclass(frozen=True)
class WatchedTrial:
    """A trial whose solver is listened to on the way."""

    trial: Trial

    def run(self, send: Send) -> Observed:
        """Make the calls; giving up is an outcome where a trial is made of one call only."""
        seen = _Seen(prepare(self.trial.solver, send, time.perf_counter()))
        try:
            findings = dataclasses.replace(self.trial, solver=seen.solver()).run(_unheard)
        except UaraError:
            if seen.given_up is None or not self.trial.once:
                raise
            return Observed(None, given_up=seen.given_up)
        return Observed(findings, seen.returned)


class _Seen:
    def __init__(self, function: Any) -> None:
        self.function = function
        self.returned: list[Decision] = []
        self.given_up: GivenUp | None = None

    def solver(self) -> Any:
        """The solver, under its name and with its traits, listened to."""

        def listened(instance: Any, context: Any) -> Any:
            began = time.perf_counter()
            try:
                answer = self.function(instance, context)
            except (InputError, SolverError) as error:
                after_s = time.perf_counter() - began
                self.given_up = GivenUp(str(error), after_s, isinstance(error, InputError))
                raise
            self.returned.append(answer.decision if isinstance(answer, Answer) else answer)
            return answer

        listened.__name__ = self.function.__name__
        listened.uara_traits = self.function.uara_traits  # type: ignore[attr-defined]
        return listened


def _unheard(kind: str, content: Any) -> None:
    """The solver is prepared, and says itself when it is called."""
