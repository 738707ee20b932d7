"""Writing an instance as a mathematical program for others' solvers (entry-point group ``uara.exporters``).

A program is a callable that takes an instance and returns a Pyomo model. The toolkit's own are ``milp``, the
perspective program with tangents, and ``minlp``, P1 as it is stated; an installed package can add others.
"""

from __future__ import annotations

import logging
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, get_args

from uara.errors import InputError
from uara.files import replacing
from uara.problem import Problem

GROUP = "uara.exporters"
Format = Literal["mps", "lp", "nl", "gms"]
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
    logging.getLogger("pyomo").setLevel(logging.ERROR)  # it doubts the suffix of a temporary file
    with replacing(path.with_suffix(f".{format_}")) as temporary:
        writer = "gams" if format_ == "gms" else format_  # Pyomo's name of it
        model.write(str(temporary), format=writer, io_options={"symbolic_solver_labels": True})
        for beside in (".row", ".col"):  # the names that belong to an .nl file
            names = temporary.with_suffix(beside)
            if names.exists():
                names.replace(path.with_suffix(beside))
    return path.with_suffix(f".{format_}")
