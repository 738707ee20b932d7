"""A pool of channel drops: simulated once, then cut into as many training worlds as are wanted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara import files
from uara.errors import InputError
from uara.files import Record

POOL_VERSION = 1


class PoolSettings(Record):
    """What a pool holds; every drop has the largest size, and worlds take subsets of it."""

    seed: Annotated[int, Field(ge=0)] = 7_000_000
    """Seed of the first drop; drop n has ``seed + n``. Held-out instances must use others."""
    scenes: list[str] = ["etoile", "munich"]
    """Scenes that are ray-traced in turn."""
    traced_drops: Annotated[int, Field(ge=0)] = 24
    """Drops by ray tracing."""
    umi_drops: Annotated[int, Field(ge=0)] = 16
    """Drops by the 38.901 urban micro-cell model."""
    servers: Annotated[int, Field(ge=1)] = 20
    devices: Annotated[int, Field(ge=1)] = 180


@dataclass(frozen=True, eq=False)
class Pool:
    """Channel gains of many drops.

    Attributes
    ----------
    power_gain : (drops, devices, servers)
        h_ij^2, linear, single precision; 0 where there is no path.
    settings
        How it was made.
    facts
        Channel model of each drop, and versions of the simulators.
    """

    power_gain: NDArray[np.float32]
    settings: PoolSettings
    facts: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write the pool as ``.npz`` with its settings inside, whole or not at all."""
        header = {"version": POOL_VERSION, "settings": self.settings.model_dump(), "facts": self.facts}
        text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        files.write_bytes(path, files.arrays_to_bytes({"power_gain": self.power_gain, "header": text}))

    @classmethod
    def load(cls, path: Path) -> Pool:
        """Read a pool file.

        Raises
        ------
        InputError
            If the file is missing, no pool, or of another version.
        """
        arrays = files.read_arrays(path, files.sha256(files.read_bytes(path, files.MAX_ARRAYS_BYTES)))
        try:
            header = json.loads(arrays["header"].tobytes())
            gain = arrays["power_gain"]
        except (KeyError, ValueError) as error:
            raise InputError(f"not a pool of channel drops: {error}", source=str(path)) from None
        if header.get("version") != POOL_VERSION:
            raise InputError(f"version {header.get('version')}, not {POOL_VERSION}", source=str(path))
        settings = files.validate(header["settings"], PoolSettings)
        if gain.shape[1:] != (settings.devices, settings.servers):
            raise InputError(f"gains of shape {gain.shape} do not match the settings", source=str(path))
        return cls(gain.astype(np.float32), settings, header["facts"])


def build_pool(settings: PoolSettings, on_drop: Callable[[int, int], None] | None = None) -> Pool:
    """Simulate the drops of a pool with Sionna, ten to thirty seconds each.

    Parameters
    ----------
    on_drop
        Called with the number of drops done and their total.

    Raises
    ------
    MissingExtra, ChannelError
        As :func:`uara.channel.raytrace.draw`.
    """
    from uara.channel import raytrace, umi

    total = settings.traced_drops + settings.umi_drops
    gains, models = [], []
    versions: dict[str, Any] = {}
    size = {"servers": settings.servers, "devices": settings.devices}
    for number in range(total):
        seed = settings.seed + number
        if number < settings.traced_drops:
            scene = settings.scenes[number % len(settings.scenes)]
            drop = raytrace.draw(raytrace.RayTracing(scene=scene), seed=seed, **size)
            models.append(f"sionna-rt {scene}")
        else:
            drop = umi.draw(umi.UrbanMicro(), seed=seed, **size)
            models.append("sionna-umi")
        versions.update(drop.facts.get("versions", {}))
        gains.append(drop.power_gain.astype(np.float32))
        if on_drop:
            on_drop(number + 1, total)
    if not gains:
        raise InputError("a pool needs at least one drop", source="pool")
    return Pool(np.stack(gains), settings, {"models": models, "versions": versions})
