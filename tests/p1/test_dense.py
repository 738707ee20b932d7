"""Tables and back: no number changes on the way."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings

from uara import Instance
from uara.p1.coefficients import Coefficients, coefficients
from uara.p1.dense import Dense, candidates_of, dense_of


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(8, 4))
def test_an_instance_survives_its_tables(instance: Instance) -> None:
    numbers = coefficients(instance)
    dense = dense_of(numbers, instance.devices.battery_fraction)
    (again,) = candidates_of(dense)
    for name in Coefficients._fields:
        if name == "constant_ms":
            assert again.constant_ms == 0.0
        elif name == "wait_ms":
            assert (again.wait_ms == numbers.wait_ms).all()
        else:
            assert getattr(again, name) == pytest.approx(getattr(numbers, name), rel=1e-15), name


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(8, 4))
def test_the_tables_hold_the_models_numbers(instance: Instance) -> None:
    numbers = coefficients(instance)
    dense = dense_of(numbers, instance.devices.battery_fraction)
    usable = instance.channel.dense(len(instance.servers)) > 0
    assert (np.isfinite(dense.uplink_ms[0]) == usable).all()
    assert (dense.uplink_ms[0][usable] == numbers.uplink_ms).all()
    assert (dense.band_cost_ms[0][~usable] == 0).all()
    assert dense.server_flop[0] == pytest.approx(instance.devices.server_flop, rel=1e-15)
    assert dense.flop_per_ms[0] == pytest.approx(instance.servers.compute_flop_per_s / 1e3, rel=1e-15)
    assert (dense.battery_fraction[0] == instance.devices.battery_fraction).all()
    assert (dense.wait_ms[0][~usable.any(axis=0)] == 0).all()


def test_worlds_of_a_batch_come_one_after_the_other() -> None:
    worlds = [make_instance(5, 3, seed) for seed in range(3)]
    tables = [dense_of(coefficients(one), one.devices.battery_fraction) for one in worlds]
    batch = Dense(*(np.concatenate(columns) for columns in zip(*tables, strict=True)))
    for one, found in zip(worlds, candidates_of(batch), strict=True):
        assert (found.uplink_ms == coefficients(one).uplink_ms).all()
