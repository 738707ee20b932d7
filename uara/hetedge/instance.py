"""An instance of the batched, pipelined system: requests, two nodes, the link and the band. Immutable."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from uara.base import files
from uara.base.columnar import (
    FloatColumn,
    IndexColumn,
    OptionalFloats,
    OptionalTexts,
    TextColumn,
    column,
    columnar,
)
from uara.base.columns import Columns
from uara.base.errors import InputError
from uara.base.provenance import Provenance
from uara.base.quantities import MS_PER_S, Floats, Indices
from uara.base.tables import Table, Tabled
from uara.hetedge.latency import Machine, System, cache_bytes, make_machine
from uara.hetedge.schema import HetEdgeFile, Link, Node, Parameters, RequestColumns, Transformer

_PARTS = ("parameters", "draft_node", "draft_model", "target_node", "target_model", "link")


@columnar
class Requests(Table):
    """Requests; K entries in every column (``uara.hetedge.schema.RequestColumns``)."""

    place: ClassVar[str] = "$.requests"
    schema: ClassVar[type[Columns]] = RequestColumns
    text: ClassVar[tuple[str, ...]] = ("id", "task")
    whole: ClassVar[tuple[str, ...]] = ("prompt_tokens", "output_tokens")

    id: TextColumn = column()
    prompt_tokens: IndexColumn = column()
    output_tokens: IndexColumn = column()
    acceptance_rate: FloatColumn = column()
    upload_bits: FloatColumn = column()
    tx_power_w: FloatColumn = column()
    power_gain: FloatColumn = column()
    ready_ms: OptionalFloats = column(default=None)
    task: OptionalTexts = column(default=None)
    position_m: OptionalFloats = column(default=None)


@dataclasses.dataclass(frozen=True, eq=False)
class HetEdge(Tabled):
    """Requests that are drafted for by a weak node and verified by a strong one, in batches.

    Raises
    ------
    InputError
        If the weights do not fit into a node's memory, or not even one request fits beside them.
    """

    name: str
    requests: Requests
    target_node: Node
    target_model: Transformer
    parameters: Parameters
    draft_node: Node | None = None
    draft_model: Transformer | None = None
    link: Link = Link()
    provenance: Provenance = Provenance()

    kind: ClassVar[str] = "hetedge"
    places: ClassVar[tuple[str, ...]] = ("requests",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.draft_node is None) != (self.draft_model is None):
            raise InputError("come together or not at all", path="$.draft_node and $.draft_model")
        misfits = lonely_misfits(self)
        if len(misfits):
            raise InputError(
                "does not fit into the nodes' memory beside the weights, alone and with the shortest "
                "speculation",
                path=f"$.requests.id[{misfits[0]}]",
            )

    def part(self, kept: Indices) -> HetEdge:
        """The instance with some of its requests alone, in the order that is given."""
        return self.replace(requests=self.requests.take(kept))

    @cached_property
    def system(self) -> System:
        """Costs of the two models on their nodes, and of the link."""
        given, link, node, drafts = self.parameters, self.link, self.draft_node, self.draft_model
        vocabulary = 0 if drafts is None else drafts.vocabulary_tokens
        carried = vocabulary if given.probabilities_per_token is None else given.probabilities_per_token
        return System(
            draft=None if node is None or drafts is None else make_machine(node, drafts),
            target=make_machine(self.target_node, self.target_model),
            link_bits_per_ms=link.rate_bit_per_s / MS_PER_S,
            link_latency_ms=link.latency_ms,
            drafted_token_bits=given.token_bits + carried * given.probability_bits,
            token_bits=given.token_bits,
        )

    @cached_property
    def snr(self) -> Floats:
        """(K,) Signal-to-noise ratio with the noise of the whole band."""
        noise_w = 10 ** (self.parameters.noise_psd_dbm_per_hz / 10 - 3) * self.parameters.bandwidth_hz
        return np.asarray(self.requests.power_gain * self.requests.tx_power_w / noise_w)

    @cached_property
    def ready_ms(self) -> Floats:
        """(K,) When each request begins to send."""
        return np.zeros(len(self.requests)) if self.requests.ready_ms is None else self.requests.ready_ms

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the problem's data: everything but the name and the provenance."""
        digest = hashlib.sha256()
        for part in _PARTS:
            digest.update(files.pretty_json(getattr(self, part)).encode())
        self.requests.feed(digest)
        return digest.hexdigest()

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> HetEdge:
        """Build an instance from the decoded content of an instance file (:class:`HetEdgeFile`)."""
        record = files.validate(data, HetEdgeFile)
        return cls(
            record.name,
            Requests(**dict(record.requests)),
            provenance=record.provenance,
            **{part: getattr(record, part) for part in _PARTS},
        )

    def to_plain(self) -> dict[str, Any]:
        """The content of the instance file, every column as arrays or tuples."""
        parts = {part: getattr(self, part) for part in _PARTS if getattr(self, part) is not None}
        return {
            **super().to_plain(),
            **{part: record.model_dump(exclude_none=True) for part, record in parts.items()},
            "requests": self.requests.columns(),
        }


def machines(instance: HetEdge) -> dict[str, Machine]:
    """The nodes that hold a model, by their part."""
    draft, target = instance.system.draft, instance.system.target
    return {"verify": target} if draft is None else {"draft": draft, "verify": target}


def lonely_misfits(instance: HetEdge) -> Indices:
    """Requests that do not fit into the memory of a node even alone."""
    requests, shortest = instance.requests, instance.parameters.shortest_speculation
    unfit = np.zeros(len(requests), dtype=bool)
    for machine in machines(instance).values():
        need = cache_bytes(machine, 1, requests.prompt_tokens, requests.output_tokens, shortest)
        unfit |= need > machine.cache_room_bytes
    return np.flatnonzero(unfit)
