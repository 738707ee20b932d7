"""The slotted world for TorchRL."""

from __future__ import annotations

import pytest
from mec.pools import make_pool

pytest.importorskip("torchrl")

import torch
from torchrl.envs.utils import check_env_specs

from uara import InputError
from uara.mec.torchrl import GROUP, MecTorchRL

SMALL = {"source": make_pool(), "sizes": [(9, 3)], "slots": 4, "scale": "unit"}


def test_torchrls_own_check():
    env = MecTorchRL(3, **SMALL)
    check_env_specs(env)
    played = env.rollout(6, break_when_any_done=False)
    assert played["next", "truncated"][:, 3].all()
    assert not played["next", "terminated"].any()
    team = played["next", "info", "device_reward"].mean(-1)
    torch.testing.assert_close(played["next", "servers", "reward"][..., 0, 0], team)


def test_a_seed_gives_the_same_worlds():
    first, second = (MecTorchRL(2, seed=5, **SMALL).reset() for _ in range(2))
    assert torch.equal(first["state"], second["state"])
    assert first[GROUP, "observation"].shape == (2, 3, 90)
    assert torch.equal(first["state"], first[GROUP, "observation"].reshape(2, -1))
    assert not first["done"].any()


@pytest.mark.parametrize(
    ("options", "source"), [({"scale": "raw"}, "scale"), ({"sizes": [(9, 3), (5, 2)]}, "sizes")]
)
def test_one_size_and_the_unit_scale(options, source):
    with pytest.raises(InputError) as caught:
        MecTorchRL(1, **{**SMALL, **options})
    assert caught.value.source == source
