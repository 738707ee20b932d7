"""``uara show``: describe an instance in words, and draw its map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uara import solution
from uara.base.errors import printable
from uara.base.pictures import check_picture
from uara.cli.output import print_json
from uara.cli.runs import parse_solver
from uara.problem import describe, load
from uara.problem import plot as draw
from uara.shipped import located
from uara.solver import solve


def command(
    instance: Annotated[Path, typer.Argument(help="Instance file, or name of a shipped one.")],
    plot: Annotated[Path | None, typer.Option(help="Draw the instance into this .png, .svg or .pdf.")] = None,
    solver: Annotated[
        str | None, typer.Option(help="Draw the answer of this solver, or package.module:function, too.")
    ] = None,
    solution_file: Annotated[
        Path | None, typer.Option("--solution", help="Draw the answer of this solution file too.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Describe an instance in words; with --plot, draw servers, devices, association and loads."""
    instance = located(instance)
    problem = load(instance)
    if plot is not None:
        inputs = [instance, *([solution_file] if solution_file else [])]
        check_picture(plot, inputs=inputs)
    lines = describe(problem)
    if json:
        print_json(
            {"name": problem.name, "kind": problem.kind, "digest": problem.digest, "description": lines}
        )
    else:
        typer.echo("\n".join(map(printable, lines)))
    if plot is None:
        return
    decision = None
    if solution_file is not None:
        decision = solution.open_for(problem, solution_file)[1]
    elif solver is not None:
        spec = parse_solver(solver)
        decision = solve(problem, spec.name, options=spec.options).decision
    draw(problem, plot, decision)
