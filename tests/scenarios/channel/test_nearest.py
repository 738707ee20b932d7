"""Nearest servers: the same network as the full table's, less what is far."""

from __future__ import annotations

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.scenarios.channel.nearest import nearest_servers
from uara.scenarios.channel.positions import Box, StreetPoints, flat_ground, spaced_points
from uara.scenarios.recipe import Recipe, generate

SIZE = {"channel": "path-loss", "servers": 12, "devices": 60, "box_m": 600.0, "seed": 4}


def test_they_are_the_nearest_by_brute_force() -> None:
    rng = np.random.default_rng(1)
    servers, devices = rng.uniform(0, 100, (15, 3)), rng.uniform(0, 100, (40, 3))
    found, distance_m = nearest_servers(servers, devices, 4)
    table = np.linalg.norm(devices[:, None] - servers[None], axis=-1)
    assert (found == np.sort(np.argsort(table, axis=1)[:, :4], axis=1)).all()
    assert (distance_m == np.take_along_axis(table, found, 1)).all()


def test_with_all_servers_the_instance_is_the_full_one() -> None:
    full = generate(**SIZE)
    assert generate(**SIZE, candidates=12).digest == full.digest
    assert generate(**SIZE, candidates=99).digest == full.digest


def test_with_few_each_device_lists_so_many() -> None:
    few = generate(**SIZE, candidates=3)
    assert (np.diff(few.channel.pair_start) == 3).all()
    assert few.provenance.settings["candidates"] == 3
    assert "--candidates 3" in few.provenance.command
    assert "candidates" not in generate(**SIZE).provenance.settings
    assert (few.devices.position_m == generate(**SIZE).devices.position_m).all()


def test_a_size_beyond_all_pairs_is_drawn_when_few_are_listed() -> None:
    wide = {"channel": "path-loss", "servers": 400, "devices": 26_000, "box_m": 4000.0}
    assert len(generate(**wide, candidates=2).channel.pair_server) == 52_000
    with pytest.raises(InputError, match=r"10400000 pairs .* list the nearest servers alone"):
        generate(**wide)


def test_what_does_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uara.base.memory.available_bytes", lambda: 1e6)
    with pytest.raises(InputError, match="drawing it takes about"):
        generate(**{**SIZE, "devices": 100_000}, candidates=8)


def test_traced_channels_refuse_it() -> None:
    with pytest.raises(InputError, match="candidates"):
        generate(Recipe(candidates=3))


def test_spacing_is_that_of_one_comparison_with_all_before() -> None:
    def supply() -> StreetPoints:
        return StreetPoints(flat_ground, Box.centred(300.0), np.random.default_rng(3), 1.5)

    expected: list[np.ndarray] = []
    for point in supply().take(3000):
        if all(np.hypot(*(point - each)[:2]) >= 25.0 for each in expected):
            expected.append(point)
        if len(expected) == 60:
            break
    assert (spaced_points(supply(), 60, 25.0) == np.array(expected)).all()
