"""The id by which Gymnasium alone makes the world."""

from __future__ import annotations

import subprocess
import sys

import pytest
from mec.pools import make_pool

pytest.importorskip("gymnasium")
pytest.importorskip("torch")

import gymnasium
from gymnasium.utils.env_checker import check_env

from uara.mec.registration import ID, register
from uara.mec.vector import MecVectorEnv
from uara.mec.views import OBSERVED

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


def test_registering_twice_is_registering_once():
    known = gymnasium.envs.registration.registry[ID]
    register()
    assert gymnasium.envs.registration.registry[ID] is known


@pytest.mark.integration
@pytest.mark.parametrize("first", ["gymnasium", "uara.mec.envs"])
def test_the_id_is_there_whichever_is_imported_first(first):
    script = f"import {first}, uara.mec, gymnasium; print('uara/Mec-v0' in gymnasium.registry)"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True
    )
    assert run.stdout.split() == ["True"]
