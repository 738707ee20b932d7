"""Markdown tables from a result file, and keeping those in a README equal to them."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from uara import files
from uara.bench.claims import measured
from uara.bench.metrics import references, scored
from uara.bench.ranking import overall, per_instance
from uara.bench.results import Results
from uara.bench.terminal import refuse_empty
from uara.errors import InputError

MARK = re.compile(r"(<!-- uara bench table: (?P<name>[\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def markdown_tables(results: Results) -> dict[str, str]:
    """Every table by its name: ``SUITE-ranking``, ``SUITE-instances``, ``SUITE-claims``, ``SUITE-machine``."""
    refuse_empty(results)
    name = results.suite.get("name", "results")
    tables = {
        "ranking": ranking(results),
        "instances": instances(results),
        "claims": claims(results),
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
    old = files.read_bytes(path).decode()
    if not any(match["name"] in tables for match in MARK.finditer(old)):
        raise InputError(f"holds no mark of {', '.join(tables)}", source=str(path))

    def replace(match: re.Match[str]) -> str:
        text = tables.get(match["name"])
        return match[0] if text is None else f"{match[1]}{text}\n{match[3]}"

    new = MARK.sub(replace, old)
    if write and new != old:
        files.write_bytes(path, new.encode())
    return new != old


def ranking(results: Results) -> str:
    """The overall ranking."""
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
    for row in overall(scored(results)).to_dict("records"):
        interval = f"{_percent(row['excess_low'], 2)} … {_percent(row['excess_high'], 2)}"
        rows.append(
            [
                _real(row["rank"], 0),
                row["label"],
                _percent(row["excess"], 3),
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


def instances(results: Results) -> str:
    """Best answer and bound of each instance, and the excess of each solver."""
    runs, known = scored(results), references(results)
    table = per_instance(runs).pivot(index="instance", columns="label", values="excess")
    labels = [label for label in dict.fromkeys(runs["label"]) if table[label].notna().any()]
    rows = []
    for name, row in known.iterrows():
        gap = (row["best_ms"] - row["bound_ms"]) / row["best_controllable_ms"]
        shown = [_percent(max(0.0, gap) if math.isfinite(gap) else None, 4)]
        shown += [_percent(table.loc[name, label], 2) for label in labels]
        rows.append([str(name), _real(row["best_controllable_ms"], 1), *shown])
    return _markdown(
        ["instance", "best controllable ms", "gap to bound %", *(f"{label} %" for label in labels)], rows
    )


def claims(results: Results) -> str:
    """Published reductions beside those measured; empty where the suite claims nothing."""
    runs = scored(results)
    rows = []
    for claim in results.suite.get("claims", []):
        found = measured(claim, runs)
        rows.append(
            [
                f"{claim['solver']} against the best of {', '.join(claim['against'])}",
                f"{_percent(claim.get('mean_reduction'), 1)} / {_percent(claim.get('largest_reduction'), 1)}",
                f"{_percent(found.mean, 1)} / {_percent(found.largest, 1)}",
                str(found.instances),
            ]
        )
    head = ["reduction", "published mean / largest %", "measured mean / largest %", "instances"]
    return _markdown(head, rows) if rows else ""


def machine(results: Results) -> str:
    """What the results were made on."""
    from uara.bench.report.sections import machines

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
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _percent(value: float | None, digits: int) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f}"


def _real(value: float, digits: int) -> str:
    return "–" if not math.isfinite(value) else f"{value:,.{digits}f}"
