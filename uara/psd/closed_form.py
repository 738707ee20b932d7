"""Long-run speed of decoding when every draft token is accepted independently with the same probability.

The derivations stand in ``docs/psd.md``; each is checked against the simulation. What a round is stands in
:mod:`uara.psd.rounds`.
"""

from __future__ import annotations

from dataclasses import dataclass

from uara.base.errors import InputError
from uara.psd.trace import Method


@dataclass(frozen=True)
class RoundTimes:
    """Durations that do not change from round to round.

    Attributes
    ----------
    draft_token_s, target_pass_s
        t_d and t_t: one drafted token, and one pass of the target over a block.
    upload_token_s
        One draft token on the uplink; ``uplink_latency_s`` comes on top of each message.
    verdict_s
        The verdict's way down, latency included.
    """

    draft_token_s: float
    target_pass_s: float
    upload_token_s: float = 0.0
    uplink_latency_s: float = 0.0
    verdict_s: float = 0.0

    @property
    def first_token_s(self) -> float:
        """From a round's start until the server has the first token of the new block."""
        return self.draft_token_s + self.upload_token_s + self.uplink_latency_s


def _checked(acceptance: float, gamma: int) -> None:
    if not 0 <= acceptance <= 1 or gamma < 1:
        raise InputError(
            f"acceptance must lie in [0, 1] and gamma be at least 1, not {acceptance} and {gamma}"
        )


def _geometric(acceptance: float, terms: int) -> float:
    """1 + a + ... + a^(terms - 1)."""
    return float(terms) if acceptance == 1 else (1 - acceptance**terms) / (1 - acceptance)


def conventional_tokens_per_round(acceptance: float, gamma: int) -> float:
    """(1 - a^(g+1)) / (1 - a): the accepted tokens, and the target's own."""
    _checked(acceptance, gamma)
    return _geometric(acceptance, gamma + 1)


def psd_tokens_per_round(acceptance: float, gamma: int) -> float:
    """(1 - a^g) / ((1 - a)(1 + a - a^g)), over pre-verify and post-verify rounds together."""
    _checked(acceptance, gamma)
    return _geometric(acceptance, gamma) / (1 + acceptance - acceptance**gamma)


def post_verify_share(acceptance: float, gamma: int) -> float:
    """a / (1 + a - a^g): the share of rounds that judge a pending block."""
    _checked(acceptance, gamma)
    return acceptance / (1 + acceptance - acceptance**gamma)


def seconds_per_token(method: Method, acceptance: float, gamma: int, times: RoundTimes) -> float:
    """Long-run time of one output token.

    Notes
    -----
    A PSD round lasts until both sides are ready. In post-verify the server's chain is the upload of g - 1 pending
    tokens, the pass, and the verdict; in pre-verify the pass starts behind the last verdict. Without a network both
    are max(g t_d, t_t).
    """
    _checked(acceptance, gamma)
    t = times
    if method == "autoregressive":
        return t.target_pass_s
    if method == "conventional":
        upload_s = gamma * t.upload_token_s + t.uplink_latency_s
        round_s = gamma * t.draft_token_s + upload_s + t.target_pass_s + t.verdict_s
        return round_s / conventional_tokens_per_round(acceptance, gamma)
    drafting_s = gamma * t.draft_token_s
    pre_s = max(drafting_s, t.target_pass_s, t.first_token_s + t.verdict_s)
    pending_s = (gamma - 1) * t.upload_token_s
    first_s = max(t.draft_token_s, pending_s) + t.upload_token_s + t.uplink_latency_s
    passed_s = pending_s + t.uplink_latency_s + t.target_pass_s
    post_s = max(drafting_s, max(passed_s, first_s) + t.verdict_s) if gamma > 1 else pre_s
    share = post_verify_share(acceptance, gamma)
    round_s = share * post_s + (1 - share) * pre_s
    return round_s / psd_tokens_per_round(acceptance, gamma)


def best_gamma(method: Method, acceptance: float, times: RoundTimes, longest: int = 64) -> int:
    """The draft length with the least time per token."""
    return min(range(1, longest + 1), key=lambda gamma: seconds_per_token(method, acceptance, gamma, times))
