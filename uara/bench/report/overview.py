"""What the report as a whole says: head, warnings, sections, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uara.bench.metrics import contradictions
from uara.bench.report.pages import pages
from uara.bench.report.section import Facts
from uara.bench.report.sections import sections
from uara.bench.results import Results
from uara.bench.statistics import FEWEST_UNITS, unit_of

if TYPE_CHECKING:
    import pandas as pd

BUSY = 2.5
"""Load for each thread of a run beyond which a machine counts as busy with something else."""


def overview(results: Results) -> dict[str, Any]:
    """Everything that the template shows."""
    facts = Facts.of(results)
    return {
        "suite": results.suite,
        "counts": results.counts(),
        "missing": results.missing,
        "warnings": warnings(results, facts.runs),
        "labels": list(facts.places),
        "sections": sections(facts),
        "pages": pages(facts),
    }


def warnings(results: Results, runs: pd.DataFrame) -> list[str]:
    """What a reader must not overlook."""
    found = [f"Contradiction: {line}" for line in contradictions(results)]
    if results.missing:
        found.append(
            f"{results.missing} planned runs have not been done yet: every number here is provisional."
        )
    count = runs["instance"].map(unit_of).nunique()
    if count < FEWEST_UNITS:
        found.append(f"On {count} independent drops no test can tell solvers apart: ranks are shared.")
    tried = runs[runs["status"] != "skipped"]
    for label, own in tried.groupby("label", sort=False):
        if not (own["status"] == "ok").any():
            found.append(f"{label} never succeeded: {', '.join(sorted(set(own['status'])))}.")
    if len(tried) and tried["load_1min"].astype(float).median() > BUSY * tried["threads"].median():
        found.append(
            f"The machine was busy with other work: its load was {tried['load_1min'].median():.1f} in the median, "
            f"for runs of {tried['threads'].median():.0f} thread. Runtimes are too long by an unknown factor."
        )
    commits = sorted(set(tried["commit"].dropna()) - {""})
    if len(commits) > 1:
        found.append(f"The runs were made at {len(commits)} states of the code: {', '.join(commits)}.")
    return found
