"""Rankings and comparisons on a terminal, and as plain data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import inks
from uara.base.cells import NONE, Cell, Column, Table, percent, words
from uara.bench.metrics import scored
from uara.bench.ranking import overall
from uara.bench.results import Results
from uara.bench.standings import standings

if TYPE_CHECKING:
    from uara.bench.compare import Change, Comparison


def ranking_records(results: Results) -> list[dict[str, Any]]:
    """The overall ranking as plain data; numbers that do not exist are None."""
    records = overall(scored(results)).to_dict("records")
    return [{str(name): _known(value) for name, value in record.items()} for record in records]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show_ranking(results: Results, written: list[Path]) -> None:
    """Print the overall ranking, how the runs ended, and the files that were written."""
    from uara.display import output_console

    console = output_console()
    inks.show(standings(scored(results), results.suite.get("name", "")), console)
    console.print(
        "runs: " + ", ".join(f"{count} {name}" for name, count in results.counts().items()), highlight=False
    )
    if results.missing:
        console.print(f"{results.missing} planned runs have not been done yet: every number is provisional")
    for path in written:
        console.print(f"written: {path}", highlight=False, markup=False, soft_wrap=True)


def show_comparison(outcome: Comparison) -> None:
    """Print what changed between two result files."""
    from uara.display import output_console, shown

    console = output_console()
    for line in outcome.notes:
        console.print(shown(line), highlight=False)
    inks.show(changes_table(outcome), console)


def changes_table(outcome: Comparison) -> Table:
    """The changes between two result files, each with its unit in the name of what changed."""
    columns = [
        Column("solver", numeric=False),
        Column("instance", numeric=False),
        Column("what", numeric=False),
        Column("old", place=2),
        Column("new", place=2),
        Column("change %"),
        Column("95 % interval %", place=1),
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
