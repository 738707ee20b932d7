"""Certificates of device prices: what any tree proves holds, whatever it says; malformed ones are refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_certificates import damaged, random_tree, row
from random_certificates import device_prices as plain

from uara import InputError, Instance, solve
from uara.p1 import device_prices
from uara.p1.certificate import Certificate
from uara.p1.device_prices import DevicePrices
from uara.p1.model import coefficients
from uara.p1.proof import lower_bound, parse_certificate

INSTANCE = make_instance(16, 4, 3, payload=50.0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 2**32 - 1), st.floats(-1.0, 2.0))
def test_any_tree_with_any_prices_and_target_is_valid(instance: Instance, seed: int, lift: float) -> None:
    rng = np.random.default_rng(seed)
    truth = solve(instance, "brute-force").evaluation
    size = truth.controllable_ms * 10 ** float(rng.choice([0.0, 0.0, -1.0, 1.0]))
    tree = random_tree(instance, rng, size, (1 + lift) * truth.controllable_ms)
    bound = lower_bound(instance, parse_certificate(tree))
    assert bound <= truth.objective_ms + 1e-12 * truth.controllable_ms + 1e-15 * abs(truth.objective_ms)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 2**32 - 1))
def test_a_damaged_tree_proves_nothing_false(instance: Instance, seed: int) -> None:
    """Prices, target and drops of an honest tree, each changed here and there."""
    rng = np.random.default_rng(seed)
    answer = solve(instance, "exact", options={"gap": 1e-7})
    truth = solve(instance, "brute-force").evaluation
    if not isinstance(answer.certificate, DevicePrices):
        return
    tree = damaged(instance, rng, answer.certificate.to_plain())
    bound = lower_bound(instance, parse_certificate(tree))
    assert bound <= truth.objective_ms + 1e-12 * truth.controllable_ms + 1e-15 * abs(truth.objective_ms)


def test_it_proves_what_is_said_and_survives_a_file() -> None:
    result = solve(INSTANCE, "exact", options={"gap": 1e-8})
    assert isinstance(result.certificate, DevicePrices)
    assert result.gap is not None
    assert result.gap <= 1e-8
    assert result.certified_bound_ms == pytest.approx(result.bound_ms, rel=1e-12)
    copied = parse_certificate(json.loads(json.dumps(result.certificate.to_plain())))
    assert lower_bound(INSTANCE, copied) == result.certified_bound_ms


def test_a_row_from_2e_prices_proves_at_least_as_much() -> None:
    """pi_i = min_j C_ij at the 2E prices, with their band prices."""
    two = solve(INSTANCE, "price", options={"gap": 0.9}).certificate
    assert isinstance(two, Certificate)
    numbers, device = coefficients(INSTANCE), INSTANCE.channel.pair_device
    from uara.p1.certificate import least_band_cost

    server = INSTANCE.channel.pair_server
    band = numbers.band_cost_ms + two.bandwidth_price[server]
    psi = least_band_cost(numbers.local_ms, numbers.uplink_ms, band, numbers.sync_weight_per_ms)
    compute = two.compute_price[server] * np.sqrt(INSTANCE.devices.server_flop)[device]
    pi = np.full(len(INSTANCE.devices), np.inf)
    np.minimum.at(pi, device, numbers.wait_ms + psi + compute)
    bands = [[price] for price in two.bandwidth_price.tolist()]
    rows = [row(pi, np.zeros(4))]
    one = parse_certificate(plain([{"row": 0}], rows, [bands], 1e9))
    assert lower_bound(INSTANCE, one) > lower_bound(INSTANCE, two)


@pytest.mark.parametrize("value", [1e308, -1e308, 1e200, 1e30])
def test_huge_numbers_prove_nothing(value: float) -> None:
    small = make_instance(4, 2, 1)
    truth = solve(small, "brute-force").evaluation.objective_ms
    for place in ("device_price", "count_price", "bands", "target_ms"):
        one = plain([{"row": 0}], [row(np.ones(4), np.zeros(2))], [[[0.0], [0.0]]], 1e9)
        if place == "target_ms":
            one[place] = value
        elif place == "bands":
            one["band_prices"] = [[[abs(value)], [0.0]]]
        else:
            one["rows"][0][place][0] = value
        assert not lower_bound(small, parse_certificate(one)) > truth, place


def test_a_bound_that_is_not_finite_proves_nothing() -> None:
    small = make_instance(4, 2, 1)
    rows = [row(np.full(4, 1e308), np.zeros(2))]
    one = plain([{"row": 0}], rows, [[[0.0], [0.0]]], 1e9)
    assert lower_bound(small, parse_certificate(one)) == -np.inf


LEAF = {"row": 0, "drop": [], "split": None}
SPLIT = {"row": 0, "drop": [], "split": {"device": 0, "servers": [0]}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"nodes": []}, "at least 1"),
        ({"nodes": [LEAF | {"row": 1}]}, "row that is not there"),
        ({"nodes": [LEAF | {"row": -1}]}, "greater than or equal to 0"),
        ({"nodes": [SPLIT, LEAF]}, "pre-order"),
        ({"nodes": [LEAF, LEAF]}, "pre-order"),
        ({"nodes": [SPLIT | {"split": {"device": 9, "servers": [0]}}, LEAF, LEAF]}, "device that is not"),
        ({"nodes": [SPLIT | {"split": {"server": 9, "most": 0}}, LEAF, LEAF]}, "server that is not"),
        ({"nodes": [LEAF | {"split": "twice"}]}, "nodes"),
        ({"nodes": [LEAF | {"drop": [[0]]}]}, "at least 2"),
        ({"rows": [row(np.zeros(2), np.zeros(2))]}, "3 device prices"),
        ({"rows": [row(np.zeros(3), np.zeros(3))]}, "2 count prices"),
        ({"rows": [row(np.zeros(3), np.zeros(2), 1)]}, "band prices that are not there"),
        ({"rows": [row([np.nan, 0, 0], np.zeros(2))]}, "finite"),
        ({"band_prices": [[[0.0]]]}, "for 2 servers"),
        ({"band_prices": [[[0.0], []]]}, "at least 1"),
        ({"band_prices": [[[0.0], [-1.0]]]}, "greater than or equal to 0"),
        ({"target_ms": float("inf")}, "finite"),
        ({"target_ms": "1"}, "number"),
        ({"version": 2}, "1"),
    ],
)
def test_malformed_certificates_are_refused(change: dict[str, Any], problem: str) -> None:
    small = make_instance(3, 2, missing=0.0)
    good = plain([SPLIT, LEAF, LEAF], [row(np.zeros(3), np.zeros(2))], [[[0.0], [0.0]]], 1.0)
    lower_bound(small, parse_certificate(good))
    with pytest.raises(InputError, match=problem):
        lower_bound(small, parse_certificate({**good, **change}))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row([0.0] * 16, [0.0] * 4)]
    certificate = DevicePrices.from_plain(plain([{"row": 0}], rows, [[[0.0] * 9] * 4], 1e9))
    certificate.prove(INSTANCE)
    monkeypatch.setattr(device_prices, "MOST_BAND_COSTS", 9 * len(INSTANCE.channel.pair_server) - 1)
    with pytest.raises(InputError, match="band costs"):
        certificate.prove(INSTANCE)
