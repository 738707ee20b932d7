"""Markdown tables from a result file, and keeping those in a README equal to them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import files
from uara.base.errors import InputError, printable
from uara.bench.claims import measured
from uara.bench.metrics import costs, references, scored
from uara.bench.ranking import cells, overall
from uara.bench.results import Results, by_group
from uara.bench.terminal import excess, percent

if TYPE_CHECKING:
    import pandas as pd

MARK = re.compile(r"(<!-- uara bench table: (?P<name>[\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def markdown_tables(results: Results) -> dict[str, str]:
    """Every table by its name.

    ``SUITE-ranking``, ``SUITE-instances``, ``SUITE-claims``, ``SUITE-machine``; ``SUITE-ranking-GROUP`` for each group
    of instances; ``SUITE-gap-LABEL`` for each learned solver where sizes are a grid.
    """
    name = results.suite.get("name", "results")
    runs = scored(results)
    tables = {
        "ranking": ranking(runs),
        **{f"ranking-{group}": ranking(own) for group, own in by_group(results, runs).items()},
        **{f"gap-{_word(label)}": text for label, text in gaps_by_size(runs).items()},
        "instances": instances(runs, references(results)),
        "claims": claims(runs, results.suite),
        "machine": machine(results),
    }
    return {f"{name}-{key}": text for key, text in tables.items() if text}


def renew(path: Path, tables: dict[str, str], *, write: bool = True) -> bool:
    """Put the tables between their marks in a Markdown file; returns whether anything differed.

    A mark is ``<!-- uara bench table: NAME -->``, and ``<!-- end of table -->`` ends it. Marks of other results
    are left as they are.

    Raises
    ------
    InputError
        If the file holds no mark of these tables.
    """
    try:
        old = files.read_bytes(path).decode()
    except UnicodeDecodeError:
        raise InputError("not a text in UTF-8", source=str(path)) from None
    if not any(match["name"] in tables for match in MARK.finditer(old)):
        raise InputError(f"holds no mark of {', '.join(tables)}", source=str(path))

    def replace(match: re.Match[str]) -> str:
        text = tables.get(match["name"])
        return match[0] if text is None else f"{match[1]}{text}\n{match[3]}"

    new = MARK.sub(replace, old)
    if write and new != old:
        files.write_bytes(path, new.encode())
    return new != old


def ranking(runs: pd.DataFrame) -> str:
    """The ranking over some scored runs."""
    head = [
        "rank",
        "solver",
        "excess %",
        "95 % interval",
        "gap to bound %",
        "own proof %",
        "latency ms",
        "p95 ms",
    ]
    head += ["runtime s", "solved %"]
    rows = []
    for row in overall(runs).to_dict("records"):
        if not (math.isfinite(row["excess"]) or math.isfinite(row["solved"])):
            continue  # left out everywhere
        interval = f"{_percent(row['excess_low'], 2)} … {_percent(row['excess_high'], 2)}"
        rows.append(
            [
                _real(row["rank"], 0),
                row["label"],
                excess(row, _percent),
                interval if math.isfinite(row["excess_low"]) else "–",
                _percent(row["gap_to_bound"], 4),
                _percent(row["proven_gap"], 4),
                _real(row["latency_mean_ms"], 1),
                _real(row["latency_p95_ms"], 1),
                _real(row["runtime_s"], 3),
                _percent(row["solved"], 0),
            ]
        )
    return _markdown(head, rows)


def gaps_by_size(runs: pd.DataFrame) -> dict[str, str]:
    """Mean gap to the best bound by number of servers and devices, a table a learned solver (``training_s``)."""
    sizes = ["feature_servers", "feature_devices"]
    if not set(sizes) <= set(runs.columns):
        return {}
    found = {}
    learned = runs[runs["training_s"].notna() & (runs["status"] != "skipped")]
    learned = learned.assign(gap_to_bound=costs(learned, "gap_to_bound"))
    for label, own in learned.groupby("label", sort=False):
        table = own.groupby(sizes)["gap_to_bound"].mean().unstack()
        count = own.groupby(sizes)["instance"].nunique()
        if min(table.shape) > 1:
            head = [
                f"E \\ M ({count.min()} to {count.max()} instances each)",
                *(f"{m:.0f}" for m in table.columns),
            ]
            rows = [
                [f"{e:.0f}", *(_percent(gap, 2) for gap in row)]
                for e, row in zip(table.index, table.values, strict=True)
            ]
            found[str(label)] = _markdown(head, rows)
    return found


def _word(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", label).strip("-").lower()


def instances(runs: pd.DataFrame, known: pd.DataFrame) -> str:
    """Best answer and bound of each instance, and the excess of each solver."""
    table = cells(runs, "excess").reindex(known.index)
    labels = [label for label in table.columns if table[label].notna().any()]
    rows = []
    for name, row in known.iterrows():
        shown = [_percent(row["gap"], 4)]
        shown += [_percent(table.loc[name, label], 2) for label in labels]
        rows.append([str(name), _real(row["best_controllable_ms"], 1), *shown])
    return _markdown(
        ["instance", "best controllable ms", "gap to bound %", *(f"{label} %" for label in labels)], rows
    )


def claims(runs: pd.DataFrame, suite: Mapping[str, Any]) -> str:
    """Published reductions beside those measured; empty where the suite claims nothing."""
    rows = []
    for claim in suite.get("claims", []):
        found = measured(claim, runs)
        rows.append(
            [
                f"{claim['solver']} against the best of {', '.join(claim['against'])}",
                f"{_percent(claim.get('mean_reduction'), 1)} / {_percent(claim.get('largest_reduction'), 1)}",
                f"{_percent(found.mean, 1)} / {_percent(found.largest, 1)}",
                f"{found.instances}" + (f", and {found.failed} that one failed on" if found.failed else ""),
            ]
        )
    head = ["reduction", "published mean / largest %", "measured mean / largest %", "instances"]
    return _markdown(head, rows) if rows else ""


def machine(results: Results) -> str:
    """What the results were made on."""
    from uara.bench.results import machines

    rows = [
        [
            one["cpu"],
            f"{one['cores']:.0f}",
            f"{one['memory_mb'] / 1000:.0f}",
            one["python"],
            one["commit"] or "–",
            str(one["runs"]),
            f"{one['hours']:.2f}",
            _real(one["load"], 1),
        ]
        for one in machines(results)
    ]
    return _markdown(["CPU", "cores", "memory GB", "Python", "commit", "runs", "hours", "load"], rows)


def _markdown(head: list[str], rows: list[list[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        "| " + " | ".join(printable(str(cell)).replace("|", "\\|") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines)


def _percent(value: float | None, digits: int) -> str:
    return percent(value, digits, none="–", infinite="∞")


def _real(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if math.isfinite(value) else "–" if math.isnan(value) else "∞"
