"""The rule that a policy corrects, and its features: exact where band suffices, and free of units."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mec.learners import make_learner, make_slot
from uara.solvers.masac import wishes
from uara.solvers.masac.association import coefficients_of
from uara.solvers.masac.features import COUNT
from uara.solvers.masac.learner import members_of, shares_of
from uara.solvers.masac.network import at_pairs

from uara.p1.allocation import optimal_bandwidth
from uara.p1.server_cost import inverse_share


class Plain:
    """A slot as NumPy arrays."""

    def __init__(self, slot):
        for field in dataclasses.fields(slot):
            setattr(self, field.name, getattr(slot, field.name).double().numpy())


def double(slot):
    return slot.map(lambda tensor: tensor.double())


@given(st.floats(-70, 70))
@settings(deadline=None)
def test_growth_is_the_root_of_its_cubic(log_slope):
    found = float(wishes.growth(np.array([log_slope]), np)[0])
    assert np.exp(found) == pytest.approx(inverse_share(1.0, np.exp(log_slope), 0.0), rel=1e-6)


@pytest.mark.parametrize("corrections", [0, 1, 2])
def test_numpy_and_pytorch_look_at_the_same(tmp_path, corrections):
    slot = double(make_slot(str(tmp_path), payload_factor_range=(1e4, 1e5), plain=0.0))
    association = slot.uplink_ms.argmin(2)
    members = members_of(slot, association)
    first = wishes.look(slot, members, corrections, torch)
    second = wishes.look(Plain(slot), members.numpy(), corrections, np)
    for mine, other in zip(first, second, strict=True):
        np.testing.assert_allclose(mine.numpy(), other, rtol=1e-9, atol=1e-12)
    assert first.features.shape[-1] == len(wishes.NAMES) == COUNT
    assert all(torch.isfinite(each).all() for each in first)


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_no_unit_changes_what_is_seen(tmp_path, factor):
    """Times in other units with lambda and the objective following; faster servers; heavier loads."""
    slot = double(make_slot(str(tmp_path), payload_factor_range=(1e4, 1e5), plain=0.0))
    members = members_of(slot, slot.uplink_ms.argmin(2))
    seen = wishes.look(slot, members, 1, torch)
    for change in (
        {"uplink_ms": factor, "local_ms": factor, "sync_weight_per_ms": 1 / factor, "band_cost_ms": factor},
        {"flop_per_ms": factor},
        {"server_flop": factor},
        {"sync_weight_per_ms": factor, "band_cost_ms": factor},
    ):
        other = dataclasses.replace(slot, **{name: getattr(slot, name) * by for name, by in change.items()})
        for mine, changed in zip(seen, wishes.look(other, members, 1, torch), strict=True):
            torch.testing.assert_close(mine, changed, rtol=1e-6, atol=1e-6)


@pytest.mark.integration
@given(st.integers(0, 10**6), st.floats(-3, 5), st.sampled_from([0.0, 1e-4, 1e-2, 1.0]))
@settings(max_examples=30, deadline=None)
def test_where_band_suffices_the_rule_is_exact_and_out_of_reach(tmp_path_factory, seed, payload, weight):
    slot = double(make_slot(str(tmp_path_factory.mktemp("profile")), seed=seed, batch=2, devices=20))
    slot = dataclasses.replace(
        slot,
        uplink_ms=slot.uplink_ms * 10**payload,
        sync_weight_per_ms=slot.sync_weight_per_ms * 0 + weight,
    )
    association = slot.uplink_ms.argmin(2)
    seen = wishes.look(slot, members_of(slot, association), 1, torch)
    band, _ = shares_of(slot, association, at_pairs(seen.offset, association))
    reach = at_pairs(seen.reach, association)[..., 0].numpy()
    for world, numbers in enumerate(coefficients_of(slot)):
        chosen = association[world].numpy()
        exact = optimal_bandwidth(numbers, chosen, numbers.pairs_of(chosen))
        free = reach[world] == 0
        np.testing.assert_allclose(band[world].numpy()[free], exact[free], rtol=1e-4)


def test_a_learner_corrects_only_where_band_is_scarce(tmp_path):
    learner = make_learner(prior="priced", reward="rule")
    for payload, moved in ((1e-3, False), (1e5, True)):
        slot = make_slot(str(tmp_path), payload_factor_range=(payload, payload), plain=0.0)
        association = slot.uplink_ms.argmin(2)
        rule = at_pairs(wishes.look(slot, members_of(slot, association), 1, torch).offset, association)
        with torch.no_grad():
            policy, _ = learner.served_pairs(slot, association)
            assert torch.isfinite(policy.log_prob(policy.rsample())).all()
            everywhere = at_pairs(learner.reconsidered(slot, association), association)
        torch.testing.assert_close(everywhere, policy.mean)
        assert (policy.mean[..., 0] != rule[..., 0]).any() == moved
