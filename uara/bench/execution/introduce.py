"""What a solver declares of itself, asked in a process of its own: a plug-in's module is code that nobody has read."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uara.base.errors import InputError, MissingExtra, SolverError
from uara.bench.execution.child import HOME
from uara.bench.execution.messages import Introduction
from uara.isolation.line import Line
from uara.isolation.supervise import Allowance, Assignment, supervise
from uara.registry import entry_point, find

LIMITS = Allowance(time_limit_s=60.0, memory_limit_mb=8000.0)
"""Importing a plug-in may take the set-up limit, and building its options so long."""


@dataclass(frozen=True)
class Introduce:
    """The question, as work for a process of its own."""

    solver: str | Callable[..., Any]
    options: Sequence[Mapping[str, Any]]
    strict: bool

    def run(self, line: Line) -> dict[str, Any]:
        """Import the solver, and validate each of these option values."""
        method = find(self.solver, alone=True)
        line.content()  # there is none: what follows is the answer
        fields = method.traits.options.model_fields
        facts: dict[str, Any] = {
            "name": method.name,
            "kind": method.traits.kind,
            "warm_start": method.traits.warm_start,
            "summary": method.summary,
            "undocumented": [name for name, each in fields.items() if not each.description],
            "required": [name for name, each in fields.items() if each.is_required()],
            "reason": method.reason,
        }
        if isinstance(method.error, MissingExtra):
            facts["missing"] = [method.error.package, method.error.extra]
        try:
            made = [method.make_options(values, strict=self.strict) for values in self.options]
        except InputError as error:
            raise error.in_source(f"solver {method.name}") from None
        return {**facts, "options": [each.model_dump(mode="json") for each in made]}


def introduce(
    solver: str | Callable[..., Any], options: Sequence[Mapping[str, Any]], *, strict: bool = True
) -> Introduction:
    """What a solver declares, with each of these option values validated and completed.

    The toolkit's own solvers, and functions that this process holds already, are asked here.

    Raises
    ------
    InputError
        If there is no such solver, or it does not take these values.
    SolverError
        If it cannot be imported, or does not say what it is.
    """
    question = Introduce(solver, options, strict)
    if not isinstance(solver, str) or (":" not in solver and _ours(solver)):
        return Introduction(**question.run(_Nobody()))
    outcome = supervise(Assignment(HOME, pickle.dumps(question), Introduction), LIMITS)
    if not isinstance(outcome.answer, Introduction):
        raise outcome.error or SolverError(solver, outcome.reason.removeprefix(f"solver {solver}: "))
    return outcome.answer


def _ours(solver: str) -> bool:
    origin = entry_point(solver).dist
    return origin is not None and origin.name == "uara"


class _Nobody(Line):
    """The line of a question that is asked in this process."""

    def __init__(self) -> None: ...

    def content(self) -> bytes:
        return b""
