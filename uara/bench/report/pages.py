"""A page for each instance, and the table that leads to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base.errors import UaraError
from uara.bench.ranking import per_instance
from uara.bench.report import charts
from uara.bench.report.cells import Cell, Column, Table, number, percent, significant, words
from uara.bench.results import Results
from uara.problem import kind_of, parse_decision, plot

if TYPE_CHECKING:
    import pandas as pd


def instances_table(runs: pd.DataFrame, known: pd.DataFrame) -> Table:
    """All instances, with a link to the page of each."""
    features = [
        name
        for name in runs.columns
        if name.startswith("feature_") and runs[name].notna().any() and runs[name].dtype.kind == "f"
    ]
    columns = [
        Column("instance", numeric=False),
        *(Column(charts.pretty(name)) for name in features),
        Column("best controllable ms"),
        Column("best solver", numeric=False),
        Column("gap to bound %"),
        Column("bound", "re-computed from a certificate, or only claimed", numeric=False),
    ]
    first = runs.groupby("instance", sort=False)[features].first()
    rows = []
    for name, row in known.iterrows():
        rows.append(
            [
                Cell(str(name), link=f"#{anchor(str(name))}"),
                *(significant(6)(first.loc[name, feature]) for feature in features),
                number(2)(row["best_controllable_ms"]),
                words(row["best_solver"]),
                percent(4)(row["gap"]),
                words(row["bound_kind"]),
            ]
        )
    return Table(columns, rows)


def anchor(instance: str) -> str:
    """Identifier of an instance's page: letters and digits, and a hash that keeps names apart."""
    import hashlib
    import re

    plain = re.sub(r"[^A-Za-z0-9]+", "-", instance).strip("-")
    return f"i-{plain}-{hashlib.sha256(instance.encode()).hexdigest()[:6]}"


PAGE = [
    ("label", "solver", words),
    ("status", "status", words),
    ("controllable_ms", "controllable ms", number(2)),
    ("excess", "excess %", percent(3)),
    ("spread", "spread %", percent(2)),
    ("gap_to_bound", "gap to bound %", percent(4)),
    ("gap", "own proof %", percent(4)),
    ("latency_mean_ms", "latency ms", number(1)),
    ("latency_p95_ms", "p95 ms", number(1)),
    ("energy_j", "energy J", number(1)),
    ("runtime_s", "runtime s", significant(3)),
    ("time_to_target_s", "to target s", significant(3)),
    ("primal_integral_s", "primal integral s", significant(3)),
]


def page(
    results: Results, instance: str, runs: pd.DataFrame, known: pd.Series, places: dict[str, int]
) -> dict[str, Any]:
    """One instance: its table, anytime curves, and the pictures of its best answer."""
    own = runs[runs["instance"] == instance]
    table = per_instance(own).sort_values("controllable_ms", na_position="last", kind="stable")
    rows = [[make(row[key]) for key, _, make in PAGE] for row in table.to_dict("records")]
    columns = [Column(title, numeric=make is not words) for _, title, make in PAGE]
    return {
        "name": instance,
        "anchor": anchor(instance),
        "table": Table(columns, rows, instance),
        "failed": not own["status"].isin(["ok", "skipped"]).all(),
        "chart": charts.anytime_chart(results, instance, runs, known, places),
        "best_solver": known["best_solver"],
        "pictures": pictures_of_best(results, instance, own),
    }


def pictures_of_best(results: Results, instance: str, runs: pd.DataFrame) -> dict[str, str]:
    """Pictures of the best answer, where the instance is kept in the results."""
    solved = runs[runs["status"] == "ok"]
    problem = results.problem(instance) if len(solved) else None
    if problem is None:
        return {}
    plain = Results.decoded(solved.loc[solved["objective_ms"].idxmin(), "decision"])
    if plain is None:
        return {}
    draw = kind_of(problem.kind).pictures or plotted
    return draw(problem, parse_decision(problem, plain))


def plotted(problem: Any, decision: Any) -> dict[str, str]:
    """What ``Problem.plot`` draws, as an image inside the page; nothing where it cannot draw."""
    import base64
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.svg"
        try:
            plot(problem, path, decision)
        except UaraError:
            return {}
        content = base64.b64encode(path.read_bytes()).decode()
    return {"Answer": f'<img alt="the answer" src="data:image/svg+xml;base64,{content}">'}
