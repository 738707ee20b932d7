"""The MINLP by discopt: what is read from its answer, and the whole where it is installed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from cases import make_instance
from uara.solvers.peers import natural

from uara import solve
from uara.p1.model import coefficients
from uara.solver import Context


def test_the_largest_x_of_each_device_is_its_server() -> None:
    names = ["uplink[0]", "x[0,0]", "x[0,2]", "x[1,1]", "y[1,0]", "x[1,0]"]
    assert natural.chosen(names, [9.0, 0.4, 0.6, 0.9, 5.0, 0.1], 2).tolist() == [2, 1]


def answered(monkeypatch: pytest.MonkeyPatch, **result: Any) -> Any:
    """discopt's answer, with a module in its place that says this."""
    said = SimpleNamespace(**result)
    program = SimpleNamespace(solve=lambda time_limit, gap_tolerance: said)
    modeling = SimpleNamespace(from_nl=lambda path: program)
    monkeypatch.setitem(sys.modules, "discopt", SimpleNamespace(modeling=modeling))
    monkeypatch.setitem(sys.modules, "discopt.modeling", modeling)
    instance = make_instance(3, 2, 1, missing=0.0)
    answer = natural.discopt(instance, Context(instance, natural.NaturalOptions(), time_limit_s=60.0))
    return instance, answer


def test_its_bound_counts_with_the_constant_and_its_point_is_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 3 * 2 * 3 + 6  # x, y and z of the pairs, two delays of each device
    instance, answer = answered(monkeypatch, bound=5.0, x={f"x{k}": [1.0] for k in range(size)})
    assert answer.bound_ms == 5.0 + coefficients(instance).constant_ms
    assert answer.decision.association.tolist() == [0, 0, 0]


def test_nothing_found_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    _, answer = answered(monkeypatch, bound=None, x=None)
    assert answer.bound_ms is None
    assert answer.details == {"found_nothing": 1.0}


def test_discopt_where_it_is_installed() -> None:
    pytest.importorskip("discopt")
    instance = make_instance(3, 2, 1, missing=0.0)
    result = solve(instance, natural.discopt, time_limit_s=10.0)
    truth = solve(instance, "brute-force").evaluation.objective_ms
    assert result.evaluation.feasible
    assert result.bound_ms is None or result.bound_ms <= truth * (1 + 1e-6)
