"""The trace of a decoding run: what was drafted, judged and kept in each round.

The engine, the replay of measured acceptance, and the timeline all speak this one language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from uara.base.files import Record
from uara.psd.flops import Architecture
from uara.psd.rounds import METHODS as METHODS
from uara.psd.rounds import Method as Method
from uara.psd.rounds import Phase as Phase
from uara.psd.rounds import Round as Round
from uara.psd.rounds import judgeable_tokens, pending_after, phase_of

Counts = list[Annotated[int, Field(ge=0, le=2**31 - 1)]]


class Passes(NamedTuple):
    """Forward passes of one round, as ``Architecture.pass_flop`` takes them.

    The draft model's first pass feeds ``draft_fed`` tokens, each later one a single token.
    """

    draft_fed: int
    draft_cached: int
    draft_steps: int
    target_fed: int
    target_cached: int
    target_logits: int

    def draft_flop(self, draft: Architecture) -> int:
        """Operations of the round's drafting."""
        if not self.draft_steps:
            return 0
        first = draft.pass_flop(self.draft_fed, self.draft_cached, 1)
        return first + draft.steps_flop(self.draft_steps - 1, self.draft_cached + self.draft_fed)

    def target_flop(self, target: Architecture) -> int:
        """Operations of the round's target pass."""
        return target.pass_flop(self.target_fed, self.target_cached, self.target_logits)


class DecodingTrace(Record):
    """A run's rounds, column by column, with what is needed to count its operations and bits.

    ``phase`` and ``pending`` of :class:`Round` follow from the columns.
    """

    method: Method
    gamma: Annotated[int, Field(ge=0)]
    """Draft length; 0 for autoregressive decoding."""
    prompt_tokens: Annotated[int, Field(ge=1)]
    drafted: Counts
    judged: Counts
    accepted: Counts
    appended: Counts

    @classmethod
    def of(cls, method: Method, gamma: int, prompt_tokens: int, rounds: Iterable[Round]) -> DecodingTrace:
        """The trace with these rounds."""
        listed = list(rounds)
        return cls(
            method=method,
            gamma=gamma,
            prompt_tokens=prompt_tokens,
            drafted=[each.drafted for each in listed],
            judged=[each.judged for each in listed],
            accepted=[each.accepted for each in listed],
            appended=[each.appended for each in listed],
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        lengths = {len(each) for each in (self.drafted, self.judged, self.accepted, self.appended)}
        if len(lengths) != 1:
            raise ValueError("columns differ in length")
        if (self.gamma == 0) != (self.method == "autoregressive"):
            raise ValueError(f"a draft length of {self.gamma} does not go with {self.method} decoding")
        for number, each in enumerate(self.rounds):
            ordered = each.accepted <= each.judged <= each.pending + each.drafted
            own = each.appended - each.accepted
            if not ordered or each.drafted > self.gamma or each.appended < 1 or own not in {0, 1}:
                raise ValueError(f"round {number} contradicts itself: {each}")
        return self

    @property
    def rounds(self) -> list[Round]:
        """The rounds in order."""
        listed: list[Round] = []
        pending = 0
        for drafted, judged, accepted, appended in zip(
            self.drafted, self.judged, self.accepted, self.appended, strict=True
        ):
            phase = phase_of(self.method, pending)
            listed.append(Round(phase, pending, drafted, judged, accepted, appended))
            pending = pending_after(listed[-1])
        return listed

    @property
    def new_tokens(self) -> int:
        """Tokens generated."""
        return sum(self.appended)

    @property
    def drafted_tokens(self) -> int:
        """Tokens that the draft model made."""
        return sum(self.drafted)

    @property
    def judged_tokens(self) -> int:
        """Draft tokens that got a verdict."""
        return sum(self.judged)

    @property
    def accepted_tokens(self) -> int:
        """Draft tokens that were accepted."""
        return sum(self.accepted)

    @property
    def discarded_tokens(self) -> int:
        """Draft tokens that were thrown away: rejected, or never judged."""
        return self.drafted_tokens - self.accepted_tokens

    @property
    def acceptance_rate(self) -> float:
        """Accepted of judged, the estimate of alpha; NaN where nothing was judged."""
        return self.accepted_tokens / self.judged_tokens if self.judged_tokens else float("nan")

    @property
    def uploaded_tokens(self) -> list[int]:
        """Draft tokens sent to the server in each round.

        Conventional decoding sends every block. PSD sends the first token of each block while the rest is
        being drafted, and the rest only once that block is pending: a discarded block costs one token.
        """
        if self.method == "psd":
            return [judgeable_tokens(each.pending, each.drafted) for each in self.rounds]
        return [each.drafted for each in self.rounds]

    def passes(self) -> Iterator[Passes]:
        """The forward passes of each round, both caches rolled back after a rejection."""
        sequence, drafted_cache, target_cache = self.prompt_tokens, 0, 0
        for each in self.rounds:
            tail = sequence + each.pending
            judged_tail = tail if self.method == "psd" else tail + each.drafted
            yield Passes(
                draft_fed=tail - drafted_cache if each.drafted else 0,
                draft_cached=drafted_cache,
                draft_steps=each.drafted,
                target_fed=judged_tail - target_cache,
                target_cached=target_cache,
                target_logits=judged_tail - sequence + 1,
            )
            if each.drafted:
                drafted_cache = tail + each.drafted - 1
            sequence += each.appended
            # the token that the target gave itself is in neither cache
            confirmed = sequence - (each.appended - each.accepted)
            target_cache = min(judged_tail, confirmed)
            if each.rejected or self.method != "psd":
                drafted_cache = min(drafted_cache, confirmed)

    def flop(self, draft: Architecture, target: Architecture) -> tuple[int, int]:
        """Operations on the device (draft model) and on the server (target model)."""
        passes = list(self.passes())
        return sum(p.draft_flop(draft) for p in passes), sum(p.target_flop(target) for p in passes)
