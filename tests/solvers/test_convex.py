"""The convex reference against the closed form, and where its association comes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers import convex as module
from uara.solvers.convex import band_shares, compute_shares, solved, within_budget

from uara import InputError, Instance, allocate, evaluate, solution, solve
from uara.base import files
from uara.base.errors import SolverError
from uara.p1.model import coefficients
from uara.p1.server_cost import SMALLEST_SHARE, bandwidth_shares

SHIPPED = sorted(
    path
    for path in (Path(__file__).parents[2] / "instances").glob("*.json")
    if files.read_plain_json(path).get("kind") == "p1"
)


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("association", ["max-sinr", "tma"])
def test_the_convex_reference_agrees_on_every_shipped_instance(path: Path, association: str) -> None:
    agree(Instance.load(path), association)


@pytest.mark.integration
@pytest.mark.parametrize("payload", [0.1, 1.0, 50.0])
@pytest.mark.parametrize("association", ["max-sinr", "tma", "price"])
def test_the_convex_reference_agrees_with_the_closed_form(payload: float, association: str) -> None:
    agree(make_instance(12, 3, 1, payload=payload), association)


def agree(instance: Instance, association: str) -> None:
    reference = solve(instance, "convex", options={"association": association})
    assert reference.evaluation.feasible
    assert reference.details["closed_form_servers"] == 0
    assert (
        reference.bound_ms is None
    )  # it is the reference's own answer, not that of the solver that associated
    closed = evaluate(instance, allocate(instance, reference.decision.association))  # type: ignore[attr-defined]
    assert reference.evaluation.controllable_ms == pytest.approx(closed.controllable_ms, rel=1e-6)
    assert reference.evaluation.controllable_ms >= closed.controllable_ms * (1 - 1e-9)


def test_the_convex_reference_takes_a_solution_file(tmp_path: Path) -> None:
    instance = make_instance(10, 3, 1)
    tma = solve(instance, "tma")
    solution.save(tma, tmp_path / "s.json")
    result = solve(instance, "convex", options={"association": str(tmp_path / "s.json")})
    assert (result.decision.association == tma.decision.association).all()  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="no association"):
        solve(instance, "convex", options={"association": "convex"})


def test_compute_shares_follow_the_root_of_the_load() -> None:
    flop = np.array([1e12, 4e12, 9e12])
    assert compute_shares(flop) == pytest.approx(np.array([1, 2, 3]) / 6, abs=1e-5)


def test_association_options_are_checked() -> None:
    with pytest.raises(InputError):
        solve(make_instance(3, 2), "convex", options={"association": "none"})


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 50.0]), st.sampled_from([1e-4, 1e-2, 1.0]))
def test_band_shares_cost_what_the_closed_form_costs(seed: int, payload: float, weight: float) -> None:
    count = 1 + seed % 5
    numbers = coefficients(
        make_instance(count, 1, seed, payload=payload, missing=0.0, sync_weight_per_ms=weight)
    )
    pair, closed = np.arange(count), np.empty(count)
    local, uplink, cost = numbers.local_ms, numbers.uplink_ms, numbers.band_cost_ms
    least, _ = bandwidth_shares(local, uplink, cost, weight, closed)
    share = band_shares(numbers, pair)
    assert share.sum() <= 1 + 1e-12
    assert ((share >= SMALLEST_SHARE) & (share <= 1)).all()
    found = float(np.sum(weight * (local - uplink / share) ** 2 + cost * share))
    assert found >= least * (1 - 1e-9)
    # An interior point is as near as the largest numbers of its program allow: where the uplink is nearly free,
    # the terms that it balances are ten million times what is left of them.
    size = float(np.sum(weight * (count * np.maximum(local, uplink)) ** 2 + cost))
    assert found == pytest.approx(least, rel=1e-6, abs=1e-8 * size)


def test_band_that_is_of_no_use_is_not_used() -> None:
    numbers = coefficients(make_instance(4, 1, 1, missing=0.0, sync_weight_per_ms=0.0))
    assert (band_shares(numbers, np.arange(4)) == SMALLEST_SHARE).all()


@given(st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=8))
def test_what_misses_the_budget_by_a_tolerance_is_mended(shares: list[float]) -> None:
    given_ = np.array(shares)
    mended = within_budget(given_)
    assert mended.sum() <= 1 + 1e-12
    assert (mended > 0).all()
    inside = (given_ >= SMALLEST_SHARE) & (given_ <= 1)
    if inside.all() and given_.sum() <= 1:
        assert (mended == given_).all()


def test_a_program_without_a_solution_is_an_error_that_says_so() -> None:
    import cvxpy as cp

    v = cp.Variable(2)
    with pytest.raises(SolverError, match="Clarabel ended with infeasible"):
        solved(cp.Problem(cp.Minimize(cp.sum(v)), [v >= 1, v <= 0]), v)


def test_the_solver_that_associates_says_nothing_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its answers nor its bounds are known to the run; it draws the random numbers it would draw alone."""
    instance = make_instance(14, 3, 2, payload=50.0)
    alone = solve(instance, "price", seed=4)
    seen: list[float] = []
    result = solve(
        instance,
        "convex",
        options={"association": "price"},
        seed=4,
        on_progress=lambda at: seen.append(at.bound_ms),
    )
    assert (result.decision.association == alone.decision.association).all()  # type: ignore[attr-defined]
    assert seen == []
    assert result.bound_ms is None
    monkeypatch.setattr(module, "find", lambda name: pytest.fail(f"{name} was looked up"))
    with pytest.raises(InputError):
        solve(instance, "convex", options={"association": "nowhere.json"})


def test_a_solver_of_another_problem_gives_no_association() -> None:
    with pytest.raises(InputError, match="'hetedge-dp' gives no association"):
        solve(make_instance(3, 2), "convex", options={"association": "hetedge-dp"})
