"""The file format of ``hetedge`` instances: what each key holds, its unit and its range."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from uara.base.columns import Columns, SideFile
from uara.base.files import Record, VersionOne, published_schema
from uara.base.provenance import Provenance
from uara.base.quantities import Fraction, Name, NonNegative, Point, Positive
from uara.p1.schema import Column
from uara.psd.flops import Architecture

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Weights = Annotated[int, Field(ge=1, le=10**15)]
Rate = Annotated[float, Field(ge=0, lt=1)]


class Transformer(Record):
    """Sizes of a decoder-only transformer: what its passes cost, and what it keeps in memory."""

    name: Name
    layers: Count
    """J."""
    hidden_width: Count
    """h1."""
    feed_forward_width: Count
    """h2."""
    feed_forward_matrices: Annotated[int, Field(ge=2, le=3)] = 2
    """2 in the formulas that are reported for the paper; 3 counts the gate of LLaMA's layers."""
    cache_width: Count
    """Width of the keys (and of the values) that a layer caches for a token: below h1 with grouped queries."""
    vocabulary_tokens: Count
    """V."""
    count_read_out: bool = False
    """Whether the logits' 2 V h1 FLOP are counted; the formulas that are reported for the paper leave them out."""
    parameters: Weights
    """Number of weights."""
    weight_bits: Positive = 16.0
    """Storage of a weight."""
    cache_bits: Positive = 16.0
    """Storage of a cached number."""

    @property
    def architecture(self) -> Architecture:
        """Operation counts: J (8 h1^2 + 4 h1 h2) a token and 4 J h1 a pair of tokens."""
        feed_forward = 2 * self.feed_forward_matrices * self.hidden_width * self.feed_forward_width
        return Architecture(
            name=self.name,
            layers=self.layers,
            hidden_width=self.hidden_width,
            vocabulary_tokens=self.vocabulary_tokens,
            context_tokens=2**31 - 1,
            parameters=self.parameters,
            linear_flop_per_token=self.layers * (8 * self.hidden_width**2 + feed_forward),
            attention_flop_per_pair=4 * self.layers * self.hidden_width,
            head_flop_per_token=2 * self.vocabulary_tokens * self.hidden_width if self.count_read_out else 0,
        )

    @property
    def weight_bytes(self) -> float:
        """Memory of the weights, read once in every pass."""
        return self.parameters * self.weight_bits / 8

    @property
    def cache_bytes_per_token(self) -> float:
        """Memory of a token's keys and values in all layers."""
        return 2 * self.layers * self.cache_width * self.cache_bits / 8


class Node(Record):
    """An edge node's GPU."""

    model: Name
    """Hardware."""
    compute_flop_per_s: Positive
    """Peak speed."""
    compute_efficiency: Fraction = 0.5
    """Part of the peak speed that a compute-bound pass reaches."""
    memory_bytes_per_s: Positive
    """Peak memory bandwidth."""
    memory_efficiency: Fraction = 0.8
    """Part of the peak bandwidth that a memory-bound pass reaches."""
    memory_bytes: Positive
    """For weights and caches."""
    pass_overhead_ms: NonNegative = 0.0
    """Fixed time of a forward pass, such as kernel launches."""


class Link(Record):
    """The wired link between the two nodes, the same in both directions."""

    rate_bit_per_s: Positive = 10e9
    latency_ms: NonNegative = 0.1


class Parameters(Record):
    """Constants and limits of the system."""

    bandwidth_hz: Positive
    """B: the uplink band that the requests share."""
    noise_psd_dbm_per_hz: Annotated[float, Field(ge=-400, le=200)] = -174.0
    """N0."""
    noise_band: Literal["whole", "share"] = "whole"
    """Noise over the whole band B (a rate linear in the share), or over the request's own share of it."""
    largest_batch: Annotated[int, Field(ge=1, le=1024)] = 16
    """Most requests in a batch."""
    shortest_speculation: Annotated[int, Field(ge=1, le=64)] = 1
    """Least tokens that a speculative batch drafts in a round."""
    longest_speculation: Annotated[int, Field(ge=1, le=64)] = 16
    """Most tokens that a batch drafts in a round."""
    token_bits: Positive = 16.0
    """A token's number on the wired link."""
    probability_bits: NonNegative = 16.0
    """A probability on the wired link."""
    probabilities_per_token: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """Draft probabilities that travel with a drafted token; the whole vocabulary where left out."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.shortest_speculation > self.longest_speculation:
            raise ValueError("shortest_speculation is above longest_speculation")
        return self


class RequestColumns(Columns):
    """Requests, one entry each in every column."""

    id: list[Name]
    """Unique name."""
    prompt_tokens: Column[Count]
    """I_k: length of the prompt."""
    output_tokens: Column[Count]
    """N_k: tokens to generate."""
    acceptance_rate: Column[Rate]
    """a_k: chance that the strong node accepts a drafted token."""
    upload_bits: Column[NonNegative]
    """S_k: what the request sends over the shared uplink."""
    tx_power_w: Column[Positive]
    """P_k: transmission power."""
    power_gain: Column[Positive]
    """g_k: power gain of the channel, linear."""
    ready_ms: Column[NonNegative] | None = None
    """When the request begins to send; 0 where left out."""
    task: list[str] | None = None
    """Kind of task."""
    position_m: Column[Point] | None = None
    """x, y, z."""


class HetEdgeFile(Record):
    """Requests that share an uplink to a weak node, which drafts, and a strong node, which verifies."""

    schema_version: VersionOne
    kind: Literal["hetedge"]
    name: Name
    provenance: Provenance = Provenance()
    parameters: Parameters
    draft_node: Node | None = None
    """The weak node; none where the requests bring their drafts along."""
    draft_model: Transformer | None = None
    """The small model on it."""
    target_node: Node
    """The strong node."""
    target_model: Transformer
    """The large model on it."""
    link: Link = Link()
    requests: RequestColumns
    side_file: SideFile | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.draft_node is None) != (self.draft_model is None):
            raise ValueError("draft_node and draft_model come together")
        return self


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of ``hetedge`` instance files."""
    return published_schema(HetEdgeFile)
