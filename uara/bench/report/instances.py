"""All instances in one table, which leads to the page of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uara.base.cells import Cell, Column, Table, heading, number, percent, significant, words
from uara.bench.report.pages import anchor
from uara.bench.report.section import Facts, Section

if TYPE_CHECKING:
    import pandas as pd


def instances(facts: Facts) -> Section:
    """The instances, what is known of each."""
    table = instances_table(facts.runs, facts.known)
    return Section("instances", "Instances", "Instances", {"table": table})


def instances_table(runs: pd.DataFrame, known: pd.DataFrame) -> Table:
    """All instances, with a link to the page of each."""
    features = [
        name
        for name in runs.columns
        if name.startswith("feature_") and runs[name].notna().any() and runs[name].dtype.kind == "f"
    ]
    columns = [
        Column("instance", numeric=False),
        *(Column(heading(name), place=1) for name in features),
        Column("best controllable ms"),
        Column("best solver", numeric=False),
        Column("optimality gap %"),
        Column("bound", "re-computed from a certificate, or only claimed", numeric=False, place=1),
    ]
    first = runs.groupby("instance", sort=False)[features].first()
    rows = [
        [
            Cell(str(name), link=f"#{anchor(str(name))}"),
            *(significant(6)(first.loc[name, feature]) for feature in features),
            number(2)(row["best_controllable_ms"]),
            words(row["best_solver"]),
            percent(4)(row["gap"]),
            words(row["bound_kind"]),
        ]
        for name, row in known.iterrows()
    ]
    return Table(columns, rows).distinct()
