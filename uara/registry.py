"""Solvers: how one is declared, and how installed ones are found (entry-point group ``uara.solvers``)."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from traceback import walk_tb
from typing import Any, TypeVar

import pydantic

from uara.base import files
from uara.base.errors import BrokenExtra, InputError, MissingExtra, SolverError, UaraError, meant, reason_of
from uara.base.extras import is_absent
from uara.base.files import Record
from uara.base.plugins import offered

GROUP = "uara.solvers"
Options = Record
"""Base of a solver's options, for plug-ins as for the toolkit's own: derive from it, give every field a type, a default
and a docstring. Values are checked strictly, unknown names are refused, and what is made is immutable."""
F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def blaming(solver: str, what: str, but: tuple[type[UaraError], ...] = (UaraError,)) -> Iterator[None]:
    """Whatever a plug-in's code raises inside, ``SystemExit`` too, becomes an error that names the solver.

    Parameters
    ----------
    what
        What it did not do.
    but
        Errors that speak for themselves.

    Raises
    ------
    SolverError
        In place of any other error.
    KeyboardInterrupt
        Also where Ctrl-C is only the cause of an error: it comes out of a compiled kernel as a SystemError.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except but:
        raise
    except BaseException as error:
        if _was_interrupted(error):
            raise KeyboardInterrupt from None
        raise SolverError(solver, f"{what}: {reason_of(error)}{_place_of(error)}") from error


_TOOLKIT = Path(__file__).parent
_BETWEEN = (_TOOLKIT, Path(importlib.__file__).parent, Path(pydantic.__file__).parent)
"""What stands between :func:`blaming` and a plug-in's own code."""


def _place_of(error: BaseException) -> str:
    """The line of the plug-in's own file that an error went through last, as the end of a message."""
    lines = [(Path(frame.f_code.co_filename), number) for frame, number in walk_tb(error.__traceback__)]
    own = [line for line in lines if line[0].is_absolute() and not any(map(line[0].is_relative_to, _BETWEEN))]
    if not own:
        return ""
    file, number = [line for line in own if line[0] == own[0][0]][-1]
    here = Path.cwd()
    return f" ({file.relative_to(here) if file.is_relative_to(here) else file}, line {number})"


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: it comes out of a compiled kernel as the cause of a SystemError."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # nothing keeps an error from being its own cause
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


LOADING = (MissingExtra, BrokenExtra, SolverError)
"""Errors that speak for themselves while a plug-in is imported."""


class NoOptions(Options):
    """A solver without options."""


@dataclass(frozen=True)
class Traits:
    """What a solver declares of itself; see :func:`as_solver`."""

    options: type[Options] = NoOptions
    requires: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    kind: str = "p1"
    warm_start: bool = False
    tracker: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        wrong = {
            "options": not (isinstance(self.options, type) and issubclass(self.options, Options)),
            "requires": not (isinstance(self.requires, Mapping) and set(map(type, self.requires)) <= {str}),
            "prepare": not (self.prepare is None or callable(self.prepare)),
            "kind": not isinstance(self.kind, str),
            "tracker": not (self.tracker is None or callable(self.tracker)),
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                hint = "; derive a class from uara.Options" if name == "options" else ""
                raise InputError(f"cannot be {getattr(self, name)!r}{hint}", source="as_solver", path=name)


def as_solver(
    *,
    options: type[Options] = NoOptions,
    requires: Mapping[str, str] | None = None,
    prepare: Callable[[], None] | None = None,
    kind: str = "p1",
    warm_start: bool = False,
    tracker: Callable[[], Any] | None = None,
) -> Callable[[F], F]:
    """Declare the traits of a solver function ``(instance, context) -> Allocation | Answer``.

    Parameters
    ----------
    options
        A class derived from :class:`uara.Options`: its fields, with their docstrings, are the solver's options.
    requires
        Modules that it needs beyond uara's core, each with the extra that brings it.
    prepare
        Called before the clock starts: imports and compilation belong here.
    kind
        Problem kind that it solves.
    warm_start
        Whether it goes on from ``context.start``; a solver without leaves it to ``solve``, which never
        returns worse than the start.
    tracker
        Makes what re-solves slot after slot from the prices of the last one, a :class:`uara.tracker.SlotSolver`.
    """

    def declare(function: F) -> F:
        traits = Traits(options, requires or {}, prepare, kind, warm_start, tracker)
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
            with blaming(self.name, "its options cannot be made"):
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
    """A method from a plain callable, such as one that is handed to :func:`uara.solve`.

    Raises
    ------
    SolverError
        If it cannot be called, or its traits were not made by :func:`as_solver`.
    """
    label = name or str(getattr(function, "__name__", type(function).__name__)).replace("_", "-")
    with blaming(label, "cannot be asked for its traits"):
        traits = getattr(function, "uara_traits", Traits())
    if not callable(function) or not isinstance(traits, Traits):
        raise SolverError(label, "is no function, or its traits were not declared by as_solver")
    for module, extra in traits.requires.items():
        if _is_missing(module):
            error = MissingExtra(module, extra)
            return Method(label, function, traits, str(error), error)
    return Method(label, function, traits)


def _is_missing(module: str) -> bool:
    if is_absent(module):
        return True
    try:
        return find_spec(module) is None
    except Exception:  # a part of a package that is there and broken: its import will say how
        return False


@cache
def installed() -> dict[str, metadata.EntryPoint]:
    """Entry points of the installed solvers by name, none of them loaded."""
    return offered(GROUP)


def entry_point(name: str) -> metadata.EntryPoint:
    """The entry point of an installed solver, not loaded.

    Raises
    ------
    InputError
        If there is none of this name; the message says what may have been meant.
    """
    if name not in installed():
        raise _unknown(name, installed())
    return installed()[name]


def _unknown(name: str, known: Iterable[str]) -> InputError:
    return InputError(f"there is no solver {name!r}{meant(name, known)}", source="solver")


def load_installed(name: str) -> Method:
    """Import one solver, and none of the others that are installed.

    Raises
    ------
    InputError
        If there is none of this name.
    MissingExtra, BrokenExtra, SolverError
        If it cannot be imported.
    """
    point = entry_point(name)
    with blaming(name, "cannot be imported", LOADING):
        return method_of(point.load(), name)


@cache
def available_solvers() -> dict[str, Method]:
    """Every installed solver by name, also those that cannot be used here, with the reason."""
    return {name: _usable(name) for name in installed()}


@cache
def _usable(name: str) -> Method:
    """An installed solver, and none of the others; where it cannot be imported, the reason."""
    point = entry_point(name)
    try:
        method = load_installed(name)
    except LOADING as error:  # a broken plug-in must not take the others with it
        reason = error.problem if isinstance(error, SolverError) else str(error)
        method = Method(name, None, reason=reason, error=error)
    return replace(method, origin=point.dist.name if point.dist else "")


def find(solver: str | Callable[..., Any], *, alone: bool = False) -> Method:
    """The solver that is meant: an installed one's name, ``package.module:function``, or a callable.

    Parameters
    ----------
    alone
        Whether a solver that cannot be imported is an error; else the method says why it cannot be used.

    Raises
    ------
    InputError
        If there is none of this name; the message says what may have been meant.
    SolverError
        If ``package.module`` cannot be imported, also not from the current folder, or holds no such function.
    """
    if not isinstance(solver, str):
        return method_of(solver)
    if ":" in solver:
        return _imported(solver)
    if alone:
        return load_installed(solver)
    if not available_solvers.cache_info().currsize:  # the others need not be imported
        return _usable(solver)
    solvers = available_solvers()
    if solver not in solvers:
        raise _unknown(solver, solvers)
    return solvers[solver]


def _imported(solver: str) -> Method:
    """The solver that ``package.module:function`` names; the current folder is searched last."""
    module, _, path = solver.partition(":")
    here = os.getcwd()
    if not {here, ""} & set(sys.path):
        sys.path.append(here)  # for good: a plug-in may import its neighbours when it is called
    with blaming(solver, "cannot be imported", LOADING):
        found: Any = import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        return method_of(found)
