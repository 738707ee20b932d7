"""What more band or compute is worth: against solving again with one server enlarged."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import HealthCheck, given, settings

from uara import InputError, Instance, allocate, evaluate, solve
from uara.p1 import worth
from uara.p1.device_prices import DevicePrices


def enlarged(instance: Instance, server: int, column: str, more: float) -> Instance:
    values = getattr(instance.servers, column).copy()
    values[server] += more
    return instance.replace(servers=instance.servers.replace(**{column: values}))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances())
def test_it_is_what_the_objective_falls_by_when_one_server_is_enlarged(instance: Instance) -> None:
    chosen = random_association(instance)
    before = evaluate(instance, allocate(instance, chosen))
    for column, more, found in (
        ("bandwidth_hz", 1e6, worth.of_band(instance, chosen)),
        ("compute_flop_per_s", 1e12, worth.of_compute(instance, chosen)),
    ):
        for server in range(len(instance.servers)):
            larger = enlarged(instance, server, column, more)
            after = evaluate(larger, allocate(larger, chosen))
            saved = before.objective_ms - after.objective_ms
            assert found[server] == pytest.approx(saved, rel=1e-6, abs=1e-9 * before.objective_ms)
    assert (worth.of_compute(instance, chosen) >= 0).all()


def test_costs_add_up_to_the_controllable_part() -> None:
    instance = make_instance(12, 3, seed=4)
    chosen = random_association(instance)
    score = evaluate(instance, allocate(instance, chosen))
    assert worth.costs_ms(instance, chosen).sum() == pytest.approx(score.controllable_ms)


def test_more_band_can_cost() -> None:
    """The noise fills the whole band: where band is not scarce, more of it only adds noise."""
    instance = make_instance(6, 2, seed=1)
    wide = instance.replace(servers=instance.servers.replace(bandwidth_hz=np.full(2, 5e7)))
    chosen = random_association(wide)
    used = np.bincount(chosen, allocate(wide, chosen).bandwidth, 2)
    assert (used < 1).all()
    assert (worth.of_band(wide, chosen) < 0).all()


def test_the_band_price_is_the_one_that_proves_most() -> None:
    instance = make_instance(8, 2, seed=3)
    scarce = instance.replace(servers=instance.servers.replace(bandwidth_hz=np.full(2, 2e4)))
    for each, positive in ((instance, False), (scarce, True)):
        result = solve(each, "exact")
        assert isinstance(result.certificate, DevicePrices)
        found = worth.band_prices(each, result.decision.association, result.certificate)  # type: ignore[attr-defined]
        record = result.certificate.record
        listed = record.band_prices[record.rows[record.nodes[0].row].band]
        assert all(price in prices for price, prices in zip(found, listed, strict=True))
        assert (found > 0).any() == positive


def test_a_pair_without_a_path_is_refused() -> None:
    instance = make_instance(4, 2)
    with pytest.raises(InputError, match="cannot use server 7"):
        worth.of_band(instance, [0, 1, 7, 0])
