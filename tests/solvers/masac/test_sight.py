"""What a policy that corrects a rule answers pair by pair, against the same by tables of all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance, random_association
from uara.solvers.masac import sight as sight_module
from uara.solvers.masac import wishes
from uara.solvers.masac.policy import Policy

from uara.p1.dense import dense_of
from uara.p1.model import coefficients


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy.load()


def by_tables(policy: Policy, instance, association):
    """(K, 2) Log-weights as training computes them: masks over tables of all pairs."""
    numbers = coefficients(instance)
    dense = dense_of(numbers, instance.devices.battery_fraction)
    members = np.zeros((1, numbers.devices, numbers.servers))
    members[0, np.arange(numbers.devices), association] = 1.0
    seen = wishes.look(dense, members, 1, np)
    mean = policy._run(seen.features, members, np.zeros_like(seen.offset))
    found = np.where(members[..., None] > 0, seen.offset + seen.reach * mean, seen.offset)
    return found[0, numbers.device, numbers.server]


@pytest.mark.parametrize(("devices", "servers", "payload"), [(30, 5, 1.0), (12, 3, 3e3), (4, 9, 50.0)])
@pytest.mark.parametrize("at_once", [7, 50_000])
def test_it_is_what_training_sees(policy, monkeypatch, devices, servers, payload, at_once) -> None:
    monkeypatch.setattr(sight_module, "AT_ONCE", at_once)
    instance = make_instance(devices, servers, 2, payload=payload)
    numbers, sight = coefficients(instance), policy.sight(instance)
    starts = [random_association(instance, seed) for seed in (1, 2)]
    served = np.stack([numbers.pairs_of(each) for each in starts])
    found = sight.log_weights(served)
    for each, start in zip(found, starts, strict=True):
        told = by_tables(policy, instance, start)
        told[~np.isin(numbers.server, start), 1] += (
            np.log(1 / numbers.work_flop) / 2
        )  # in the units of f there
        np.testing.assert_allclose(each, told, rtol=1e-5, atol=1e-5)
    alone = sight.at_members(served)
    np.testing.assert_allclose(
        alone, np.take_along_axis(found, served[..., None], axis=1), rtol=1e-5, atol=1e-5
    )


def test_wishes_are_those_of_tables(policy) -> None:
    instance = make_instance(20, 4, 3, payload=30.0)
    numbers = coefficients(instance)
    dense = dense_of(numbers, instance.devices.battery_fraction)
    wished = wishes.wanted(dense, np)[0, numbers.device, numbers.server, 0]
    np.testing.assert_allclose(policy.sight(instance).wishes(), wished, rtol=1e-9)


def test_stretches_hold_every_pair_once(monkeypatch) -> None:
    monkeypatch.setattr(sight_module, "AT_ONCE", 5)
    count = np.array([0, 3, 1, 0, 9, 2, 2, 2, 0])
    worlds, pairs = zip(*sight_module._stretches(count), strict=True)
    assert [each.start for each in pairs] == [0, *(each.stop for each in pairs[:-1])]
    assert pairs[-1].stop == count.sum()
    for world, inside in zip(worlds, pairs, strict=True):
        assert count[world].sum() == inside.stop - inside.start
        assert inside.stop - inside.start <= 5 or world.stop - world.start == 1
