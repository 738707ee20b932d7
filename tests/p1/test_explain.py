"""Gaps split into association and allocation: the parts add up, and are what they say."""

from __future__ import annotations

import io

import pytest
from cases import instances, make_instance, random_association
from hypothesis import HealthCheck, given, settings
from rich.console import Console

from uara import Instance, allocate, evaluate, solve
from uara.base.inks import show
from uara.p1.explain import explain, split


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances())
def test_parts_add_up_and_are_not_negative(instance: Instance) -> None:
    truth = solve(instance, "brute-force").evaluation
    for rule in ("uniform", "sqrt", "optimal"):
        decision = allocate(instance, random_association(instance), rule)
        parts = split(instance, decision, truth.objective_ms, rule)
        assert parts.total == pytest.approx(parts.allocation + parts.association, abs=1e-9)
        assert parts.allocation >= -1e-9
        assert parts.association >= -1e-9
        own = evaluate(instance, decision).controllable_ms
        rounding = 1e-9 + 1e-12 * truth.objective_ms / truth.controllable_ms
        assert parts.total == pytest.approx(own / truth.controllable_ms - 1, rel=1e-6, abs=rounding)


def test_an_optimal_allocation_loses_by_association_alone() -> None:
    instance = make_instance(10, 3, 1)
    parts = split(instance, allocate(instance, random_association(instance)), 0.0)
    assert parts.allocation == 0.0


def shown(results, best_known_ms=None) -> str:  # type: ignore[no-untyped-def]
    console = Console(file=io.StringIO(), width=100)
    show(explain(results, best_known_ms), console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_table_names_its_reference() -> None:
    instance = make_instance(10, 3, 1)
    uniform = solve(instance, "max-sinr", options={"allocation": "uniform"})
    price = solve(instance, "price")
    assert "best lower bound" in shown([uniform, price])
    assert "best known objective" in shown([uniform], price.evaluation.objective_ms)
    assert "best of these" in shown([uniform])
    assert "max-sinr" in shown([uniform, price])
