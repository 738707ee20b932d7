"""Worker side of the 38.901 channel: PyTorch, one thread, on the CPU.

Import it in a process made by :mod:`uara.scenarios.channel.isolation`: Sionna keeps its seed and device globally.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from uara.base.errors import InputError
from uara.base.extras import needs
from uara.base.files import validate
from uara.base.quantities import Floats, Indices
from uara.base.randomness import derived_seed, stream
from uara.scenarios.channel.mobility import Walk, Walkers
from uara.scenarios.channel.positions import Box, StreetPoints, flat_ground, nearest_distance_m
from uara.scenarios.channel.umi import UrbanMicro

_MAX_ROUNDS = 50
_POSITIONS_AT_ONCE = 800
_SAMPLES_PER_SLOT = 16


@dataclass(frozen=True)
class Motion:
    """What moving adds to positions: velocities (M, 3), which positions (M,) are one device's, time samples."""

    velocity_m_per_s: Floats
    track: Indices
    samples: int
    sampling_hz: float


class Model:
    """Sionna's UMi model with its settings and its seed."""

    def __init__(self, settings: UrbanMicro, seed: int) -> None:
        torch = needs("torch", extra="sionna")
        config = needs("sionna.phy", extra="sionna").config
        tr38901 = needs("sionna.phy.channel.tr38901", extra="sionna")
        torch.set_num_threads(1)
        config.device = "cpu"
        config.seed = derived_seed(seed, "38.901")
        self.settings = settings
        self._torch = torch
        self._tr38901 = tr38901

    def power_gain(
        self, server_position_m: Floats, device_position_m: Floats, motion: Motion | None = None
    ) -> Floats:
        """Sum of the paths' powers (M, E): path loss, shadowing and the fading of the clusters.

        All positions of one call share one set of spatially correlated random fields (38.901, 7.6.3).
        Another call draws anew.
        """
        torch, devices, servers = self._torch, len(device_position_m), len(server_position_m)

        def batch(values: Floats) -> Any:
            return torch.tensor(values, dtype=torch.float32)[None]

        array = self._tr38901.PanelArray(
            num_rows_per_panel=1, num_cols_per_panel=1, polarization="single", polarization_type="V",
            antenna_pattern="omni", carrier_frequency=self.settings.carrier_hz,
        )  # fmt: skip
        model = self._tr38901.UMi(
            carrier_frequency=self.settings.carrier_hz, o2i_model="low", ut_array=array, bs_array=array,
            direction="uplink", enable_spatial_consistency=True,
        )  # fmt: skip
        motion = motion or Motion(np.zeros((devices, 3)), np.arange(devices), 1, 1.0)
        model.set_topology(
            ut_loc=batch(device_position_m),
            bs_loc=batch(server_position_m),
            ut_orientations=torch.zeros(1, devices, 3),
            bs_orientations=torch.zeros(1, servers, 3),
            ut_velocities=batch(motion.velocity_m_per_s),
            in_state=torch.zeros(1, devices, dtype=torch.bool),
            spatial_consistency_track_ids=torch.tensor(motion.track),
        )
        coefficients, _ = model(num_time_samples=motion.samples, sampling_frequency=motion.sampling_hz)
        # (batch, server, antenna, device, antenna, path, time), one batch and antenna each
        paths = coefficients[0, :, 0, :, 0].numpy().astype(complex)
        gain: Floats = (np.abs(paths) ** 2).sum(-2).mean(-1).T
        return gain


def _settings(data: Mapping[str, Any]) -> UrbanMicro:
    return validate(data["settings"], UrbanMicro)


def draw(data: dict[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job of :func:`uara.scenarios.channel.umi.draw`."""
    settings, seed = _settings(data), int(data["seed"])
    box = Box.centred(settings.box_m)
    servers, points = settings.places(flat_ground, box, int(data["servers"]), seed)
    devices, gain, drawn = _reachable_devices(Model(settings, seed), servers, points, int(data["devices"]))
    facts = {"versions": versions(), "devices_drawn": drawn}
    return facts, {"server_position_m": servers, "device_position_m": devices, "power_gain": gain}


def _reachable_devices(
    model: Model, servers: Floats, points: StreetPoints, count: int
) -> tuple[Floats, Floats, int]:
    """Devices (count, 3) with a server above the least gain, their gains, and how many were tried.

    Some more than needed are drawn into one set of random fields: a second round is drawn into fields of
    its own, which are not correlated with the first.
    """
    settings, spare = model.settings, max(8, count // 4)
    devices, gain, drawn = np.zeros((0, 3)), np.zeros((0, len(servers))), 0
    for _ in range(_MAX_ROUNDS):
        wanted = count - len(devices) + spare
        batch = points.take(wanted, lambda new: nearest_distance_m(new, servers) >= settings.min_distance_m)
        found = model.power_gain(servers, batch)
        reachable = found.max(1) >= 10 ** (settings.min_best_gain_db / 10)
        devices, gain = np.concatenate([devices, batch[reachable]]), np.concatenate([gain, found[reachable]])
        drawn += wanted
        if len(devices) >= count:
            return devices[:count], gain[:count], drawn
    raise InputError(
        f"only {len(devices)} of {drawn} positions in the box have a server above "
        f"{settings.min_best_gain_db:g} dB: more servers, a smaller box, or a lower threshold"
    )


def walk(data: dict[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job of :func:`uara.scenarios.channel.mobility.draw_umi`.

    Memory grows with the square of the positions in one set of random fields, so devices are drawn in
    groups; each group has fields of its own, and only devices of one group are correlated.
    """
    settings, wanted, seed = _settings(data), validate(data["walk"], Walk), int(data["seed"])
    count, box = int(data["devices"]), Box.centred(settings.box_m)
    servers, points = settings.places(flat_ground, box, int(data["servers"]), seed)
    model, generator = Model(settings, seed), stream(seed, "walks")
    positions: list[Floats] = []
    gains: list[Floats] = []
    drawn = 0
    while len(positions) < count:
        size = max(1, min(count, _POSITIONS_AT_ONCE // wanted.slots))
        start = points.take(size, lambda new: nearest_distance_m(new, servers) >= settings.min_distance_m)
        walkers = Walkers(start, flat_ground, box, servers, settings.min_distance_m, wanted, generator)
        moved, gain = _walked(model, servers, walkers, wanted)
        drawn += size
        reached = (gain.max(2) >= 10 ** (settings.min_best_gain_db / 10)).all(0)
        positions += list(moved[:, reached].swapaxes(0, 1))
        gains += list(gain[:, reached].swapaxes(0, 1))
        if drawn > 20 * count + 1000 and len(positions) < drawn / 50:
            raise InputError(
                f"only {len(positions)} of {drawn} walks stay within reach of a server above "
                f"{settings.min_best_gain_db:g} dB: more servers, a smaller box, or a lower threshold"
            )
    facts = {"versions": versions(), "devices_drawn": drawn}
    along = {"device_position_m": np.stack(positions[:count], 1), "power_gain": np.stack(gains[:count], 1)}
    return facts, {"server_position_m": servers, **along}


def _walked(model: Model, servers: Floats, walkers: Walkers, wanted: Walk) -> tuple[Floats, Floats]:
    """Positions (T, n, 3) and gains (T, n, E) of a group of walkers."""
    positions = [walkers.position_m.copy()]
    for _ in range(1, wanted.slots):
        walkers.step()
        positions.append(walkers.position_m.copy())
    moved = np.stack(positions)
    slots, size = moved.shape[:2]
    motion = Motion(
        velocity_m_per_s=_velocities(moved, wanted.slot_s).reshape(-1, 3),
        track=np.tile(np.arange(size), slots),
        samples=_SAMPLES_PER_SLOT,
        sampling_hz=_SAMPLES_PER_SLOT / wanted.slot_s,
    )
    gain = model.power_gain(servers, moved.reshape(-1, 3), motion)
    return moved, gain.reshape(slots, size, -1)


def _velocities(position_m: Floats, slot_s: float) -> Floats:
    """(T, n, 3) Velocities towards the next slot's positions; the last slot has that of the slot before."""
    if len(position_m) == 1:
        return np.zeros_like(position_m)
    strides = np.diff(position_m, axis=0)
    velocities: Floats = np.concatenate([strides, strides[-1:]]) / slot_s
    return velocities


def gains(data: dict[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job of :func:`uara.scenarios.channel.umi.gains`."""
    settings = _settings(data)
    servers, devices = arrays["server_position_m"], arrays["device_position_m"]
    nearest = nearest_distance_m(devices, servers)
    if (nearest < settings.min_distance_m).any():
        device = int(nearest.argmin())
        raise InputError(
            f"device {device} is {nearest[device]:.3g} m from a server; 38.901 UMi needs {settings.min_distance_m:g} m"
        )
    gain = Model(settings, int(data["seed"])).power_gain(servers, devices)
    return {"versions": versions()}, {"power_gain": gain}


def versions() -> dict[str, str]:
    """Versions on which the drawn numbers depend."""
    import importlib.metadata

    return {name: importlib.metadata.version(name) for name in ("sionna", "torch")}
