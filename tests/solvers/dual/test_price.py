"""Prices: the bound holds at any prices, is re-computed, and is the same for few servers and many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.dual.kernel import at_prices, certificate_of
from uara.solvers.dual.price import MOST_PASSES, PriceOptions, Root, read_prices

from uara import InputError, allocate, evaluate, solution, solve
from uara.p1.branches import BranchCertificate
from uara.p1.certificate import Certificate
from uara.p1.device_prices import DevicePrices
from uara.p1.model import coefficients
from uara.problem import lower_bound


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 10**6))
def test_any_prices_bound_any_answer(instance, seed: int) -> None:  # type: ignore[no-untyped-def]
    numbers = coefficients(instance)
    rng = np.random.default_rng(seed)
    level = 10 ** rng.uniform(-3, 4, 2 * len(instance.servers))
    prices = np.where(rng.random(len(level)) < 0.3, 0.0, level)
    bound, excess, choice = at_prices(numbers, prices)
    proven = lower_bound(instance, certificate_of(numbers, prices)) - coefficients(instance).constant_ms
    scale = abs(bound) + float(level.sum()) + abs(coefficients(instance).constant_ms)
    assert bound == pytest.approx(proven, abs=1e-9 * scale)
    assert (excess >= 0).all()
    assert (excess[choice] == 0).all()
    answer = evaluate(instance, allocate(instance, random_association(instance, seed % 1000)))
    assert bound <= answer.controllable_ms + 1e-9 * scale


def test_the_gap_is_small_and_certified() -> None:
    instance = make_instance(90, 8, 3)
    result = solve(instance, "price")
    assert result.gap is not None
    assert result.gap <= 1e-4
    assert result.certified_bound_ms == pytest.approx(result.bound_ms, rel=1e-11)


@pytest.mark.integration
def test_many_servers_are_climbed_by_conjugate_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(60, 6, 4, payload=50.0)
    few = solve(instance, "price", options={"kicks": 0})
    monkeypatch.setattr("uara.solvers.dual.ascent.NEWTON_SERVERS", 1)
    monkeypatch.setattr("uara.solvers.dual.price.MOST_PAIRS", 1)
    monkeypatch.setattr("uara.solvers.common.locality.LARGE_PAIRS", 1)
    instance = make_instance(60, 6, 4, payload=50.0)
    many = solve(instance, "price")
    assert many.details["device_passes"] == 0
    assert many.bound_ms == pytest.approx(few.bound_ms, rel=1e-3)
    assert many.certified_bound_ms == pytest.approx(many.bound_ms, rel=1e-10)
    assert many.evaluation.objective_ms == pytest.approx(few.evaluation.objective_ms, rel=1e-3)


@pytest.mark.integration
def test_earlier_prices_save_passes(tmp_path: Path) -> None:
    instance = make_instance(60, 6, 5)
    cold = solve(instance, "price")
    path = tmp_path / "s.json"
    solution.save(cold, path)
    for prices in (str(path), cold.certificate.to_plain()):  # type: ignore[union-attr]
        warm = solve(instance, "price", options={"prices": prices})
        assert warm.details["passes"] < cold.details["passes"]
        assert warm.bound_ms == pytest.approx(cold.bound_ms, rel=1e-6)


def test_prices_of_a_tree_are_those_of_its_root(tmp_path: Path) -> None:
    instance = make_instance(20, 3, 1, payload=50.0)
    one = Certificate(np.full(3, 1e-5), np.zeros(3))
    tree = BranchCertificate(1.0, np.zeros(1, int), np.array([-1]), np.array([-1]), (one,))
    (tmp_path / "s.json").write_text(json.dumps({"certificate": tree.to_plain()}))
    certificate = read_prices(str(tmp_path / "s.json"), 3)
    assert isinstance(certificate, Certificate)
    assert (certificate.compute_price == one.compute_price).all()
    assert solve(instance, "price", options={"prices": str(tmp_path / "s.json")}).bound_ms is not None


def test_device_prices_for_other_devices_are_refused() -> None:
    plain = solve(make_instance(20, 3, 1, payload=50.0), "price", options={"gap": 1e-9}).certificate
    assert isinstance(plain, DevicePrices)
    with pytest.raises(InputError, match="21 device prices"):
        solve(make_instance(21, 3), "price", options={"prices": plain.to_plain()})


def test_device_prices_prove_what_2e_prices_leave_open() -> None:
    instance = make_instance(30, 6, 2, payload=10.0)
    two = solve(instance, "price", options={"gap": 0.5})
    row = solve(instance, "price", options={"gap": 1e-6})
    assert isinstance(two.certificate, Certificate)
    assert isinstance(row.certificate, DevicePrices)
    assert two.gap is not None
    assert row.gap is not None
    assert row.gap < 0.2 * two.gap
    assert row.certified_bound_ms == pytest.approx(row.bound_ms, rel=1e-9)


def test_prices_for_another_number_of_servers_are_refused() -> None:
    plain = solve(make_instance(5, 2), "price").certificate.to_plain()  # type: ignore[union-attr]
    with pytest.raises(InputError, match="3 prices"):
        solve(make_instance(5, 3), "price", options={"prices": plain})


def test_a_file_without_prices_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"certificate": null}')
    with pytest.raises(InputError, match="no certificate"):
        solve(make_instance(5, 2), "price", options={"prices": str(tmp_path / "s.json")})


def test_the_same_seed_gives_the_same_answer() -> None:
    instance = make_instance(40, 5, 7)
    one, two = solve(instance, "price", seed=3), solve(instance, "price", seed=3)
    assert (one.decision.association == two.decision.association).all()  # type: ignore[attr-defined]
    assert one.bound_ms == two.bound_ms


@pytest.mark.integration
def test_many_servers_use_the_quasi_newton_ascent() -> None:
    instance = make_instance(200, 70, 1, missing=0.8)
    result = solve(instance, "price", options={"kicks": 0})
    assert result.gap is not None
    assert result.gap < 0.02
    assert result.certified_bound_ms == pytest.approx(result.bound_ms, rel=1e-10)


def test_excess_is_what_the_bound_rises_by() -> None:
    from uara import Context

    instance = make_instance(8, 3, 2)
    root = Root(instance, Context(instance, PriceOptions()), PriceOptions())
    root.raise_bound()
    numbers = coefficients(instance)
    for seed in range(20):
        association = random_association(instance, seed)
        forced = root.value_ms + root.excess_ms[numbers.pairs_of(association)].sum()
        assert forced <= evaluate(instance, allocate(instance, association)).controllable_ms + 1e-9


@pytest.mark.parametrize(("limit_s", "climbs"), [(None, 1), (1e6, 2)])
def test_where_time_is_short_the_row_is_climbed_to_its_end_first(
    limit_s: float | None, climbs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that at any limit ``exact`` proves what ``price`` does."""
    from uara.solvers import exact

    monkeypatch.setattr(exact, "_CLIMBS", 1e15)
    seen: list[int] = []
    climb_on = Root.climb_on

    def count(self: Root, row: Any, cost_ms: float, gap: float, most_passes: int) -> None:
        if self.numbers.devices == 24:  # not of the rehearsal, which loads the kernels
            seen.append(most_passes)
        climb_on(self, row, cost_ms, gap, most_passes)

    monkeypatch.setattr(Root, "climb_on", count)
    result = solve(
        make_instance(24, 4, 3, payload=10.0), "exact", options={"gap": 1e-9}, time_limit_s=limit_s
    )
    assert len(seen) == climbs
    assert sum(seen) <= MOST_PASSES
    assert result.gap is not None
    assert result.gap <= 1e-9
