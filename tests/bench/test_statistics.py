from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.bench.statistics import (
    bootstrap_interval,
    holm,
    primal_integral,
    profiles,
    shifted_geometric_mean,
    signed_rank,
    t_estimate,
    tied,
    unit_of,
)

positive = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=20)


@given(positive, st.floats(0, 100), st.floats(0.1, 10))
def test_shifted_geometric_mean_against_its_definition(
    values: list[float], shift: float, factor: float
) -> None:
    mean = shifted_geometric_mean(values, shift)
    product = math.fsum(math.log(value + shift) for value in values)
    assert mean == pytest.approx(math.exp(product / len(values)) - shift, rel=1e-9, abs=1e-9)
    assert min(values) - 1e-6 * (1 + shift) <= mean <= max(values) * (1 + 1e-9) + 1e-6
    scaled = shifted_geometric_mean([factor * value for value in values], factor * shift)
    assert scaled == pytest.approx(factor * mean, rel=1e-6, abs=1e-6)


def test_shifted_geometric_mean_of_nothing_is_no_number() -> None:
    assert math.isnan(shifted_geometric_mean([]))
    assert math.isnan(shifted_geometric_mean([0.0]))


def test_bootstrap_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        low, high = bootstrap_interval(rng.normal(5, 2, 40), name=str(trial))
        covered += low <= 5 <= high
    assert 0.90 <= covered / 300 <= 0.98
    assert bootstrap_interval(range(6)) == bootstrap_interval(range(6))


def test_no_interval_from_too_few_values() -> None:
    for count in range(6):
        assert all(map(math.isnan, bootstrap_interval(np.arange(count))))
    assert all(map(math.isfinite, bootstrap_interval(np.arange(6))))


@pytest.mark.integration
def test_paired_test_sees_shifts_and_ties() -> None:
    rng = np.random.default_rng(1)
    a = rng.uniform(1, 2, 12)
    assert signed_rank(a, a).p_value == 1.0
    assert signed_rank(a, a * (1 + 1e-12)).p_value == 1.0
    assert signed_rank(a, a + 0.1).p_value == pytest.approx(2 / 2**12)
    assert signed_rank(a, a + rng.normal(0, 1, 12)).p_value > 0.01
    assert signed_rank([], []) == (1.0, 0.0)


def test_the_balance_says_which_one_is_mostly_lower() -> None:
    low, high = np.ones(20), np.full(20, 1.1)
    assert signed_rank(low, high).balance == -20 * 21 / 2
    assert signed_rank(high, low).balance == 20 * 21 / 2
    low[0] = 1e6
    assert low.mean() > high.mean()
    assert signed_rank(low, high).balance < 0, "one disaster does not outweigh 19 wins"


@pytest.mark.parametrize(
    ("instance", "unit"),
    [
        ("e8_m90", "e8_m90"),
        ("e8_m90@energy_weight_ms_per_j=20", "e8_m90"),
        ("drop500[e8,m90]", "drop500"),
        ("drop500[e8,m90]@energy_weight_ms_per_j=20", "drop500"),
        ("net@devices=30", "net"),
        ("net@devices=30,seed=2", "net@seed=2"),
        ("net@seed=2,devices=60@energy_weight_ms_per_j=20", "net@seed=2"),
    ],
)
def test_variants_and_parts_of_a_drop_are_one_unit(instance: str, unit: str) -> None:
    assert unit_of(instance) == unit


def test_one_tolerance_for_ties() -> None:
    """What counts as equal in a test is equal in a profile."""
    assert tied([1.0, 0.0, 1e6], [1 + 5e-10, 5e-10, 1e6 + 5e-4]).all()
    assert not tied([1.0, 0.0, 1e6], [1 + 2e-9, 2e-9, 1e6 + 2e-3]).any()
    found = profiles(runs_of(("x", "i", 1.0), ("y", "i", 1 + 5e-10), ("z", "i", 1 + 2e-9)))
    assert [found[name].at(1.0) for name in "xyz"] == [1.0, 1.0, 0.0]


def test_t_estimate_against_scipy() -> None:
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(2).normal(1, 1, 7)
    expected = ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.95)
    found = t_estimate(values.mean(), values.std(ddof=1) / math.sqrt(7), 6)
    assert found == pytest.approx((values.mean(), interval.low, interval.high, expected.pvalue))


def test_t_estimate_at_its_ends() -> None:
    assert t_estimate(0.1, 0.0, 3) == (0.1, 0.1, 0.1, 0.0)
    assert t_estimate(0.0, 0.0, 3).p_value == 1.0
    assert all(map(math.isnan, t_estimate(0.1, 0.0, 0)[1:]))


def test_holm_by_hand() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def runs_of(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["label", "instance", "cost"])


def test_profile_by_hand() -> None:
    first = [("x", "i", 1.0), ("x", "j", 4.0), ("x", "k", math.inf)]
    found = profiles(runs_of(*first, ("y", "i", 2.0), ("y", "j", 2.0), ("y", "k", math.inf)))
    assert [found["x"].at(factor) for factor in (1, 1.9, 2, 100)] == pytest.approx(
        [1 / 3, 1 / 3, 2 / 3, 2 / 3]
    )
    assert [found["y"].at(factor) for factor in (1, 2, 100)] == pytest.approx([1 / 3, 2 / 3, 2 / 3])


def test_a_failure_is_never_better_than_an_answer() -> None:
    """A failed run, a missing run and an instance that nobody solved all stay in the denominator."""
    half = [("half", "i", 1.0), ("half", "i", math.inf)]
    found = profiles(runs_of(*half, ("never", "i", math.inf), ("never", "j", math.inf)))
    assert found["half"].at(1e9) == pytest.approx(0.25)
    assert found["never"].at(1e9) == 0.0


@pytest.mark.integration
@given(st.lists(st.tuples(st.floats(0, 10), st.floats(1, 100)), max_size=8), st.floats(0.5, 20))
def test_primal_integral_against_a_fine_sum(found: list[tuple[float, float]], horizon: float) -> None:
    times = sorted(time for time, _ in found)
    values = sorted((value for _, value in found), reverse=True)
    best = min(values, default=1.0)
    grid = (np.arange(200_000) + 0.5) * horizon / 200_000
    gap = np.ones(len(grid))
    for time, value in zip(times, values, strict=True):
        gap[grid >= time] = np.minimum(gap[grid >= time], (value - best) / value)
    expected = gap.mean() * horizon
    assert primal_integral(times, values, best, horizon) == pytest.approx(expected, abs=1e-3 * horizon)


def test_primal_integral_of_an_immediate_optimum_is_nothing() -> None:
    assert primal_integral([0.0], [5.0], 5.0, 10.0) == 0.0
    assert primal_integral([], [], 5.0, 10.0) == 10.0
