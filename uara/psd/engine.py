"""Autoregressive, conventional speculative, and parallel speculative decoding of two real models.

In parallel speculative decoding (PSD; the paper's reference [6]) the draft model writes its next block while the
target model judges the last one. *Pre-verify* rounds test only the first token of the block being drafted;
*post-verify* rounds judge the pending rest of the last block and the first token of the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from uara.psd.activity import Activity
from uara.psd.models import LanguageModel
from uara.psd.request import Decoded, DecodingOptions, RoundEvent, check_request
from uara.psd.rounds import Round, most_drafted, pending_after, psd_round
from uara.psd.sampling import Judgement, Sampler, draw, judge, judge_greedy
from uara.psd.session import Session
from uara.psd.trace import DecodingTrace

if TYPE_CHECKING:
    from torch import Tensor


class _Block(NamedTuple):
    """Draft tokens and, when sampling, the distributions that they were drawn from."""

    tokens: list[int]
    distributions: list[Tensor]

    def head(self, count: int) -> _Block:
        return _Block(self.tokens[:count], self.distributions[:count])

    def tail(self, start: int) -> _Block:
        return _Block(self.tokens[start:], self.distributions[start:])

    def __add__(self, other: object) -> _Block:
        assert isinstance(other, _Block)
        return _Block(self.tokens + other.tokens, self.distributions + other.distributions)


class DecodingRun:
    """One decoding run; iterate to carry it out round by round, then ask for :meth:`result`."""

    def __init__(
        self,
        draft: LanguageModel | None,
        target: LanguageModel,
        prompt: Sequence[int],
        options: DecodingOptions,
        count_flop: bool = False,
    ) -> None:
        check_request(draft, target, prompt, options)
        import numpy as np

        self.options = options
        self.prompt_tokens = len(prompt)
        self.sequence = list(prompt)
        self.rounds: list[Round] = []
        self._ends = target.end_tokens
        self._sampler = Sampler(options.temperature, options.top_p)
        # one stream for each side, so that chance does not depend on which thread is first
        draft_seed, target_seed = np.random.SeedSequence(options.seed).spawn(2)
        self._draft_rng, self._target_rng = (
            np.random.default_rng(draft_seed),
            np.random.default_rng(target_seed),
        )
        self._target = Session(target, count_flop)
        self._draft = Session(draft, count_flop) if draft is not None else None
        # heads may be padded to different lengths behind the tokens that both know
        pair = [target] if draft is None else [target, draft]
        self._vocabulary = min(each.architecture.vocabulary_tokens for each in pair)
        self._start_s = self._end_s = time.perf_counter()

    @property
    def generated(self) -> list[int]:
        """Output so far."""
        return self.sequence[self.prompt_tokens :]

    @property
    def finished(self) -> bool:
        """Whether the output has ended, by its length or by an end-of-sequence token."""
        done = len(self.sequence) - self.prompt_tokens
        return done >= self.options.max_new_tokens or (done > 0 and self.sequence[-1] in self._ends)

    def __iter__(self) -> Iterator[RoundEvent]:
        rounds = {"autoregressive": self._steps, "conventional": self._verify, "psd": self._parallel}
        self._start_s = time.perf_counter()
        with closing(rounds[self.options.method]()) as events:
            for event in events:
                self.rounds.append(event.round)
                self._end_s = time.perf_counter()
                yield event

    def result(self) -> Decoded:
        """The run so far, as a trace and as times."""
        options = self.options
        gamma = 0 if options.method == "autoregressive" else options.gamma
        start_s = self._start_s
        drafts = self._draft.forwards if self._draft is not None else []
        activities = [
            Activity("device", "draft", each.start_s - start_s, each.end_s - start_s) for each in drafts
        ]
        activities += [
            Activity("server", "target", each.start_s - start_s, each.end_s - start_s)
            for each in self._target.forwards
        ]
        return Decoded(
            tokens=self.generated,
            text=self._target.language_model.tokenizer.decode(self.generated, skip_special_tokens=True),
            trace=DecodingTrace.of(options.method, gamma, self.prompt_tokens, self.rounds),
            activities=activities,
            draft=self._draft,
            target=self._target,
            wall_s=self._end_s - self._start_s,
        )

    def _left(self) -> int:
        return self.prompt_tokens + self.options.max_new_tokens - len(self.sequence)

    def _drafted(self, sequence: list[int], count: int) -> _Block:
        """Up to ``count`` tokens of the draft model behind ``sequence``; it stops behind an end of sequence."""
        assert self._draft is not None
        block = _Block([], [])
        unfed = sequence[self._draft.length :]
        while len(block.tokens) < count and (not block.tokens or block.tokens[-1] not in self._ends):
            logits = self._draft.feed(unfed)[-1, : self._vocabulary]
            if self._sampler.greedy:
                block.tokens.append(int(logits.argmax()))
            else:
                block.distributions.append(self._sampler.distribution(logits[None])[0])
                block.tokens.append(draw(block.distributions[-1], self._draft_rng))
            unfed = block.tokens[-1:]
        return block

    def _judged(self, block: _Block, logits: Tensor) -> Judgement:
        logits = logits[:, : self._vocabulary]
        if self._sampler.greedy:
            return judge_greedy(block.tokens, logits)
        targets = self._sampler.distribution(logits)
        return judge(block.tokens, block.distributions, targets, self.options.rule, self._target_rng)

    def _keep(self, block: _Block, verdict: Judgement, own: int | None) -> None:
        """Append a round's outcome and roll both caches back to what is confirmed."""
        self.sequence += block.tokens[: verdict.accepted]
        confirmed = len(self.sequence)
        if own is not None:
            self.sequence.append(own)
        self._target.roll_back(confirmed)
        if self._draft is not None and (verdict.accepted < len(block.tokens) or self.options.method != "psd"):
            self._draft.roll_back(confirmed)

    def _steps(self) -> Generator[RoundEvent]:
        while not self.finished:
            logits = self._target.feed(self.sequence[self._target.length :])
            own = self._judged(_Block([], []), logits).own
            assert own is not None
            self.sequence.append(own)
            yield RoundEvent(Round("step", 0, 0, 0, 0, 1), [], None, own, [])

    def _verify(self) -> Generator[RoundEvent]:
        while not self.finished:
            block = self._drafted(
                self.sequence, most_drafted("conventional", self.options.gamma, self._left())
            )
            count = len(block.tokens)
            fed = (self.sequence + block.tokens)[self._target.length :]
            verdict = self._judged(block, self._target.feed(fed, count + 1))
            ended = verdict.accepted == count and count > 0 and block.tokens[-1] in self._ends
            own = None if ended else verdict.own
            self._keep(block, verdict, own)
            rejected = verdict.accepted < count
            appended = verdict.accepted + (own is not None)
            happened = Round("verify", 0, count, verdict.accepted + rejected, verdict.accepted, appended)
            yield _event(happened, block.tokens, own, block.tokens)

    def _parallel(self) -> Generator[RoundEvent]:
        pending = _Block([], [])
        with ThreadPoolExecutor(1, thread_name_prefix="draft") as drafter:
            while not self.finished:
                known = self.sequence + pending.tokens
                waiting = len(pending.tokens)
                over = waiting > 0 and pending.tokens[-1] in self._ends
                longest = most_drafted("psd", self.options.gamma, self._left(), waiting)
                drafting = drafter.submit(self._drafted, known, 0 if over else longest)
                logits = self._target.feed(known[self._target.length :], waiting + 1)
                fresh = drafting.result()
                block = pending + fresh.head(1)
                verdict = self._judged(block, logits[: len(block.tokens)])
                happened = psd_round(waiting, len(fresh.tokens), verdict.accepted)
                own = verdict.own if happened.rejected else None
                self._keep(block, verdict, own)
                yield _event(happened, block.tokens, own, block.tokens + fresh.tail(1).tokens)
                pending = fresh.tail(1) if pending_after(happened) else _Block([], [])


def _event(happened: Round, judgeable: list[int], own: int | None, drafted: list[int]) -> RoundEvent:
    """A round with its tokens: those that could be judged, and all of its draft tokens."""
    accepted, rejected = happened.accepted, happened.rejected
    lost = drafted[accepted + 1 :] if rejected else []
    return RoundEvent(happened, judgeable[:accepted], judgeable[accepted] if rejected else None, own, lost)


def decode(
    draft: LanguageModel | None,
    target: LanguageModel,
    prompt: str | Sequence[int],
    options: DecodingOptions | None = None,
    on_round: Callable[[RoundEvent], None] | None = None,
    count_flop: bool = False,
) -> Decoded:
    """Decode a prompt to its end.

    Parameters
    ----------
    draft
        May be None when decoding autoregressively.
    prompt
        Text (wrapped by the target's chat template where it has one), or token ids.
    on_round
        Called after each round, with the tokens that it accepted, refused and added.
    count_flop
        Count the operations that PyTorch dispatches, in ``draft.counted_flop`` and ``target.counted_flop``; slower.

    Raises
    ------
    InputError
        For an empty or malformed prompt, one that leaves no room in the context, or differing tokenizers.
    """
    tokens = target.encode(prompt) if isinstance(prompt, str) else prompt
    run = DecodingRun(draft, target, tokens, options or DecodingOptions(), count_flop)
    for event in run:
        if on_round is not None:
            on_round(event)
    return run.result()
