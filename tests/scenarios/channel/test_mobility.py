from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.base.errors import InputError
from uara.base.randomness import stream
from uara.scenarios.channel import isolation
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.mobility import MovingDrop, Walk, Walkers, draw_traced, draw_umi
from uara.scenarios.channel.positions import Box, Floats, StreetPoints, flat_ground, nearest_distance_m
from uara.scenarios.channel.raytrace import RayTracing, draw, gains
from uara.scenarios.channel.umi import UrbanMicro
from uara.scenarios.channel.umi_worker import Motion, _walked

traced = pytest.mark.skipif(importlib.util.find_spec("sionna") is None, reason="needs the extra sionna")
BOX = Box.centred(400.0)
CANYON = RayTracing(scene="simple_street_canyon", box_m=120.0, rays_per_server=500, max_depth=1)


def city(x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """Blocks of 60 m with streets of 20 m between them, on a slope."""
    ground = 0.01 * x_m
    house = (np.mod(x_m, 80) < 60) & (np.mod(y_m, 80) < 60)
    return np.where(house, ground + 15, ground), ground


def in_house(points_m: Floats) -> np.ndarray:
    return (np.mod(points_m[..., 0], 80) < 60) & (np.mod(points_m[..., 1], 80) < 60)


def walked(walk: Walk, seed: int = 0, devices: int = 12, servers_m: Floats | None = None) -> Floats:
    """Positions (T, M, 3) of walks in the city."""
    sites = np.zeros((0, 3)) if servers_m is None else servers_m
    start = StreetPoints(city, BOX, stream(seed, "start"), 1.5).take(
        devices, lambda new: nearest_distance_m(new, sites) >= 10
    )
    walkers = Walkers(start, city, BOX, sites, 10.0, walk, stream(seed, "walks"))
    positions = [walkers.position_m.copy()]
    for _ in range(1, walk.slots):
        walkers.step()
        positions.append(walkers.position_m.copy())
    return np.stack(positions)


@given(st.integers(0, 2**32), st.floats(0, 15), st.floats(0, 90))
@settings(max_examples=25, deadline=None)
def test_walks_stay_on_streets_in_the_box_and_off_the_servers(seed: int, speed: float, wander: float) -> None:
    servers = np.array([[70.0, 70.0, 10.0], [-10.0, -90.0, 10.0]])
    positions = walked(Walk(slots=15, speed_m_per_s=speed, wander_deg=wander), seed, servers_m=servers)
    assert not in_house(positions).any()
    assert BOX.contains(positions.reshape(-1, 3)).all()
    assert nearest_distance_m(positions.reshape(-1, 3), servers).min() >= 10
    np.testing.assert_allclose(positions[..., 2], 0.01 * positions[..., 0] + 1.5, atol=2e-3)


@given(st.integers(0, 2**32), st.floats(0.1, 10), st.floats(0.1, 2))
@settings(max_examples=25, deadline=None)
def test_strides_have_the_speed_or_none(seed: int, speed: float, slot_s: float) -> None:
    positions = walked(Walk(slots=10, speed_m_per_s=speed, slot_s=slot_s), seed)
    stride = np.linalg.norm(np.diff(positions, axis=0)[..., :2], axis=-1)
    moving = stride > 0
    np.testing.assert_allclose(stride[moving], speed * slot_s, atol=1.5e-3)
    assert moving.mean() > 0.9


def test_standing_devices_stand() -> None:
    positions = walked(Walk(slots=5, speed_m_per_s=0.0))
    assert (positions == positions[0]).all()


def test_headings_are_kept_where_nothing_is_in_the_way() -> None:
    positions = walked(Walk(slots=40, speed_m_per_s=0.2, wander_deg=0.0))
    way = np.linalg.norm(positions[-1] - positions[0], axis=-1)
    assert np.median(way) == pytest.approx(39 * 0.2, rel=0.02)


def test_a_device_that_cannot_move_stays() -> None:
    """On a patch smaller than a stride."""

    def patch(x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
        return np.where(np.hypot(x_m, y_m) < 1, 0.0, 9.0), np.zeros_like(x_m)

    walkers = Walkers(np.array([[0, 0, 1.5]]), patch, BOX, np.zeros((0, 3)), 0, Walk(), stream(0, "w"))
    walkers.step()
    assert walkers.position_m.tolist() == [[0, 0, 1.5]]


def test_turning_back_undoes_one_step_of_the_chosen_alone() -> None:
    start = StreetPoints(city, BOX, stream(0, "start"), 1.5).take(4)
    walkers = Walkers(start, city, BOX, np.zeros((0, 3)), 0, Walk(), stream(0, "walks"))
    walkers.step()
    after = walkers.position_m.copy()
    walkers.turn_back(np.array([True, False, True, False]))
    np.testing.assert_array_equal(walkers.position_m[[0, 2]], start[[0, 2]])
    np.testing.assert_array_equal(walkers.position_m[[1, 3]], after[[1, 3]])


def test_same_stream_same_walk_and_seeds_differ() -> None:
    walk = Walk(slots=6)
    np.testing.assert_array_equal(walked(walk, 1), walked(walk, 1))
    assert not np.array_equal(walked(walk, 1), walked(walk, 2))


@pytest.mark.parametrize(
    "bad", [{"slots": 0}, {"speed_m_per_s": -1.0}, {"slot_s": 0.0}, {"wander_deg": np.nan}]
)
def test_impossible_walks_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Walk(**bad)  # type: ignore[arg-type]


def test_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="seed"):
        draw_umi(UrbanMicro(), Walk(), servers=1, devices=1, seed=-1)


def test_walks_too_long_for_38_901_are_refused() -> None:
    with pytest.raises(InputError, match="at most 2000 slots"):
        draw_umi(UrbanMicro(), Walk(slots=2001), servers=1, devices=1, seed=0)


@functools.cache
def canyon() -> MovingDrop:
    return draw_traced(CANYON, Walk(slots=4, speed_m_per_s=4.0), servers=2, devices=6, seed=2)


@functools.cache
def still() -> Drop:
    return draw(CANYON, servers=2, devices=6, seed=2)


@pytest.mark.integration
@traced
def test_traced_walk_begins_with_the_drop_of_its_seed() -> None:
    moving, drop = canyon(), still()
    assert moving.device_position_m.shape == (4, 6, 3)
    assert moving.power_gain.shape == (4, 6, 2)
    np.testing.assert_array_equal(moving.server_position_m, drop.server_position_m)
    np.testing.assert_array_equal(moving.device_position_m[0], drop.device_position_m)
    np.testing.assert_array_equal(moving.power_gain[0], drop.power_gain)
    assert (moving.power_gain.max(2) >= 1e-12).all()


@pytest.mark.integration
@traced
def test_traced_walk_has_the_gains_of_its_positions() -> None:
    moving = canyon()
    last = gains(CANYON, moving.server_position_m, moving.device_position_m[-1], seed=2).power_gain
    np.testing.assert_array_equal(moving.power_gain[-1], last)
    assert not np.array_equal(moving.power_gain[-1], moving.power_gain[0])


@traced
@pytest.mark.slow
def test_38_901_walk_changes_smoothly_and_repeats() -> None:
    walk = Walk(slots=12, speed_m_per_s=1.0)
    moving = draw_umi(UrbanMicro(), walk, servers=3, devices=30, seed=6)
    assert moving.power_gain.shape == (12, 30, 3)
    assert (moving.power_gain.max(2) >= 1e-12).all()
    assert np.abs(moving.device_position_m[..., :2]).max() <= 200
    distance = nearest_distance_m(moving.device_position_m.reshape(-1, 3), moving.server_position_m)
    assert distance.min() >= 10
    gain_db = 10 * np.log10(moving.power_gain)
    step = np.median(np.abs(np.diff(gain_db, axis=0)))
    apart = np.median(np.abs(gain_db[-1] - np.roll(gain_db[-1], 1, axis=0)))
    assert step < 0.4 * apart
    again = draw_umi(UrbanMicro(), walk, servers=3, devices=30, seed=6)
    assert again.power_gain.tobytes() == moving.power_gain.tobytes()


def test_velocities_lead_to_the_next_slot_and_the_last_one_is_kept() -> None:
    seen: list[Motion] = []

    class Deaf:
        def power_gain(self, servers: Floats, devices: Floats, motion: Motion) -> Floats:
            seen.append(motion)
            return np.ones((len(devices), len(servers)))

    walk = Walk(slots=4, speed_m_per_s=2.0, slot_s=0.5, wander_deg=30.0)
    start = np.array([[0.0, 0.0, 1.5], [50.0, 0.0, 1.5]])
    walkers = Walkers(start, flat_ground, BOX, np.zeros((0, 3)), 0, walk, stream(0, "walks"))
    moved, _ = _walked(Deaf(), np.zeros((1, 3)), walkers, walk)  # type: ignore[arg-type]
    velocity = seen[0].velocity_m_per_s.reshape(4, 2, 3)
    np.testing.assert_allclose(velocity[:-1], np.diff(moved, axis=0) / 0.5)
    np.testing.assert_array_equal(velocity[-1], velocity[-2])
    np.testing.assert_allclose(np.linalg.norm(velocity, axis=-1), 2.0, atol=4e-3)
    assert seen[0].track.tolist() == [0, 1] * 4
    _walked(Deaf(), np.zeros((1, 3)), walkers, Walk(slots=1))  # type: ignore[arg-type]
    assert not seen[1].velocity_m_per_s.any(), "a single slot leads nowhere"


DOPPLER = """
import numpy as np
from uara.scenarios.channel.umi import UrbanMicro
from uara.scenarios.channel.umi_worker import Model, Motion

def gains(data, arrays):
    def drawn(speed, samples):
        velocity = np.tile([speed, 0.0, 0.0], (len(arrays["devices"]), 1))
        motion = Motion(velocity, np.arange(len(velocity)), samples, float(samples))
        return Model(UrbanMicro(), 4).power_gain(arrays["servers"], arrays["devices"], motion)

    cases = {"standing": (0.0, 16), "moving": (1.5, 16), "at once": (1.5, 1), "still at once": (0.0, 1)}
    return {}, {name: drawn(*case) for name, case in cases.items()}
"""


@pytest.mark.integration
@traced
def test_moving_devices_have_the_mean_of_their_own_fading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same seed, same positions: only the Doppler averaging over the slot tells the gains apart."""
    (tmp_path / "doppler_job.py").write_text(DOPPLER)
    monkeypatch.syspath_prepend(str(tmp_path))
    places = {
        "servers": np.array([[0.0, 0.0, 10.0], [60.0, 40.0, 10.0]]),
        "devices": np.array([[20.0, 10.0, 1.5], [-80.0, 60.0, 1.5], [120.0, -90.0, 1.5], [30.0, 90.0, 1.5]]),
    }
    _, gain = isolation.call("doppler_job:gains", {}, places)
    np.testing.assert_allclose(gain["standing"], gain["still at once"], rtol=1e-5)
    np.testing.assert_allclose(gain["at once"], gain["still at once"], rtol=1e-5)
    apart_db = np.abs(10 * np.log10(gain["moving"] / gain["standing"]))
    assert np.median(apart_db) > 0.1
    assert apart_db.max() < 20, "large-scale gains are the same"
