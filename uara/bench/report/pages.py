"""A page for each instance."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from uara.base.cells import Column, Table, number, percent, significant, words
from uara.bench.ranking import per_instance
from uara.bench.report.curves import anytime_drawing
from uara.bench.report.drawing import Drawing, Picture, Plotted
from uara.bench.report.section import Facts
from uara.bench.results import Results
from uara.problem import kind_of, parse_decision

COLUMNS = [
    ("label", "solver", words),
    ("status", "status", words),
    ("controllable_ms", "controllable ms", number(2)),
    ("excess", "primal gap %", percent(3)),
    ("spread", "spread %", percent(2)),
    ("gap_to_bound", "optimality gap %", percent(4)),
    ("gap", "own proof %", percent(4)),
    ("latency_mean_ms", "latency ms", number(1)),
    ("latency_p95_ms", "p95 ms", number(1)),
    ("energy_j", "energy J", number(1)),
    ("runtime_s", "runtime s", significant(3)),
    ("time_to_target_s", "to target s", significant(3)),
    ("primal_integral_s", "primal integral s", significant(3)),
]


def anchor(instance: str) -> str:
    """Identifier of an instance's page: letters and digits, and a hash that keeps names apart."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", instance).strip("-")
    return f"i-{plain}-{hashlib.sha256(instance.encode()).hexdigest()[:6]}"


def pages(facts: Facts) -> Iterator[dict[str, Any]]:
    """The page of each instance, one after the other: all pictures of a large suite need not exist at once."""
    for name in facts.known.index:
        yield page(facts, str(name))


def page(facts: Facts, instance: str) -> dict[str, Any]:
    """One instance: its table, anytime curves, and the pictures of its best answer."""
    own = facts.runs[facts.runs["instance"] == instance]
    table = per_instance(own).sort_values("controllable_ms", na_position="last", kind="stable")
    rows = [[make(row[key]) for key, _, make in COLUMNS] for row in table.to_dict("records")]
    columns = [Column(title, numeric=make is not words) for _, title, make in COLUMNS]
    return {
        "name": instance,
        "anchor": anchor(instance),
        "table": Table(columns, rows, instance),
        "failed": not own["status"].isin(["ok", "skipped"]).all(),
        "chart": anytime_drawing(facts, instance, f"{anchor(instance)}-time"),
        "best_solver": facts.known.loc[instance, "best_solver"],
        "pictures": pictures_of_best(facts.results, instance, own),
    }


def pictures_of_best(results: Results, instance: str, runs: Any) -> dict[str, Picture]:
    """Pictures of the best answer, where the instance is kept in the results."""
    solved = runs[runs["status"] == "ok"]
    problem = results.problem(instance) if len(solved) else None
    if problem is None:
        return {}
    plain = Results.decoded(solved.loc[solved["objective_ms"].idxmin(), "decision"])
    return {} if plain is None else pictures_of(problem, parse_decision(problem, plain))


def pictures_of(problem: Any, decision: Any) -> dict[str, Picture]:
    """Pictures of an answer by their titles: those that the kind offers, or else what it plots, if anything."""
    kind, name = kind_of(problem.kind), anchor(problem.name)
    if kind.pictures is None:
        return {"Answer": Plotted(f"{name}-answer", problem, decision)} if kind.plot else {}
    return {
        title: Drawing(f"{name}-{place}", f"{title} of {problem.name}", partial(draw, problem, decision))
        for place, (title, draw) in enumerate(kind.pictures(problem).items())
    }
