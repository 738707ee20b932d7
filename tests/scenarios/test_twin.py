"""The same places with another channel."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.p1.instance import Instance
from uara.scenarios.channel import umi
from uara.scenarios.channel.drop import Drop
from uara.scenarios.recipe import generate
from uara.scenarios.twin import urban_micro_twin

sionna = pytest.mark.skipif(importlib.util.find_spec("sionna") is None, reason="needs the extra sionna")


def plain(**options: object) -> Instance:
    """An instance without Sionna."""
    return generate(**{"channel": "path-loss", "servers": 4, "devices": 12, **options})


def test_the_channel_is_drawn_between_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    original, asked = plain(), {}

    def gains(settings: object, servers: object, devices: object, *, seed: int) -> Drop:
        asked.update(servers=servers, devices=devices, seed=seed)
        return Drop(servers, devices, np.full((12, 4), 1e-9), {"versions": {"sionna": "2"}})  # type: ignore[arg-type]

    monkeypatch.setattr(umi, "gains", gains)
    twin = urban_micro_twin(original, seed=9, name="other")
    assert (twin.name, asked["seed"]) == ("other", 9)
    np.testing.assert_array_equal(asked["servers"], original.servers.position_m)  # type: ignore[call-overload]
    np.testing.assert_array_equal(asked["devices"], original.devices.position_m)  # type: ignore[call-overload]
    assert set(twin.channel.power_gain) == {1e-9}
    assert twin.provenance.settings["payload"] == original.provenance.settings["payload"]
    assert twin.provenance.versions["sionna"] == "2"


@pytest.mark.integration
@sionna
def test_twin_changes_the_channel_alone() -> None:
    original = plain(devices=20)
    twin = urban_micro_twin(original, seed=4)
    assert twin.name == "e4_m20_umi"
    for name, column in original.devices.columns().items():
        np.testing.assert_array_equal(column, getattr(twin.devices, name))
    for name, column in original.servers.columns().items():
        np.testing.assert_array_equal(column, getattr(twin.servers, name))
    assert twin.parameters == original.parameters
    assert twin.digest != original.digest
    source = twin.provenance
    assert (source.channel_model, source.seed) == ("sionna-umi", 4)
    assert source.settings["twin_of_sha256"] == original.digest
    assert source.task_profile_sha256 == original.provenance.task_profile_sha256
    assert (
        source.command == "uara generate --twin e4_m20.json --channel sionna-umi --seed 4 -o e4_m20_umi.json"
    )
    assert source.credits == []


def test_twin_needs_positions() -> None:
    original = plain()
    with pytest.raises(InputError, match="no positions"):
        urban_micro_twin(original.replace(devices=original.devices.replace(position_m=None)), seed=1)
