"""``uara solve``: solve an instance with one or several solvers and rank the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from uara import solution
from uara.cli.output import print_json
from uara.cli.runs import attach_options, parse_solver
from uara.display import output_console, progress_line, ranked, ranking_table
from uara.errors import UaraError, one_line
from uara.problem import load
from uara.solver import Result, solve


def command(
    instance: Annotated[Path, typer.Argument(help="Instance file.")],
    solver: Annotated[
        list[str] | None,
        typer.Option(help="Solver; may be repeated, and may carry options: tma:moves=pairs,allocation=sqrt"),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="key=value for every solver that knows the key; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root seed.")] = 0,
    time_limit: Annotated[float | None, typer.Option(help="Seconds for each solver.")] = None,
    start: Annotated[Path | None, typer.Option(help="Solution file to start from.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the best answer to this solution file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per solver, best first.")] = False,
) -> None:
    """Solve an instance with one or several solvers and rank the answers.

    Ctrl-C ends the running solver with the best answer it has.
    """
    problem = load(instance)
    specs = attach_options([parse_solver(word) for word in solver or ["tma"]], option or [])
    begin = solution.open_for(problem, start)[1] if start else None
    errors = Console(stderr=True)
    results: list[Result] = []
    failures: list[UaraError] = []
    for spec in specs:
        with progress_line(errors, spec.name) as follow:
            try:
                results.append(
                    solve(
                        problem,
                        spec.name,
                        options=spec.options,
                        seed=seed,
                        time_limit_s=time_limit,
                        start=begin,
                        on_progress=follow,
                    )
                )
            except UaraError as error:
                failures.append(error)
    if json:
        print_json([result.to_plain() for result in ranked(results)])
    elif results:
        output_console().print(ranking_table(results))
    for failure in failures[1:]:
        typer.echo(f"uara: {one_line(failure)}", err=True)
    if output and results:
        solution.save(ranked(results)[0], output)
    if failures:
        raise failures[0]
