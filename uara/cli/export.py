"""``uara export``: write an instance as tables, or as a mathematical program for others' solvers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from uara.base.errors import InputError
from uara.p1.export import Format, check, write
from uara.p1.frames import check_csv, write_csv
from uara.p1.instance import Instance
from uara.problem import Problem, load
from uara.shipped import located


def command(
    instance: Annotated[Path, typer.Argument(help="Instance file, or name of a shipped one.")],
    to: Annotated[Literal["csv", Format], typer.Option(help="File format.")] = "mps",
    program: Annotated[
        str | None, typer.Option(help="milp or minlp; by default what the format is for.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; beside the instance by default.")
    ] = None,
) -> None:
    """Write an instance as a mathematical program: the perspective MILP or the natural MINLP; or, for csv, as tables.

    The objective is the controllable part of P1 in ms. The MILP is a relaxation by tangents. Of tables there are
    three, NAME_devices.csv, NAME_servers.csv and NAME_gains.csv, which 'uara import' reads. All but csv needs the
    extra 'models'.
    """
    output = output or instance.with_suffix(f".{to}")  # of a shipped one: in the current folder
    instance = located(instance)
    problem = load(instance)
    if to == "csv":
        _tables(problem, instance, output, program)
        return
    check(output, to, inputs=[instance])
    written = write(problem, output, to, program)
    typer.echo(f"wrote {written} ({written.stat().st_size:,} bytes)")


def _tables(problem: Problem, instance: Path, output: Path, program: str | None) -> None:
    if program is not None:
        raise InputError("is for programs; csv is tables", source="--program")
    if not isinstance(problem, Instance):
        raise InputError(f"instances of kind {problem.kind} have no tables", source=str(instance))
    check_csv(problem, output, inputs=[instance])
    for path in write_csv(problem, output):
        typer.echo(f"wrote {path} ({path.stat().st_size:,} bytes)")
