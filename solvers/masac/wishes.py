"""What an agent that departs from a rule sees, free of units, and the rule. One text for NumPy and PyTorch.

A device wishes for the band that is best for it alone; where the wishes of a server's devices fit, they
are optimal (``docs/model.md``, section 2), and the agent has no say. Where they do not fit the rule guesses the
price of the band, and the agent corrects what each device gets under that guess. No number here has a unit:
payloads, speeds, lambda and w may grow by any factor without leaving the ranges that matter.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from uara.p1.server_cost import SMALLEST_SHARE

NAMES = (
    "log a c / (2 lambda D^3)",
    "log c / (D y)",
    "log n y",
    "log y / load",
    "log load",
    "scarcity",
    "log D against the members",
    "log c against the members",
    "log f against the members",
    "log n",
    "guessed fall of y",
    "weight of the gap against the members",
    "log price against a",
    "log y",
    "spread of log D",
    "spread of log c",
)
"""y is the wish of a pair, n and load the number and the wishes of a server's members."""
REACH = 0.1
"""How far an output of one moves a log-weight. The rule is close: an agent of full reach spoils more than it mends."""
_MARGIN = 3.0
_TINY = 1e-37
_WIDEST = 80.0
_STEEPEST = 200.0
"""Where lambda is 0 the root is out of reach, and every wish the smallest share."""
_LARGEST = 5.0
_ROUNDS = 5
_LONGEST = 6.0


class Look(NamedTuple):
    """What the network is given for all pairs, and what its outputs are added to."""

    features: Any
    """(B, M, E, COUNT)"""
    offset: Any
    """(B, M, E, 2) Log-weights of Y and Z under the rule."""
    reach: Any
    """(B, M, E, 2) What the network's corrections are multiplied by; 0 for band that suffices."""


def growth(log_slope: Any, xp: Any) -> Any:
    """log v of the root v >= 1 of ``v^2 (v - 1) = exp(log_slope)``: v is uplink over drafting at the optimum.

    With ``v = 1 + e^s`` the logarithm of the equation, ``s + 2 softplus(s) = log_slope``, is increasing and convex:
    Newton's method from above falls on its root.
    """
    s = xp.where(log_slope < 0.0, log_slope, log_slope / 3.0)
    for _ in range(_ROUNDS):
        soft = _soft(s, xp)
        s = s - (s + 2.0 * soft - log_slope) / (3.0 - 2.0 * xp.exp(-soft))
    return _soft(s, xp)


def _soft(s: Any, xp: Any) -> Any:
    """Softplus; several times as fast as ``logaddexp``."""
    return xp.clip(s, 0.0, None) + xp.log(1.0 + xp.exp(-xp.abs(s)))


def _sum(one: Any, other: Any, xp: Any) -> Any:
    """``logaddexp`` in the same way."""
    return one + _soft(other - one, xp)


def wanted(numbers: Any, xp: Any) -> Any:
    """(B, M, E, 2) Log-weights under which the association is chosen: every pair's own wish, and the root of f."""
    wish = _alone(numbers, xp)[1]
    work = xp.log(numbers.server_flop)
    return xp.stack([wish, 0.5 * (work - work.mean(1)[:, None])[:, :, None] + 0.0 * wish], -1)


def look(numbers: Any, members: Any, corrections: int, xp: Any) -> Look:
    """Features, rule and reach for all pairs, given who is served where.

    Parameters
    ----------
    numbers
        As in :func:`.features.pair_features`.
    members
        (B, M, E) 1 for the pairs that are served, else 0.
    corrections
        Newton steps of the guessed price after the one that takes a server's members for alike.
    """
    log_slope, wish = _alone(numbers, xp)
    local = xp.log(numbers.local_ms)[:, :, None] + 0.0 * wish
    can = xp.isfinite(numbers.uplink_ms)
    uplink = xp.log(xp.where(can, numbers.uplink_ms, numbers.local_ms[:, :, None]))
    work = xp.log(numbers.server_flop)[:, :, None] + 0.0 * wish
    count = xp.clip(members.sum(1), 1.0, None)[:, None, :]

    def mean(values: Any) -> Any:
        return (members * values).sum(1)[:, None, :] / count

    def spread(values: Any, centre: Any) -> Any:
        return xp.sqrt((members * (values - centre) ** 2).sum(1)[:, None, :] / count)

    wanted = xp.exp(wish)
    load = (members * wanted).sum(1)[:, None, :]
    scarcity = xp.log(xp.clip(load, 1.0, None))
    grown = uplink - local - wish
    part = members * wanted / xp.clip(load, _TINY, None)

    def by_wish(values: Any) -> Any:
        return (part * values).sum(1)[:, None, :]

    log_price = _price(by_wish(grown), scarcity, xp)
    scale = uplink - 3.0 * local
    log_price = log_price - by_wish(scale) + scale  # of each pair, in units of 2 lambda D^3 / c
    for left in range(corrections, -1, -1):
        priced = _sum(log_slope, log_price, xp)
        fall = xp.where(scarcity > 0.0, grown - growth(priced, xp), 0.0 * grown)
        under = wish + fall
        if left:
            log_price = log_price + _step(members * xp.exp(under), fall - grown, log_price - priced, xp)
    guessed = (members * xp.exp(under)).sum(1)[:, None, :]
    band = xp.where(scarcity > 0.0, under - xp.log(xp.clip(guessed, _TINY, None)) + _MARGIN, wish)
    mid_local, mid_uplink, mid_work = mean(local), mean(uplink), mean(work)
    log_count = xp.log(count)
    columns = [
        log_slope / 10.0,
        grown,
        wish + log_count,
        wish - xp.log(xp.clip(load, _TINY, None)) + log_count,
        xp.log(xp.clip(load, _TINY, None)) / 3.0 + 0.0 * wish,
        xp.clip(scarcity, 0.0, 1.0) + 0.0 * wish,
        local - mid_local,
        uplink - mid_uplink,
        work - mid_work,
        log_count - 2.0 + 0.0 * wish,
        fall + by_wish(grown - fall) - by_wish(grown),
        2.0 * (local - mid_local)
        - xp.log(xp.clip(mean(xp.exp(xp.clip(2.0 * (local - mid_local), -20.0, 20.0))), _TINY, None)),
        (log_price - log_slope) / 10.0,
        wish / 3.0,
        spread(local, mid_local) + 0.0 * wish,
        spread(uplink, mid_uplink) + 0.0 * wish,
    ]
    usable = xp.where(can, 1.0, 0.0 * wish)
    features = xp.stack([usable * xp.clip(column, -_LARGEST, _LARGEST) for column in columns], -1)
    reach = REACH * xp.clip(scarcity, 0.0, 1.0) + 0.0 * wish
    return Look(
        features,
        xp.stack([band, 0.5 * (work - mid_work)], -1),
        xp.stack([reach, REACH + 0.0 * wish], -1),
    )


def _alone(numbers: Any, xp: Any) -> tuple[Any, Any]:
    """(B, M, E) log of ``a c / (2 lambda D^3)``, and the wish."""
    local = numbers.local_ms[:, :, None]
    can = xp.isfinite(numbers.uplink_ms)
    uplink = xp.log(xp.where(can, numbers.uplink_ms, local))
    weight = numbers.sync_weight_per_ms[:, None, None]
    slope = xp.log(numbers.band_cost_ms + _TINY) + uplink - xp.log(2.0 * weight + _TINY) - 3.0 * xp.log(local)
    slope = xp.where(weight > 0.0, xp.clip(slope, -_STEEPEST, _STEEPEST), _STEEPEST)
    wish = uplink - xp.log(local) - growth(slope, xp)
    return slope, xp.clip(wish, math.log(SMALLEST_SHARE), _WIDEST)


def _step(shares: Any, fallen: Any, priced: Any, xp: Any) -> Any:
    """(B, 1, E) Newton's step of the log price towards shares that add up to one, at most :data:`_LONGEST`.

    Parameters
    ----------
    shares
        (B, M, E) Of the members; 0 for the others.
    fallen
        Minus log v: with ``p = 1 - 1 / v``, log v grows by ``p / (1 + 2 p)`` of what the log of its slope grows by.
    priced
        Log of the price's part of the slope.
    """
    part = 1.0 - xp.exp(fallen)
    speed = (shares * xp.exp(priced) * part / (1.0 + 2.0 * part)).sum(1)[:, None, :]
    total = xp.clip(shares.sum(1)[:, None, :], _TINY, None)
    return xp.clip(xp.log(total) * total / xp.clip(speed, _TINY, None), -_LONGEST, _LONGEST)


def _price(grown: Any, scarcity: Any, xp: Any) -> Any:
    """Log of the price at which equal devices of this growth would fall by the scarcity; very low where it is 0."""
    reached = xp.clip(grown + scarcity, 1e-6, None)
    log_whole = 2.0 * reached + xp.log(xp.expm1(xp.clip(reached, None, _WIDEST)))
    low = xp.clip(grown, 1e-6, None)
    log_own = 2.0 * low + xp.log(xp.expm1(xp.clip(low, None, _WIDEST)))
    left = 1.0 - xp.exp(xp.clip(log_own - log_whole, None, 0.0))
    return log_whole + xp.log(xp.clip(left, _TINY, 1.0))
