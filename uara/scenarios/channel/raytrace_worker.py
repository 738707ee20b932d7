"""Worker side of ray tracing; the only modules that import Sionna RT are this one and its siblings.

Import it in a process made by :mod:`uara.scenarios.channel.isolation`, never in the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from uara.base.errors import InputError
from uara.base.extras import needs
from uara.base.files import validate
from uara.base.quantities import Floats
from uara.base.randomness import derived_seed, stream
from uara.scenarios.channel import llvm
from uara.scenarios.channel.mobility import Walk, Walkers
from uara.scenarios.channel.positions import Box, StreetPoints, nearest_distance_m
from uara.scenarios.channel.raytrace import RayTracing

_BATCH = 64
# Fewer reachable positions than this share, after so many draws, mean that the settings do not fit the scene.
_HOPELESS_DRAWS = 640
_HOPELESS_SHARE = 0.02


def _sionna_rt() -> Any:
    """Sionna RT on the CPU backend with one thread, for results that repeat bit by bit."""
    llvm.preload()
    drjit = needs("drjit", extra="sionna")
    mitsuba = needs("mitsuba", extra="sionna")
    mitsuba.set_variant("llvm_ad_mono_polarized")
    drjit.set_thread_count(1)
    return needs("sionna.rt", extra="sionna")


class Scene:
    """A loaded scene with its settings."""

    def __init__(self, settings: RayTracing) -> None:
        self.settings = settings
        self.rt = _sionna_rt()
        self.scene = self.rt.load_scene(str(self._path()))
        self.scene.frequency = settings.carrier_hz
        isotropic = {"num_rows": 1, "num_cols": 1, "pattern": "iso", "polarization": "V"}
        self.scene.tx_array = self.rt.PlanarArray(**isotropic)
        self.scene.rx_array = self.rt.PlanarArray(**isotropic)
        self._solver = self.rt.PathSolver(deterministic=True)

    def _path(self) -> Path:
        name = self.settings.scene
        if name.endswith(".xml"):
            return Path(name)
        known = scene_names(self.rt)
        if name not in known:
            raise InputError(
                f"unknown scene {name!r}: one of {', '.join(known)}, or the path of an .xml file"
            )
        return Path(getattr(self.rt.scene, name))

    def box(self) -> Box:
        """The square of the settings around the scene's centre, within the scene."""
        low, high = self._bounds()
        scene = Box(low[0], high[0], low[1], high[1])
        centre = (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2)
        return Box.centred(self.settings.box_m, centre).clipped(scene)

    def _bounds(self) -> tuple[Floats, Floats]:
        bounds = self.scene.mi_scene.bbox()
        return np.array(bounds.min, dtype=float).ravel(), np.array(bounds.max, dtype=float).ravel()

    def surface(self, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
        """Heights of the first thing seen from the sky and of the lowest one, by vertical rays."""
        low, high = self._bounds()
        return self._first_hit(x_m, y_m, high[2] + 10.0, -1.0), self._first_hit(x_m, y_m, low[2] - 10.0, 1.0)

    def _first_hit(self, x_m: Floats, y_m: Floats, start_m: float, direction: float) -> Floats:
        import mitsuba as mi

        origin = mi.Point3f(mi.Float(x_m), mi.Float(y_m), mi.Float(np.full(len(x_m), start_m)))
        hit = self.scene.mi_scene.ray_intersect(mi.Ray3f(origin, mi.Vector3f(0.0, 0.0, direction)))
        return np.where(np.array(hit.is_valid()), np.array(hit.p.z, dtype=float), np.nan)

    def place(self, server_position_m: Floats, device_position_m: Floats) -> None:
        """Servers transmit and devices receive: rays start at transmitters, and servers are fewer.

        The channel is reciprocal, so the gains are the uplink's.
        """
        for name in [*self.scene.transmitters, *self.scene.receivers]:
            self.scene.remove(name)
        for j, position in enumerate(server_position_m.tolist()):
            self.scene.add(self.rt.Transmitter(name=f"server{j}", position=position, display_radius=4.0))
        for i, position in enumerate(device_position_m.tolist()):
            self.scene.add(self.rt.Receiver(name=f"device{i}", position=position, display_radius=2.0))

    def power_gain(self, server_position_m: Floats, device_position_m: Floats, seed: int) -> Floats:
        """Sum of the paths' powers (M, E): the wideband gain, which fading over a narrow band averages to.

        Devices are traced in batches to bound memory. The gains repeat bit by bit for the same list of
        devices; on a weak pair they may move by some dB with the company in the batch, because which of
        several equivalent rays stands for a path does.
        """
        size = range(0, len(device_position_m), _BATCH)
        batches = [self._trace(server_position_m, device_position_m[i : i + _BATCH], seed) for i in size]
        return np.concatenate(batches)

    def _trace(self, server_position_m: Floats, device_position_m: Floats, seed: int) -> Floats:
        self.place(server_position_m, device_position_m)
        paths = self._solver(
            self.scene,
            seed=derived_seed(seed, "rays"),
            max_depth=self.settings.max_depth,
            samples_per_src=self.settings.rays_per_server,
            max_num_paths_per_src=max(self.settings.rays_per_server, 100_000),
            refraction=False,
            diffraction=True,
        )
        coefficients, _ = paths.cir(normalize_delays=False, out_type="numpy")
        # (device, antenna, server, antenna, path, time), one antenna and one time each
        gain: Floats = (np.abs(coefficients[:, 0, :, 0, :, 0]).astype(float) ** 2).sum(-1)
        return gain


def scene_names(rt: Any) -> list[str]:
    """Scenes inside the Sionna RT wheel."""
    return sorted(n for n, v in vars(rt.scene).items() if isinstance(v, str) and v.endswith(".xml"))


def _settings(data: Mapping[str, Any]) -> RayTracing:
    return validate(data["settings"], RayTracing)


def draw(data: dict[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job of :func:`uara.scenarios.channel.raytrace.draw`."""
    scene = Scene(_settings(data))
    servers, devices, gain, drawn = _drop(scene, data)
    facts = {"versions": versions(), "devices_drawn": drawn}
    return facts, {"server_position_m": servers, "device_position_m": devices, "power_gain": gain}


def _drop(scene: Scene, data: Mapping[str, Any]) -> tuple[Floats, Floats, Floats, int]:
    """Servers (E, 3), devices (M, 3), gains (M, E), and the number of devices tried."""
    seed = int(data["seed"])
    servers, points = scene.settings.places(scene.surface, scene.box(), int(data["servers"]), seed)
    return servers, *_reachable_devices(scene, servers, points, int(data["devices"]), seed)


def walk(data: dict[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job of :func:`uara.scenarios.channel.mobility.draw_traced`."""
    scene, wanted, seed = Scene(_settings(data)), validate(data["walk"], Walk), int(data["seed"])
    servers, devices, gain, drawn = _drop(scene, data)
    walkers = Walkers(
        devices,
        scene.surface,
        scene.box(),
        servers,
        scene.settings.min_distance_m,
        wanted,
        stream(seed, "walks"),
    )
    positions, gains = [devices], [gain]
    for _ in range(1, wanted.slots):
        walkers.step()
        gains.append(_gain_of_reachable(scene, servers, walkers, gains[-1], seed))
        positions.append(walkers.position_m.copy())
    facts = {"versions": versions(), "devices_drawn": drawn}
    moved = {"device_position_m": np.stack(positions), "power_gain": np.stack(gains)}
    return facts, {"server_position_m": servers, **moved}


def _gain_of_reachable(scene: Scene, servers: Floats, walkers: Walkers, before: Floats, seed: int) -> Floats:
    """Gains (M, E) after those whom no server reaches have turned back."""
    least = 10 ** (scene.settings.min_best_gain_db / 10)
    gain = scene.power_gain(servers, walkers.position_m, seed)
    lost = gain.max(1) < least
    if lost.any():
        walkers.turn_back(lost)
        gain = scene.power_gain(servers, walkers.position_m, seed)
        # Back where it was, a device at the threshold may fall below it by the company in its batch.
        gain[lost & (gain.max(1) < least)] = before[lost & (gain.max(1) < least)]
    return gain


def _reachable_devices(
    scene: Scene, servers: Floats, points: StreetPoints, count: int, seed: int
) -> tuple[Floats, Floats, int]:
    """Devices (count, 3) with a server above the least gain, their gains, and how many were tried.

    Those that a batch of candidates lets through are traced once more in their final order, so that
    the gains are those of :func:`gains` at the final positions.
    """
    settings, least = scene.settings, 10 ** (scene.settings.min_best_gain_db / 10)
    accepted, drawn = np.zeros((0, 3)), 0
    while drawn < _HOPELESS_DRAWS or len(accepted) > _HOPELESS_SHARE * drawn:
        if len(accepted) < count:
            batch = points.take(
                _BATCH, lambda new: nearest_distance_m(new, servers) >= settings.min_distance_m
            )
            reachable = scene.power_gain(servers, batch, seed).max(1) >= least
            accepted, drawn = np.concatenate([accepted, batch[reachable]]), drawn + _BATCH
            continue
        gain = scene.power_gain(servers, accepted[:count], seed)
        reachable = gain.max(1) >= least
        if reachable.all():
            return accepted[:count], gain, drawn
        accepted = np.concatenate([accepted[:count][reachable], accepted[count:]])
    raise InputError(
        f"only {len(accepted)} of {drawn} street positions in the box of scene {settings.scene!r} have a server above "
        f"{settings.min_best_gain_db:g} dB: more servers, a smaller box, or a lower threshold"
    )


def gains(data: dict[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job of :func:`uara.scenarios.channel.raytrace.gains`."""
    scene = Scene(_settings(data))
    gain = scene.power_gain(arrays["server_position_m"], arrays["device_position_m"], int(data["seed"]))
    return {"versions": versions()}, {"power_gain": gain}


def versions() -> dict[str, str]:
    """Versions on which the traced bits depend."""
    import importlib.metadata

    import drjit

    return {
        **{name: importlib.metadata.version(name) for name in ("sionna-rt", "mitsuba", "drjit")},
        "llvm": ".".join(map(str, drjit.detail.llvm_version())),
    }


def self_test(data: Mapping[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job: trace two paths, over a bare floor, with the kernels that a city needs."""
    scene = Scene(RayTracing(scene="simple_reflector", rays_per_server=100, max_depth=1))
    gain = scene.power_gain(np.array([[-1.0, 0.0, 2.0]]), np.array([[1.0, 0.0, 2.0]]), 0)
    return {"gain_db": float(10 * np.log10(gain[0, 0])), "llvm": versions()["llvm"]}, {}
