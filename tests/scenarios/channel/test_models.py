"""The channel models by name: settings, and drawing by whichever is meant."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.scenarios.channel import mobility, models, pathloss, pathloss_walk, raytrace, umi
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.mobility import Walk

SETTINGS = [
    ("sionna-rt", raytrace.RayTracing(box_m=90.0, scene="munich", max_depth=2), raytrace),
    ("sionna-umi", umi.UrbanMicro(box_m=90.0), umi),
    ("path-loss", pathloss.PathLoss(box_m=90.0), pathloss),
]


@pytest.mark.parametrize(("model", "settings", "module"), SETTINGS)
def test_each_model_has_its_settings_and_is_asked(
    model: models.ChannelModel,
    settings: models.ChannelSettings,
    module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert models.settings_of(model, 90.0, scene="munich", max_depth=2) == settings
    asked: list[tuple[object, ...]] = []
    empty = Drop(np.zeros((1, 3)), np.zeros((2, 3)), np.ones((2, 1)), {"versions": {}})

    def told(*given: object, **more: object) -> Drop:
        asked.append((*given, *more.values()))
        return empty

    monkeypatch.setattr(module, "draw", told)
    monkeypatch.setattr(module, "gains", told)
    assert models.draw(settings, servers=1, devices=2, seed=3) is empty
    places = empty.server_position_m, empty.device_position_m
    assert models.gains(settings, *places, seed=4) is empty
    assert asked == [(settings, 1, 2, 3), (settings, *places, 4)]


@pytest.mark.parametrize(
    ("settings", "module", "name"),
    [
        (raytrace.RayTracing(), mobility, "draw_traced"),
        (umi.UrbanMicro(), mobility, "draw_umi"),
        (pathloss.PathLoss(), pathloss_walk, "draw"),
    ],
)
def test_each_model_walks_its_own_way(
    settings: models.ChannelSettings, module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, lambda *given, **counts: (given, counts))
    counts = {"servers": 1, "devices": 2, "seed": 3}
    assert models.walk(settings, Walk(), **counts) == ((settings, Walk()), counts)  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(("model", "settings", "module"), SETTINGS)
def test_a_seed_below_0_is_refused_before_anything_is_started(
    model: str, settings: models.ChannelSettings, module: ModuleType
) -> None:
    with pytest.raises(InputError, match="the seed must not be negative: -1"):
        models.draw(settings, servers=1, devices=1, seed=-1)
