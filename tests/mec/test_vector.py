"""Batches of worlds, and one agent a pair."""

from __future__ import annotations

import numpy as np
import pytest
from mec.pools import make_pool

pytest.importorskip("gymnasium")
pytest.importorskip("pettingzoo")

import gymnasium

from uara import InputError
from uara.mec.envs import MecEnv
from uara.mec.vector import MecVectorEnv, PairVectorEnv

POOL = make_pool()
SMALL = {"source": POOL, "associate": "nearest", "sizes": [(9, 3)], "slots": 3}


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


def test_a_list_of_seeds_is_one_seed_for_all():
    env = MecVectorEnv(2, **SMALL)
    first = env.reset(seed=[1, None, 2])[0]
    np.testing.assert_array_equal(first, env.reset(seed=[1, 2])[0])
    assert not np.array_equal(first, env.reset(seed=[2, 1])[0])
    assert not np.array_equal(first, env.reset(seed=[None])[0]), "it goes on with new worlds"


def test_actions_of_another_shape_are_refused():
    for env in (MecVectorEnv(2, **SMALL), PairVectorEnv(2, **SMALL)):
        env.reset(seed=1)
        with pytest.raises(InputError, match="has shape"):
            env.step(np.zeros((2, 9, 3)))
