"""Solvers ranked over several instances."""

from __future__ import annotations

import math

import pytest
from cases import make_instance

from uara import Allocation, Result, solve
from uara.answers.display import label
from uara.answers.several import overall_table

INSTANCES = [make_instance(8, 3, seed=seed, name=f"n{seed}") for seed in (1, 2)]
SOLVERS = ("price", "tma", "max-sinr")


def answered(names: tuple[str, ...] = SOLVERS) -> dict[str, list[Result]]:
    return {each.name: [solve(each, name) for name in names] for each in INSTANCES}


def cells(table, column: str) -> dict[str, float]:  # type: ignore[no-untyped-def]
    place = [each.name for each in table.columns].index(column)
    return {row[0].text: row[place].value for row in table.rows}


def test_the_excess_is_the_geometric_mean_over_the_best() -> None:
    found = answered()
    table = overall_table(found, SOLVERS, {})
    excess = cells(table, "mean primal gap %")
    for k, name in enumerate(SOLVERS):
        ratios = []
        for results in found.values():
            least = min(each.evaluation.controllable_ms for each in results)
            ratios.append(results[k].evaluation.controllable_ms / least)
        assert excess[name] == pytest.approx(100 * (math.sqrt(math.prod(ratios)) - 1), abs=1e-9)
    order = [row[0].text for row in table.rows]
    assert [excess[name] for name in order] == sorted(excess.values())
    assert cells(table, "answered") == dict.fromkeys(SOLVERS, 2)
    assert math.isinf(cells(table, "mean optimality gap %")["max-sinr"])  # nothing is proven
    assert cells(table, "runtime s")["tma"] == pytest.approx(
        sum(each[1].runtime_s for each in found.values())
    )


def test_a_better_answer_that_is_known_counts() -> None:
    found = answered(("max-sinr",))
    alone = cells(overall_table(found, ["max-sinr"], {}), "mean primal gap %")["max-sinr"]
    known = {
        name: solve(each, "price").evaluation.objective_ms
        for name, each in zip(found, INSTANCES, strict=True)
    }
    assert alone == 0
    assert cells(overall_table(found, ["max-sinr"], known), "mean primal gap %")["max-sinr"] > 0


def test_who_fails_somewhere_comes_last() -> None:
    found = answered(("price", "tma"))
    found["n2"].pop(0)
    broken = solve(INSTANCES[0], lambda i, c: Allocation([0] * 8, [1.0] * 8, [1.0] * 8))
    found["n1"].append(broken)
    table = overall_table(found, ["price", "tma", label(broken)], {})
    assert next(row[0].text for row in table.rows) == "tma"
    assert math.isinf(cells(table, "mean primal gap %")["price"])
    assert cells(table, "answered")[label(broken)] == 0


def test_instances_without_any_answer() -> None:
    table = overall_table({"n": []}, ["price"], {"n": 1.0})
    assert math.isinf(cells(table, "mean primal gap %")["price"])
