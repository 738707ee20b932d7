"""The update: losses, the temperature, what moves and what does not; against torchrl where it is installed."""

from __future__ import annotations

import copy

import pytest
import torch
from mec.learners import make_batch, make_learner, make_slot
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


def test_an_update_moves_actor_and_critics_and_targets_by_xi(tmp_path):
    learner = make_learner(soft_update=0.25, discount=0.5)
    batch = make_batch(str(tmp_path), learner)
    before = {part: parameters(getattr(learner, part)) for part in ("actor", "critics", "targets")}
    numbers = learner.update(batch)
    assert all(torch.isfinite(torch.tensor(list(numbers.values()))))
    assert not torch.equal(parameters(learner.actor), before["actor"])
    moved = parameters(learner.critics)
    assert not torch.equal(moved, before["critics"])
    torch.testing.assert_close(parameters(learner.targets), 0.75 * before["targets"] + 0.25 * moved)


def test_the_actors_loss_does_not_move_the_critics(tmp_path):
    learner = make_learner(critic_rate=1e-30)
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
    learner = make_learner(actor_rate=1e-3, critic_rate=2e-3, last_rate_part=last)
    learner.decay_rates(done)
    rates = [optimiser.param_groups[0]["lr"] for optimiser in learner.optimisers().values()]
    assert rates == pytest.approx([1e-3 * part, 2e-3 * part, learner.settings.temperature_rate])


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


def test_the_temperature_brings_the_entropy_to_its_target(tmp_path):
    target = -0.5
    learner = make_learner(
        target_entropy=target, temperature_rate=0.03, actor_rate=5e-3, first_temperature=0.001
    )
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


def test_learning_approaches_the_exact_allocation(tmp_path):
    """Soft actor-critic alone, on slots whose exact optimum is known, from equal shares."""
    slot = make_slot(
        str(tmp_path), batch=2, devices=10, servers=2, payload_factor_range=(40.0, 40.0), plain=0.0
    )
    association = slot.uplink_ms.argmin(2)
    learner = make_learner(actor_rate=3e-3, critic_rate=1e-2)
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


def test_imitation_falls_and_nears_the_exact_shares(tmp_path):
    slot = make_slot(str(tmp_path), batch=4)
    association = slot.uplink_ms.argmin(2)
    learner = make_learner(actor_rate=5e-3)
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


def test_losses_and_gradients_agree_with_torchrl():
    pytest.importorskip("torchrl")
    from tensordict import TensorDict
    from tensordict.nn import NormalParamExtractor, TensorDictModule
    from torchrl.modules import ProbabilisticActor, ValueOperator
    from torchrl.objectives import SACLoss

    torch.manual_seed(0)
    gamma, temperature, count, dims = 0.9, 0.3, 32, 3

    def normal(loc, scale):
        return torch.distributions.Independent(torch.distributions.Normal(loc, scale), 1)

    class Value(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(5 + dims, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)
            )

        def forward(self, observation, action):
            return self.net(torch.cat([observation, action], -1))

    head = torch.nn.Sequential(torch.nn.Linear(5, 2 * dims), NormalParamExtractor())
    module = TensorDictModule(head, in_keys=["observation"], out_keys=["loc", "scale"])
    actor = ProbabilisticActor(
        module,
        in_keys=["loc", "scale"],
        distribution_class=lambda loc, scale: normal(loc, scale),
        return_log_prob=True,
        default_interaction_type="random",
    )
    value = ValueOperator(Value(), in_keys=["observation", "action"])
    loss = SACLoss(
        actor, value, num_qvalue_nets=2, loss_function="l2", alpha_init=temperature, fixed_alpha=False,
        target_entropy=-2.0, delay_qvalue=True, action_spec=None,
    )  # fmt: skip
    loss.make_value_estimator(gamma=gamma)
    data = TensorDict(
        {
            "observation": torch.randn(count, 5),
            "action": torch.randn(count, dims),
            "next": {
                "observation": torch.randn(count, 5),
                "reward": torch.randn(count, 1),
                "done": torch.zeros(count, 1, dtype=torch.bool),
                "terminated": torch.zeros(count, 1, dtype=torch.bool),
            },
        },
        [count],
    )
    torch.manual_seed(7)
    theirs = loss(data.clone())

    def leaves(params):
        flat = params.data.flatten_keys(".").items()
        return {key.replace("module.", ""): value.clone().requires_grad_() for key, value in flat}

    critics, targets = leaves(loss.qvalue_network_params), leaves(loss.target_qvalue_network_params)

    def ours_values(params, observation, action):
        own = Value()
        return [
            torch.func.functional_call(own, {k: v[n] for k, v in params.items()}, (observation, action))[:, 0]
            for n in (0, 1)
        ]

    def policy(observation):
        return normal(*head(observation))

    parts = dict(loss.actor_network_params.flatten_keys(".").items())
    with torch.no_grad():
        for name, tensor in head.named_parameters():
            match = [v for key, v in parts.items() if key.endswith(name)]
            tensor.copy_(match[0])
    alpha = torch.tensor(temperature)

    # torchrl draws the next slot's action first, then the actor's.
    torch.manual_seed(7)
    with torch.no_grad():
        following = policy(data["next", "observation"])
        next_action = following.sample()
    now = policy(data["observation"])
    action = now.rsample()
    log_prob = now.log_prob(action)
    next_value = torch.minimum(*ours_values(targets, data["next", "observation"], next_action))
    target = soft_target(
        data["next", "reward"][:, 0], next_value, following.log_prob(next_action), alpha, gamma
    )
    first, second = ours_values(critics, data["observation"], data["action"])
    mine_critics = 2 * critic_loss(first, second, target.detach())
    assert float(mine_critics) == pytest.approx(float(theirs["loss_qvalue"]), rel=1e-5)
    mine = actor_loss(log_prob, torch.minimum(*ours_values(critics, data["observation"], action)), alpha)
    assert float(mine) == pytest.approx(float(theirs["loss_actor"]), rel=1e-5)
    log_alpha = torch.log(alpha).requires_grad_()
    mine_alpha = temperature_loss(log_alpha, log_prob.detach(), -2.0)
    assert float(mine_alpha) == pytest.approx(float(theirs["loss_alpha"]), rel=1e-5)

    def same(own, theirs):
        torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-6)

    gradient = torch.autograd.grad(mine, list(head.parameters()))
    theirs["loss_actor"].backward(retain_graph=True)
    for (name, _), own in zip(head.named_parameters(), gradient, strict=True):
        match = [
            p.grad
            for key, p in loss.named_parameters()
            if "actor" in key and key.replace("_", ".").endswith(name.replace("_", "."))
        ]
        same(own, match[0])

    loss.zero_grad()
    theirs["loss_qvalue"].backward(retain_graph=True)
    found = {
        key.replace("module.", ""): p.grad for key, p in loss.qvalue_network_params.flatten_keys(".").items()
    }
    gradient = torch.autograd.grad(mine_critics, list(critics.values()))
    assert set(found) == set(critics)
    for name, own in zip(critics, gradient, strict=True):
        assert own.abs().max() > 1e-6
        same(own, found[name])

    theirs["loss_alpha"].backward()
    same(torch.autograd.grad(mine_alpha, log_alpha)[0], loss.log_alpha.grad)
