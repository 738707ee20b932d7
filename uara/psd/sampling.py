"""Choosing tokens, and judging drafted ones (eq. (1) of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from uara.psd.payload import Rule

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


@dataclass(frozen=True)
class Sampler:
    """How logits become a distribution.

    Attributes
    ----------
    temperature
        0 means greedy.
    top_p
        Smallest set of likeliest tokens whose mass reaches this is kept; 1 keeps all.
    """

    temperature: float = 0.0
    top_p: float = 1.0

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0

    def distribution(self, logits: Tensor) -> Tensor:
        """Probabilities, shape as ``logits``: (positions, vocabulary), in 64 bits."""
        import torch

        if self.greedy:
            return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).double()
        probabilities = (logits.double() / self.temperature).softmax(-1)
        if self.top_p >= 1:
            return probabilities
        ordered, places = probabilities.sort(-1, descending=True)
        outside = ordered.cumsum(-1) - ordered >= self.top_p
        probabilities = probabilities.scatter(-1, places, ordered.masked_fill(outside, 0.0))
        return probabilities / probabilities.sum(-1, keepdim=True)


def draw(distribution: Tensor, rng: np.random.Generator) -> int:
    """One token from a distribution of shape (vocabulary,), by inversion of one uniform number."""
    import torch

    cumulative = distribution.cumsum(0)
    level = torch.tensor(rng.random(), dtype=cumulative.dtype, device=cumulative.device) * cumulative[-1]
    # right of ties: a token of probability zero is never drawn
    return min(int(torch.searchsorted(cumulative, level, right=True)), len(cumulative) - 1)


class Judgement(NamedTuple):
    """How many draft tokens of a block are accepted, and the target's own token behind them if there is one."""

    accepted: int
    own: int | None


def judge_greedy(tokens: Sequence[int], logits: Tensor) -> Judgement:
    """Accept while the draft agrees with the target's likeliest tokens; logits has one row more, or as many."""
    best = logits.argmax(-1).tolist()
    accepted = 0
    while accepted < len(tokens) and tokens[accepted] == best[accepted]:
        accepted += 1
    return Judgement(accepted, best[accepted] if accepted < len(best) else None)


def judge(
    tokens: Sequence[int], drafts: Sequence[Tensor], targets: Tensor, rule: Rule, rng: np.random.Generator
) -> Judgement:
    """Accept each draft token x with probability min(1, p[x] / q[x]); correct the first rejected one.

    Parameters
    ----------
    tokens
        Draft tokens in order.
    drafts
        q at each of them, each of shape (vocabulary,).
    targets
        p, shape (positions, vocabulary): as many rows as tokens, or one more for a further token.
    rule
        ``residual`` draws the correction from the normalised positive part of p - q, which makes the output's
        distribution exactly the target's; ``target`` draws it from p, which does not.
    """
    for number, (token, q) in enumerate(zip(tokens, drafts, strict=True)):
        p = targets[number]
        if rng.random() * float(q[token]) < float(p[token]):
            continue
        q = q.to(p.device)
        left = (p - q).clamp_min(0) if rule == "residual" else p
        return Judgement(number, draw(left if float(left.sum()) > 0 else p, rng))
    if len(targets) > len(tokens):
        return Judgement(len(tokens), draw(targets[len(tokens)], rng))
    return Judgement(len(tokens), None)
