"""One pass over the candidates: the dual against plain sums, its slopes and curvature against differences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from cases import make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.dual.sparse_pass import Pass, bent_by, by_kind, by_server, empty_pass, fused_pass

from uara.base.kernels import alone
from uara.base.quantities import Floats
from uara.p1.coefficients import Coefficients, coefficients
from uara.p1.server_cost import least_band_cost

seeds = st.integers(0, 2**32 - 1)
payloads = st.sampled_from([0.01, 1.0, 50.0, 2000.0])


class At(NamedTuple):
    numbers: Coefficients
    prices: Floats
    temperature: float
    hard: float
    soft: float
    found: Pass


def made(seed: int, payload: float, temperature: float = 5.0) -> At:
    rng = np.random.default_rng(seed)
    numbers = coefficients(
        make_instance(int(rng.integers(1, 9)), int(rng.integers(1, 5)), seed, payload=payload)
    )
    prices = 10 ** rng.uniform(-1, 2, 2 * numbers.servers)
    return at(numbers, prices, temperature)


def at(numbers: Coefficients, prices: Floats, temperature: float, out: Pass | None = None) -> At:
    found = empty_pass(numbers) if out is None else out
    hard, soft = fused_pass(numbers, by_server(prices), temperature, found)
    return At(numbers, prices, temperature, hard, soft, found)


def plain_costs(numbers: Coefficients, prices: Floats) -> Floats:
    """(K,) wait + p s + psi(mu), each by itself."""
    servers, least = numbers.servers, alone(least_band_cost)
    band = [least(numbers, k, prices[servers + numbers.server[k]]) for k in range(len(numbers.server))]
    return np.asarray(numbers.wait_ms + prices[numbers.server] * numbers.root_work + np.array(band))


@settings(max_examples=30, deadline=None)
@given(seeds, payloads, st.sampled_from([0.1, 5.0, 500.0]))
def test_both_duals_are_plain_sums(seed: int, payload: float, temperature: float) -> None:
    numbers, prices, _, hard, soft, found = made(seed, payload, temperature)
    cost, servers = plain_costs(numbers, prices), numbers.servers
    rent = float(np.sum(prices[:servers] ** 2 * numbers.work_per_ms) / 4 + prices[servers:].sum())
    own = [slice(a, b) for a, b in zip(numbers.start, numbers.start[1:], strict=False)]
    size = abs(rent) + float(np.abs(cost).max()) * numbers.devices
    assert hard == pytest.approx(sum(cost[each].min() for each in own) - rent, abs=1e-9 * size)
    least = [cost[each].min() for each in own]
    masses = [np.exp((low - cost[each]) / temperature).sum() for low, each in zip(least, own, strict=True)]
    expected = sum(low - temperature * np.log(mass) for low, mass in zip(least, masses, strict=True)) - rent
    # Faint candidates are left out: each is less than e^-16 of its device's mass.
    assert soft == pytest.approx(expected, abs=1e-9 * size + 1e-6 * temperature * numbers.devices)
    assert soft <= hard + 1e-9 * size
    assert [int(k) for k in found.choice] == [each.start + int(np.argmin(cost[each])) for each in own]


@settings(max_examples=20, deadline=None)
@given(seeds, payloads)
def test_the_slopes_are_those_of_the_soft_dual(seed: int, payload: float) -> None:
    here = made(seed, payload)
    size = max(1.0, float(np.abs(by_kind(here.found.gradient)).max()))
    for n in range(len(here.prices)):
        step = 1e-5 * here.prices[n]
        sides = []
        for sign in (1, -1):
            moved = here.prices.copy()
            moved[n] += sign * step
            sides.append(at(here.numbers, moved, here.temperature).soft)
        noise = 1e-10 * (abs(here.hard) + abs(here.soft)) / step
        assert (sides[0] - sides[1]) / (2 * step) == pytest.approx(
            by_kind(here.found.gradient)[n], abs=1e-4 * size + noise
        )


def bent(here: At, along: Floats) -> Floats:
    """(2E,) The curvature times a direction."""
    product = by_server(np.zeros(len(along)))
    bent_by(here.temperature, here.found, by_server(along), product)
    return by_kind(product)


def dense(here: At) -> Floats:
    """(2E, 2E) The curvature, column by column."""
    size, columns = len(here.prices), []
    for n in range(size):
        columns.append(bent(here, np.eye(size)[n]))
    return np.array(columns).T


@settings(max_examples=20, deadline=None)
@given(seeds, payloads)
def test_the_curvature_is_that_of_the_slopes_and_never_negative(seed: int, payload: float) -> None:
    here = made(seed, payload, 20.0)
    bent = dense(here)
    scale = np.abs(bent).max()
    assert bent == pytest.approx(bent.T, abs=1e-9 * scale)
    assert np.linalg.eigvalsh(bent).min() >= -1e-9 * scale
    servers = here.numbers.servers
    for j in range(servers):  # the blocks say the same of a server's own two prices
        own = here.found.block[j]
        assert own[0] == pytest.approx(bent[j, j], rel=1e-9, abs=1e-9 * scale)
        assert own[1] == pytest.approx(bent[j, servers + j], abs=1e-9 * scale)


def test_slopes_fall_along_a_step_as_the_curvature_says() -> None:
    here = made(5, 50.0, 20.0)
    rng = np.random.default_rng(0)
    along = rng.normal(size=len(here.prices)) * here.prices
    product = bent(here, along)
    step = 1e-5
    ahead = by_kind(at(here.numbers, here.prices + step * along, here.temperature).found.gradient)
    behind = by_kind(at(here.numbers, here.prices - step * along, here.temperature).found.gradient)
    assert (behind - ahead) / (2 * step) == pytest.approx(product, rel=1e-3, abs=1e-4 * np.abs(product).max())


@settings(max_examples=20, deadline=None)
@given(seeds, payloads, seeds)
def test_what_an_earlier_pass_left_changes_nothing(seed: int, payload: float, other: int) -> None:
    here = made(seed, payload)
    rng = np.random.default_rng(other)
    far = at(here.numbers, here.prices * 10 ** rng.uniform(-2, 2, len(here.prices)), here.temperature)
    again = at(here.numbers, here.prices, here.temperature, far.found)
    size = abs(here.hard) + abs(here.soft) + 1.0
    assert again.hard == pytest.approx(here.hard, abs=1e-8 * size)
    assert again.soft == pytest.approx(here.soft, abs=1e-8 * size)


def test_choices_that_are_made_leave_no_candidates() -> None:
    numbers = coefficients(make_instance(8, 3, 1, missing=0.0, payload=50.0))
    cold = at(numbers, np.full(6, 5.0), 1e-9)
    assert cold.found.start[-1] == 0
    assert cold.soft == pytest.approx(cold.hard, rel=1e-12)
    warm = at(numbers, np.full(6, 5.0), 1e6)
    assert warm.found.start[-1] == 24
    weight = warm.found.weight.reshape(8, 3).sum(axis=1)
    assert weight == pytest.approx(np.ones(8))
