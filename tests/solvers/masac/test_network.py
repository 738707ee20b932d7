"""Actor and critic: symmetry, masks, priors, gradients."""

from __future__ import annotations

import pytest
import torch
from mec.learners import make_learner, make_slot
from uara.solvers.masac.features import pair_features, prior_log_weights
from uara.solvers.masac.learner import shares_of
from uara.solvers.masac.network import Actor, Critic, at_pairs, relative_terms

from uara.mec.worlds import device_costs, shares


def shuffled(slot, devices, servers):
    pick = {
        "uplink_ms": lambda t: t[:, devices][:, :, servers],
        "band_cost_ms": lambda t: t[:, devices][:, :, servers],
        "local_ms": lambda t: t[:, devices],
        "server_flop": lambda t: t[:, devices],
        "battery_fraction": lambda t: t[:, devices],
        "flop_per_ms": lambda t: t[:, servers],
        "wait_ms": lambda t: t[:, servers],
        "sync_weight_per_ms": lambda t: t,
    }
    return type(slot)(**{name: pick[name](value) for name, value in vars(slot).items()})


def test_the_actor_treats_devices_and_servers_alike(tmp_path):
    slot, learner = make_slot(str(tmp_path)), make_learner()
    devices, servers = torch.randperm(20), torch.randperm(4)
    with torch.no_grad():
        straight = learner.all_pairs(slot)
        turned = learner.all_pairs(shuffled(slot, devices, servers))
    usable = torch.isfinite(slot.uplink_ms)[:, devices][:, :, servers]
    expected = straight.mean[:, devices][:, :, servers]
    torch.testing.assert_close(turned.mean[usable], expected[usable], rtol=1e-4, atol=1e-5)


def test_a_pair_without_a_path_touches_no_other_pair(tmp_path):
    slot, learner = make_slot(str(tmp_path)), make_learner()
    blocked = ~torch.isfinite(slot.uplink_ms)
    assert blocked.any()
    other = type(slot)(**{**vars(slot), "band_cost_ms": torch.where(blocked, 1e6, slot.band_cost_ms)})
    with torch.no_grad():
        torch.testing.assert_close(
            learner.all_pairs(slot).mean[~blocked], learner.all_pairs(other).mean[~blocked]
        )


def test_served_pairs_equal_those_among_all_pairs(tmp_path):
    slot, learner = make_slot(str(tmp_path)), make_learner()
    association = slot.uplink_ms.argmin(2)
    with torch.no_grad():
        everything, (chosen, features) = learner.all_pairs(slot), learner.served_pairs(slot, association)
    torch.testing.assert_close(chosen.mean, at_pairs(everything.mean, association), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        chosen.log_std, at_pairs(everything.log_std, association), rtol=1e-5, atol=1e-5
    )
    torch.testing.assert_close(features, at_pairs(pair_features(slot, torch)[0], association))


@pytest.mark.parametrize("size", [(5, 2), (20, 6)])
def test_one_actor_serves_every_size(tmp_path, size):
    slot = make_slot(str(tmp_path), devices=size[0], servers=size[1])
    assert make_learner().all_pairs(slot).mean.shape == (3, *size, 2)


def test_an_untrained_uniform_actor_shares_equally(tmp_path):
    slot = make_slot(str(tmp_path), devices=20, servers=4)
    features, usable = pair_features(slot, torch)
    mean, _ = Actor(8, "uniform")(features, usable, prior_log_weights(slot, "uniform", torch))
    association = slot.uplink_ms.argmin(2)
    _, compute = shares_of(slot, association, at_pairs(mean, association))
    ones = torch.ones_like(compute)
    torch.testing.assert_close(compute, shares(ones, ones, association, 4)[1])
    torch.testing.assert_close(mean[..., 0].exp(), torch.full_like(mean[..., 0], 4 / 20))


def test_the_rule_prior_is_balance_and_square_root(tmp_path):
    slot = make_slot(str(tmp_path))
    association = slot.uplink_ms.argmin(2)
    weight = at_pairs(prior_log_weights(slot, "rules", torch), association)
    uplink = slot.uplink_ms.amin(2)
    torch.testing.assert_close(weight[..., 0].exp(), (uplink / slot.local_ms).clamp(max=1.0))
    _, compute = shares_of(slot, association, weight)
    root = slot.server_flop.sqrt()
    torch.testing.assert_close(compute, shares(root, root, association, 4)[1], rtol=1e-4, atol=1e-6)


def test_an_informed_critic_can_say_the_slots_reward_exactly(tmp_path):
    slot = make_slot(str(tmp_path))
    association = slot.uplink_ms.argmin(2)
    ones = torch.ones_like(slot.local_ms)
    band, compute = shares(0.1 * ones, ones, association, 4)
    critic = Critic(8, informed=True)
    with torch.no_grad():
        critic.terms.fill_(-1.0)
        features = at_pairs(pair_features(slot, torch)[0], association)
        value = critic(slot, features, association, band, compute)
    uniform = device_costs(slot, association, *shares(ones, ones, association, 4)).sum(1, keepdim=True)
    reward = -device_costs(slot, association, band, compute) * ones.shape[1] / uniform
    torch.testing.assert_close(value, reward)
    torch.testing.assert_close(relative_terms(slot, association, band, compute).sum(-1), -reward)


def test_critics_see_every_servers_decision(tmp_path):
    torch.manual_seed(0)
    slot = make_slot(str(tmp_path), batch=1)
    association = slot.uplink_ms.argmin(2)
    features = at_pairs(pair_features(slot, torch)[0], association)
    band = torch.full_like(slot.local_ms, 0.05).requires_grad_()
    value = Critic(8, informed=False)(slot, features, association, band, band.detach())
    (slope,) = torch.autograd.grad(value[0, 0], band)
    elsewhere = association[0] != association[0, 0]
    assert elsewhere.any()
    assert (slope[0, elsewhere] != 0).any()
