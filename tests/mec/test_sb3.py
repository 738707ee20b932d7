"""Batches of worlds for Stable-Baselines3."""

from __future__ import annotations

import numpy as np
import pytest
from mec.pools import make_pool

pytest.importorskip("stable_baselines3")

from stable_baselines3.common.env_checker import check_env

from uara import InputError
from uara.mec.envs import MecEnv
from uara.mec.sb3 import WorldsVecEnv
from uara.mec.vector import MecVectorEnv, PairVectorEnv

SMALL = {"source": make_pool(), "sizes": [(9, 3)], "slots": 4, "scale": "unit"}


def test_stable_baselines_own_check():
    check_env(MecEnv(**SMALL), warn=True)


def test_stable_baselines_steps_batches():
    env = WorldsVecEnv(PairVectorEnv(2, autoreset_mode="SameStep", **SMALL))
    env.seed(3)
    first = env.reset()
    for _ in range(4):
        seen, reward, over, infos = env.step(np.zeros((54, 2), dtype=np.float32))
    assert over.all()
    assert infos[5]["TimeLimit.truncated"]
    assert not np.array_equal(infos[5]["terminal_observation"], seen[5])
    assert first.shape == seen.shape
    assert reward.shape == (54,)


def test_only_same_step_is_taken():
    with pytest.raises(InputError, match="must be SameStep"):
        WorldsVecEnv(MecVectorEnv(2, **SMALL))


def test_one_batch_answers_for_all():
    env = WorldsVecEnv(MecVectorEnv(3, autoreset_mode="SameStep", **SMALL))
    assert env.get_attr("num_envs") == [3, 3, 3]
    assert env.get_attr("num_envs", [1]) == [3]
    env.set_attr("render_mode", "none")
    assert env.worlds.render_mode == "none"
    assert env.env_is_wrapped(object) == [False] * 3
    seeds = env.seed(1)
    first = env.reset()
    assert seeds == [1, 1, 1]
    np.testing.assert_array_equal(first, env.worlds.reset(seed=1)[0])
    assert len(env.env_method("reset", seed=1)) == 3
