"""The slotted world as a task of BenchMARL."""

from __future__ import annotations

import pytest
from mec.pools import make_pool

pytest.importorskip("benchmarl", reason="needs uara[marl]")

from uara.mec.benchmarl import mec_task
from uara.mec.torchrl import GROUP

SMALL = {"source": make_pool(), "sizes": [(9, 3)], "slots": 4}


def test_a_task_makes_environments_and_says_what_they_are():
    task = mec_task(**SMALL)
    env = task.get_env_fun(2, True, 1, "cpu")()
    assert env.batch_size == (2,)
    assert (task.max_steps(env), task.env_name()) == (4, "uara")
    assert task.group_map(env) == {GROUP: ["server0", "server1", "server2"]}
    assert list(task.observation_spec(env).keys()) == [GROUP]
    assert list(task.state_spec(env).keys()) == ["state"]
    assert GROUP in task.action_spec(env)
    assert task.supports_continuous_actions()
    assert not task.supports_discrete_actions()
    assert not task.has_render(env)
    assert task.info_spec(env) is None is task.action_mask_spec(env)
