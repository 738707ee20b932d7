"""``uara solve``: solve an instance with one or several solvers and rank the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from uara import answers, solution
from uara.base.errors import InputError, UaraError
from uara.base.files import check_output, save_or_rescue
from uara.cli import answered, was_interrupted
from uara.cli.output import finish, print_json
from uara.cli.runs import SolverSpec, attach_options, parse_solver
from uara.display import answer_table, output_console, progress_line, ranked, ranking_table
from uara.problem import FollowUp, follow_up_of, kind_of, load
from uara.registry import find
from uara.shipped import located
from uara.solver import Result, solve


def command(
    instance: Annotated[Path, typer.Argument(help="Instance file, or name of a shipped one (`uara list`).")],
    solver: Annotated[
        list[str] | None,
        typer.Option(
            help="Solver, or package.module:function; may be repeated, and may carry options: "
            "tma:moves=pairs,allocation=sqrt",
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
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write the best answer to this file: the solution (.json), or a row for each device (.csv, .parquet)."
        ),
    ] = None,
    devices: Annotated[
        bool, typer.Option("--devices", help="Show the best answer device by device, and server by server.")
    ] = False,
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
    instance = located(instance)
    problem = load(instance)
    kind = kind_of(problem.kind)
    if explain and kind.explain is None:
        raise InputError(f"is not for instances of kind {kind.name}", source="--explain")
    specs = attach_options([parse_solver(word) for word in solver or [kind.default_solver]], option or [])
    following = _checked_then(problem, then) if then else None
    if devices and kind.tables is None:
        raise InputError(f"is not for instances of kind {kind.name}", source="--devices")
    if output:
        _check(output, kind.name, [instance, *([start] if start else [])])
    begin = solution.open_for(problem, start)[1] if start else None
    entry = kind.best_known(problem, instance) if kind.best_known else None
    results, failures = _solved(problem, specs, seed, time_limit, begin)
    outcomes: list[Any] = []

    def save() -> None:
        if output:
            write = answers.save if _is_table(output) else solution.save
            save_or_rescue(lambda path: write(results[0], path), output)

    def follow() -> None:
        if following:
            follow_up, spec = following
            how = {"options": spec.options.model_dump(), "seed": seed, "time_limit_s": time_limit}
            outcomes.extend(follow_up.run(problem, results[0].decision, spec.name, **how))

    def show(table: Any) -> None:
        output_console().print(table)

    def print_data() -> None:
        plain = [_plain(result, entry) for result in results]
        if devices:
            plain[0]["tables"] = answers.tables(results[0])
        if outcomes:
            plain[0]["then"] = [outcome.to_plain() for outcome in outcomes]
        print_json(plain)

    best_ms = entry.objective_ms if entry else None
    if not results:
        finish(None, failures=failures)
    elif json:
        finish(save, follow, print_data, failures=failures)
    else:
        finish(
            save,
            lambda: show(ranking_table(results, best_ms)),
            lambda: show(kind.explain(results, best_ms)) if explain and kind.explain else None,
            lambda: _show_tables(results[0]) if devices else None,
            follow,
            lambda: show(following[0].table(outcomes)) if following and outcomes else None,
            failures=failures,
        )


def _is_table(output: Path) -> bool:
    return output.suffix.lower() in answers.SUFFIXES


def _check(output: Path, kind: str, inputs: list[Path]) -> None:
    """Refuse an output that must not be written; its suffix says what it holds."""
    if _is_table(output):
        answers.check(output, kind, inputs)
    else:
        check_output(output, suffixes=(".json", *answers.SUFFIXES), inputs=inputs, kind="solution")


def _show_tables(result: Result) -> None:
    for name, columns in answers.tables(result).items():
        output_console().print(answer_table(name, columns))


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


def _checked_then(problem: Any, word: str) -> tuple[FollowUp, SolverSpec]:
    """How to go on from the answer, and by which solver; refused before any work if that cannot be."""
    try:
        follow_up = follow_up_of(problem.kind)
    except InputError as error:
        raise error.in_source("--then") from None
    spec = parse_solver(word)
    method = find(spec.name)
    method.require()
    if method.traits.kind != follow_up.kind:
        raise InputError(f"{spec.name} solves {method.traits.kind}, not {follow_up.kind}", source="--then")
    _ = spec.options
    follow_up.check(problem)
    return follow_up, spec


def _plain(result: Result, entry: Any) -> dict[str, Any]:
    plain = result.to_plain()
    plain["distance_to_best_known"] = entry.distance(result) if entry else None
    return plain
