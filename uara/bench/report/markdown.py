"""The tables of a result file, and keeping those in Markdown files equal to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import files
from uara.base.cells import NONE, Cell, Column, Table, figure, number, percent, tabled, words
from uara.base.errors import InputError
from uara.base.inks import to_markdown
from uara.bench.claims import measured
from uara.bench.metrics import costs, references, scored
from uara.bench.ranking import cells
from uara.bench.results import Results, by_group, machines
from uara.bench.standings import BRIEF, USUAL, standings

if TYPE_CHECKING:
    import pandas as pd

MARK = re.compile(
    r"(<!-- uara bench table: (?P<name>[\w-]+)(?P<chosen>( \| [^|\n]+?)*) -->\n).*?(<!-- end of table -->)",
    re.DOTALL,
)


def tables_of(results: Results) -> dict[str, Table]:
    """Every table by its name.

    ``SUITE-ranking``, ``SUITE-instances``, ``SUITE-claims``, ``SUITE-machine``; ``SUITE-ranking-GROUP`` for each group
    of instances; ``SUITE-gap-LABEL`` for each learned solver where sizes are a grid.
    """
    name = results.suite.get("name", "results")
    runs = scored(results)
    tables = {
        "ranking": standings(runs),
        **{f"ranking-{group}": standings(own) for group, own in by_group(results, runs).items()},
        **{f"gap-{_word(label)}": table for label, table in gaps_by_size(runs).items()},
        "instances": instances(runs, references(results)),
        "claims": claims(runs, results.suite),
        "machine": machine(results),
    }
    return {f"{name}-{key}": table for key, table in tables.items() if table.rows}


def renew(path: Path, tables: Mapping[str, Table], *, write: bool = True) -> bool:
    """Put the tables between their marks in a Markdown file; returns whether anything differed.

    A mark is ``<!-- uara bench table: NAME -->``, and ``<!-- end of table -->`` ends it; after ``NAME | LABEL | LABEL``
    the table is a short one of these solvers alone. Marks of other results are left as they are.

    Raises
    ------
    InputError
        If the file holds no mark of these tables, or names solvers that a table does not have.
    """
    try:
        old = files.read_bytes(path).decode()
    except UnicodeDecodeError:
        raise InputError("not a text in UTF-8", source=str(path)) from None
    if not any(match["name"] in tables for match in MARK.finditer(old)):
        raise InputError(f"holds no mark of {', '.join(tables)}", source=str(path))

    def renewed(match: re.Match[str]) -> str:
        return marked(match, tables, str(path)) if match["name"] in tables else match[0]

    new = MARK.sub(renewed, old)
    if write and new != old:
        files.write_bytes(path, new.encode())
    return new != old


def marked(match: re.Match[str], tables: Mapping[str, Table], source: str) -> str:
    """What should stand at a mark: the mark, its table, its end."""
    table = tables[match["name"]]
    chosen = [label.strip() for label in match["chosen"].split("|")[1:]]
    if chosen:
        labels = [row[0].text for row in table.rows]
        if unknown := [label for label in chosen if label not in labels]:
            problem = f"{unknown[0]!r} is none of its solvers: {', '.join(labels)}"
            raise InputError(problem, source=source, path=match["name"])
        table = table.of(chosen).within(BRIEF)
    text = to_markdown(table.within(USUAL))
    return f"{match[1]}{text}\n{match[match.re.groups]}"


def gaps_by_size(runs: pd.DataFrame) -> dict[str, Table]:
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
            head = f"optimality gap %, E \\ M ({count.min()} to {count.max()} instances each)"
            rows = [
                [number(0)(servers), *map(percent(2), gaps)]
                for servers, gaps in zip(table.index, table.values, strict=True)
            ]
            found[str(label)] = Table([Column(head), *(Column(f"{m:.0f}") for m in table.columns)], rows)
    return found


def _word(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", label).strip("-").lower()


def instances(runs: pd.DataFrame, known: pd.DataFrame) -> Table:
    """Best answer and bound of each instance, and the primal gap of each solver."""
    table = cells(runs, "excess").reindex(known.index)
    labels = [label for label in table.columns if table[label].notna().any()]
    columns = [
        figure("instance", "instance", words),
        figure("best controllable ms", "best_controllable_ms", number(1)),
        figure("optimality gap %", "gap", percent(4)),
        *(figure(f"{label} primal gap %", f"of {label}", percent(2)) for label in labels),
    ]
    both = known.assign(instance=known.index).join(table.add_prefix("of "))
    return tabled(columns, both.to_dict("records"))


def claims(runs: pd.DataFrame, suite: Mapping[str, Any]) -> Table:
    """Published reductions beside those measured; without rows where the suite claims nothing."""
    columns = [
        Column("reduction", numeric=False),
        Column("published mean / largest %"),
        Column("measured mean / largest %"),
        Column("instances"),
    ]
    rows = []
    for claim in suite.get("claims", []):
        found = measured(claim, runs)
        lost = f", and {found.failed} that one failed on" if found.failed else ""
        rows.append(
            [
                words(f"{claim['solver']} against the best of {', '.join(claim['against'])}"),
                _both(claim.get("mean_reduction"), claim.get("largest_reduction")),
                _both(found.mean, found.largest),
                words(f"{found.instances}{lost}"),
            ]
        )
    return Table(columns, rows)


def _both(mean: float | None, largest: float | None) -> Cell:
    return words(f"{percent(1)(mean).text} / {percent(1)(largest).text}")


def machine(results: Results) -> Table:
    """What the results were made on."""
    columns = [
        figure("CPU", "cpu", words, place=1),
        figure("cores", "cores", number(0), place=1),
        figure("memory GB", "memory_gb", number(0), place=1),
        figure("Python", "python", words, place=1),
        figure("commit", "commit", words),
        figure("runs", "runs", number(0), place=1),
        figure("time h", "hours", number(2), place=1),
        figure("load", "load", number(1), place=1),
    ]
    records = [
        {**one, "memory_gb": one["memory_mb"] / 1000, "commit": one["commit"] or NONE}
        for one in machines(results)
    ]
    return tabled(columns, records).distinct()
