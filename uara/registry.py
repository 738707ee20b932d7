"""Solvers: how one is declared, and how installed ones are found (entry-point group ``uara.solvers``)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, util
from typing import Any, TypeVar

from uara import files
from uara.errors import InputError, MissingExtra, SolverError
from uara.files import Record

GROUP = "uara.solvers"
F = TypeVar("F", bound=Callable[..., Any])


class NoOptions(Record):
    """A solver without options."""


@dataclass(frozen=True)
class Traits:
    """What a solver declares of itself; see :func:`as_solver`."""

    options: type[Record] = NoOptions
    requires: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    kind: str = "p1"
    warm_start: bool = False


def as_solver(
    *,
    options: type[Record] = NoOptions,
    requires: Mapping[str, str] | None = None,
    prepare: Callable[[], None] | None = None,
    kind: str = "p1",
    warm_start: bool = False,
) -> Callable[[F], F]:
    """Declare the traits of a solver function ``(instance, context) -> Allocation | Answer``.

    Parameters
    ----------
    options
        A :class:`uara.files.Record` whose fields, with their docstrings, are the solver's options.
    requires
        Modules that it needs beyond uara's core, each with the extra that brings it.
    prepare
        Called before the clock starts: imports and compilation belong here.
    kind
        Problem kind that it solves.
    warm_start
        Whether it goes on from ``context.start``; a solver without leaves it to ``solve``, which never
        returns worse than the start.
    """

    def declare(function: F) -> F:
        traits = Traits(options, dict(requires or {}), prepare, kind, warm_start)
        function.uara_traits = traits  # type: ignore[attr-defined]
        return function

    return declare


@dataclass(frozen=True)
class Method:
    """A solver under its name; ``reason`` says why it cannot be used here, if so."""

    name: str
    function: Callable[..., Any] | None
    traits: Traits = Traits()
    reason: str | None = None
    error: Exception | None = field(default=None, compare=False)
    origin: str = ""

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0] if self.function else ""

    def make_options(self, values: Mapping[str, Any] | Record | None, *, strict: bool = True) -> Record:
        """Validate option values; with ``strict=False`` strings stand for numbers and truth values."""
        if isinstance(values, Record):
            if not isinstance(values, self.traits.options):
                raise InputError(f"are {type(values).__name__}", source=f"options of solver {self.name}")
            return values
        if values is not None and not isinstance(values, Mapping):
            raise InputError(f"are a {type(values).__name__}", source=f"options of solver {self.name}")
        try:
            return files.validate(dict(values or {}), self.traits.options, strict=strict)
        except InputError as error:
            known = ", ".join(self.traits.options.model_fields) or "none"
            hint = f" (options of {self.name}: {known})"
            raise InputError(
                error.problem + hint, source=f"solver {self.name}", path=(error.path or "").removeprefix("$.")
            ) from None

    def require(self) -> Callable[..., Any]:
        """The function, or the error that says why there is none."""
        if self.function is None or self.reason is not None:
            raise self.error or SolverError(self.name, self.reason or "cannot be loaded")
        return self.function


def method_of(function: Callable[..., Any], name: str | None = None) -> Method:
    """A method from a plain callable, such as one that is handed to :func:`uara.solve`."""
    traits = getattr(function, "uara_traits", Traits())
    label = name or getattr(function, "__name__", type(function).__name__).replace("_", "-")
    for module, extra in traits.requires.items():
        if not _installed(module):
            error = MissingExtra(module, extra)
            return Method(label, function, traits, str(error), error)
    return Method(label, function, traits)


def _installed(module: str) -> bool:
    try:
        return util.find_spec(module) is not None
    except (ImportError, ValueError):  # a missing parent package, or a module without a spec
        return False


@cache
def available_solvers() -> dict[str, Method]:
    """Every installed solver by name, also those that cannot be used here, with the reason."""
    found: dict[str, Method] = {}
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name):
        origin = point.dist.name if point.dist else ""
        try:
            method = method_of(point.load(), point.name)
        except Exception as error:  # a broken plug-in must not take the others with it
            reason = f"cannot be imported: {type(error).__name__}: {error}"
            method = Method(point.name, None, reason=reason)
        found[point.name] = Method(
            method.name, method.function, method.traits, method.reason, method.error, origin
        )
    return found


def find(name: str) -> Method:
    """The installed solver of this name.

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    solvers = available_solvers()
    if name not in solvers:
        raise InputError(f"there is no solver {name!r}; there are: {', '.join(solvers)}", source="solver")
    return solvers[name]
