"""Weights of synchronisation that doubles hardly hold: scores say what is true, bounds stay below, solvers answer."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cases import make_instance
from hypothesis import given
from hypothesis import strategies as st

from uara import Instance, evaluate, solve
from uara.p1 import check_certificate as exact
from uara.p1.certificate import numbers_of, objective_parts
from uara.p1.coefficients import coefficients
from uara.p1.rounding import exact_gap_ms, lost_gaps, working_weight

HARD = (1e15, 1e20, 1e25, 1e30)
TINY = (0.0, 5e-324, 1e-310, 1e-200)


def exact_numbers(instance: Instance, folder: Path) -> exact.Numbers:
    instance.save(folder / "instance.json")
    content = (folder / "instance.json").read_bytes()
    return exact.numbers_of(exact.read_instance(exact.parse(content, "instance")))


def test_a_gap_is_that_of_the_exact_checker(tmp_path: Path) -> None:
    instance = make_instance(6, 3, 3, missing=0.0)
    numbers = exact_numbers(instance, tmp_path)
    for k, (i, _) in enumerate(numbers.instance.pairs):
        share = float(numbers.uplink(k)[0] / numbers.local[i])  # the delays differ by a last place
        wanted = numbers.local[i] - numbers.uplink(k)[0] / Fraction(share)
        assert abs(wanted) < Fraction(1, 10**12)
        assert exact_gap_ms(instance, i, k, share) == pytest.approx(float(wanted), rel=1e-15, abs=0)


@pytest.mark.parametrize("weight", HARD)
def test_scores_are_true_where_doubles_lose_the_gap(weight: float, tmp_path: Path) -> None:
    instance = make_instance(6, 3, 3, sync_weight_per_ms=weight)
    answer = solve(instance, "tma").allocation
    numbers = exact_numbers(instance, tmp_path)
    shares = (answer.association.tolist(), answer.bandwidth.tolist(), answer.compute.tolist())
    solution = exact.Solution(instance.digest, *shares, {}, None)
    truth, broken = exact.controllable_cost(numbers, solution)
    assert broken == []
    assert evaluate(instance, answer).controllable_ms == pytest.approx(float(truth), rel=1e-9)
    assert objective_parts(instance, *map(np.array, shares))[1] == pytest.approx(float(truth), rel=1e-9)


@pytest.mark.parametrize("weight", [*HARD, *TINY])
def test_answers_and_bounds_of_hardly_held_weights(weight: float) -> None:
    instance = make_instance(5, 2, 1, sync_weight_per_ms=weight)
    least = solve(instance, "brute-force").evaluation.objective_ms
    for name in ("price", "exact"):
        found = solve(instance, name, options={"gap": 1e-6})
        assert found.ended == "completed"
        assert found.bound_ms is not None
        assert found.certified_bound_ms is not None
        assert max(found.bound_ms, found.certified_bound_ms) <= least * (1 + 1e-12), name
        # Where the weight makes a delay's last place dear, the bound is that of shares between two doubles.
        if weight <= 1e20:
            assert found.gap is not None
            assert found.gap < 1e-3, name


def test_ordinary_weights_are_left_alone() -> None:
    for weight in (1e-12, 1e-4, 1e-2, 1.0, 1e3):
        instance = make_instance(6, 3, 0, sync_weight_per_ms=weight)
        assert coefficients(instance).sync_weight_per_ms == weight
        assert numbers_of(instance).sync_weight_per_ms == weight


@given(st.floats(0, 1e30), st.floats(1e-3, 1e6), st.floats(1e-6, 1e6), st.floats(1e3, 1e15))
def test_the_working_weight_is_never_above(weight: float, local: float, uplink: float, work: float) -> None:
    found = working_weight(weight, *(np.array([value]) for value in (local, uplink, work, 1e9)))
    assert 0.0 <= found <= weight


def test_only_gaps_that_rounding_may_change_are_lost() -> None:
    local, delay, cost = np.array([100.0, 100.0, 100.0]), np.array([100.0, 101.0, np.inf]), np.ones(3)
    assert lost_gaps(1e-2, local, delay, cost).tolist() == []
    assert lost_gaps(1e12, local, delay, cost + 1e12).tolist() == []
    assert lost_gaps(1e15, local, delay, cost).tolist() == [0, 1]
