"""The world that all faces share: costs, rewards, rules, sizes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from mec.pools import make_pool

pytest.importorskip("gymnasium")
pytest.importorskip("pettingzoo")

import torch
from gymnasium.error import ResetNeeded

from uara import Allocation, InputError
from uara.mec.associations import nearest
from uara.mec.envs import MecParallelEnv
from uara.mec.instances import instance_of
from uara.mec.play import Played, World, logarithmic, relative
from uara.p1.model import evaluate

POOL = make_pool()


def test_costs_are_those_of_the_evaluator_and_add_up():
    world = World(POOL, "nearest", sizes=[(9, 3)], precise=True)
    world.reset(2)
    instance = instance_of(world.environment, 0)
    seen = torch.rand(1, 9, 3, 2) - 3
    played = {}
    world.reward = lambda slot: played.setdefault("it", slot).device_reward
    _, reward, facts = world.step(seen)
    terms = facts["cost_terms_ms"].sum()
    assert float(terms) == pytest.approx(float(facts["controllable_ms"][0]))
    assert float(facts["device_reward"].mean()) == pytest.approx(float(reward[0]))
    it = played["it"]
    answer = Allocation(it.association[0].numpy(), it.band[0].numpy(), it.compute[0].numpy())
    assert evaluate(instance, answer).controllable_ms == pytest.approx(float(terms))


def test_own_rewards_and_own_rules_are_used_and_checked():
    def green(played: Played):
        return -played.feedback.outcome.energy_j.sum(1)

    world = World(POOL, nearest, sizes=[(9, 3)], reward=green)
    world.reset(1)
    _, reward, facts = world.step(torch.zeros(1, 9, 3, 2))
    assert float(reward[0]) == pytest.approx(-float(facts["energy_j"][0]))
    for wrong, message in (
        (lambda *_: torch.zeros(1, 8, dtype=torch.int64), "shape"),
        (lambda *_: torch.full((1, 9), 7), "no path"),
        (lambda *_: None, "NoneType"),
    ):
        world.associate = wrong
        before = world.seen()
        with pytest.raises(InputError, match=message):
            world.step(torch.zeros(1, 9, 3, 2))
        assert torch.equal(before, world.seen())
    with pytest.raises(InputError, match="reward"):
        World(POOL, reward="best")
    with pytest.raises(InputError, match="associate"):
        World(POOL, "nearist")
    with pytest.raises(InputError, match="there is no 'zz'"):
        World(POOL, nearest, zz=0)
    with pytest.raises(InputError, match="'x' is not one of raw, unit"):
        World(POOL, nearest, scale="x")


def test_worlds_of_several_sizes_are_padded_to_one_box():
    env = MecParallelEnv(POOL, "nearest", sizes=[(9, 3), (5, 2)], slots=2, rewards="own")
    shapes = set()
    for seed in range(8):
        seen, _ = env.reset(seed=seed)
        devices, servers = env.world.shape
        shapes.add((devices, servers))
        assert list(seen) == [f"server{j}" for j in range(servers)]
        assert (env.state()[devices:] == 0).all()
        assert (env.state()[:, servers:] == 0).all()
        _, rewards, _, _, facts = env.step({agent: np.zeros((2, 9)) for agent in env.agents})
        told = facts["server0"]
        assert sum(rewards.values()) == pytest.approx(told["device_reward"].sum() / devices)
        assert (told["association"][devices:] == -1).all()
    assert shapes == {(9, 3), (5, 2)}


def test_the_logarithm_is_that_of_the_teams_relative_cost():
    seen = []

    def kept(played: Played):
        seen.append(played)
        return relative(played)

    world = World(POOL, "nearest", sizes=[(9, 3)], scale="unit", reward=kept)
    world.reset(3)
    _, reward, facts = world.step(torch.zeros(1, 9, 3, 2))
    cost = facts["controllable_ms"] / facts["uniform_ms"]
    assert float(reward[0]) == pytest.approx(-float(cost[0]))
    assert float(logarithmic(seen[0])[0]) == pytest.approx(-float(torch.log(cost)[0]))


def test_a_world_without_an_episode_and_a_reward_without_sense():
    world = World(POOL, "nearest", sizes=[(9, 3)], slots=1)
    with pytest.raises(ResetNeeded):
        world.step(torch.zeros(1, 9, 3, 2))
    world.reset(1)
    with pytest.raises(InputError, match=r"has shape \(1, 9, 3\), not \(1, 9, 3, 2\)"):
        world.step(torch.zeros(1, 9, 3))
    world.reward = lambda played: torch.zeros(4)
    with pytest.raises(InputError, match=r"answered \(4,\), not \(1,\) or \(1, 9\)"):
        world.step(torch.zeros(1, 9, 3, 2))


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ({"slots": 0}, "slots"),
        ({"batch": 0}, "batch"),
        ({"sizes": []}, "sizes"),
        ({"sizes": [(0, 3)]}, "sizes"),
    ],
)
def test_numbers_that_make_no_world_are_refused(options, source):
    with pytest.raises(InputError) as caught:
        World(POOL, "nearest", **options)
    assert caught.value.source == source
