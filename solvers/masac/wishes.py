"""What an agent that departs from a rule sees, free of units, and the rule. One text for NumPy and PyTorch.

A device wishes for the band that is best for it alone; where the wishes of a server's devices fit, they
are optimal (``docs/model.md``, section 2), and the agent has no say. Where they do not fit the rule guesses the
price of the band, and the agent corrects what each device gets under that guess. No number here has a unit:
payloads, speeds, lambda and w may grow by any factor without leaving the ranges that matter.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

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
_ROUNDS = 2
_LONGEST = 6.0


class Own(NamedTuple):
    """What a pair is by itself, whoever else is served; all arrays of one shape."""

    usable: Any
    """1 where there is a path, else 0."""
    local: Any
    """log D."""
    uplink: Any
    """log c; log D where there is no path."""
    work: Any
    """log f, in any unit."""
    slope: Any
    """log of ``a c / (2 lambda D^3)``."""
    wish: Any
    """log of the band that it would choose alone."""


class Table:
    """Who is served, as a mask (B, M, E) of 1 and 0 over tables of all pairs: as training has it.

    What :meth:`of_servers` adds up over the members is (B, 1, E), which fits the tables as it is.
    """

    def __init__(self, members: Any) -> None:
        self._members = members

    def members(self, values: Any) -> Any:
        """Values of the pairs that the network is shown, from those of all pairs."""
        return values

    def of_servers(self, values: Any) -> Any:
        """Sums over each server's members of what :meth:`members` gives."""
        return (self._members * values).sum(1)[:, None, :]

    def at_members(self, sums: Any) -> Any:
        """Each server's value at what :meth:`members` gives."""
        return sums

    def at_pairs(self, sums: Any) -> Any:
        """Each server's value at all pairs."""
        return sums


class Listed:
    """The same for NumPy and a list of pairs, each of one of so many servers, of which some are served.

    Parameters
    ----------
    served
        (n,) Places of the served pairs in the list.
    server
        (K,) Server of each pair.
    servers
        How many there are.
    """

    def __init__(self, served: Any, server: Any, servers: int) -> None:
        self._served, self._server, self._servers = served, server, servers
        self._at = server[served]

    def members(self, values: Any) -> Any:
        """(n,) from (K,)."""
        return values[self._served]

    def of_servers(self, values: Any) -> Any:
        """(E,) from (n,)."""
        return np.bincount(self._at, values, self._servers)

    def at_members(self, sums: Any) -> Any:
        """(n,) from (E,)."""
        return sums[self._at]

    def at_pairs(self, sums: Any) -> Any:
        """(K,) from (E,)."""
        return sums[self._server]


class Look(NamedTuple):
    """What the network is given, and what its outputs are added to."""

    features: Any
    """(..., COUNT) of the pairs that :meth:`Table.members` gives."""
    offset: Any
    """(..., 2) Log-weights of Y and Z of all pairs under the rule."""
    reach: Any
    """(..., 2) What the network's corrections are multiplied by, where features are; 0 for band that suffices."""


def growth(log_slope: Any, xp: Any) -> Any:
    """log v of the root v >= 1 of ``v^2 (v - 1) = exp(log_slope)``: v is uplink over drafting at the optimum.

    With ``v = 1 + e^s`` the logarithm of the equation is ``s + 2 softplus(s) = log_slope``, between two straight
    lines: two of Halley's steps from the lower envelope lead to its root within 2e-10.
    """
    s = xp.where(log_slope < 0.0, log_slope, log_slope / 3.0)
    for _ in range(_ROUNDS):
        small = xp.exp(-xp.abs(s))
        rest = s + 2.0 * (_positive(s, xp) + xp.log(1.0 + small)) - log_slope
        part = 1.0 / (1.0 + small)
        part = xp.where(s > 0.0, part, 1.0 - part)
        rise = 1.0 + 2.0 * part
        s = s - rest * rise / (rise * rise - rest * part * (1.0 - part))
    return _soft(s, xp)


def _clip(x: Any, low: float | None, high: float | None, xp: Any) -> Any:
    """``clip``, several times as fast on the short arrays that NumPy is given."""
    if xp is not np:
        return xp.clip(x, low, high)
    if low is not None:
        x = np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _positive(x: Any, xp: Any) -> Any:
    """The positive part; ``clip`` takes twice as long."""
    return 0.5 * (x + xp.abs(x))


def _soft(x: Any, xp: Any) -> Any:
    """Softplus; several times as fast as ``logaddexp``."""
    return _positive(x, xp) + xp.log(1.0 + xp.exp(-xp.abs(x)))


def _sum(one: Any, other: Any, xp: Any) -> Any:
    """``logaddexp`` in the same way."""
    return one + _soft(other - one, xp)


def own(numbers: Any, xp: Any) -> Own:
    """Every pair by itself, (B, M, E); parameters as in :func:`.features.pair_features`."""
    even = 0.0 * numbers.band_cost_ms
    return own_of(
        numbers.uplink_ms,
        numbers.band_cost_ms,
        numbers.local_ms[:, :, None] + even,
        numbers.server_flop[:, :, None] + even,
        numbers.sync_weight_per_ms[:, None, None] + even,
        xp,
    )


def own_of(uplink_ms: Any, band_cost_ms: Any, local_ms: Any, work: Any, weight: Any, xp: Any) -> Own:
    """The same from arrays of one shape; ``uplink_ms`` is infinite where there is no path."""
    can = xp.isfinite(uplink_ms)
    local, uplink = xp.log(local_ms), xp.log(xp.where(can, uplink_ms, local_ms))
    slope = xp.log(band_cost_ms + _TINY) + uplink - xp.log(2.0 * weight + _TINY) - 3.0 * local
    slope = xp.where(weight > 0.0, _clip(slope, -_STEEPEST, _STEEPEST, xp), _STEEPEST)
    wish = _clip(uplink - local - growth(slope, xp), math.log(SMALLEST_SHARE), _WIDEST, xp)
    return Own(xp.where(can, 1.0, 0.0 * wish), local, uplink, xp.log(work), slope, wish)


def wanted(numbers: Any, xp: Any) -> Any:
    """(B, M, E, 2) Log-weights under which the association is chosen: every pair's own wish, and the root of f."""
    each = own(numbers, xp)
    return xp.stack([each.wish, 0.5 * (each.work - each.work.mean(1)[:, None])], -1)


def look(numbers: Any, members: Any, corrections: int, xp: Any) -> Look:
    """Features, rule and reach for all pairs, given who is served where: :func:`seen` of tables.

    Parameters
    ----------
    numbers
        As in :func:`.features.pair_features`.
    members
        (B, M, E) 1 for the pairs that are served, else 0.
    """
    return seen(own(numbers, xp), Table(members), corrections, xp)


def seen(pairs: Own, served: Any, corrections: int, xp: Any) -> Look:
    """Features, rule and reach, given who is served where.

    Parameters
    ----------
    pairs
        All pairs.
    served
        Who is served: :class:`Table` or :class:`Listed`.
    corrections
        Newton steps of the guessed price after the one that takes a server's members for alike.
    """
    mine = Own(*map(served.members, pairs))
    count = _clip(served.of_servers(1.0 + 0.0 * mine.wish), 1.0, None, xp)
    wanted = xp.exp(mine.wish)
    load = _clip(served.of_servers(wanted), _TINY, None, xp)
    scarcity = xp.log(_clip(load, 1.0, None, xp))
    grown = mine.uplink - mine.local - mine.wish
    part = wanted / served.at_members(load)

    def by_wish(values: Any) -> Any:
        return served.of_servers(part * values)

    scale = mine.uplink - 3.0 * mine.local
    price = _price(by_wish(grown), scarcity, xp) - by_wish(scale)  # of a server, in units of 2 lambda D^3 / c
    short = served.at_members(scarcity)
    for _ in range(corrections):
        log_price = served.at_members(price) + scale
        priced = _sum(mine.slope, log_price, xp)
        fall = xp.where(short > 0.0, grown - growth(priced, xp), 0.0 * grown)
        price = price + _step(xp.exp(mine.wish + fall), fall - grown, log_price - priced, served, xp)
    every = served.at_pairs(scarcity)
    scaled = served.at_pairs(price) + pairs.uplink - 3.0 * pairs.local
    lone = pairs.uplink - pairs.local - pairs.wish
    fall = xp.where(every > 0.0, lone - growth(_sum(pairs.slope, scaled, xp), xp), 0.0 * lone)
    under = pairs.wish + fall
    guessed = xp.log(_clip(served.of_servers(xp.exp(served.members(under))), _TINY, None, xp))
    band = xp.where(every > 0.0, under - served.at_pairs(guessed) + _MARGIN, pairs.wish)
    mid_work = served.of_servers(mine.work) / count
    features = _features(mine, served, served.members(fall), (count, load, scarcity, price, part), xp)
    reach = REACH * _clip(short, 0.0, 1.0, xp) + 0.0 * mine.wish
    return Look(
        features,
        xp.stack([band, 0.5 * (pairs.work - served.at_pairs(mid_work))], -1),
        xp.stack([reach, REACH + 0.0 * mine.wish], -1),
    )


def _features(mine: Own, served: Any, fall: Any, of_servers: tuple[Any, ...], xp: Any) -> Any:
    """(..., COUNT) :data:`NAMES` of the members."""
    count, load, scarcity, price, part = of_servers
    give = served.at_members

    def mean(values: Any) -> Any:
        return give(served.of_servers(values) / count)

    def by_wish(values: Any) -> Any:
        return give(served.of_servers(part * values))

    log_count, log_load = give(xp.log(count)), give(xp.log(load))
    grown = mine.uplink - mine.local - mine.wish
    local, uplink = mine.local - mean(mine.local), mine.uplink - mean(mine.uplink)
    crowd = xp.log(_clip(mean(xp.exp(_clip(2.0 * local, -20.0, 20.0, xp))), _TINY, None, xp))
    even = 0.0 * mine.wish
    columns = [
        mine.slope / 10.0,
        grown,
        mine.wish + log_count,
        mine.wish - log_load + log_count,
        log_load / 3.0 + even,
        _clip(give(scarcity), 0.0, 1.0, xp) + even,
        local,
        uplink,
        mine.work - mean(mine.work),
        log_count - 2.0 + even,
        fall - by_wish(fall),
        2.0 * local - crowd,
        (give(price) + mine.uplink - 3.0 * mine.local - mine.slope) / 10.0,
        mine.wish / 3.0,
        xp.sqrt(mean(local**2)) + even,
        xp.sqrt(mean(uplink**2)) + even,
    ]
    return mine.usable[..., None] * _clip(xp.stack(columns, -1), -_LARGEST, _LARGEST, xp)


def _step(shares: Any, fallen: Any, priced: Any, served: Any, xp: Any) -> Any:
    """Newton's step of each server's log price towards shares that add up to one, at most :data:`_LONGEST`.

    Parameters
    ----------
    shares
        Of the members.
    fallen
        Minus log v: with ``p = 1 - 1 / v``, log v grows by ``p / (1 + 2 p)`` of what the log of its slope grows by.
    priced
        Log of the price's part of the slope.
    """
    part = 1.0 - xp.exp(fallen)
    speed = served.of_servers(shares * xp.exp(priced) * part / (1.0 + 2.0 * part))
    total = _clip(served.of_servers(shares), _TINY, None, xp)
    return _clip(xp.log(total) * total / _clip(speed, _TINY, None, xp), -_LONGEST, _LONGEST, xp)


def _price(grown: Any, scarcity: Any, xp: Any) -> Any:
    """Log of the price at which equal devices of this growth would fall by the scarcity; very low where it is 0."""
    reached = _clip(grown + scarcity, 1e-6, None, xp)
    log_whole = 2.0 * reached + xp.log(xp.expm1(_clip(reached, None, _WIDEST, xp)))
    low = _clip(grown, 1e-6, None, xp)
    log_own = 2.0 * low + xp.log(xp.expm1(_clip(low, None, _WIDEST, xp)))
    left = 1.0 - xp.exp(_clip(log_own - log_whole, None, 0.0, xp))
    return log_whole + xp.log(_clip(left, _TINY, 1.0, xp))
