"""Ids, batches, pools by name, own rewards and rules: what learners meet on the slotted world."""

from __future__ import annotations

import numpy as np
import pytest
from mec.pools import make_pool

pytest.importorskip("pettingzoo")
pytest.importorskip("gymnasium")

import gymnasium
import torch
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from uara import InputError
from uara.mec.associations import checked, nearest
from uara.mec.envs import MecEnv, MecParallelEnv
from uara.mec.instances import instance_of
from uara.mec.play import Played, World
from uara.mec.pools import names, open_pool
from uara.mec.vector import MecVectorEnv, PairVectorEnv
from uara.mec.views import OBSERVED, SPAN, log_weights, observation, padded, slot_seen
from uara.p1.coefficients import coefficients
from uara.p1.model import evaluate

POOL = make_pool()
SMALL = {"source": POOL, "associate": "nearest", "sizes": [(9, 3)], "slots": 3}


def test_the_id_is_made_by_gymnasium_alone_and_in_batches():
    single = gymnasium.make("uara/Mec-v0", sizes=[(8, 2)], scale="unit", slots=2)
    assert single.observation_space.shape == (8, 2, len(OBSERVED))
    assert (single.action_space.low, single.action_space.high) == pytest.approx((-1, 1))
    check_env(single.unwrapped, skip_render_check=True)
    batch = gymnasium.make_vec("uara/Mec-v0", num_envs=3, **SMALL)
    assert isinstance(batch.unwrapped, MecVectorEnv)
    assert batch.reset(seed=1)[0].shape == (3, 9, 3, len(OBSERVED))


def test_pools_by_name():
    train, aside = open_pool("urban-train"), open_pool("urban-held-out")
    assert len(train.power_gain) + len(aside.power_gain) == len(open_pool("urban").power_gain)
    assert {"urban", "urban-train", "urban-held-out"} <= set(names())
    with pytest.raises(InputError, match=r"there is no pool .urbane"):
        open_pool("urbane")


def test_a_batch_of_one_is_the_single_world():
    single, batch = MecEnv(**SMALL), MecVectorEnv(1, precise=True, **SMALL)
    seen, _ = single.reset(seed=4)
    np.testing.assert_array_equal(seen, batch.reset(seed=4)[0][0])
    action = np.random.default_rng(0).uniform(-4, 0, (9, 3, 2)).astype(np.float32)
    one, many = single.step(action), batch.step(action[None])
    np.testing.assert_array_equal(one[0], many[0][0])
    assert one[1] == many[1][0]
    for name, value in one[4].items():
        np.testing.assert_array_equal(value, many[4][name][0])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_the_end_of_an_episode_in_every_mode(mode):
    env = MecVectorEnv(2, autoreset_mode=mode, **SMALL)
    env.reset(seed=1)
    still = np.zeros(env.action_space.shape)
    for slot in range(3):
        seen, _, ended, over, facts = env.step(still)
        assert not ended.any()
        assert over.all() == (slot == 2)
    if mode == "SameStep":
        assert not np.array_equal(facts["final_obs"], seen)
    if mode == "Disabled":
        with pytest.raises(gymnasium.error.ResetNeeded):
            env.step(still)
    else:
        _, reward, _, over, _ = env.step(still)
        assert not over.any()
        assert (reward == 0).all() == (mode == "NextStep"), "the action of a resetting step is ignored"


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
    from uara import Allocation

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


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from(["raw", "unit"]))
def test_what_is_seen_holds_the_whole_slot(seed, scale):
    world = World(POOL, "nearest", sizes=[(9, 3)])
    world.reset(seed)
    slot = world.slot
    again = slot_seen(observation(slot, scale), scale)
    for name in ("local_ms", "server_flop", "flop_per_ms", "battery_fraction", "sync_weight_per_ms"):
        torch.testing.assert_close(
            getattr(again, name).double(), getattr(slot, name).double(), rtol=2e-5, atol=0
        )
    torch.testing.assert_close(again.wait_ms.double(), slot.wait_ms.double(), rtol=1e-4, atol=1e-2)
    usable = torch.isfinite(slot.uplink_ms)
    assert torch.equal(usable, torch.isfinite(again.uplink_ms))
    for name in ("uplink_ms", "band_cost_ms"):
        old, new = getattr(slot, name)[usable], getattr(again, name)[usable]
        torch.testing.assert_close(new.double(), old.double(), rtol=2e-5, atol=1e-9)


def test_a_unit_action_of_zero_is_the_equal_share():
    weight = log_weights(torch.zeros(1, 12, 3, 2), "unit").exp()
    assert weight[0, 0, 0].tolist() == pytest.approx([0.25, 1.0])
    top = log_weights(torch.full((1, 12, 3, 2), 9.0), "unit")
    assert (top - weight.log())[0, 0, 0].tolist() == pytest.approx(list(SPAN))


def test_one_agent_a_pair_is_the_same_world():
    pairs, whole = PairVectorEnv(2, **SMALL), MecVectorEnv(2, **SMALL)
    assert pairs.num_envs == 2 * 9 * 3
    seen, _ = pairs.reset(seed=1)
    np.testing.assert_array_equal(seen.reshape(2, 9, 3, -1), whole.reset(seed=1)[0])
    action = np.random.default_rng(1).uniform(-3, 0, (54, 2))
    _, reward, _, _, facts = pairs.step(action)
    _, team, *_ = whole.step(action.reshape(2, 9, 3, 2))
    np.testing.assert_allclose(reward.reshape(2, 27).mean(1), team)
    np.testing.assert_array_equal(reward.reshape(2, 9, 3)[..., 0], facts["worlds"]["device_reward"])
    with pytest.raises(InputError, match="one size"):
        PairVectorEnv(2, POOL, sizes=[(9, 3), (5, 2)])


def test_padding_and_associations_are_checked():
    values = torch.ones(1, 2, 2, 3)
    assert padded(values, (3, 4)).sum() == values.sum()
    world = World(POOL, sizes=[(9, 3)])
    world.reset(1)
    good = nearest(world.slot, None, None)
    assert torch.equal(checked(world.slot, good), good)
    assert len(coefficients(instance_of(world.environment, 0)).uplink_ms) > 0
