"""Outer approximation by every MILP solver that is here, against brute force; and what is said of those that refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.peers import outer
from uara.solvers.peers.engines import PEERS, Found, Peer

from uara import Instance, SolverError, solve
from uara.base.errors import MissingExtra
from uara.base.extras import is_absent
from uara.p1.model import coefficients
from uara.registry import method_of
from uara.solver import Context

TESTS = Path(__file__).parents[2]


def check(name: str) -> None:
    """The peer of this name finds the optimum of small instances, and its bound holds."""
    for seed, payload in ((0, 1.0), (1, 50.0)):
        instance = make_instance(7, 3, seed, payload=payload)
        truth = solve(instance, "brute-force").evaluation
        result = solve(instance, getattr(outer, name.replace("-", "_")), time_limit_s=30.0)
        scale = truth.controllable_ms
        assert result.details["rounds"] >= 1
        assert not result.details["found_nothing"]
        assert result.certified_bound_ms is None
        if name == "cp-sat":  # it counts in steps
            assert result.bound_ms is None
            assert result.evaluation.objective_ms <= truth.objective_ms + 0.1 * scale
        else:
            assert result.bound_ms is not None
            assert result.bound_ms <= truth.objective_ms + 1e-6 * scale
            assert result.evaluation.objective_ms <= truth.objective_ms + 1.1e-4 * scale
            assert result.bound_ms >= result.evaluation.objective_ms - 1.1e-4 * scale


@pytest.mark.integration
@pytest.mark.parametrize("name", ["highs", "scip"])
def test_a_peer_finds_the_optimum_and_its_bound_holds(name: str) -> None:
    pytest.importorskip(PEERS[name].module)
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PEERS) - {"highs", "scip"}))
def test_so_do_those_whose_libraries_do_not_bear_each_other(name: str) -> None:
    if is_absent(PEERS[name].module):
        pytest.skip(f"{PEERS[name].module} is not installed")
    script = f"from solvers.peers.test_outer import check; check({name!r})"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=TESTS, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr


def with_engine(monkeypatch: pytest.MonkeyPatch, *found: Found | Exception) -> list[float]:
    """Let HiGHS's place be taken by an engine that says these things in turn; returns the times it is given."""
    left, given = list(found), []

    def engine(path: Path, seconds: float, gap: float) -> Found:
        assert path.read_text().startswith("NAME")
        assert gap == 5e-5
        given.append(seconds)
        said = left.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setitem(PEERS, "highs", Peer(engine, "highspy"))
    return given


def posed(time_limit_s: float = 60.0) -> tuple[Instance, Context[outer.OuterOptions]]:
    """An instance and a run on it."""
    instance = make_instance(5, 2, 3)
    return instance, Context(instance, outer.OuterOptions(), time_limit_s=time_limit_s)


def test_who_refuses_the_program_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    with_engine(monkeypatch, RuntimeError("too large for this licence"))
    with pytest.raises(SolverError, match=r"refuses the program: .*too large for this licence"):
        outer.approximate(*posed(), "highs")


def test_who_finds_nothing_leaves_a_decision_and_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    with_engine(monkeypatch, Found(123.0, None))
    instance, context = posed()
    answer = outer.approximate(instance, context, "highs")
    assert answer.details["found_nothing"] == 1.0
    assert answer.bound_ms == 123.0 + coefficients(instance).constant_ms


def test_who_says_the_same_again_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {f"c{k}": 1.0 for k in range(40)}
    given = with_engine(monkeypatch, *[Found(-np.inf, values)] * 9)
    assert outer.approximate(*posed(), "highs").details["rounds"] == len(given) == 2


def test_a_bound_far_above_the_own_answer_is_left_for_the_harness_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {f"c{k}": 1.0 for k in range(40)}
    with_engine(monkeypatch, Found(1e9, values))
    instance, context = posed()
    answer = outer.approximate(instance, context, "highs")
    assert answer.bound_ms == 1e9 + coefficients(instance).constant_ms


def test_who_refuses_the_program_once_it_has_grown_keeps_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {f"c{k}": 1.0 for k in range(40)}
    given = with_engine(monkeypatch, Found(-np.inf, values), RuntimeError("too large"))
    answer = outer.approximate(*posed(), "highs")
    assert len(given) == 2
    assert answer.bound_ms is None
    assert answer.details["found_nothing"] == 0.0


def test_without_time_nothing_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    given = with_engine(monkeypatch)
    answer = outer.approximate(*posed(time_limit_s=0.0), "highs")
    assert given == []
    assert answer.details["rounds"] == 0


def test_a_missing_package_names_the_line_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uara.registry.is_absent", lambda module: module == "gurobipy")
    method = method_of(outer.gurobi)
    assert method.reason == "gurobipy is not installed; install it with: pip install 'uara[peers]'"
    with pytest.raises(MissingExtra):
        solve(make_instance(3, 2), outer.gurobi)
