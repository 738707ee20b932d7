"""``uara bench``: run a suite, report on it, compare two results, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import Field
from typer.core import TyperGroup

from uara.base.files import Record
from uara.cli.fields import options_from, taken
from uara.cli.output import FormOption, print_json

if TYPE_CHECKING:
    from uara.bench.plan import Run
    from uara.bench.results import Results
    from uara.bench.runner import Advance


class SuiteFirst(TyperGroup):
    """``uara bench SUITE`` means ``uara bench run SUITE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` in front where no command is named."""
        asks_help = bool(args) and args[0] in ("-h", "--help")
        if args and args[0] not in self.commands and not asks_help:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=SuiteFirst, help="Run a suite of benchmarks (`uara bench SUITE`), and use its results.")

ResultFile = Annotated[Path, typer.Argument(help="Result file (.parquet) of `uara bench`.")]
Overwritten = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]


class Where(Record):
    """Where runs are done."""

    jobs: Annotated[int, Field(ge=1)] = 1
    """Runs at a time."""
    backend: Literal["joblib", "dask"] = "joblib"
    """On this machine, or on a Dask cluster."""
    scheduler: str | None = None
    """Address of a Dask scheduler."""


class Which(Record):
    """Which runs are done."""

    retry: str = ""
    """Statuses of recorded runs to do again: error,timeout,memory,infeasible,ok"""
    only_solver: str = "*"
    """Glob of solver labels."""
    only_instance: str = "*"
    """Glob of instance names."""


@app.command()
@options_from(Where, Which, flags={"jobs": "jobs -j"})
def run(
    suite: Annotated[Path, typer.Argument(help="Suite file (.toml).")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Result file; bench-results/NAME.parquet where left out."),
    ] = None,
    report: Annotated[bool, typer.Option(help="Write the HTML report beside the results.")] = True,
    plan: Annotated[
        bool, typer.Option("--plan", help="List what would be done and what is left out, and do nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the ranking as JSON.")] = False,
    **fields: Any,
) -> None:
    """Do the runs of a suite that are not recorded yet, rank the solvers, write the report.

    Killed at any moment, the same command goes on where it stopped.
    The exit code is 1 if a bound contradicts an answer, or no run succeeded.
    """
    from uara.bench.report import check_libraries
    from uara.bench.runner import check_statuses
    from uara.bench.runner import run as run_suite
    from uara.bench.store import check_results
    from uara.bench.suite import Suite

    where, which = taken(fields, Where), taken(fields, Which)
    loaded, folder = Suite.load(suite), suite.resolve().parent
    target = output or Path("bench-results") / f"{loaded.name}.parquet"
    again = [word.strip() for word in which.retry.split(",") if word.strip()]
    check_statuses(again)
    check_results(target, [suite])
    globs = which.model_dump(exclude={"retry"})
    if plan:
        from uara.bench.plan import choose, make_plan

        _print_plan(choose(make_plan(loaded, folder), **globs), target, again)
        return
    if report:
        check_libraries()
    with _progress() as follow:
        how = {**where.model_dump(), **globs, "retry": again, "on_progress": follow}
        results = run_suite(loaded, output=target, folder=folder, **how)
    _finish(results, target, report, json)


def _finish(results: Results, target: Path, report: bool, json: bool) -> None:
    from uara.bench.metrics import contradictions
    from uara.bench.report import write_report
    from uara.bench.terminal import ranking_records, show_ranking

    written = [target, *([target.with_suffix(".html")] if report else [])]
    if report:
        write_report(results, written[1])
    if json:
        print_json(ranking_records(results))
    else:
        show_ranking(results, written)
    wrong = contradictions(results)
    for line in wrong:
        typer.echo(f"contradiction: {line}", err=True)
    if wrong or not results.counts().get("ok"):
        raise typer.Exit(1)


def _print_plan(runs: list[Run], target: Path, retry: list[str]) -> None:
    """A line for each run that would be done or is left out on purpose, and a count of all."""
    from uara.bench.runner import left_to_do
    from uara.bench.store import Store

    todo = {each.run_id for each in left_to_do(Store(target), runs, retry)}
    skipped = sum(each.skip is not None for each in runs)
    for each in runs:
        if each.skip is not None or each.run_id in todo:
            note = f"skipped: {each.skip}" if each.skip else f"{each.allowance.time_limit_s:g} s"
            typer.echo(
                f"{each.case.name}\t{each.setting.label}\tseed {each.seed}\t#{each.repetition}\t{note}"
            )
    recorded = len(runs) - skipped - len(todo)
    typer.echo(f"{len(todo)} to do, {recorded} recorded in {target}, {skipped} skipped", err=True)


@contextmanager
def _progress() -> Iterator[Callable[[Advance], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        failed: dict[str, int] = {}

        def follow(advance: Advance) -> None:
            if advance.status != "ok":
                failed[advance.status] = failed.get(advance.status, 0) + 1
            trouble = "".join(f"  [red]{count} {name}[/red]" for name, count in failed.items())
            text = escape(f"{advance.instance} {advance.label}: {advance.status}") + trouble
            bar.update(task, completed=advance.done, total=advance.total, description=text)

        yield follow


@app.command()
def report(
    results: ResultFile, output: Annotated[Path | None, typer.Option("--output", "-o")] = None
) -> None:
    """Write the HTML report of a result file: one file, no network."""
    from uara.bench.report import write_report
    from uara.bench.results import Results

    target = output or results.with_suffix(".html")
    write_report(Results.load(results), target)
    typer.echo(target)


@app.command()
def compare(
    old: ResultFile,
    new: ResultFile,
    form: FormOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fail: Annotated[bool, typer.Option("--fail-on-worse", help="Exit code 1 if anything got worse.")] = False,
) -> None:
    """Show what changed between two result files, beside the noise of repeated runs."""
    from uara.bench.compare import compare_results
    from uara.bench.results import Results

    outcome = compare_results(Results.load(old), Results.load(new))
    if json:
        print_json(outcome.to_plain())
    else:
        from uara.bench.terminal import show_comparison

        show_comparison(outcome, form)
    if fail and outcome.worse:
        raise typer.Exit(1)


@app.command()
def figures(
    results: ResultFile,
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")],
    form: Annotated[str, typer.Option("--format", help="pdf, svg, pgf or png.")] = "pdf",
    only: Annotated[str, typer.Option(help="Glob of names of figures, such as 'figure-*'.")] = "*",
) -> None:
    """Write every picture of the report as a file of its own."""
    from uara.bench.report.figures import write_figures
    from uara.bench.results import Results

    for path in write_figures(Results.load(results), folder, form, only):
        typer.echo(path)


@app.command()
def publish(
    results: ResultFile,
    folder: Annotated[Path, typer.Argument(help="Folder to make: index.html, data.")],
) -> None:
    """Write a static folder of the report and its data, for any web server."""
    from uara.bench.report.publish import publish as publish_results

    for path in publish_results(results, folder):
        typer.echo(path)


@app.command()
def table(
    results: ResultFile,
    readme: Annotated[
        Path | None, typer.Option(help="Markdown file whose marked tables are renewed in place.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if they are stale.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", help="markdown, latex or csv, where printed.")
    ] = "markdown",
) -> None:
    """Print the tables of a result file, or renew them between their marks in a Markdown file."""
    from uara.base.errors import InputError
    from uara.base.inks import TEXTS
    from uara.bench.report.markdown import renew, tables_of
    from uara.bench.results import Results

    if form not in TEXTS:
        raise InputError(f"{form!r} is not one of {', '.join(TEXTS)}", source="--format")
    loaded = Results.load(results)
    tables = tables_of(loaded)
    if loaded.missing:
        typer.echo(
            f"{loaded.missing} planned runs have not been done yet: every number is provisional", err=True
        )
    if readme is None:
        begin, end = {"markdown": ("<!-- uara bench table: {} -->", "<!-- end of table -->\n")}.get(
            form, ("% {}" if form == "latex" else "{}", "")
        )
        for name, each in tables.items():
            typer.echo(f"{begin.format(name)}\n{TEXTS[form](each)}\n{end}")
        return
    if renew(readme, tables, write=not check):
        typer.echo(f"{readme} {'is stale' if check else 'renewed'}")
        if check:
            raise typer.Exit(1)


@app.command()
def picture(results: ResultFile, output: Overwritten) -> None:
    """Draw time against proven gap for all solvers on the suite's picture instance (.svg or .png)."""
    from uara.bench.picture import time_against_gap
    from uara.bench.results import Results

    time_against_gap(Results.load(results), output)
    typer.echo(output)
