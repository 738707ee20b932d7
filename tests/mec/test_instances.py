"""A world of a batch as an instance of P1."""

from __future__ import annotations

import numpy as np
import pytest
from mec.worlds import make_environment, reachable

pytest.importorskip("torch")

import torch

from uara.mec.instances import instance_of
from uara.p1.coefficients import coefficients
from uara.p1.dense import dense_of


@pytest.fixture
def environment(tmp_path):
    made = make_environment(str(tmp_path), battery_range=(0.3, 0.9))
    made.reset(3)
    return made


@pytest.mark.parametrize("world", [0, 1])
def test_the_instance_is_the_slot(environment, world):
    instance, slot = instance_of(environment, world, "here"), environment.observe()
    assert (instance.name, len(instance.devices), len(instance.servers)) == ("here", 9, 3)
    dense = dense_of(coefficients(instance), instance.devices.battery_fraction)
    usable = np.isfinite(dense.uplink_ms[0])
    for name, value in dense._asdict().items():
        seen = getattr(slot, name)[world].numpy()
        where = usable if value[0].shape == usable.shape else ...
        if name != "wait_ms":  # of servers that some device reaches
            np.testing.assert_allclose(value[0][where], seen[where], rtol=1e-9)


def test_worlds_differ_and_go_on(environment):
    first, second = (instance_of(environment, world) for world in (0, 1))
    assert first.digest != second.digest
    share = torch.full((2, 9), 0.1, dtype=torch.float64)
    environment.step(reachable(environment), share, share)
    assert instance_of(environment, 0).digest != first.digest
