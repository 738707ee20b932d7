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

from . import features, onnx_graph, windows
from .forward import forward
from .sight import Sight

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
            found = self.sight(instance).log_weights(numbers.pairs_of(at)[None])[0]
            return found[:, 0].copy(), found[:, 1].copy()
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

    def sight(self, instance: Instance) -> Sight:
        """What a policy that corrects a rule sees of an instance."""
        return Sight(coefficients(instance), features.CORRECTIONS[self.header.prior], self._run)

    def mean(self, numbers: Dense) -> NDArray[np.float32]:
        """(B, M, E, 2) Mean log-weights of all pairs, from :class:`..network.Actor`."""
        columns, usable = features.pair_features(numbers, np)
        return self._run(columns, usable, features.prior_log_weights(numbers, self.header.prior, np))

    def _run(self, *inputs: Floats) -> NDArray[np.float32]:
        given = dict(zip(INPUTS, (each.astype(np.float32) for each in inputs), strict=True))
        return forward(self.network.steps, self.network.tensors, given, OUTPUT)


def strongest(numbers: Coefficients) -> Indices:
    """(M,) The server that each device sends to fastest."""
    fastest = np.lexsort((numbers.uplink_ms, numbers.device))
    return np.asarray(numbers.server[fastest[numbers.start[:-1]]])


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
