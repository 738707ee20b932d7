"""The update: losses, the temperature, what moves and what does not; against what torchrl computes."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from mec.learners import make_batch, make_learner, make_slot
from torch.func import functional_call
from truth.torchrl_losses import GAMMA, RECORD, TARGET_ENTROPY, TEMPERATURE, Actor, Value, normal
from uara.solvers.masac.learner import (
    Batch,
    LearnerSettings,
    actor_loss,
    critic_loss,
    reward_of,
    shares_of,
    soft_target,
    temperature_loss,
)
from uara.solvers.masac.validation import exact_log_weights

from uara.mec.worlds import device_costs, uniform_costs


def parameters(module):
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


def test_an_update_moves_actor_and_critics_and_targets_by_tau(tmp_path):
    learner = make_learner(tau=0.25, discount=0.5)
    batch = make_batch(str(tmp_path), learner)
    before = {part: parameters(getattr(learner, part)) for part in ("actor", "critics", "targets")}
    numbers = learner.update(batch)
    assert all(torch.isfinite(torch.tensor(list(numbers.values()))))
    assert not torch.equal(parameters(learner.actor), before["actor"])
    moved = parameters(learner.critics)
    assert not torch.equal(moved, before["critics"])
    torch.testing.assert_close(parameters(learner.targets), 0.75 * before["targets"] + 0.25 * moved)


def test_the_actors_loss_does_not_move_the_critics(tmp_path):
    learner = make_learner(q_lr=1e-30)
    batch = make_batch(str(tmp_path), learner)
    before = parameters(learner.critics)
    learner.update(batch)
    torch.testing.assert_close(parameters(learner.critics), before, atol=1e-20, rtol=0)
    assert all(p.requires_grad for p in learner.critics.parameters())


def test_without_a_discount_the_next_slot_does_not_matter(tmp_path):
    batch = make_batch(str(tmp_path), make_learner())
    other = copy.copy(batch)
    object.__setattr__(other, "next_slot", make_slot(str(tmp_path), seed=9))
    for discount, same in ((0.0, True), (0.9, False)):
        losses = []
        for each in (batch, other):
            learner = make_learner(discount=discount)
            torch.manual_seed(1)
            losses.append(learner.update(each)["critic_loss"])
        assert (losses[0] == losses[1]) == same


@pytest.mark.parametrize(
    ("last", "done", "part"), [(1.0, 0.7, 1.0), (0.1, 0.0, 1.0), (0.1, 0.5, 0.55), (0.1, 1.0, 0.1)]
)
def test_learning_rates_fall_linearly_to_their_last_part(last, done, part):
    learner = make_learner(policy_lr=1e-3, q_lr=2e-3, last_rate_part=last)
    learner.decay_rates(done)
    rates = [optimiser.param_groups[0]["lr"] for optimiser in learner.optimisers().values()]
    assert rates == pytest.approx([1e-3 * part, 2e-3 * part, learner.settings.alpha_lr])


def rehearse(learner, slot, updates):
    """Updates on one batch of slots, on-policy and with true rewards; returns the rows of numbers."""
    association = slot.uplink_ms.argmin(2)
    uniform = uniform_costs(slot, association)
    rows = []
    for _ in range(updates):
        with torch.no_grad():
            weight = learner.served_pairs(slot, association)[0].rsample()
        cost = device_costs(slot, association, *shares_of(slot, association, weight))
        reward = reward_of(cost, uniform, cost, uniform.sum(1), learner.settings)
        rows.append(learner.update(Batch(slot, association, weight, reward, slot, association)))
    return rows


@pytest.mark.integration
def test_the_temperature_brings_the_entropy_to_its_target(tmp_path):
    target = -0.5
    learner = make_learner(target_entropy=target, alpha_lr=0.03, policy_lr=5e-3, first_temperature=0.001)
    torch.nn.init.zeros_(learner.actor.head.weight)
    learner.actor.head.bias.data[2:] = -4.0
    for critic in learner.critics:
        torch.nn.init.constant_(critic.terms, -1.0)
    rows = rehearse(learner, make_slot(str(tmp_path), batch=2, devices=8, servers=2), 100)
    assert rows[0]["entropy"] < target - 1.0
    assert sum(row["entropy"] for row in rows[-40:]) / 40 == pytest.approx(target, abs=0.25)


@pytest.mark.parametrize(("entropy", "rises"), [(-5.0, True), (5.0, False)])
def test_too_little_entropy_raises_the_temperature(entropy, rises):
    log_temperature = torch.zeros((), requires_grad=True)
    temperature_loss(log_temperature, torch.full((4,), -entropy), 0.0).backward()
    assert (float(log_temperature.grad) < 0) == rises


@pytest.mark.integration
def test_learning_approaches_the_exact_allocation(tmp_path):
    """Soft actor-critic alone, on slots whose exact optimum is known, from equal shares."""
    slot = make_slot(
        str(tmp_path), batch=2, devices=10, servers=2, payload_factor_range=(40.0, 40.0), plain=0.0
    )
    association = slot.uplink_ms.argmin(2)
    learner = make_learner(policy_lr=3e-3, q_lr=1e-2)
    torch.nn.init.zeros_(learner.actor.head.weight)
    best = device_costs(
        slot, association, *shares_of(slot, association, exact_log_weights(slot, association))
    )

    def excess():
        with torch.no_grad():
            mean = learner.served_pairs(slot, association)[0].mean
        cost = device_costs(slot, association, *shares_of(slot, association, mean))
        return float((cost.sum(1) / best.sum(1) - 1).mean())

    first = excess()
    rehearse(learner, slot, 150)
    assert excess() < 0.4 * first


@pytest.mark.integration
def test_imitation_falls_and_nears_the_exact_shares(tmp_path):
    slot = make_slot(str(tmp_path), batch=4)
    association = slot.uplink_ms.argmin(2)
    learner = make_learner(policy_lr=5e-3)
    wanted = exact_log_weights(slot, association)
    losses = [learner.imitate(slot, association, wanted) for _ in range(200)]
    assert losses[-1] < 0.05 * losses[0]


@pytest.mark.parametrize("kind", ["controllable", "objective", "random-baseline"])
def test_rewards_sum_to_the_teams(kind):
    cost, constant = torch.tensor([[2.0, 4.0]]), torch.tensor([[10.0, 20.0]])
    uniform, random = torch.tensor([[3.0, 5.0]]), torch.tensor([70.0])
    reward = reward_of(cost, uniform, constant, random, LearnerSettings(reward=kind))
    expected = {"controllable": -6 / 8, "objective": -36 / 38, "random-baseline": -36 / 100}[kind]
    assert float(reward.mean()) == pytest.approx(expected)


def test_team_values_are_one_number_a_slot(tmp_path):
    learner = make_learner(values="team")
    batch = make_batch(str(tmp_path), learner)
    _, features = learner.served_pairs(batch.slot, batch.association)
    first, _ = learner.values(learner.critics, batch.slot, features, batch.association, batch.log_weight)
    assert first.shape == (3, 1)
    learner.update(batch)


def test_losses_and_gradients_are_those_that_torchrl_computes():
    """Against the record of ``tests/truth/torchrl_losses.py``, which torchrl made."""
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    given = {name: torch.tensor(values) for name, values in recorded["inputs"].items()}
    weights = {
        part: {name: torch.tensor(values).requires_grad_() for name, values in tensors.items()}
        for part, tensors in recorded["weights"].items()
    }

    def policy(observation):
        return functional_call(Actor(), weights["actor"], (observation,))

    def values(part, observation, action):
        pair = [{name: tensor[n] for name, tensor in weights[part].items()} for n in (0, 1)]
        return [functional_call(Value(), each, (observation, action))[:, 0] for each in pair]

    alpha = torch.tensor(TEMPERATURE)
    following = given["next_observation"], given["next_action"]
    target = soft_target(
        given["reward"],
        torch.minimum(*values("targets", *following)),
        normal(*policy(following[0])).log_prob(following[1]),
        alpha,
        GAMMA,
    )
    # torchrl adds up what both critics lose, critic_loss takes their mean
    critics = 2 * critic_loss(*values("critics", given["observation"], given["action"]), target.detach())
    loc, scale = policy(given["observation"])
    action = loc + scale * given["noise"]
    log_prob = normal(loc, scale).log_prob(action)
    least = torch.minimum(*values("critics", given["observation"], action))
    actor = actor_loss(log_prob, least, alpha)
    log_alpha = torch.log(alpha).requires_grad_()
    temperature = temperature_loss(log_alpha, log_prob.detach(), TARGET_ENTROPY)
    for name, mine in (("qvalue", critics), ("actor", actor), ("alpha", temperature)):
        assert mine.item() == pytest.approx(recorded["losses"][name], rel=1e-5), name
    for part, mine in (("actor", actor), ("critics", critics)):
        found = torch.autograd.grad(mine, list(weights[part].values()), retain_graph=True)
        for name, gradient in zip(weights[part], found, strict=True):
            wanted = torch.tensor(recorded["gradients"][part][name])
            assert wanted.abs().max() > 1e-6
            torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-6)
    (slope,) = torch.autograd.grad(temperature, log_alpha)
    assert slope.item() == pytest.approx(recorded["gradients"]["log_alpha"], rel=1e-5)


def test_the_record_tells_the_target_networks_from_the_critics():
    """Else a loss that takes one for the other would pass."""
    weights = json.loads(RECORD.read_text(encoding="utf-8"))["weights"]
    assert weights["critics"] != weights["targets"]
