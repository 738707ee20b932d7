"""The trained policy as an ONNX file, run by NumPy: solving needs no learning library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uara.base import files
from uara.base.decoding import parse_json
from uara.base.errors import InputError, in_file
from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients, coefficients
from uara.p1.dense import Dense, dense_of
from uara.p1.instance import Instance

from . import features, onnx_graph, windows, wishes
from .forward import forward

POLICY_VERSION = 1
SHIPPED = Path(__file__).parent / "policy.onnx"
"""The policy that comes with the package."""
HEADER_KEY = "uara"
"""Entry of the ONNX model's metadata that holds a :class:`PolicyHeader`."""
INPUTS = {"features": 4, "usable": 3, "start": 4}
"""Inputs of the network and their numbers of axes, the first three of them (B, M, E)."""
OUTPUT = "mean"
MOST_PAIRS = 2_000_000
"""Largest M E that the dense forward pass takes with layers as wide as the shipped one's: ten seconds and 3 GB."""
WINDOW_SERVERS = 5
"""Servers of a window, by those that a device lists."""
_SHIPPED_WIDTH = 64
_TABLE = 50_000  # entries of a table of servers and the devices that list them, at one time
_PROBES = ((1, 1), (3, 2))


class PolicyHeader(Record):
    """What a policy file says of itself."""

    version: int
    kind: Literal["uara-masac-policy"]
    prior: features.Prior
    features: list[str]
    training: dict[str, Any] = {}
    """Configuration, seed, command and validation of the training run."""
    ranges: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]] = {}
    """Lowest and highest value of each of :func:`.ranges.measures` that it was trained or tested on."""


@dataclass(frozen=True, eq=False)
class Policy:
    """A trained actor.

    Attributes
    ----------
    header
        Version, features and origin.
    network
        For any number of devices and servers: nodes, weights, width of the widest layer.
    """

    header: PolicyHeader
    network: onnx_graph.Contents

    @classmethod
    def load(cls, path: str | Path | None = None) -> Policy:
        """Read a policy file; the shipped one by default.

        Raises
        ------
        InputError
            If the file is missing, truncated, of another version, or holds another network than this
            release feeds.
        """
        path = SHIPPED if path is None else Path(path)
        with in_file(path):
            policy = cls.from_bytes(files.read_bytes(path))
            policy.probe()
        return policy

    @classmethod
    def from_bytes(cls, content: bytes) -> Policy:
        """The policy that the content of a file holds, its network and its header checked before anything runs."""
        found = onnx_graph.check(content, SHIPPED.read_bytes())
        return cls(_header(found.metadata), found)

    def probe(self) -> None:
        """Try the network on small inputs.

        Raises
        ------
        InputError
            If it fails on them, or answers with another shape or with numbers that are not finite.
        """
        for devices, servers in _PROBES:
            shape = (1, devices, servers)
            ones = np.ones((*shape, features.COUNT)), np.ones(shape), np.ones((*shape, 2))
            try:
                answer = self._run(*ones)
            except (ValueError, IndexError) as error:  # its layers do not fit together
                raise InputError(
                    f"its network fails on {devices} devices and {servers} servers: {error}", path="$.graph"
                ) from None
            if answer.shape != (*shape, 2):
                raise InputError(
                    f"its network's answer has shape {answer.shape}, not {(*shape, 2)}", path="$.graph"
                )
            if not np.isfinite(answer).all():
                raise InputError("its network's answer is not finite", path="$.graph")

    @property
    def corrects(self) -> bool:
        """Whether it corrects a rule, and so has to know the association."""
        return self.header.prior in features.CORRECTIONS

    def log_weights(self, instance: Instance, association: Indices | None = None) -> tuple[Floats, Floats]:
        """(K,) Log-weights of Y and of Z for the usable pairs of an instance; window by window where it is large.

        Parameters
        ----------
        association
            (M,) What a policy that corrects a rule looks at: who is served where, or was so far; by the
            strongest signal where left out.
        """
        numbers = coefficients(instance)
        if self.corrects:
            at = strongest(numbers) if association is None else np.asarray(association)
            return self._corrected(numbers, numbers.pairs_of(at))
        if not self.whole(instance):
            from ..common.locality import along_curve

            near = along_curve(instance)
            battery = instance.devices.battery_fraction[near.device]
            found = windows.log_weights(near.numbers, battery, self.header.prior, self._run)
            place = near.pairs_of(numbers)
            return found[0][place], found[1][place]
        mean = self.mean(dense_of(numbers, instance.devices.battery_fraction))[0]
        chosen = mean[numbers.device, numbers.server].astype(float)
        return chosen[:, 0], chosen[:, 1]

    def whole(self, instance: Instance) -> bool:
        """Whether the instance is small enough for one dense pass."""
        most = MOST_PAIRS * _SHIPPED_WIDTH // max(self.network.width, _SHIPPED_WIDTH)
        return len(instance.devices) * len(instance.servers) <= most

    def cells(self, instance: Instance) -> int:
        """Pairs of a device and a server that the network is run on, about."""
        if self.corrects:
            return len(instance.channel.pair_server)
        each = len(instance.servers)
        if not self.whole(instance):
            listed = len(instance.channel.pair_server) / len(instance.devices)
            each = min(each, int(WINDOW_SERVERS * listed))
        return len(instance.devices) * each

    def wishes(self, instance: Instance) -> Floats:
        """(K,) Log of the band that each pair would choose alone."""
        numbers = coefficients(instance)
        every = np.arange(len(numbers.server))[None]  # as a world of one server and K devices
        alone = columns_of(numbers, every)
        return np.asarray(wishes.wanted(alone, np)[0, :, 0, 0])

    def mean(self, numbers: Dense) -> NDArray[np.float32]:
        """(B, M, E, 2) Mean log-weights of all pairs, from :class:`..network.Actor`."""
        columns, usable = features.pair_features(numbers, np)
        return self._run(columns, usable, features.prior_log_weights(numbers, self.header.prior, np))

    def _corrected(self, numbers: Coefficients, served: Indices) -> tuple[Floats, Floats]:
        """(K,) Log-weights of all pairs: the rule's, corrected for the (M,) pairs that are served.

        What is seen of a pair hangs on its own server's members alone: each server is a world of its own, with the
        devices that list it, so that nothing of the size of all devices at all servers is made.
        """
        corrections = features.CORRECTIONS[self.header.prior]
        listed = np.diff(numbers.server_start)
        chosen = np.zeros(len(numbers.server), dtype=bool)
        chosen[served] = True
        found = np.empty((len(numbers.server), 2))
        step = max(1, _TABLE // int(listed.max()))
        for first in range(0, numbers.servers, step):
            counts = listed[first : first + step]
            pairs = numbers.by_server[numbers.server_start[first] :][: counts.sum()]
            if not len(pairs):
                continue
            row, place = _rows_of(counts)
            table = np.full((len(counts), counts.max()), -1)
            table[row, place] = pairs
            members = np.zeros((*table.shape, 1))
            members[row, place, 0] = inside = chosen[pairs]
            seen = wishes.look(columns_of(numbers, table), members, corrections, np)
            found[pairs] = seen.offset[row, place, 0]
            if inside.any():  # the network only pools over members, so that they are all that it needs to see
                at, column = row[inside], place[inside]
                slot = _rows_of(np.bincount(at, minlength=len(counts)))[1]
                shape = len(counts), slot.max() + 1, 1
                looked, usable = np.zeros((*shape, features.COUNT)), np.zeros(shape)
                looked[at, slot, 0], usable[at, slot, 0] = seen.features[at, column, 0], 1.0
                mean = self._run(looked, usable, np.zeros((*shape, 2)))[at, slot, 0]
                found[pairs[inside]] += seen.reach[at, column, 0] * mean
        return found[:, 0].copy(), found[:, 1].copy()

    def _run(self, *inputs: Floats) -> NDArray[np.float32]:
        given = dict(zip(INPUTS, (each.astype(np.float32) for each in inputs), strict=True))
        return forward(self.network.steps, self.network.tensors, given, OUTPUT)


def strongest(numbers: Coefficients) -> Indices:
    """(M,) The server that each device sends to fastest."""
    fastest = np.lexsort((numbers.uplink_ms, numbers.device))
    return np.asarray(numbers.server[fastest[numbers.start[:-1]]])


def columns_of(numbers: Coefficients, pairs: Indices) -> Dense:
    """Worlds of one server each: (B, M) pairs, where -1 stands for none."""
    none = pairs < 0

    def of(values: Floats, missing: float) -> Floats:
        return np.where(none, missing, values[pairs])

    worlds = len(pairs)
    return Dense(
        of(numbers.uplink_ms, np.inf)[..., None],
        of(numbers.band_cost_ms, 0.0)[..., None],
        of(numbers.local_ms, 1.0),
        of(numbers.work, 1.0) * numbers.work_flop,
        np.ones((worlds, 1)),
        np.zeros((worlds, 1)),
        np.ones(pairs.shape),
        np.full(worlds, numbers.sync_weight_per_ms),
    )


def _rows_of(counts: Indices) -> tuple[Indices, Indices]:
    """Row and place within it of each entry of a table whose rows hold so many."""
    start = np.cumsum(counts) - counts
    return np.repeat(np.arange(len(counts)), counts), np.arange(counts.sum()) - np.repeat(start, counts)


def _header(metadata: dict[str, str]) -> PolicyHeader:
    try:
        plain = parse_json(metadata[HEADER_KEY].encode())
    except (KeyError, InputError):
        raise InputError("not a policy file: it has no readable header") from None
    found = plain.get("version") if isinstance(plain, dict) else None
    if found != POLICY_VERSION:
        raise InputError(
            f"is of version {found}, this release reads version {POLICY_VERSION}; train or fetch another",
            path="$.version",
        )
    header = files.validate(plain, PolicyHeader)
    if header.features != list(features.names(header.prior)):
        raise InputError("was trained on other features than this release computes", path="$.features")
    return header
