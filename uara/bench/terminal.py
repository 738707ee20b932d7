"""Rankings and comparisons on a terminal, and as plain data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import inks
from uara.base.cells import NONE, Cell, Column, Table, percent, words
from uara.base.errors import one_line, printable
from uara.base.scores import all_finite
from uara.bench import standings
from uara.bench.ranking import of_results
from uara.bench.results import Results

if TYPE_CHECKING:
    from uara.bench.compare import Change, Comparison


def ranking_records(results: Results) -> list[dict[str, Any]]:
    """The overall ranking as plain data; numbers that do not exist are None."""
    records: list[dict[str, Any]] = all_finite(of_results(results).to_dict("records"))
    return records


def show_ranking(results: Results, written: list[Path]) -> None:
    """Print the overall ranking, how the runs ended, and the files that were written."""
    from uara.answers.display import output_console

    console = output_console()
    inks.show(standings.of_results(results), console)
    console.print(
        "runs: " + ", ".join(f"{count} {name}" for name, count in results.counts().items()), highlight=False
    )
    for line in failures(results):
        console.print(line, highlight=False, markup=False)
    if results.missing:
        console.print(f"{results.missing} planned runs have not been done yet: every number is provisional")
    for path in written:
        console.print(f"written: {path}", highlight=False, markup=False, soft_wrap=True)


MOST_FAILURES = 10
"""Kinds of failure that a terminal shows; the report has all."""


def failures(results: Results) -> list[str]:
    """Why runs failed or were left out, a line for each solver and reason, the most frequent first."""
    runs = results.runs
    failed = runs[runs["status"] != "ok"]
    groups = failed.groupby(["status", "label", failed["reason"].fillna("")], sort=False)
    rows = sorted(((len(own), key, own["instance"].iloc[0]) for key, own in groups), key=lambda row: -row[0])
    lines = []
    for count, (status, label, reason), instance in rows[:MOST_FAILURES]:
        where = f"on {instance}" if count == 1 else f"{count} runs, as on {instance}"
        lines.append(one_line(f"{status}: {label} ({where}): {reason or 'no reason is recorded'}"))
    if len(rows) > MOST_FAILURES:
        lines.append(f"and {len(rows) - MOST_FAILURES} further reasons, which the report lists")
    return lines


def show_comparison(outcome: Comparison, form: inks.Form | None = None) -> None:
    """Print what changed between two result files: for people, or the table alone in the form of a file."""
    if form is not None:
        print(inks.TEXTS[form](changes_table(outcome)))
        return
    from uara.answers.display import output_console

    console = output_console()
    for line in outcome.notes:
        console.print(printable(line), highlight=False, markup=False)
    inks.show(changes_table(outcome), console)


def changes_table(outcome: Comparison) -> Table:
    """The changes between two result files, each with its unit in the name of what changed."""
    columns = [
        Column("solver", numeric=False),
        Column("instance", numeric=False),
        Column("what", numeric=False),
        Column("old", place=2),
        Column("new", place=2),
        Column("change %", place=1),
        Column("95 % interval %", place=3),
        Column("verdict", numeric=False),
    ]
    return Table(columns, [_cells(change) for change in outcome.changes])


def _cells(change: Change) -> list[Cell]:
    interval = [percent(2)(value).text for value in (change.low, change.high)]
    return [
        *map(words, (change.label, change.instance, change.what, change.old, change.new)),
        percent(2)(change.ratio),
        words(" … ".join(interval) if math.isfinite(change.low) else NONE),
        words(change.verdict),
    ]
