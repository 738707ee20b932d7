"""The sections of the report, in their order. A new one is a function in the list and a template in ``sections/``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from uara.base.cells import (
    Cell,
    Column,
    Table,
    figure,
    heading,
    number,
    percent,
    significant,
    tabled,
    words,
)
from uara.bench.ranking import duels, per_instance
from uara.bench.ranking import payback as payback_of
from uara.bench.report import curves
from uara.bench.report.pages import anchor
from uara.bench.report.paper import claims, figures
from uara.bench.report.plotting import shortened
from uara.bench.report.section import Facts, Section
from uara.bench.results import by_group
from uara.bench.results import machines as machines_of
from uara.bench.standings import pairs, standings

if TYPE_CHECKING:
    import pandas as pd

MOST_REASON = 300
"""Characters that are shown of why a run failed."""
LOG_ENDS = 500, 1500
"""And of what it printed, at the beginning and at the end; the result file has the rest."""


def ranking(facts: Facts) -> Section:
    """Who is best, over all instances and over each group, and whether that is certain."""
    tests = duels(facts.runs)
    values = {
        "ranking": standings(facts.runs, "all instances", tests),
        "groups": [standings(own, group) for group, own in by_group(facts.results, facts.runs).items()],
        "pairs": pairs(tests),
    }
    return Section("ranking", "Ranking", "Ranking", values)


def profiles(facts: Facts) -> Section:
    """How many instances each solver solves within a factor of the best."""
    found, places = curves.profiles(facts.runs), dict(facts.places)
    quality, time = (curves.profile_drawing(what, found[what], places) for what in ("quality", "time"))
    values = {"quality": quality, "time": time, "target": curves.TARGET_WORDS}
    return Section("profiles", "Performance profiles", "Profiles", values, [quality, time])


def anytime(facts: Facts) -> Section:
    """How fast gaps fall."""
    drawing = curves.mean_gap_drawing(facts)
    return Section("anytime", "Anytime behaviour", "Anytime", {"drawing": drawing}, [drawing])


GAPS = {
    "gap_to_bound": "optimality gap %",
    "association_gap": "association %",
    "allocation_gap": "allocation %",
}


def gaps(facts: Facts) -> Section | None:
    """Where gaps come from; nothing where the problem kind cannot tell."""
    means = split(facts.runs)
    if means is None:
        return None
    columns = [figure("solver", "label", words)]
    columns += [figure(title, name, percent(3)) for name, title in GAPS.items()]
    drawing = curves.gap_split_drawing(means)
    values = {"table": tabled(columns, means.to_dict("records")), "drawing": drawing}
    return Section("gaps", "Where the gap comes from", "Gaps", values, [drawing])


def split(runs: pd.DataFrame) -> pd.DataFrame | None:
    """Mean gap of each solver and its parts, over the same instances: those with a bound.

    Solvers that failed on one of theirs are left out, since an answer that does not exist has no cause.
    """
    if "allocation_gap" not in runs:
        return None
    known = per_instance(runs).dropna(subset=list(GAPS))
    means = known.groupby("label", sort=False)[list(GAPS)].mean()
    means = means[np.isfinite(means).all(axis=1)].reset_index()
    return None if means.empty else means


def paper(facts: Facts) -> Section | None:
    """The suite's figures and claims; nothing where it has none."""
    values = {"figures": figures(facts), "claims": claims(facts)}
    if not any(values.values()):
        return None
    drawings = [each["drawing"] for each in values["figures"] if "drawing" in each]
    return Section("paper", "The paper's figures", "Paper", values, drawings)


PAYBACK = (
    figure("learned solver", "learned", words),
    figure("against", "against", words),
    figure("training s", "training_s", number(0)),
    figure("saved s per instance", "saved_s", significant(3), "a failure counts ten times its limit"),
    figure("pays back after instances", "instances", number(0)),
    figure(
        "primal gap difference %",
        "excess_difference",
        percent(3),
        "above 0: the learned solver's answers are worse; a failure is infinitely worse",
    ),
)


def payback(facts: Facts) -> Section | None:
    """Where training pays; nothing where no solver was trained."""
    records = payback_of(facts.runs).to_dict("records")
    if not records:
        return None
    return Section("payback", "When training pays", "Training", {"table": tabled(PAYBACK, records)})


def instances(facts: Facts) -> Section:
    """All instances with what is known of each, and a link to its page."""
    runs, known = facts.runs, facts.known
    numeric = [name for name in runs if name.startswith("feature_") and runs[name].dtype.kind == "f"]
    features = [name for name in numeric if runs[name].notna().any()]
    columns = [
        (Column("instance", numeric=False), lambda row: Cell(row["name"], link=f"#{anchor(row['name'])}")),
        *(figure(heading(name), name, significant(6), place=1) for name in features),
        figure("best controllable ms", "best_controllable_ms", number(2)),
        figure("best solver", "best_solver", words),
        figure("optimality gap %", "gap", percent(4)),
        figure("bound", "bound_kind", words, "re-computed from a certificate, or only claimed", 1),
    ]
    records = known.join(runs.groupby("instance", sort=False)[features].first())
    records = records.assign(name=records.index.astype(str))
    table = tabled(columns, records.to_dict("records")).distinct()
    return Section("instances", "Instances", "Instances", {"table": table})


def failures(facts: Facts) -> Section:
    """Every run that did not end ok."""
    return Section("failures", "Failures", "Failures", {"table": failures_table(facts.runs)})


def failures_table(runs: pd.DataFrame) -> Table | None:
    """Every run that did not end ok, and why; what each run of a solver prints is shown once."""
    failed = runs[runs["status"] != "ok"].fillna({"reason": "", "log": ""})
    if not len(failed):
        return None
    failed = failed.assign(log=failed["log"].map(ends))
    failed.loc[failed.duplicated(["label", "log"]), "log"] = ""
    columns = [
        figure("solver", "label", words),
        figure("instance", "instance", words),
        figure("seed", "seed", number(0)),
        figure("status", "status", words),
        (
            Column("reason", numeric=False),
            lambda row: Cell(shortened(row["reason"], MOST_REASON), note=row["log"]),
        ),
    ]
    return tabled(columns, failed.to_dict("records"))


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


SECTIONS: tuple[Callable[[Facts], Section | None], ...] = (
    *(ranking, profiles, anytime, gaps, paper, payback, instances, failures, machines, data),
)
"""Each makes its section of the facts, or none where there is nothing to say."""
DRAWN = (profiles, anytime, gaps, paper)
"""Those with pictures."""


def sections(facts: Facts, wanted: Sequence[Callable[[Facts], Section | None]] = SECTIONS) -> list[Section]:
    """The sections that have something to say."""
    return [found for make in wanted if (found := make(facts)) is not None]
