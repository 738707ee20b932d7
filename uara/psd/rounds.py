"""One round of decoding in counts of tokens: what engine, replay, timeline and closed forms mean by it.

*A conventional round*: the device drafts a block of up to gamma tokens, the server judges the whole of it, and gives
a token of its own behind the accepted ones.

*A PSD round*: device and server work at once. The device drafts a block of up to gamma tokens behind all that it has.
The server passes over the pending tokens, those that the round before drafted and nobody has judged, and judges them
and the first token of the new block. If it accepts all, the rest of the new block is pending, and the next round is a
post-verify round. If it refuses one, its own token stands there, the rest of both blocks is lost, and the next round
is a pre-verify round: without pending tokens its pass needs nothing from the device.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Method = Literal["autoregressive", "conventional", "psd"]
METHODS: tuple[Method, ...] = get_args(Method)
Phase = Literal["step", "verify", "pre-verify", "post-verify"]


class Round(NamedTuple):
    """One target pass, and the drafting that belongs to it.

    Attributes
    ----------
    phase
        ``step`` (autoregressive), ``verify`` (conventional), ``pre-verify`` or ``post-verify`` (PSD).
    pending
        Tokens drafted in the round before and not yet judged; 0 outside post-verify.
    drafted
        Tokens drafted in this round.
    judged
        Draft tokens that got a verdict: all up to and including the first rejected one.
    accepted
        Of those, accepted.
    appended
        Tokens by which the output grew: the accepted ones, and the target's own where it gave one.
    """

    phase: Phase
    pending: int
    drafted: int
    judged: int
    accepted: int
    appended: int

    @property
    def rejected(self) -> bool:
        """Whether a draft token was refused."""
        return self.accepted < self.judged


def phase_of(method: Method, pending: int) -> Phase:
    """The phase of a round with that many pending tokens."""
    if method == "psd":
        return "post-verify" if pending else "pre-verify"
    return "step" if method == "autoregressive" else "verify"


def most_drafted(method: Method, gamma: int, left: int, pending: int = 0) -> int:
    """Length of a round's block where nothing else ends it; ``left`` is what the output still lacks to its limit."""
    if method == "autoregressive":
        return 0
    # conventional: the last token before the limit is always the target's own
    return min(gamma, left - 1) if method == "conventional" else min(gamma, left - pending)


def judgeable_tokens(pending: int, drafted: int) -> int:
    """Draft tokens that a PSD round can judge: the pending ones, and the first of the new block."""
    return pending + min(drafted, 1)


def psd_round(pending: int, drafted: int, accepted: int) -> Round:
    """One PSD round, from its pending and its new tokens and how many in a row the target accepts."""
    rejected = accepted < judgeable_tokens(pending, drafted)
    judged = accepted + rejected
    return Round(phase_of("psd", pending), pending, drafted, judged, accepted, accepted + rejected)


def pending_after(done: Round) -> int:
    """Tokens that wait for a verdict in the next round: none behind a refusal, or without PSD."""
    if done.phase in ("step", "verify") or done.rejected:
        return 0
    return max(done.drafted - 1, 0)
