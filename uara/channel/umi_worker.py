"""Worker side of the 38.901 channel: PyTorch, one thread, on the CPU.

Import it in a process made by :mod:`uara.channel.isolation`: Sionna keeps its seed and device globally.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.channel.positions import Box, StreetPoints, flat_ground, nearest_distance_m, spaced_points
from uara.channel.umi import UrbanMicro
from uara.errors import InputError, MissingExtra
from uara.files import validate
from uara.randomness import derived_seed, stream

Floats = NDArray[np.float64]

_MAX_ROUNDS = 50


class Model:
    """Sionna's UMi model with its settings and its seed."""

    def __init__(self, settings: UrbanMicro, seed: int) -> None:
        try:
            import torch
            from sionna.phy import config
            from sionna.phy.channel import tr38901
        except ModuleNotFoundError as error:
            raise MissingExtra(error.name or "sionna", "sionna") from None
        torch.set_num_threads(1)
        config.device = "cpu"
        config.seed = derived_seed(seed, "38.901")
        self.settings = settings
        self._torch = torch
        self._tr38901 = tr38901

    def power_gain(
        self,
        server_position_m: Floats,
        device_position_m: Floats,
        velocity_m_per_s: Floats | None = None,
        track: NDArray[np.int64] | None = None,
    ) -> Floats:
        """Sum of the paths' powers (M, E): path loss, shadowing and the fading of the clusters.

        All positions of one call share one set of spatially correlated random fields (38.901, 7.6.3);
        positions of equal ``track`` (M,) belong to one moving device. Another call draws anew.
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
        velocity = np.zeros((devices, 3)) if velocity_m_per_s is None else velocity_m_per_s
        model.set_topology(
            ut_loc=batch(device_position_m),
            bs_loc=batch(server_position_m),
            ut_orientations=torch.zeros(1, devices, 3),
            bs_orientations=torch.zeros(1, servers, 3),
            ut_velocities=batch(velocity),
            in_state=torch.zeros(1, devices, dtype=torch.bool),
            spatial_consistency_track_ids=torch.tensor(np.arange(devices) if track is None else track),
        )
        coefficients, _ = model(num_time_samples=1, sampling_frequency=1.0)
        # (batch, server, antenna, device, antenna, path, time), one batch, antenna and time each
        paths = coefficients[0, :, 0, :, 0, :, 0].numpy().astype(complex)
        gain: Floats = (np.abs(paths) ** 2).sum(-1).T
        return gain


def _settings(data: Mapping[str, Any]) -> UrbanMicro:
    return validate(data["settings"], UrbanMicro)


def draw(data: dict[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job of :func:`uara.channel.umi.draw`."""
    settings, seed = _settings(data), int(data["seed"])
    box, flat = Box.centred(settings.box_m), flat_ground
    server_points = StreetPoints(flat, box, stream(seed, "server positions"), settings.server_height_m)
    servers = spaced_points(server_points, int(data["servers"]), settings.server_spacing_m)
    points = StreetPoints(flat, box, stream(seed, "device positions"), settings.device_height_m)
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


def gains(data: dict[str, Any], arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Job of :func:`uara.channel.umi.gains`."""
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
