"""What the harness asks of a problem kind beyond the ``Problem`` protocol; a kind without it does without.

A kind's part stands in a module of its own, which a line of :data:`KINDS` names.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from uara import files
from uara.errors import InputError
from uara.problem import Problem

Feature = float | str


def _nothing(*_: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Kind:
    """Hooks of a problem kind."""

    generate: Callable[..., Problem] | None = None
    """Draw an instance from the fields of a recipe and a ``name``."""
    subset: Callable[..., Problem] | None = None
    """A smaller instance of the sizes that are given by name, cut from an instance."""
    features: Callable[[Any], dict[str, Feature]] = _nothing
    """What tells instances apart: sizes, weights; columns ``feature_*``."""
    measures: Callable[[Any, Any, Any], dict[str, float]] = _nothing
    """Further numbers of an answer, from instance, decision and score; columns ``measure_*``.
    ``optimal_shares_ms``, the objective with the same discrete choices and the best shares, splits the gap."""
    pictures: Callable[[Any, Any], dict[str, str]] | None = None
    """Titles and SVG of an answer, from instance and decision; what ``Problem.plot`` draws where left out."""
    trials: Callable[[], Sequence[Any]] = tuple
    """Small instances, of every regime, that a solver of this kind must master."""
    optimum: Callable[[Any], Any] | None = None
    """The best decision of a trial, by enumeration; None where that cannot be done."""
    large: Callable[[], Problem] | None = None
    """An instance that keeps a solver busy, for its time limit."""


KINDS = {"hetedge": "uara.bench.hetedge:KIND", "p1": "uara.bench.p1:KIND"}


def kind_of(name: str) -> Kind:
    """The hooks of a problem kind."""
    if name not in KINDS:
        return Kind()
    module, _, attribute = KINDS[name].partition(":")
    found: Kind = getattr(import_module(module), attribute)
    return found


def cut(problem: Any, size: Mapping[str, Any], place: str) -> Any:
    """A smaller instance cut from an instance; the instance itself where no size is given.

    Raises
    ------
    InputError
        Naming ``place``, if instances of this kind cannot be cut, or not so.
    """
    if not size:
        return problem
    subset = kind_of(problem.kind).subset
    if subset is None:
        raise InputError(f"instances of kind {problem.kind} cannot be cut", path=place)
    try:
        inspect.signature(subset).bind(problem, **size)
    except TypeError as error:
        raise InputError(
            f"not the sizes of an instance of kind {problem.kind}: {error}", path=place
        ) from None
    if wrong := [name for name, value in size.items() if not isinstance(value, int) or value < 1]:
        raise InputError("must be a positive whole number, or a list of them", path=f"{place}.{wrong[0]}")
    return subset(problem, **size)


def with_parameters(problem: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of an instance with some constants changed, which its name says.

    Raises
    ------
    InputError
        If it has no such constants.
    """
    if not changes:
        return problem
    if not hasattr(problem, "parameters") or not hasattr(problem, "replace"):
        raise InputError(f"instances of kind {problem.kind} have no constants to change", source=problem.name)
    constants = {**problem.parameters.model_dump(), **changes}
    checked = files.validate(constants, type(problem.parameters), path="parameters")
    suffix = ",".join(f"{key}={value:g}" for key, value in changes.items())
    return problem.replace(parameters=checked, name=f"{problem.name}@{suffix}")
