"""The gap of each solver in two parts: association and allocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from uara.base.cells import Column, Table, percent, words
from uara.bench.ranking import per_instance
from uara.bench.report.curves import gap_split_drawing
from uara.bench.report.section import Facts, Section

if TYPE_CHECKING:
    import pandas as pd

PARTS = {
    "gap_to_bound": "optimality gap %",
    "association_gap": "association %",
    "allocation_gap": "allocation %",
}


def gaps(facts: Facts) -> Section | None:
    """Where gaps come from; nothing where the problem kind cannot tell."""
    means = split(facts.runs)
    if means is None:
        return None
    rows = [
        [words(row["label"]), *(percent(3)(row[name]) for name in PARTS)] for row in means.to_dict("records")
    ]
    table = Table([Column("solver", numeric=False), *map(Column, PARTS.values())], rows)
    drawing = gap_split_drawing(means)
    values = {"table": table, "drawing": drawing}
    return Section("gaps", "Where the gap comes from", "Gaps", values, [drawing])


def split(runs: pd.DataFrame) -> pd.DataFrame | None:
    """Mean gap of each solver and its parts, over the same instances: those with a bound.

    Solvers that failed on one of theirs are left out, since an answer that does not exist has no cause.
    """
    if "allocation_gap" not in runs:
        return None
    known = per_instance(runs).dropna(subset=list(PARTS))
    means = known.groupby("label", sort=False)[list(PARTS)].mean()
    means = means[np.isfinite(means).all(axis=1)].reset_index()
    return None if means.empty else means
