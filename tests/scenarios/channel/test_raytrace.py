"""Ray tracing as a caller sees it. Every call is a process that loads Sionna: scenes are small, results shared."""

from __future__ import annotations

import functools
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uara.base.errors import ChannelError, InputError, MissingExtra
from uara.scenarios.channel import isolation, llvm
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.positions import nearest_distance_m
from uara.scenarios.channel.raytrace import RayTracing, draw, gains

if importlib.util.find_spec("sionna") is None or importlib.util.find_spec("drjit") is None:
    pytest.skip("needs the extra sionna", allow_module_level=True)

LIGHT_M_PER_S = 299_792_458.0
CANYON = RayTracing(scene="simple_street_canyon", box_m=120.0, rays_per_server=1000, max_depth=1)


@functools.cache
def canyon() -> Drop:
    return draw(CANYON, servers=3, devices=20, seed=4)


@functools.cache
def etoile() -> Drop:
    return draw(RayTracing(rays_per_server=500, max_depth=2), servers=4, devices=30, seed=1)


def trace(settings: RayTracing, servers: Any, devices: Any, *, seed: int) -> Any:
    """The gains alone."""
    return gains(settings, servers, devices, seed=seed).power_gain


@pytest.mark.integration
def test_everyone_stands_on_a_street_within_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    drop = etoile()
    assert np.abs(drop.device_position_m[:, :2]).max() <= 200
    assert np.abs(drop.server_position_m[:, :2]).max() <= 200
    np.testing.assert_allclose(drop.device_position_m[:, 2], 1.5)
    np.testing.assert_allclose(drop.server_position_m[:, 2], 10.0)
    everyone = np.concatenate([drop.device_position_m, drop.server_position_m])
    grid = np.stack(np.meshgrid(np.arange(-195.0, 200, 30), np.arange(-195.0, 200, 30)), -1).reshape(-1, 2)
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "truth"))
    _, arrays = isolation.call(
        "rooftops:heights",
        {"scene": "etoile"},
        {"xy_m": np.concatenate([everyone[:, :2], grid])},
        environment=llvm.tracing_environment(),
    )
    assert np.abs(arrays["height_m"][: len(everyone)]).max() < 0.5
    # The triangles and the rays agree on the whole box, and houses do stand in it.
    np.testing.assert_allclose(arrays["seen_m"], arrays["height_m"], atol=1e-3)
    assert (arrays["height_m"] > 5).sum() > 20


@pytest.mark.integration
@pytest.mark.parametrize("make", [canyon, etoile])
def test_distances_are_kept_and_every_device_has_a_server(make: functools._lru_cache_wrapper[Drop]) -> None:
    drop = make()
    assert nearest_distance_m(drop.device_position_m, drop.server_position_m).min() >= 10
    gaps = nearest_distance_m(drop.server_position_m[1:], drop.server_position_m[:1])
    assert gaps.min() >= 30
    assert (drop.power_gain.max(1) >= 1e-12).all()
    assert np.isfinite(drop.power_gain).all()
    assert (drop.power_gain >= 0).all()
    assert drop.facts["devices_drawn"] >= len(drop.device_position_m)


@pytest.mark.integration
def test_line_of_sight_equals_friis() -> None:
    """Nothing but the direct path: its gain is (wavelength / (4 pi d))^2 for isotropic antennas."""
    settings = RayTracing(scene="simple_street_canyon", max_depth=0, rays_per_server=100, carrier_hz=2.6e9)
    servers = np.array([[0.0, 0.0, 10.0]])
    devices = np.array([[x, 0.0, 10.0] for x in (1.0, 7.5, 20.0, 39.0)])
    gain_db = 10 * np.log10(trace(settings, servers, devices, seed=0)[:, 0])
    distance_m = np.abs(devices[:, 0])
    friis_db = 20 * np.log10(LIGHT_M_PER_S / 2.6e9 / (4 * np.pi * distance_m))
    np.testing.assert_allclose(gain_db, friis_db, atol=1e-4)


@pytest.mark.slow
def test_more_interactions_add_power_to_the_direct_path() -> None:
    servers, devices = np.array([[0.0, 0.0, 10.0]]), np.array([[30.0, 2.0, 1.5]])
    direct, reflected = (
        trace(
            RayTracing(scene="simple_street_canyon", max_depth=depth, rays_per_server=500),
            servers,
            devices,
            seed=0,
        )
        for depth in (0, 2)
    )
    assert 1.01 < reflected[0, 0] / direct[0, 0] < 10


@pytest.mark.integration
def test_same_seed_same_bits() -> None:
    first, again = canyon(), draw(CANYON, servers=3, devices=20, seed=4)
    for name in ("server_position_m", "device_position_m", "power_gain"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()


@pytest.mark.integration
def test_a_smaller_draw_is_the_beginning_of_a_larger_one() -> None:
    small, large = draw(CANYON, servers=3, devices=10, seed=4), canyon()
    np.testing.assert_array_equal(small.server_position_m, large.server_position_m)
    np.testing.assert_array_equal(small.device_position_m, large.device_position_m[:10])
    difference_db = 10 * np.log10(small.power_gain.max(1) / large.power_gain[:10].max(1))
    assert np.abs(difference_db).max() < 1.0


@pytest.mark.integration
def test_tracing_the_drawn_positions_gives_the_drawn_gains() -> None:
    drop = canyon()
    again = trace(CANYON, drop.server_position_m, drop.device_position_m, seed=4)
    assert again.tobytes() == drop.power_gain.tobytes()


@pytest.mark.integration
def test_a_pair_without_a_path_has_no_gain() -> None:
    """A device in a closed courtyard's place: outside the box of walls that the scene 'box' is."""
    settings = RayTracing(scene="box", max_depth=1, rays_per_server=500)
    gain = trace(
        settings, np.array([[0.0, 0.0, 2.0]]), np.array([[1.0, 1.0, 1.5], [500.0, 0.0, 1.5]]), seed=0
    )
    assert gain[0, 0] > 0
    assert gain[1, 0] == 0


@pytest.mark.integration
def test_versions_are_reported() -> None:
    assert set(canyon().facts["versions"]) == {"sionna-rt", "mitsuba", "drjit", "llvm"}


@pytest.mark.integration
def test_unknown_scene_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown scene 'atlantis': one of .*etoile.*munich"):
        draw(RayTracing(scene="atlantis"), servers=1, devices=1, seed=0)


def test_missing_scene_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.xml: no such scene file"):
        draw(RayTracing(scene=str(tmp_path / "nowhere.xml")), servers=1, devices=1, seed=0)


@pytest.mark.integration
def test_a_box_that_is_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="no room on the streets of the box"):
        draw(RayTracing(scene="simple_street_canyon", box_m=20.0), servers=9, devices=1, seed=0)


@pytest.mark.slow
def test_a_threshold_that_nobody_reaches_is_refused() -> None:
    settings = RayTracing(
        scene="simple_street_canyon", rays_per_server=10, max_depth=0, min_best_gain_db=-10.0
    )
    with pytest.raises(InputError, match=r"only 0 of \d+ street positions .* above -10 dB"):
        draw(settings, servers=1, devices=1, seed=0)


@pytest.mark.parametrize("seed", [-1])
def test_negative_seed_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match="seed"):
        draw(CANYON, servers=1, devices=1, seed=seed)


def test_missing_sionna_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package of the name that cannot be imported stands in front of the real one."""
    blocked = tmp_path / "drjit"
    blocked.mkdir()
    (blocked / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'drjit'\", name='drjit')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtra, match=r"pip install 'uara\[sionna\]'"):
        draw(CANYON, servers=1, devices=1, seed=0)


def test_a_library_that_is_no_llvm_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "libLLVM.so.19.1"
    fake.write_bytes(b"not a library")
    monkeypatch.setenv(llvm.VARIABLE, str(fake))
    with pytest.raises(ChannelError, match="cannot be loaded"):
        draw(CANYON, servers=1, devices=1, seed=0)


@pytest.mark.integration
def test_an_llvm_that_aborts_the_process_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """LLVM 15 under a name that hides its version really kills the worker, and only the worker."""
    old = [lib for lib in llvm._from_system() if lib.major in (15, 16)]
    if not old:
        pytest.skip("no LLVM 15 or 16 on this system")
    disguised = tmp_path / "mine.so"
    shutil.copy(old[0].path, disguised)
    monkeypatch.setenv(llvm.VARIABLE, str(disguised))
    with pytest.raises(ChannelError, match=r"ended by SIGABRT: LLVM ERROR"):
        draw(CANYON, servers=1, devices=2, seed=0)


@pytest.mark.slow
def test_etoile_repeats_bit_by_bit_at_full_size() -> None:
    one, two = (draw(RayTracing(), servers=8, devices=90, seed=1) for _ in range(2))
    assert one.power_gain.tobytes() == two.power_gain.tobytes()
    unusable = (one.power_gain == 0).mean()
    assert 0.01 < unusable < 0.4
    other = draw(RayTracing(), servers=8, devices=90, seed=2)
    assert not np.isin(other.device_position_m[:, 0], one.device_position_m[:, 0]).any()
