"""A page for each instance."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from uara.base.cells import figure, number, percent, significant, tabled, words
from uara.bench.ranking import per_instance
from uara.bench.report.curves import anytime_drawing
from uara.bench.report.drawing import Drawing, Picture, Plotted
from uara.bench.report.section import Facts
from uara.bench.results import Results
from uara.problem import kind_of, parse_decision

COLUMNS = (
    figure("solver", "label", words),
    figure("status", "status", words),
    figure("controllable ms", "controllable_ms", number(2)),
    figure("primal gap %", "excess", percent(3)),
    figure("spread %", "spread", percent(2)),
    figure("optimality gap %", "gap_to_bound", percent(4)),
    figure("own proof %", "gap", percent(4)),
    figure("latency ms", "latency_mean_ms", number(1)),
    figure("p95 ms", "latency_p95_ms", number(1)),
    figure("energy J", "energy_j", number(1)),
    figure("runtime s", "runtime_s", significant(3)),
    figure("to target s", "time_to_target_s", significant(3)),
    figure("primal integral s", "primal_integral_s", significant(3)),
)


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
    return {
        "name": instance,
        "anchor": anchor(instance),
        "table": tabled(COLUMNS, table.to_dict("records"), instance),
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
