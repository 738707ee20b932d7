"""The bound of 2E prices, in NumPy, against a plain minimisation; the objective, against the evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from uara import Certificate, InputError, allocate, evaluate, lower_bound
from uara.p1.certificate import least_band_cost, objective_parts
from uara.p1.model import coefficients
from uara.p1.proof import parse_certificate


def objective(*given: Any) -> tuple[float, list[str]]:
    constant_ms, controllable_ms, broken = objective_parts(*given)
    return constant_ms + controllable_ms, broken


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-2, 1e4), st.floats(1e-4, 1e5), st.floats(0, 1e6), st.sampled_from([1e-4, 1e-2, 1.0]))
def test_least_band_cost_is_the_minimum_from_below(
    local: float, uplink: float, cost: float, weight: float
) -> None:
    found = least_band_cost(*(np.array([value]) for value in (local, uplink, cost)), weight)[0]

    def term(log_y: float) -> float:
        y = np.exp(log_y)
        return float(weight * (local - uplink / y) ** 2 + cost * y)

    best = min(
        term(0.0), *(minimize_scalar(term, bounds=b, method="bounded").fun for b in ((-30, 0), (-5, 0)))
    )
    assert found <= best * (1 + 1e-9) + 1e-12
    assert found >= best * (1 - 1e-4) - 1e-6 * (weight * local**2 + cost)


def test_the_bound_written_out_for_one_device() -> None:
    instance = make_instance(1, 1, 0, energy_weight_ms_per_j=0.0)
    numbers = coefficients(instance)
    flop, flop_per_ms = instance.devices.server_flop[0], instance.servers.compute_flop_per_s[0] / 1e3
    price = 2 * np.sqrt(flop) / flop_per_ms
    bound = lower_bound(instance, Certificate(np.array([price]), np.zeros(1)))
    # At the price 2 t / F the compute term is exact, and free band costs nothing beyond its energy.
    exact = numbers.constant_ms + numbers.wait_ms[0] + flop / flop_per_ms
    assert bound == pytest.approx(exact, rel=1e-9)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 10**6))
def test_objective_agrees_with_the_evaluator(instance, seed: int) -> None:  # type: ignore[no-untyped-def]
    decision = allocate(instance, random_association(instance, seed), "sqrt")
    value, broken = objective(instance, decision.association, decision.bandwidth, decision.compute)
    assert not broken
    assert value == pytest.approx(evaluate(instance, decision).objective_ms, rel=1e-12)


def test_objective_names_every_broken_constraint() -> None:
    instance = make_instance(4, 2, 0, missing=0.0)
    value, broken = objective(instance, [0, 0, 1, 9], [0.7, 0.7, 0.0, 1.0], [0.9, 0.9, 0.5, 1.0])
    assert value == float("inf")
    assert sum("(3)" in text for text in broken) == 1
    assert any("a share of" in text for text in broken)
    assert any("band of" in text for text in broken)
    assert any("compute of" in text for text in broken)


@pytest.mark.parametrize("prices", [[-1.0, 0.0], [float("nan"), 0.0], [float("inf"), 0.0]])
def test_prices_must_be_finite_and_not_negative(prices: list[float]) -> None:
    with pytest.raises(InputError, match="at least 0"):
        Certificate(np.array(prices), np.zeros(2))


def test_prices_for_another_instance_are_refused() -> None:
    with pytest.raises(InputError, match="must hold 2 prices"):
        lower_bound(make_instance(3, 2), Certificate(np.zeros(3), np.zeros(3)))


def test_it_survives_a_file() -> None:
    certificate = Certificate(np.array([0.1, 1e-9]), np.array([3.0, 0.0]))
    again = parse_certificate(certificate.to_plain())
    assert again.to_plain() == certificate.to_plain()
    with pytest.raises(InputError, match="prices"):
        parse_certificate({"kind": "promise"})


@settings(max_examples=80, deadline=None)
@given(st.floats(-30, 30), st.floats(-30, 40), st.floats(-300, 300), st.floats(-30, 30))
def test_the_least_band_cost_is_below_every_share(a: float, b: float, c: float, d: float) -> None:
    local, uplink, cost, weight = (10.0**power for power in (a, b, c, d))
    found = least_band_cost(*(np.array([value]) for value in (local, uplink, cost)), weight)[0]
    with np.errstate(over="ignore"):
        for share in 10.0 ** np.linspace(-60, 0, 400):
            assert found <= weight * (local - uplink / share) ** 2 + cost * share


def test_an_objective_that_is_not_finite_is_broken() -> None:
    instance = make_instance(3, 1, missing=0.0)
    for share in (1e-160, 1e-320):
        value, broken = objective(instance, [0, 0, 0], [share, 0.1, 0.1], [0.3, 0.3, 0.3])
        assert (value, broken) == (float("inf"), ["d0 adds no finite number to the objective"])


def test_a_certificate_of_the_solvers_own_kind_proves_what_its_data_proves() -> None:
    class Promise(Certificate):
        def prove(self, instance: object) -> float:
            return 1e12

    instance = make_instance(3, 1, missing=0.0)
    assert lower_bound(instance, Promise(np.zeros(1), np.zeros(1))) < 1e9
