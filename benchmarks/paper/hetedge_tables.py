"""The tables of docs/hetedge.md, made of the recorded runs in docs/hetedge: what they say is never typed.

python benchmarks/paper/hetedge_tables.py            # writes docs/hetedge.md anew, between the marks

A mark is ``<!-- hetedge table: NAME -->``, and ``<!-- end of table -->`` ends it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import hetedge_bars as bars
import hetedge_record
import hetedge_rolling as rolling
import hetedge_sweeps as sweeps
import typer

from uara.base.errors import InputError
from uara.base.files import write_bytes

DOCS = Path(__file__).parents[2] / "docs"
_MARK = re.compile(r"(<!-- hetedge table: (?P<name>[\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
AGAINST = {
    sweeps.BENCHMARK: "uniform band, full batches, length 4 (requests in the order given)",
    "best fixed length": "the same with the best of ten fixed lengths",
    sweeps.ORDERED: "the same as the first, shortest prompts first",
    "the same without pipeline": "the same as the first, without pipeline",
    "no batching": "no batching",
    "autoregressive": "autoregressive (uniform band, full batches)",
    "autoregressive, all else optimal": "autoregressive, band in time, best batches, shortest outputs first",
}
"""What is saved against, as the table says it."""


def proofs(folder: Path) -> str:
    """Every instance with its plan, bound and gap."""
    rows = [row for row in hetedge_record.read(folder / "bars.csv", bars.Row) if row.bound_s > 0]
    return _table(
        ("", "plan", "proven", "gap", "processor time", "bar reached after"),
        (
            (
                f"`{row.instance}`", f"{row.total_s:,.3f} s", f"{row.bound_s:,.3f} s", _percent(row.gap, ".2"),
                f"{row.processor_s:.0f} s", _reached(row),
            )
            for row in rows
        ),
    )  # fmt: skip


def _reached(row: bars.Row) -> str:
    requests = int(row.instance.split("_")[1][1:])
    if requests not in bars.PROOF_GAP:
        return "(no bar)"
    bar = _percent(bars.PROOF_GAP[requests], ".1")
    return (
        f"{bar}: {row.reached_s:.0f} s"
        if math.isfinite(row.reached_s)
        else f"{bar}: not in {row.limit_s:g} s"
    )


def searches(folder: Path) -> str:
    """What the search found in its time, beside the best that any run has found."""
    rows = hetedge_record.read(folder / "bars.csv", bars.Row)
    lines = []
    for name in dict.fromkeys(row.instance for row in rows if row.solver == "hetedge-dp"):
        found = [row.total_s for row in rows if (row.instance, row.solver) == (name, "hetedge-dp")]
        best = min(row.total_s for row in rows if row.instance == name)
        worst = max(found) / best - 1
        lines.append(
            (
                f"`{name}`",
                ", ".join(f"{each:,.1f}" for each in found) + " s",
                f"{best:,.1f} s",
                _percent(worst, ".2"),
            )
        )
    return _table(("", "searched, 10 s (one figure a seed)", "best known", "worst above it"), lines)


def savings(folder: Path) -> str:
    """What is saved over the points of the sweeps, and the most that any plan could save."""
    rows = hetedge_record.read(folder / "sweeps.csv", sweeps.Row)
    lines = []
    for method, title in AGAINST.items():
        parts: dict[str, list[float]] = {}
        totals = {(row.sweep, row.value, row.method): row for row in rows}
        for (sweep, value, name), row in totals.items():
            if name != method:
                continue
            for ours in ("joint optimum", sweeps.SEARCHED):
                saved = 1 - totals[sweep, value, ours].total_ms / row.total_ms
                parts.setdefault(ours, []).append(saved)
            parts.setdefault("any plan", []).append(row.gap)
        ours, searched, most = parts["joint optimum"], parts[sweeps.SEARCHED], parts["any plan"]
        lines.append(
            (title, *(_percent(end(part), ".1") for part in (ours, searched, most) for end in (min, max)))
        )
    head = ("against", "joint optimum, least", "most", "orders searched, least", "most")
    return _table((*head, "no plan saves more than, least", "most"), lines)


def gaps(folder: Path) -> str:
    """The proven gap of the searched plan at every point of the sweeps."""
    rows = hetedge_record.read(folder / "sweeps.csv", sweeps.Row)
    best = [row for row in rows if row.method == sweeps.SEARCHED]
    lines = []
    for sweep, label in sweeps.LABELS.items():
        here = [row for row in best if row.sweep == sweep]
        lines.append((label, ", ".join(f"{row.value:g}: {_percent(row.gap, '.2')}" for row in here)))
    return _table(("varied", "proven gap of the best plan found"), lines)


def ablation(folder: Path) -> str:
    """Each ingredient alone and taken away, with what is proved beside it."""
    rows = hetedge_record.read(folder / "ablation.csv", sweeps.Row)
    base = rows[0].total_ms
    return _table(
        ("", "total latency", "against the benchmark", "above what is proved"),
        (
            (
                row.method, f"{row.total_ms / 1e3:,.0f} s", _percent(row.total_ms / base - 1, "+.1"),
                _percent(row.total_ms / row.bound_ms - 1, "+.1"),
            )
            for row in rows
        ),
    )  # fmt: skip


def arrivals(folder: Path) -> str:
    """Mean and 95th percentile of the response, for every trace and speed."""
    rows = hetedge_record.read(folder / "rolling.csv", rolling.Row)
    cases = list(dict.fromkeys((row.trace, row.speed) for row in rows))
    shown = {(row.trace, row.speed, row.method): row for row in rows}
    best = {case: min(row.mean_s for row in rows if (row.trace, row.speed) == case) for case in cases}
    lines = []
    for method in dict.fromkeys(row.method for row in rows):
        cells = []
        for case in cases:
            row = shown[*case, method]
            mean = f"{row.mean_s:.1f}"
            cells.append(f"{f'**{mean}**' if row.mean_s == best[case] else mean} / {row.p95_s:.1f}")
        lines.append((method, *cells))
    return _table(("", *(f"{trace.rsplit('_', 1)[-1]}, {speed:g}" for trace, speed in cases)), lines)


TABLES: Mapping[str, tuple[str, Callable[[Path], str]]] = {
    "proofs": ("bars.csv", proofs),
    "searches": ("bars.csv", searches),
    "savings": ("sweeps.csv", savings),
    "gaps": ("sweeps.csv", gaps),
    "ablation": ("ablation.csv", ablation),
    "arrivals": ("rolling.csv", arrivals),
}
"""The record behind every table, by the name in its mark, and what makes the table of it."""


def _percent(part: float, digits: str) -> str:
    return f"{part:{digits}%}".replace("%", " %")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(line)} |\n" for line in (head, *rows)]
    return "".join([lines[0].replace("|  |", "| |"), "|---" * len(head) + "|\n", *lines[1:]])


def filled(text: str, folder: Path) -> str:
    """The text with every marked table made anew; one stays that has no record, or one without bounds.

    Raises
    ------
    InputError
        If a mark names no table.
    """

    def made(mark: re.Match[str]) -> str:
        if mark["name"] not in TABLES:
            raise InputError(f"no table {mark['name']!r}; known are {', '.join(TABLES)}")
        record, table = TABLES[mark["name"]]
        there = (folder / record).is_file()
        if there and table in (savings, gaps, ablation):
            there = all(row.bound_ms > 0 for row in hetedge_record.read(folder / record, sweeps.Row))
        return mark[1] + table(folder) + mark[3] if there else mark[0]

    return _MARK.sub(made, text)


def main(
    page: Annotated[Path, typer.Argument(help="Page with marks.")] = DOCS / "hetedge.md",
    folder: Annotated[Path, typer.Option(help="Folder of the recorded runs.")] = DOCS / "hetedge",
) -> None:
    """Write the tables of a page anew."""
    write_bytes(page, filled(page.read_text(encoding="utf-8"), folder).encode())


if __name__ == "__main__":
    typer.run(main)
