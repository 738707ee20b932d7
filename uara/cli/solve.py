"""``uara solve``: solve instances with one or several solvers and rank the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from uara import solution
from uara.answers import tables
from uara.answers.display import answer_table, label_of, print_table, progress_line, ranked, ranking_table
from uara.answers.several import overall_table
from uara.base.cells import Table
from uara.base.errors import InputError, UaraError
from uara.base.files import check_output, output_folder, save_or_rescue
from uara.cli import answered, was_interrupted
from uara.cli.output import FormOption, finish, print_json
from uara.cli.runs import SolverSpec, attach_options, parse_solver
from uara.problem import FollowUp, Kind, follow_up_of, kind_of, load
from uara.registry import find
from uara.shipped import located
from uara.solver import Result, solve


@dataclass
class Task:
    """An instance file, and what came of it."""

    path: Path
    problem: Any
    kind: Kind
    entry: Any
    """Of the table of best-known answers, or None."""
    results: list[Result] = field(default_factory=list)
    """Best first."""

    @property
    def best_ms(self) -> float | None:
        """Best known objective."""
        return self.entry.objective_ms if self.entry else None


def command(
    instance: Annotated[
        list[Path],
        typer.Argument(
            metavar="INSTANCE...",
            help="Instance file, or name of a shipped one (`uara list`); several are ranked over all.",
        ),
    ],
    solver: Annotated[
        list[str] | None,
        typer.Option(
            help="Solver, or package.module:function; may be repeated, and may carry options: "
            "tma:moves=pairs,allocation=sqrt",
            show_default="auto for P1, hetedge-bound for hetedge",
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
            "--output",
            "-o",
            help="Write the best answer to this file: the solution (.json), or a row for each device (.csv, "
            ".parquet). Of several instances, a folder: NAME.json for each.",
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
    form: FormOption = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per solver, best first.")] = False,
) -> None:
    """Solve instances with one or several solvers and rank the answers.

    Ctrl-C ends the running solver with the best answer it has.
    """
    tasks = [_task(located(path)) for path in instance]
    if len({task.path.resolve() for task in tasks}) < len(tasks):
        raise InputError("one file is named twice", source="instances")
    if len(tasks) > 1:
        _refuse_for_several({"--start": start, "--then": then})
    specs = attach_options(_specs(tasks, solver), option or [])
    _refuse_missing(tasks, explain=explain, devices=devices)
    following = _checked_then(tasks[0].problem, then) if then else None
    outputs = _outputs(tasks, output, [start] if start else [])
    begin = solution.open_for(tasks[0].problem, start)[1] if start else None
    failures: list[BaseException] = []
    for task in tasks:
        task.results, failed = _solved(task.problem, specs, seed, time_limit, begin)
        failures += failed
        if any(isinstance(each, KeyboardInterrupt) for each in failed):
            break
    solved = [task for task in tasks if task.results]
    outcomes: list[Any] = []

    def save() -> None:
        for task in solved if outputs else []:
            _save(task.results[0], outputs[task.path])

    def follow() -> None:
        if following:
            follow_up, spec = following
            how = {"options": spec.options.model_dump(), "seed": seed, "time_limit_s": time_limit}
            outcomes.extend(follow_up.run(tasks[0].problem, tasks[0].results[0].decision, spec.name, **how))

    def print_data() -> None:
        plain = [_plain(result, task.entry) for task in solved for result in task.results]
        if devices:
            _with_tables(plain, solved)
        if outcomes:
            plain[0]["then"] = [outcome.to_plain() for outcome in outcomes]
        print_json(plain)

    def show(make: Callable[[Task], Any]) -> None:
        for task in solved:
            print_table(make(task), form)

    if not solved:
        finish(None, failures=failures)
    elif json:
        finish(save, follow, print_data, failures=failures)
    else:
        finish(
            save,
            lambda: show(lambda task: ranking_table(task.results, task.best_ms)),
            lambda: print_table(_overall(tasks, specs), form) if len(tasks) > 1 else None,
            lambda: show(_explained) if explain else None,
            lambda: _show_tables(solved, form) if devices else None,
            follow,
            lambda: print_table(following[0].table(outcomes), form) if following and outcomes else None,
            failures=failures,
        )


def _task(path: Path) -> Task:
    problem = load(path)
    kind = kind_of(problem.kind)
    return Task(path, problem, kind, kind.best_known(problem, path) if kind.best_known else None)


def _specs(tasks: list[Task], solvers: list[str] | None) -> list[SolverSpec]:
    """The solvers that are named, or the default one of the instances' kind."""
    kinds = {task.kind.name: task.kind for task in tasks}
    if len(kinds) > 1:
        raise InputError(f"are of several kinds: {', '.join(sorted(kinds))}", source="instances")
    return [parse_solver(word) for word in solvers or [tasks[0].kind.default_solver]]


def _refuse_for_several(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            raise InputError("is for one instance, not for several", source=name)


def _refuse_missing(tasks: list[Task], *, explain: bool, devices: bool) -> None:
    kind = tasks[0].kind
    for wanted, hook, name in (
        (explain, kind.explain, "--explain"),
        (devices, kind.tables, "--devices"),
    ):
        if wanted and hook is None:
            raise InputError(f"is not for instances of kind {kind.name}", source=name)


def _outputs(tasks: list[Task], output: Path | None, starts: list[Path]) -> dict[Path, Path]:
    """Where the answer to each instance goes; refused before any work if it must not be written there."""
    if output is None:
        return {}
    inputs = [*(task.path for task in tasks), *starts]
    if len(tasks) == 1:
        _check(output, tasks[0].kind.name, inputs)
        return {tasks[0].path: output}
    if output.suffix and not output.is_dir():
        raise InputError("must be a folder where there are several instances", source=str(output))
    found = {task.path: output / f"{task.path.stem}.json" for task in tasks}
    if len(set(found.values())) < len(tasks):
        raise InputError("several instances have one name; solve them one by one", source=str(output))
    output_folder(output)
    for path in found.values():
        check_output(path, suffixes=(".json",), inputs=inputs, kind="solution")
    return found


def _check(output: Path, kind: str, inputs: list[Path]) -> None:
    """Refuse an output that must not be written; its suffix says what it holds."""
    if _is_table(output):
        tables.check(output, kind, inputs)
    else:
        check_output(output, suffixes=(".json", *tables.SUFFIXES), inputs=inputs, kind="solution")


def _is_table(output: Path) -> bool:
    return output.suffix.lower() in tables.SUFFIXES


def _save(result: Result, output: Path) -> None:
    write = tables.save if _is_table(output) else solution.save
    save_or_rescue(lambda path: write(result, path), output)


def _overall(tasks: list[Task], specs: list[SolverSpec]) -> Table:
    names = list(dict.fromkeys(label_of(find(spec.name).name, spec.options) for spec in specs))
    found = {str(task.path): task.results for task in tasks}
    return overall_table(found, names, {str(task.path): task.best_ms for task in tasks})


def _explained(task: Task) -> Any:
    return task.kind.explain(task.results, task.best_ms) if task.kind.explain else None


def _show_tables(tasks: list[Task], form: Any) -> None:
    for task in tasks:
        name = f" of {task.problem.name}" if len(tasks) > 1 else ""
        for title, columns in tables.tables(task.results[0]).items():
            print_table(answer_table(title + name, columns), form)


def _with_tables(plain: list[dict[str, Any]], tasks: list[Task]) -> None:
    """Give the best answer to each instance its tables."""
    place = 0
    for task in tasks:
        plain[place]["tables"] = tables.tables(task.results[0])
        place += len(task.results)


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
