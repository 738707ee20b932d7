"""The trained policy as a file, and its forward pass in NumPy: solving needs no learning library.

NumPy rather than ONNX: the network is seven matrices, its forward pass thirty lines that are tested equal to
the PyTorch network, and a plain install needs nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara import files
from uara.errors import InputError
from uara.files import Record
from uara.instance import Floats, Instance
from uara.model import Coefficients, coefficients

from . import features

POLICY_VERSION = 1
SHIPPED = Path(__file__).parent / "policy.npz"
"""The policy that comes with the package."""
LOG_WEIGHT_RANGE = (-25.0, 5.0)
MOST_PAIRS = 20_000_000
"""Largest M E that the dense forward pass takes."""

_LAYERS = ("embed1", "embed2", "own", "of_server", "of_device", "head")


class PolicyHeader(Record):
    """What a policy file says of itself."""

    version: int
    kind: Literal["uara-masac-policy"]
    width: Annotated[int, Field(ge=1)]
    prior: Literal["uniform", "rules"]
    features: list[str]
    training: dict[str, Any] = {}
    """Configuration, seed, command and validation of the training run."""


@dataclass(frozen=True)
class PairNumbers:
    """P1's coefficients, dense, with a leading batch axis of one: what the features are made of."""

    uplink_ms: Floats
    band_cost_ms: Floats
    local_ms: Floats
    server_flop: Floats
    flop_per_ms: Floats
    wait_ms: Floats
    battery_fraction: Floats
    sync_weight_per_ms: Floats


@dataclass(frozen=True, eq=False)
class Policy:
    """A trained actor.

    Attributes
    ----------
    header
        Version, architecture and origin.
    weights
        Matrices and biases by the name of their layer.
    """

    header: PolicyHeader
    weights: Mapping[str, NDArray[np.float32]]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Policy:
        """Read a policy file; the shipped one by default.

        Raises
        ------
        InputError
            If the file is missing, truncated, of another version, or has weights of wrong shapes.
        """
        path = SHIPPED if path is None else Path(path)
        digest = files.sha256(files.read_bytes(path))
        arrays = files.read_arrays(path, digest)
        try:
            plain = json.loads(arrays.pop("header").tobytes())
        except (KeyError, ValueError):
            raise InputError("not a policy file: it has no readable header", source=str(path)) from None
        if not isinstance(plain, dict) or plain.get("version") != POLICY_VERSION:
            found = plain.get("version") if isinstance(plain, dict) else None
            raise InputError(
                f"is of version {found}, this release reads version {POLICY_VERSION}; train or fetch another",
                source=str(path),
                path="$.version",
            )
        try:
            header = files.validate(plain, PolicyHeader)
            _check_shapes(arrays, header)
        except InputError as error:
            raise error.in_source(str(path)) from None
        return cls(header, {name: array.astype(np.float32) for name, array in arrays.items()})

    def save(self, path: str | Path) -> None:
        """Write the policy file, whole or not at all."""
        text = np.frombuffer(json.dumps(self.header.model_dump()).encode(), dtype=np.uint8)
        files.write_bytes(Path(path), files.arrays_to_bytes({**self.weights, "header": text}))

    def log_weights(self, instance: Instance) -> tuple[Floats, Floats]:
        """(K,) Log-weights of Y and of Z for the usable pairs of an instance.

        Raises
        ------
        InputError
            If the instance is too large for a dense forward pass.
        """
        numbers = coefficients(instance)
        size = len(instance.devices) * len(instance.servers)
        if size > MOST_PAIRS:
            raise InputError(
                f"{size} device-server pairs, more than the {MOST_PAIRS} that the policy's dense pass takes",
                source=instance.name,
            )
        mean = self.mean(pair_numbers(numbers, instance.devices.battery_fraction))[0]
        device = np.repeat(np.arange(len(numbers.local_ms)), np.diff(numbers.pair_start))
        chosen = mean[device, numbers.pair_server].astype(float)
        return chosen[:, 0], chosen[:, 1]

    def mean(self, numbers: PairNumbers) -> NDArray[np.float32]:
        """(B, M, E, 2) Mean log-weights of all pairs; eqs. as in :class:`..network.Actor`."""
        columns, usable = features.pair_features(numbers, np)
        inputs, mask = columns.astype(np.float32), usable.astype(np.float32)
        inner = _relu(self._layer("embed2", _relu(self._layer("embed1", inputs)))) * mask[..., None]
        by_server = inner.sum(1) / np.maximum(mask.sum(1), 1)[..., None]
        by_device = inner.sum(2) / np.maximum(mask.sum(2), 1)[..., None]
        pooled = (
            self._layer("of_server", by_server)[:, None] + self._layer("of_device", by_device)[:, :, None]
        )
        out = self._layer("head", _relu(self._layer("own", inner) + pooled))[..., :2]
        return np.asarray(np.clip(self._prior(numbers) + out, *LOG_WEIGHT_RANGE))

    def _layer(self, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        result = values @ self.weights[f"{name}.weight"].T
        if f"{name}.bias" in self.weights:
            result += self.weights[f"{name}.bias"]
        return np.asarray(result)

    def _prior(self, numbers: PairNumbers) -> NDArray[np.float32]:
        batch, devices, servers = numbers.uplink_ms.shape
        start = np.zeros((batch, devices, servers, 2), dtype=np.float32)
        if self.header.prior == "uniform":
            start[..., 0] = -np.log(max(1.0, devices / servers))
            return start
        local = numbers.local_ms[:, :, None]
        uplink = np.where(np.isfinite(numbers.uplink_ms), numbers.uplink_ms, local)
        start[..., 0] = np.log(np.minimum(uplink / local, 1.0))
        start[..., 1] = 0.5 * (np.log(numbers.server_flop) - 27.5)[:, :, None]
        return start


def pair_numbers(numbers: Coefficients, battery_fraction: Floats) -> PairNumbers:
    """P1's coefficients laid out densely."""
    devices, servers = len(numbers.local_ms), len(numbers.flop_per_ms)
    device = np.repeat(np.arange(devices), np.diff(numbers.pair_start))
    uplink = np.full((1, devices, servers), np.inf)
    band = np.zeros((1, devices, servers))
    uplink[0, device, numbers.pair_server] = numbers.uplink_ms
    band[0, device, numbers.pair_server] = numbers.band_cost_ms
    return PairNumbers(
        uplink,
        band,
        numbers.local_ms[None],
        numbers.server_flop[None],
        numbers.flop_per_ms[None],
        numbers.wait_ms[None],
        np.asarray(battery_fraction)[None],
        np.array([numbers.sync_weight_per_ms]),
    )


def policy_shapes(width: int) -> dict[str, tuple[int, ...]]:
    """Shape of every array of a policy of this width."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name in _LAYERS:
        inputs = features.COUNT if name == "embed1" else width
        outputs = 4 if name == "head" else width
        shapes[f"{name}.weight"] = (outputs, inputs)
        if name not in ("of_server", "of_device"):
            shapes[f"{name}.bias"] = (outputs,)
    return shapes


def _check_shapes(arrays: Mapping[str, NDArray[Any]], header: PolicyHeader) -> None:
    if header.features != list(features.NAMES):
        raise InputError("was trained on other features than this release computes", path="$.features")
    wanted = policy_shapes(header.width)
    for name, shape in wanted.items():
        if name not in arrays:
            raise InputError(f"the weights {name} are missing", path=name)
        if arrays[name].shape != shape:
            raise InputError(f"has shape {arrays[name].shape}, not {shape}", path=name)
        if not np.isfinite(arrays[name]).all():
            raise InputError("holds values that are not finite", path=name)
    extra = sorted(set(arrays) - set(wanted))
    if extra:
        raise InputError(f"holds {extra[0]!r}, which is no part of a policy", path=extra[0])


def _relu(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.maximum(values, 0)
