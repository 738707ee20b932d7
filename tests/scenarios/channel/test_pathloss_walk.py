"""Walks by path loss: they begin with the drop, stay in the box, and their shadowing forgets with the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.base.errors import InputError
from uara.scenarios.channel import pathloss
from uara.scenarios.channel.mobility import MovingDrop, Walk
from uara.scenarios.channel.pathloss import PathLoss
from uara.scenarios.channel.pathloss_walk import DECORRELATION_M, draw


def _shadowing_db(law: PathLoss, walk: MovingDrop) -> np.ndarray:
    """(T, M, E) What the gains have beside the distance."""
    apart_m = np.linalg.norm(walk.device_position_m[:, :, None] - walk.server_position_m[None, None], axis=-1)
    return -10 * np.log10(walk.power_gain) - law.intercept_db - law.slope_db_per_decade * np.log10(apart_m)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 4), st.integers(1, 9), st.integers(1, 12))
def test_a_walk_begins_with_the_drop_and_takes_even_steps(
    seed: int, servers: int, devices: int, slots: int
) -> None:
    law, steps = PathLoss(), Walk(slots=slots, speed_m_per_s=2.0, slot_s=0.5)
    found = draw(law, steps, servers=servers, devices=devices, seed=seed)
    drop = pathloss.draw(law, servers=servers, devices=devices, seed=seed)
    np.testing.assert_array_equal(found.power_gain[0], drop.power_gain)
    np.testing.assert_array_equal(found.device_position_m[0], drop.device_position_m)
    assert found.power_gain.shape == (slots, devices, servers)
    assert np.abs(found.device_position_m[..., :2]).max() <= law.box_m / 2
    way_m = np.linalg.norm(np.diff(found.device_position_m, axis=0), axis=-1)
    assert np.allclose(way_m, 1.0, atol=2e-3)


def test_without_shadowing_the_law_alone_is_left() -> None:
    law = PathLoss(shadowing_db=0.0)
    found = draw(law, Walk(slots=6), servers=3, devices=5, seed=2)
    assert np.abs(_shadowing_db(law, found)).max() < 1e-9


def test_shadowing_keeps_its_spread_and_forgets_with_the_way() -> None:
    law, speed = PathLoss(box_m=2000.0), 5.0
    found = draw(law, Walk(slots=8, speed_m_per_s=speed), servers=20, devices=400, seed=3)
    shadowing = _shadowing_db(law, found)
    for each in shadowing:
        assert each.std() == pytest.approx(law.shadowing_db, rel=0.05)
    for lag in (1, 3):
        measured = np.corrcoef(shadowing[0].ravel(), shadowing[lag].ravel())[0, 1]
        assert measured == pytest.approx(np.exp(-lag * speed / DECORRELATION_M), abs=0.05)


def test_who_stands_keeps_the_channel() -> None:
    found = draw(PathLoss(), Walk(slots=4, speed_m_per_s=0.0), servers=2, devices=3, seed=1)
    assert np.allclose(found.power_gain, found.power_gain[0], rtol=1e-12)


def test_a_walk_beyond_the_memory_is_refused() -> None:
    with pytest.raises(InputError, match="gains, more than"):
        draw(PathLoss(), Walk(slots=100_000), servers=100, devices=100, seed=1)
