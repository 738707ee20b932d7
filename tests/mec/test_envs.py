"""The RL faces pass their libraries' own checkers, and say what they should about the end of an episode."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from cases import make_instance
from mec.worlds import profile_file, random_gains

pytest.importorskip("pettingzoo")
pytest.importorskip("gymnasium")

from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test
from uara.solvers.masac.association import associate_batch

from uara import InputError
from uara.mec.batch import WorldSettings
from uara.mec.channels import TraceGains
from uara.mec.envs import MecEnv, MecParallelEnv
from uara.p1.schema import Parameters
from uara.scenarios.trace import MobilityTrace

SLOTS = 6


@pytest.fixture
def make(tmp_path):
    settings = WorldSettings(profile=profile_file(str(tmp_path)))

    def made(face):
        return face(TraceGains(random_gains()), associate_batch, slots=SLOTS, settings=settings)

    return made


def test_pettingzoos_api_check(make):
    parallel_api_test(make(MecParallelEnv), num_cycles=30)


def test_pettingzoos_seed_check(make):
    parallel_seed_test(lambda: make(MecParallelEnv), num_cycles=10)


def test_gymnasiums_check(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*not having a spec.*")
        check_env(make(MecEnv))


def test_an_episode_is_truncated_and_never_terminated(make):
    env = make(MecParallelEnv)
    env.reset(seed=1)
    for slot in range(1, SLOTS + 1):
        actions = {agent: env.action_space(agent).sample() for agent in env.agents}
        _, _, terminated, truncated, _ = env.step(actions)
        assert not any(terminated.values())
        assert all(truncated.values()) == (slot == SLOTS)
    assert env.agents == []


def test_both_faces_show_the_same_world(make):
    many, single = make(MecParallelEnv), make(MecEnv)
    seen, _ = many.reset(seed=3)
    whole, _ = single.reset(seed=3)
    rng = np.random.default_rng(0)
    for _ in range(3):
        for j, agent in enumerate(many.possible_agents):
            np.testing.assert_array_equal(seen[agent], whole[:, j])
        action = rng.uniform(-4, 0, single.action_space.shape).astype(np.float32)
        actions = {agent: action[:, j].T for j, agent in enumerate(many.possible_agents)}
        seen, reward, _, _, facts = many.step(actions)
        whole, alone, _, _, single_facts = single.step(action)
        assert set(reward.values()) == {alone}
        assert facts[many.possible_agents[0]]["controllable_ms"] == single_facts["controllable_ms"]


def test_different_seeds_differ_and_reset_without_a_seed_goes_on(make):
    env = make(MecEnv)
    first, _ = env.reset(seed=1)
    second, _ = env.reset()
    assert not np.array_equal(first, second)
    again, _ = env.reset(seed=1)
    np.testing.assert_array_equal(first, again)
    following, _ = env.reset()
    np.testing.assert_array_equal(second, following)


def test_the_reward_is_minus_the_cost_over_that_of_uniform_shares(make):
    env = make(MecEnv)
    env.reset(seed=2)
    _, uniform, *_ = env.step(np.stack([np.full(env.world.shape, 5.0), np.zeros(env.world.shape)], -1))
    assert uniform == pytest.approx(-1.0), "wishes far above the band come down to equal shares"


def test_a_step_before_a_reset_is_an_error(make):
    env = make(MecEnv)
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(env.action_space.sample())


def test_a_step_after_the_end_is_an_error(make):
    single, many = make(MecEnv), make(MecParallelEnv)
    single.reset(seed=1)
    many.reset(seed=1)
    for _ in range(SLOTS):
        *_, over, _ = single.step(np.zeros(single.action_space.shape))
        many.step({agent: np.zeros(many.action_space(agent).shape) for agent in many.agents})
    assert over
    with pytest.raises(ResetNeeded, match="over"):
        single.step(np.zeros(single.action_space.shape))
    for actions in ({}, {agent: np.zeros((2, 9)) for agent in many.possible_agents}):
        with pytest.raises(ResetNeeded, match="no agents"):
            many.step(actions)
    single.reset(seed=1)
    assert np.isfinite(single.step(np.zeros(single.action_space.shape))[1])


def test_an_action_that_is_no_number_is_refused_and_does_no_harm(make):
    env, untouched = make(MecEnv), make(MecEnv)
    bad = np.zeros(env.action_space.shape, dtype=np.float32)
    bad[4, 1, 0] = np.nan
    for each in (env, untouched):
        each.reset(seed=1)
    with pytest.raises(InputError, match=r"action: is not a number at \[4, 1, 0\]"):
        env.step(bad)
    with pytest.raises(InputError, match="action: has shape"):
        env.step(bad[:, :2])
    good = np.zeros_like(bad)
    np.testing.assert_array_equal(env.step(good)[0], untouched.step(good)[0])


def test_agents_that_say_nothing_or_nonsense_are_named(make):
    env = make(MecParallelEnv)
    env.reset(seed=1)
    actions = {agent: np.zeros((2, 9), dtype=np.float32) for agent in env.agents}
    with pytest.raises(InputError, match="action of server2: is missing"):
        env.step({agent: actions[agent] for agent in env.agents[:2]})
    with pytest.raises(InputError, match=r"action of server1: has shape \(9, 2\)"):
        env.step({**actions, "server1": np.zeros((9, 2))})
    with pytest.raises(InputError, match="not a number"):
        env.step({**actions, "server1": np.full((2, 9), np.nan)})
    _, reward, *_ = env.step(actions)
    assert np.isfinite(list(reward.values())).all()


def test_a_trace_is_a_world_of_its_own(tmp_path):
    trace = MobilityTrace(make_instance(9, 3), random_gains(), np.zeros((4, 9, 3)), 1.0, 1.5)
    settings = WorldSettings(profile=profile_file(str(tmp_path)))
    env = MecEnv(trace, associate_batch, slots=SLOTS, settings=settings)
    seen, _ = env.reset(seed=1)
    other, _ = env.reset(seed=2)
    np.testing.assert_array_equal(seen, other)
    np.testing.assert_allclose(seen[:, :, 5].max(1), trace.instance.devices.battery_fraction, rtol=1e-6)
    with pytest.raises(InputError, match="given"):
        MecEnv(trace, associate_batch, given=Parameters())
    with pytest.raises(InputError, match="slots"):
        MecEnv(trace, associate_batch, slots=0)
