"""A row of device prices: where it starts, what it remembers, and the 2E prices that it implies."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.columns.climb import Aim, dual
from uara.solvers.columns.pricing import CLOSED, OPEN, Prices, minima
from uara.solvers.columns.row import TRAIL, DeviceRow, first_row, implied_prices, target
from uara.solvers.columns.writing import written_row
from uara.solvers.dual.ascent import ascend
from uara.solvers.dual.kernel import at_prices

from uara import InputError, Instance, allocate, evaluate
from uara.p1.coefficients import coefficients
from uara.solver import gap_of


def value_of(row: DeviceRow) -> float:
    """The dual at a row's prices."""
    layout = row.layout
    states = np.full(len(layout.device), OPEN, dtype=np.uint8)
    found = minima(layout)
    return dual(layout, Prices(row.pi, np.zeros(len(layout.wait_ms))), states, 0.0, found, row.work)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 2**32 - 1))
def test_the_first_row_proves_as_much_as_its_2e_prices(instance: Instance, seed: int) -> None:
    numbers, rng = coefficients(instance), np.random.default_rng(seed)
    prices = np.where(
        rng.random(2 * numbers.servers) < 0.2, 0.0, 10 ** rng.uniform(-3, 3, 2 * numbers.servers)
    )
    value, _, _ = at_prices(numbers, prices)
    row = first_row(numbers, prices)
    assert value_of(row) >= value - 1e-9 * (abs(value) + prices.sum() + np.abs(row.pi).sum())
    assert row.value_ms == -np.inf
    assert len(row.trail) == 0


@pytest.fixture(scope="module")
def climbed() -> tuple[Instance, DeviceRow, float]:
    instance = make_instance(16, 3, 3, missing=0.0, payload=50.0)
    numbers = coefficients(instance)
    row = first_row(numbers, ascend(numbers).prices)
    upper = evaluate(instance, allocate(instance, np.arange(16) % 3)).controllable_ms
    row.climb(Aim(upper), most_passes=TRAIL + 50)
    return instance, row, upper


def test_a_climb_is_remembered(climbed: tuple[Instance, DeviceRow, float]) -> None:
    _, row, upper = climbed
    assert len(row.trail) == min(row.passes, TRAIL)
    assert -np.inf < row.proven_ms() <= row.value_ms <= upper
    assert row.value_ms - row.proven_ms() < 1e-9 * upper
    before = row.value_ms
    again = DeviceRow(row.layout, row.pi, row.work, row.value_ms)
    again.climb(Aim(upper), most_passes=20)
    assert again.value_ms >= before
    assert row.value_ms == before  # a row of its own


def test_fewer_pairs_prove_more(climbed: tuple[Instance, DeviceRow, float]) -> None:
    instance, row, upper = climbed
    states = np.full(len(row.layout.device), OPEN, dtype=np.uint8)
    states[row.layout.server == 0] = CLOSED
    part = DeviceRow(row.layout, row.pi, row.work)
    part.climb(Aim(upper), states=states, most_passes=80)
    assert part.value_ms >= row.value_ms - 1e-6 * upper
    at_others = evaluate(instance, allocate(instance, 1 + np.arange(16) % 2)).controllable_ms
    assert part.value_ms <= at_others


def test_the_2e_prices_of_a_row_prove_about_as_much(climbed: tuple[Instance, DeviceRow, float]) -> None:
    instance, row, upper = climbed
    numbers = coefficients(instance)
    prices = implied_prices(numbers, written_row(row))
    assert prices.shape == (6,)
    assert (prices >= 0).all()
    assert at_prices(numbers, prices)[0] >= row.value_ms - 0.1 * upper


def test_a_row_for_other_devices_is_refused(climbed: tuple[Instance, DeviceRow, float]) -> None:
    _, row, _ = climbed
    with pytest.raises(InputError, match="must hold 15 device prices"):
        implied_prices(coefficients(make_instance(15, 3, 3)), written_row(row))


@given(st.floats(1e-6, 1e12), st.floats(1e-9, 0.99))
def test_a_bound_at_the_target_proves_the_gap(cost_ms: float, gap: float) -> None:
    aimed = target(cost_ms, gap)
    assert aimed < cost_ms
    assert (cost_ms - aimed) / cost_ms <= gap
    assert (cost_ms - aimed) / cost_ms >= gap * 0.8 - 1e-15
    assert gap_of(None, aimed) == np.inf
