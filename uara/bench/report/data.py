"""What failed, what the runs were made on, and where every number is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uara.base.cells import Cell, Column, Table, number, words
from uara.bench.report.plotting import shortened
from uara.bench.report.section import Facts, Section
from uara.bench.results import machines as machines_of

if TYPE_CHECKING:
    import pandas as pd

MOST_REASON = 300
"""Characters that are shown of why a run failed."""
LOG_ENDS = 500, 1500
"""And of what it printed, at the beginning and at the end; the result file has the rest."""


def failures(facts: Facts) -> Section:
    """Every run that did not end ok."""
    return Section("failures", "Failures", "Failures", {"table": failures_table(facts.runs)})


def failures_table(runs: pd.DataFrame) -> Table | None:
    """Every run that did not end ok, and why."""
    failed = runs[runs["status"] != "ok"].fillna({"reason": "", "log": ""})
    if not len(failed):
        return None
    names = ("label", "instance", "seed", "status", "reason")
    columns = [Column(name if name != "label" else "solver", numeric=name == "seed") for name in names]
    rows = []
    printed = set()
    for row in failed.to_dict("records"):
        log = ends(row["log"])
        note = "" if (row["label"], log) in printed else log  # what each run prints is read once
        printed.add((row["label"], log))
        cells = [number(0)(row[name]) if name == "seed" else words(row[name]) for name in names[:-1]]
        rows.append([*cells, Cell(shortened(row["reason"], MOST_REASON), note=note)])
    return Table(columns, rows)


def ends(text: str) -> str:
    """The beginning and the end of a long text."""
    first, last = LOG_ENDS
    return text if len(text) <= first + last + 5 else f"{text[:first]}\n[…]\n{text[-last:]}"


def machines(facts: Facts) -> Section:
    """Machines, software, limits."""
    values = {"machines": machines_of(facts.results), "suite": facts.results.suite}
    return Section("machines", "Machines and software", "Machines", values)


def data(facts: Facts) -> Section:
    """What the result file holds."""
    own = [name for name in facts.runs.columns if name.startswith(("feature_", "measure_"))]
    return Section("data", "Every number from the data", "Data", {"own": own})
