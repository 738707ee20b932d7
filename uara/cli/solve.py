"""``uara solve``: solve instances with one or several solvers and rank the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from uara.base.files import Record, check_output, output_folder, save_or_rescue
from uara.base.inks import Form
from uara.cli import answered, was_interrupted
from uara.cli.fields import options_from, taken
from uara.cli.output import FormOption, finish, print_json
from uara.cli.runs import SolverSpec, Solving, parse_solver
from uara.problem import FollowUp, Kind, follow_up_of, kind_of, load
from uara.registry import find
from uara.shipped import located
from uara.solver import Result, solve


class Shown(Record):
    """What is shown of the best answer, beside the ranking."""

    devices: bool = False
    """Show the best answer device by device, and server by server."""
    explain: bool = False
    """Split each gap into what association and allocation cost."""
    then: str | None = None
    """Schedule each server of the best answer in batches by this solver."""

    def refuse_missing(self, kind: Kind) -> None:
        """:class:`InputError` for what this kind of problem does not have."""
        for name, hook in (("explain", kind.explain), ("devices", kind.tables)):
            if getattr(self, name) and hook is None:
                raise InputError(f"is not for instances of kind {kind.name}", source=f"--{name}")


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

    @classmethod
    def of(cls, path: Path) -> Task:
        """The task of solving an instance file."""
        problem = load(path)
        kind = kind_of(problem.kind)
        return cls(path, problem, kind, kind.best_known(problem, path) if kind.best_known else None)

    @property
    def best_ms(self) -> float | None:
        """Best known objective."""
        return self.entry.objective_ms if self.entry else None

    def to_plain(self, *, with_tables: bool) -> list[dict[str, Any]]:
        """A dictionary for each answer; the best one's tables where asked for."""
        rows = [result.to_plain() for result in self.results]
        for row, result in zip(rows, self.results, strict=True):
            row["distance_to_best_known"] = self.entry.distance(result) if self.entry else None
        if with_tables:
            rows[0]["tables"] = tables.tables(self.results[0])
        return rows


@dataclass
class Sequel:
    """How to go on from the best answer, and what came of it."""

    follow_up: FollowUp
    spec: SolverSpec
    outcomes: list[Any] = field(default_factory=list)

    def run(self, result: Result, asked: Solving) -> None:
        """Solve what follows from an answer."""
        how = {
            "seed": asked.seed,
            "time_limit_s": asked.time_limit,
            "options": self.spec.options.model_dump(),
        }
        self.outcomes += self.follow_up.run(result.instance, result.decision, self.spec.name, **how)


@options_from(Solving, Shown)
def command(
    instance: Annotated[
        list[Path],
        typer.Argument(
            metavar="INSTANCE...",
            help="Instance file, or name of a shipped one (`uara list`); several are ranked over all.",
        ),
    ],
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
    form: FormOption = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per solver, best first.")] = False,
    **fields: Any,
) -> None:
    """Solve instances with one or several solvers and rank the answers.

    Ctrl-C ends the running solver with the best answer it has.
    """
    asked, shown = taken(fields, Solving), taken(fields, Shown)
    tasks = _tasks(instance, {"--start": start, "--then": shown.then})
    specs = asked.specs(tasks[0].kind.default_solver)
    shown.refuse_missing(tasks[0].kind)
    sequel = _sequel(tasks[0].problem, shown.then) if shown.then else None
    outputs = _outputs(tasks, output, [start] if start else [])
    begin = solution.open_for(tasks[0].problem, start)[1] if start else None
    failures = _solve(tasks, specs, asked, begin)
    solved = [task for task in tasks if task.results]
    if not solved:
        finish(None, failures=failures)
        return

    def save() -> None:
        for task in solved if outputs else []:
            _save(task.results[0], outputs[task.path])

    def follow() -> None:
        if sequel:
            sequel.run(solved[0].results[0], asked)

    if json:
        finish(save, follow, lambda: _print_data(solved, shown, sequel), failures=failures)
        return
    finish(
        save,
        lambda: _print_each(solved, lambda task: ranking_table(task.results, task.best_ms), form),
        lambda: print_table(_overall(tasks, specs), form) if len(tasks) > 1 else None,
        lambda: _print_each(solved, _explained, form) if shown.explain else None,
        lambda: _print_answers(solved, form) if shown.devices else None,
        follow,
        lambda: (
            print_table(sequel.follow_up.table(sequel.outcomes), form) if sequel and sequel.outcomes else None
        ),
        failures=failures,
    )


def _tasks(paths: Sequence[Path], for_one: dict[str, Any]) -> list[Task]:
    """The instances, all of one kind; of several, options that are for one alone are refused."""
    tasks = [Task.of(located(path)) for path in paths]
    if len({task.path.resolve() for task in tasks}) < len(tasks):
        raise InputError("one file is named twice", source="instances")
    for name, value in for_one.items():
        if value is not None and len(tasks) > 1:
            raise InputError("is for one instance, not for several", source=name)
    kinds = {task.kind.name for task in tasks}
    if len(kinds) > 1:
        raise InputError(f"are of several kinds: {', '.join(sorted(kinds))}", source="instances")
    return tasks


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


def _print_data(solved: list[Task], shown: Shown, sequel: Sequel | None) -> None:
    plain = [row for task in solved for row in task.to_plain(with_tables=shown.devices)]
    if sequel and sequel.outcomes:
        plain[0]["then"] = [outcome.to_plain() for outcome in sequel.outcomes]
    print_json(plain)


def _print_each(tasks: list[Task], make: Callable[[Task], Any], form: Form | None) -> None:
    for task in tasks:
        print_table(make(task), form)


def _overall(tasks: list[Task], specs: list[SolverSpec]) -> Table:
    names = list(dict.fromkeys(label_of(find(spec.name).name, spec.options) for spec in specs))
    found = {str(task.path): task.results for task in tasks}
    return overall_table(found, names, {str(task.path): task.best_ms for task in tasks})


def _explained(task: Task) -> Any:
    return task.kind.explain(task.results, task.best_ms) if task.kind.explain else None


def _print_answers(tasks: list[Task], form: Form | None) -> None:
    for task in tasks:
        name = f" of {task.problem.name}" if len(tasks) > 1 else ""
        for title, columns in tables.tables(task.results[0]).items():
            print_table(answer_table(title + name, columns), form)


def _solve(tasks: list[Task], specs: list[SolverSpec], asked: Solving, start: Any) -> list[BaseException]:
    """Give the tasks their results, best first; returns what went wrong. Ctrl-C without an answer ends all."""
    failures: list[BaseException] = []
    for task in tasks:
        for spec in specs:
            try:
                task.results.append(_result(task.problem, spec, asked, start))
            except (Exception, KeyboardInterrupt) as error:
                if isinstance(error, KeyboardInterrupt) or was_interrupted():
                    task.results = ranked(task.results)
                    return [*failures, KeyboardInterrupt()]
                if not isinstance(error, UaraError):
                    raise
                failures.append(error)
        task.results = ranked(task.results)
    return failures


def _result(problem: Any, spec: SolverSpec, asked: Solving, start: Any) -> Result:
    """The answer of one solver; an interrupted one's counts, and the Ctrl-C has done what it is for."""
    with progress_line(Console(stderr=True), spec.name) as follow:
        result = solve(
            problem,
            spec.name,
            options=spec.options,
            seed=asked.seed,
            time_limit_s=asked.time_limit,
            start=start,
            on_progress=follow,
        )
    if result.ended == "interrupted":
        answered()
    return result


def _sequel(problem: Any, word: str) -> Sequel:
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
    return Sequel(follow_up, spec)
