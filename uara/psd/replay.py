"""Rounds of any method and draft length, from acceptance measured once.

Greedy decoding is deterministic, and a draft block always starts from confirmed tokens: whether the draft
model agrees with the target at each position of the target's own output settles every round of every method.
When sampling, each position's probability of acceptance does, in distribution. :mod:`uara.psd.rounds` says what a
round is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from uara.base.errors import InputError
from uara.psd.rounds import Method, Round, judgeable_tokens, most_drafted, pending_after, psd_round
from uara.psd.trace import DecodingTrace

if TYPE_CHECKING:
    import numpy as np


def replay(
    acceptance: Sequence[float],
    method: Method,
    gamma: int,
    prompt_tokens: int,
    *,
    max_new_tokens: int | None = None,
    rng: np.random.Generator | None = None,
) -> DecodingTrace:
    """The trace that a run with this acceptance has.

    Parameters
    ----------
    acceptance
        For each generated token, the probability that the draft model's proposal there is accepted; 0 or 1
        when greedy, shape (new_tokens,).
    max_new_tokens
        The run's limit; an output shorter than that ended with an end of sequence, behind which nothing is
        drafted. Left out: the output's length.
    rng
        Draws the verdicts; may be left out where all probabilities are 0 or 1.

    Raises
    ------
    InputError
        For probabilities outside [0, 1], fractional ones without ``rng``, or a limit below the output's
        length.
    """
    if any(not 0 <= value <= 1 for value in acceptance):
        raise InputError("acceptance probabilities must lie in [0, 1]")
    if rng is None and any(value not in (0, 1) for value in acceptance):
        raise InputError("fractional acceptance probabilities need a random generator")
    limit = len(acceptance) if max_new_tokens is None else max_new_tokens
    if limit < len(acceptance):
        raise InputError(f"{len(acceptance)} tokens exceed the limit of {limit}")
    draws = rng.random(len(acceptance)).tolist() if rng is not None else [0.0] * len(acceptance)
    verdicts = [draw < value for draw, value in zip(draws, acceptance, strict=True)]
    if method == "autoregressive":
        rounds = [Round("step", 0, 0, 0, 0, 1) for _ in verdicts]
        return DecodingTrace.of(method, 0, prompt_tokens, rounds)
    if gamma < 1:
        raise InputError(f"the draft length must be at least 1, not {gamma}")
    follow = _conventional if method == "conventional" else _psd
    return DecodingTrace.of(method, gamma, prompt_tokens, follow(verdicts, gamma, limit))


def _agreed(verdicts: list[bool], start: int, limit: int) -> int:
    """Number of accepted positions in a row from ``start``, up to ``limit`` of them."""
    count = 0
    while count < limit and start + count < len(verdicts) and verdicts[start + count]:
        count += 1
    return count


def _conventional(verdicts: list[bool], gamma: int, limit: int) -> list[Round]:
    rounds, done = [], 0
    while done < len(verdicts):
        longest, left = most_drafted("conventional", gamma, limit - done), len(verdicts) - done
        accepted = _agreed(verdicts, done, longest)
        ended = accepted == left
        drafted = left if ended else longest
        appended = accepted + (not ended)
        rounds.append(Round("verify", 0, drafted, min(accepted + 1, drafted), accepted, appended))
        done += appended
    return rounds


def _psd(verdicts: list[bool], gamma: int, limit: int) -> list[Round]:
    rounds: list[Round] = []
    done, pending = 0, 0
    while done < len(verdicts):
        left = len(verdicts) - done
        longest = most_drafted("psd", gamma, limit - done, pending)
        # a draft that follows the output to its end stops there
        ended = _agreed(verdicts, done, pending + longest) == left
        drafted = left - pending if ended else longest
        accepted = _agreed(verdicts, done, judgeable_tokens(pending, drafted))
        rounds.append(psd_round(pending, drafted, accepted))
        done += rounds[-1].appended
        pending = pending_after(rounds[-1])
    return rounds
