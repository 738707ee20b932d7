"""``uara solve``: solve an instance with one or several solvers and rank the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from uara import best_known, solution
from uara.cli import answered, was_interrupted
from uara.cli.output import finish, print_json
from uara.cli.runs import SolverSpec, attach_options, parse_solver
from uara.display import output_console, progress_line, ranked, ranking_table
from uara.errors import InputError, UaraError
from uara.files import check_output, save_or_rescue
from uara.problem import DEFAULT_SOLVERS, load
from uara.registry import find
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
    batching = _checked_then(problem, then) if then else None
    if output:
        check_output(
            output, suffixes=(".json",), inputs=[instance, *([start] if start else [])], kind="solution"
        )
    begin = solution.open_for(problem, start)[1] if start else None
    entry = best_known.lookup(problem, instance)
    results, failures = _solved(problem, specs, seed, time_limit, begin)
    schedules: list[Any] = []

    def save() -> None:
        if output:
            save_or_rescue(lambda path: solution.save(results[0], path), output)

    def batch() -> None:
        if batching:
            schedules.extend(_schedules(problem, results[0], batching, seed, time_limit))

    def show(table: Any) -> None:
        output_console().print(table)

    def print_data() -> None:
        plain = [_plain(result, entry) for result in results]
        if schedules:
            plain[0]["then"] = [schedule.to_plain() for schedule in schedules]
        print_json(plain)

    best_ms = entry.objective_ms if entry else None
    if not results:
        finish(None, failures=failures)
    elif json:
        finish(save, batch, print_data, failures=failures)
    else:
        finish(
            save,
            lambda: show(ranking_table(results, best_ms)),
            lambda: show(_explanation(results, best_ms)) if explain else None,
            batch,
            lambda: show(_batched(schedules)) if schedules else None,
            failures=failures,
        )


def _solved(
    problem: Any, specs: list[SolverSpec], seed: int, time_limit_s: float | None, start: Any
) -> tuple[list[Result], list[BaseException]]:
    """The answers, best first, and what went wrong; Ctrl-C where there is no answer yet ends all."""
    results: list[Result] = []
    failures: list[BaseException] = []
    for spec in specs:
        try:
            with progress_line(Console(stderr=True), spec.name) as follow:
                result = solve(
                    problem,
                    spec.name,
                    options=spec.options,
                    seed=seed,
                    time_limit_s=time_limit_s,
                    start=start,
                    on_progress=follow,
                )
            results.append(result)
            if result.ended == "interrupted":
                answered()
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt) or was_interrupted():
                failures.append(KeyboardInterrupt())
                break
            if not isinstance(error, UaraError):
                raise
            failures.append(error)
    return ranked(results), failures


def _checked_then(problem: Any, word: str) -> SolverSpec:
    """The solver of ``--then``, refused before any work if it cannot schedule the servers."""
    from uara.hetedge.bridge import task_profile

    spec = parse_solver(word)
    method = find(spec.name)
    method.require()
    if method.traits.kind != "hetedge":
        raise InputError(f"{spec.name} solves {method.traits.kind}, not hetedge", source="--then")
    _ = spec.options
    task_profile(problem)
    return spec


def _schedules(
    problem: Any, best: Result, spec: SolverSpec, seed: int, time_limit_s: float | None
) -> list[Any]:
    from uara.hetedge.bridge import schedule

    return schedule(
        problem,
        best.decision,  # type: ignore[arg-type]
        spec.name,
        options=spec.options.model_dump(),
        seed=seed,
        time_limit_s=time_limit_s,
    )


def _batched(schedules: list[Any]) -> Any:
    from uara.hetedge.bridge import table

    return table(schedules)


def _explanation(results: list[Result], best_known_ms: float | None) -> Any:
    from uara.explain import explain

    return explain(results, best_known_ms)


def _plain(result: Result, entry: best_known.Entry | None) -> dict[str, Any]:
    plain = result.to_plain()
    plain["distance_to_best_known"] = best_known.distance(result, entry) if entry else None
    return plain
