"""``uara export``: write an instance as a mathematical program for others' solvers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uara.p1.export import Format, check, write
from uara.problem import load


def command(
    instance: Annotated[Path, typer.Argument(help="Instance file.")],
    to: Annotated[Format, typer.Option(help="File format.")] = "mps",
    program: Annotated[
        str | None, typer.Option(help="milp or minlp; by default what the format is for.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="File to write; beside the instance by default.")
    ] = None,
) -> None:
    """Write an instance as a mathematical program: the perspective MILP or the natural MINLP.

    The objective is the controllable part of P1 in ms. The MILP is a relaxation by tangents.
    """
    problem = load(instance)
    output = output or instance.with_suffix(f".{to}")
    check(output, to, inputs=[instance])
    written = write(problem, output, to, program)
    typer.echo(f"wrote {written} ({written.stat().st_size:,} bytes)")
