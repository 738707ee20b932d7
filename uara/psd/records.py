"""The records of a task profile's file: models, decoding, prompts, and their means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from uara.base.files import Record
from uara.psd.flops import Architecture, architecture
from uara.psd.payload import Payload, Rule
from uara.psd.trace import DecodingTrace, Method

AcceptanceOrigin = Literal["measured", "transferred", "assumed"]
Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Estimate(Record):
    """A mean with its 95 % confidence interval (bootstrap over prompts)."""

    value: float
    low: float
    high: float


class ModelRecord(Record):
    """One of the pair: where its weights came from, and its sizes."""

    name: str
    source: str
    sha256: str | None = None
    architecture: Architecture


def sizes_of(name: str, source: str = "exact sizes; weights not needed") -> ModelRecord:
    """A known architecture whose weights are not there; ``InputError`` if it is not known."""
    return ModelRecord(name=name, source=source, architecture=architecture(name))


class Provenance(Record):
    """Where a profile's numbers come from.

    Attributes
    ----------
    acceptance
        ``measured`` with this pair; ``transferred`` from the pair that ``note`` names; or ``assumed``.
    """

    acceptance: AcceptanceOrigin
    note: str
    created: str | None = None
    command: str | None = None
    software: dict[str, str] = Field(default={})
    sources: list[str] = Field(default=[])


class Decoding(Record):
    """How the prompts were decoded."""

    method: Method
    gamma: int
    temperature: Annotated[float, Field(ge=0)]
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    rule: Rule
    max_new_tokens: Count
    seed: int
    value_bits: Count = 16


class RunRecord(Record):
    """One decoding run as it happened.

    Attributes
    ----------
    counted_device_flop, counted_server_flop
        Operations that PyTorch dispatched, where they were counted; times are then longer than without.
    overhead_share
        Share of the run in which neither model was in a forward pass.
    """

    trace: DecodingTrace
    counted_device_flop: int | None = None
    counted_server_flop: int | None = None
    wall_s: float
    draft_busy_s: float
    target_busy_s: float
    overhead_share: float


class PromptRecord(Record):
    """One prompt's measurement.

    Attributes
    ----------
    acceptance
        For each generated token, the probability that the draft model's proposal is accepted there; 0 or 1 if
        greedy.
    runs
        Real runs, with the methods' own traces; none in a transferred or assumed profile.
    """

    task: str
    prompt: str
    prompt_sha256: str | None = None
    prompt_tokens: Count
    acceptance: Annotated[list[Probability], Field(min_length=1)]
    runs: list[RunRecord] = Field(default=[])

    @property
    def certain(self) -> bool:
        """Whether nothing is left to chance, so that one replay says all."""
        return all(value in (0, 1) for value in self.acceptance)


class TaskSummary(Record):
    """A task's means over its prompts."""

    prompts: int
    acceptance_rate: Estimate
    prompt_tokens: Estimate
    new_tokens: Estimate
    tokens_per_round: Estimate
    drafted_per_token: Estimate
    verified_per_token: Estimate
    discarded_per_token: Estimate
    upload_bits: dict[Payload, Estimate]
    device_flop: Estimate
    server_flop: Estimate
