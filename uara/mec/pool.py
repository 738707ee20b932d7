"""A pool of channel drops: simulated once, then cut into as many training worlds as are wanted."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara.base import arrays, files, locks
from uara.base.errors import InputError, in_file
from uara.base.files import Record

POOL_VERSION = 1
_MOST_HEADER_BYTES = 2**20


class PoolSettings(Record):
    """What a pool holds; every drop has the largest size, and worlds take subsets of it."""

    seed: Annotated[int, Field(ge=0)] = 7_000_000
    """Seed of the first drop; drop n has ``seed + n``. Held-out instances must use others."""
    scenes: Annotated[list[str], Field(min_length=1)] = ["etoile", "munich"]
    """Scenes that are ray-traced in turn."""
    traced_drops: Annotated[int, Field(ge=0, le=100_000)] = 24
    """Drops by ray tracing."""
    umi_drops: Annotated[int, Field(ge=0, le=100_000)] = 16
    """Drops by the 38.901 urban micro-cell model."""
    servers: Annotated[int, Field(ge=1, le=100_000)] = 20
    devices: Annotated[int, Field(ge=1, le=1_000_000)] = 180

    @property
    def drops(self) -> int:
        """Number of drops."""
        return self.traced_drops + self.umi_drops

    def of_drop(self, number: int) -> PoolSettings:
        """Settings of the pool that holds this drop alone."""
        alone = PoolSettings(
            seed=self.seed + number, traced_drops=0, umi_drops=1, servers=self.servers, devices=self.devices
        )
        if number >= self.traced_drops:
            return alone
        scene = self.scenes[number % len(self.scenes)]
        return alone.model_copy(update={"scenes": [scene], "traced_drops": 1, "umi_drops": 0})


class _Header(Record):
    """What a pool file says of itself."""

    version: int
    settings: PoolSettings
    facts: dict[str, Any]


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
        with in_file(path):
            with arrays.opened(path) as archive:
                header = _header(archive.read("header", _MOST_HEADER_BYTES, "$.header").tobytes())
                settings = header.settings
                most = settings.drops * settings.devices * settings.servers
                gain = archive.read("power_gain", most, "$.power_gain", kinds="f")
            _check_gains(gain, settings)
        return cls(gain.astype(np.float32), header.settings, header.facts)

    def split(self, part: float) -> tuple[Pool, Pool]:
        """The drops for training and those for validation: every so manieth is for validation.

        Raises
        ------
        InputError
            If the pool is too small.
        """
        aside = held_out(len(self.power_gain), part)
        return (
            Pool(self.power_gain[~aside], self.settings, self.facts),
            Pool(self.power_gain[aside], self.settings, self.facts),
        )


def held_out(drops: int, part: float) -> NDArray[np.bool_]:
    """(drops,) Which drops of a pool are kept for validation; raises as :meth:`Pool.split`."""
    every = max(2, round(1 / part))
    aside: NDArray[np.bool_] = np.arange(drops) % every == every - 1
    if not aside.any():
        raise InputError(f"{drops} drops are too few to keep every {every}th for validation", source="pool")
    return aside


def _header(content: bytes) -> _Header:
    plain = files.parse_json(content)
    if isinstance(plain, dict) and plain.get("version", POOL_VERSION) != POOL_VERSION:
        raise InputError(f"version {plain['version']}, not {POOL_VERSION}", path="$.header")
    return files.validate(plain, _Header, path="$.header")


def _check_gains(gain: NDArray[Any], settings: PoolSettings) -> None:
    wanted = (settings.drops, settings.devices, settings.servers)
    if gain.shape != wanted:
        raise InputError(
            f"has shape {gain.shape}: does not match the settings' {wanted}", path="$.power_gain"
        )
    if not ((gain >= 0) & (gain <= np.finfo(np.float32).max)).all():
        raise InputError("must hold finite numbers that are not negative", path="$.power_gain")


def build_pool(
    settings: PoolSettings, on_drop: Callable[[int, int], None] | None = None, parts: Path | None = None
) -> Pool:
    """Simulate the drops of a pool with Sionna, ten to thirty seconds each.

    Parameters
    ----------
    on_drop
        Called with the number of drops done and their total.
    parts
        Folder that receives each drop when it is done, as a pool of its own, and from which drops that are
        there already are taken.

    Raises
    ------
    InputError
        If the folder cannot be written, or holds drops of other settings.
    MissingExtra, ChannelError
        As :func:`uara.scenarios.channel.raytrace.draw`.
    """
    if not settings.drops:
        raise InputError("a pool needs at least one drop", source="pool")
    found = []
    for number in range(settings.drops):
        alone = settings.of_drop(number)
        part = None if parts is None else _part(parts, alone)
        if part is not None and part.exists():
            found.append(_opened(part, alone))
        else:
            found.append(_simulated(alone))
            if part is not None:
                found[-1].save(part)
        if on_drop:
            on_drop(number + 1, settings.drops)
    models = [model for drop in found for model in drop.facts["models"]]
    versions = {key: value for drop in found for key, value in drop.facts["versions"].items()}
    gains = np.concatenate([drop.power_gain for drop in found])
    return Pool(gains, settings, {"models": models, "versions": versions})


def obtain_pool(path: Path, settings: PoolSettings, note: Callable[[str], None]) -> Pool:
    """A pool from its file, which is made where it is missing.

    Drops are kept in ``<name>.parts/`` beside the file until it is whole: a simulation that was cut off
    goes on where it stood.

    Parameters
    ----------
    note
        Receives lines of text about the simulation.

    Raises
    ------
    InputError
        If the file is no pool of these settings, or cannot be written.
    MissingExtra, ChannelError
        As :func:`build_pool`.
    """
    if path.exists():
        return _opened(path, settings)
    files.check_output(path, suffixes=(".npz",))
    parts = path.with_name(f"{path.name}.parts")
    try:
        parts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", source=str(parts)) from None
    with locks.exclusive(parts / "lock", "another process is simulating this pool"):
        note(f"simulating the channel pool {path}: {settings.drops} drops")
        pool = build_pool(settings, lambda done, total: note(f"drop {done} of {total}"), parts)
        pool.save(path)
        for number in range(settings.drops):
            _part(parts, settings.of_drop(number)).unlink(missing_ok=True)
    with suppress(OSError):  # someone else's files are in it
        parts.rmdir()
    return pool


def _part(parts: Path, alone: PoolSettings) -> Path:
    return parts / f"drop_{alone.seed}.npz"


def _opened(path: Path, settings: PoolSettings) -> Pool:
    pool = Pool.load(path)
    if pool.settings != settings:
        raise InputError("was made with other settings than the configuration's: remove it", source=str(path))
    return pool


def _simulated(alone: PoolSettings) -> Pool:
    """A pool of one drop."""
    from uara.scenarios.channel import models, raytrace, umi

    scene = alone.scenes[0]
    settings = raytrace.RayTracing(scene=scene) if alone.traced_drops else umi.UrbanMicro()
    drop = models.draw(settings, servers=alone.servers, devices=alone.devices, seed=alone.seed)
    model = f"sionna-rt {scene}" if alone.traced_drops else "sionna-umi"
    facts = {"models": [model], "versions": drop.facts.get("versions", {})}
    return Pool(drop.power_gain.astype(np.float32)[None], alone, facts)
