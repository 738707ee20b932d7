"""Writing an instance as a mathematical program for others' solvers (entry-point group ``uara.exporters``).

A program is a callable that takes an instance and returns a Pyomo model. The toolkit's own are ``milp``, the
perspective program with tangents, and ``minlp``, P1 as it is stated; an installed package can add others.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, get_args

from uara.base.errors import InputError
from uara.base.files import check_output, is_stream, replacing
from uara.problem import Problem

GROUP = "uara.exporters"
Format = Literal["mps", "lp", "nl", "gms"]
_NAMES = (".row", ".col")
"""The names that belong to an .nl file."""
LINEAR_ONLY = ("mps", "lp")
"""Formats that cannot hold the products of a general non-linear program."""


def programs() -> list[str]:
    """Names of the programs that an instance can be written as."""
    return sorted(point.name for point in metadata.entry_points(group=GROUP))


def build(instance: Problem, program: str) -> Any:
    """The Pyomo model of an instance.

    Raises
    ------
    InputError
        If there is no such program.
    """
    for point in metadata.entry_points(group=GROUP):
        if point.name == program:
            return point.load()(instance)
    raise InputError(f"there is no program {program!r}; there are: {', '.join(programs())}", source="program")


def check(path: Path, format_: Format, inputs: Collection[Path] = ()) -> None:
    """Refuse, before any work, a program file that must not be written, or names beside it that would be lost.

    Raises
    ------
    InputError
        As :func:`uara.base.files.check_output`.
    """
    check_output(path, suffixes=(f".{format_}",), inputs=inputs)
    if format_ != "nl" or is_stream(path):
        return
    for beside in _NAMES:
        names = path.with_suffix(beside)
        if names.exists() and not path.exists():
            raise InputError(
                f"would be replaced, but belongs to no {path.name}: remove it", source=str(names)
            )
        check_output(names, suffixes=_NAMES, inputs=inputs)


def write(instance: Problem, path: str | Path, format_: Format, program: str | None = None) -> Path:
    """Write an instance as a program.

    Parameters
    ----------
    format_
        ``mps``, ``lp``, ``nl`` or ``gms``.
    program
        ``milp`` for the linear formats and ``minlp`` for the others by default.

    Raises
    ------
    InputError
        If the format cannot hold the program.
    """
    if format_ not in get_args(Format):
        raise InputError(f"{format_!r} is not one of {', '.join(get_args(Format))}", source="format")
    chosen = program or ("milp" if format_ in LINEAR_ONLY else "minlp")
    if chosen == "minlp" and format_ in LINEAR_ONLY:
        raise InputError(f"{format_} cannot hold a non-linear program; use nl or gms", source="format")
    model = build(instance, chosen)
    path = Path(path)
    if not is_stream(path):
        path = path.with_suffix(f".{format_}")
    logging.getLogger("pyomo").setLevel(logging.ERROR)  # it doubts the suffix of a temporary file
    with replacing(path) as temporary:
        writer = "gams" if format_ == "gms" else format_  # Pyomo's name of it
        model.write(str(temporary), format=writer, io_options={"symbolic_solver_labels": True})
        for beside in _NAMES:
            names = temporary.with_suffix(beside)
            if names.exists() and is_stream(path):
                names.unlink()
            elif names.exists():
                names.replace(path.with_suffix(beside))
    return path
