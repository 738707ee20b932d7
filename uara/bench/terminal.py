"""Rankings and comparisons on a terminal, and as plain data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.bench.metrics import scored
from uara.bench.ranking import overall
from uara.bench.results import Results

if TYPE_CHECKING:
    from uara.bench.compare import Comparison


def ranking_records(results: Results) -> list[dict[str, Any]]:
    """The overall ranking as plain data; numbers that do not exist are None."""
    records = overall(scored(results)).to_dict("records")
    return [{str(name): _known(value) for name, value in record.items()} for record in records]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show_ranking(results: Results, written: list[Path]) -> None:
    """Print the overall ranking, how the runs ended, and the files that were written."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from uara.display import number, output_console, shown

    ranks = overall(scored(results))
    console = output_console()
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=shown(results.suite.get("name", "")),
        title_justify="left",
    )
    table.add_column("rank", justify="right")
    table.add_column("solver", overflow="fold")
    for name in (
        "excess\n%",
        "95 %\ninterval",
        "gap to\nbound %",
        "proven\n%",
        "controll.\nms",
        "latency ms\nmean/p95",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("runtime\ns", "solved\n%"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in ranks.to_dict("records"):
        interval = f"{percent(row['excess_low'], 2)}..{percent(row['excess_high'], 2)}"
        table.add_row(
            "-" if math.isnan(row["rank"]) else f"{row['rank']:.0f}",
            shown(row["label"]),
            excess(row),
            interval if math.isfinite(row["excess_low"]) else "-",
            percent(row["gap_to_bound"], 4),
            percent(row["proven_gap"], 4),
            _real(row["controllable_ms"], number),
            f"{_real(row['latency_mean_ms'], number)}/{_real(row['latency_p95_ms'], number)}",
            "-" if math.isnan(row["runtime_s"]) else f"{row['runtime_s']:.3f}",
            percent(row["solved"], 0),
        )
    console.print(table)
    console.print(
        "runs: " + ", ".join(f"{count} {name}" for name, count in results.counts().items()), highlight=False
    )
    if results.missing:
        console.print(f"{results.missing} planned runs have not been done yet: every number is provisional")
    for path in written:
        console.print(f"written: {path}", highlight=False, markup=False, soft_wrap=True)


def _real(value: float, number: Any) -> str:
    return "-" if math.isnan(value) else str(number(value)) if math.isfinite(value) else "inf"


def percent(value: float | None, digits: int, *, none: str = "-", infinite: str = "inf") -> str:
    """A share in per cent; a dash where there is none."""
    if value is None or math.isnan(value):
        return none
    return f"{100 * value:.{digits}f}" if math.isfinite(value) else infinite


def excess(row: Mapping[str, Any], shown: Callable[[float, int], str] = percent) -> str:
    """The excess of a row of the ranking; that of the answered instances in brackets where others were not."""
    text = shown(row["excess"], 3)
    if math.isinf(row["excess"]) and math.isfinite(row["excess_answered"]):
        text += f" ({shown(row['excess_answered'], 3)})"
    return text


def show_comparison(outcome: Comparison) -> None:
    """Print what changed between two result files."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from uara.display import output_console, shown

    console = output_console()
    for line in outcome.notes:
        console.print(shown(line), highlight=False)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("solver", "instance", "what"):
        table.add_column(name, overflow="fold")
    for name in ("old", "new", "change", "95 % interval", "verdict"):
        table.add_column(name, justify="right")
    for change in outcome.changes:
        table.add_row(
            *map(shown, (change.label, change.instance, change.what, change.old, change.new)),
            percent(change.ratio, 2) + " %" if math.isfinite(change.ratio) else "-",
            f"{percent(change.low, 2)}..{percent(change.high, 2)}" if math.isfinite(change.low) else "-",
            change.verdict,
        )
    console.print(table)
