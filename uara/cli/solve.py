"""``uara solve``: solve an instance with one or several solvers and rank the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from uara import best_known, solution
from uara.cli.output import print_json
from uara.cli.runs import attach_options, parse_solver
from uara.display import output_console, progress_line, ranked, ranking_table
from uara.errors import InputError, UaraError, one_line
from uara.problem import DEFAULT_SOLVERS, load
from uara.solver import Result, solve


def command(
    instance: Annotated[Path, typer.Argument(help="Instance file.")],
    solver: Annotated[
        list[str] | None,
        typer.Option(
            help="Solver; may be repeated, and may carry options: tma:moves=pairs,allocation=sqrt",
            show_default="auto for P1, hetedge-dp for hetedge",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="key=value for every solver that knows the key; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root seed.")] = 0,
    time_limit: Annotated[float | None, typer.Option(help="Seconds for each solver.")] = None,
    start: Annotated[Path | None, typer.Option(help="Solution file to start from.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the best answer to this solution file.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Split each gap into what association and allocation cost.")
    ] = False,
    then: Annotated[
        str | None, typer.Option(help="Schedule each server of the best answer in batches by this solver.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per solver, best first.")] = False,
) -> None:
    """Solve an instance with one or several solvers and rank the answers.

    Ctrl-C ends the running solver with the best answer it has.
    """
    problem = load(instance)
    if (explain or then) and problem.kind != "p1":
        raise InputError("is for instances of P1", source="--then" if then else "--explain")
    specs = attach_options(
        [parse_solver(word) for word in solver or [DEFAULT_SOLVERS[problem.kind]]], option or []
    )
    begin = solution.open_for(problem, start)[1] if start else None
    results: list[Result] = []
    failures: list[UaraError] = []
    for spec in specs:
        with progress_line(Console(stderr=True), spec.name) as follow:
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
    results = ranked(results)
    entry = best_known.lookup(problem, instance)
    schedules = _schedules(problem, results[0], then, seed, time_limit) if then and results else []
    if json:
        print_json([_plain(result, entry, schedules if result is results[0] else []) for result in results])
    elif results:
        console = output_console()
        console.print(ranking_table(results, entry.objective_ms if entry else None))
        if explain:
            from uara.explain import explain as explanation

            console.print(explanation(results, entry.objective_ms if entry else None))
        if schedules:
            from uara.hetedge.bridge import table

            console.print(table(schedules))
    for failure in failures[1:]:
        typer.echo(f"uara: {one_line(failure)}", err=True)
    if output and results:
        solution.save(results[0], output)
    if failures:
        raise failures[0]


def _schedules(problem: Any, best: Result, solver: str, seed: int, time_limit_s: float | None) -> list[Any]:
    from uara.hetedge.bridge import schedule

    spec = parse_solver(solver)
    return schedule(
        problem,
        best.decision,  # type: ignore[arg-type]
        spec.name,
        options=spec.options.model_dump(),
        seed=seed,
        time_limit_s=time_limit_s,
    )


def _plain(result: Result, entry: best_known.Entry | None, schedules: list[Any]) -> dict[str, Any]:
    plain = result.to_plain()
    plain["distance_to_best_known"] = best_known.distance(result, entry) if entry else None
    if schedules:
        plain["then"] = [schedule.to_plain() for schedule in schedules]
    return plain
