"""The least cost of a set of devices at one server, bounded from below in plain NumPy; for checking, not for speed.

A set S of items costs ``max over g of [c0_g + sum over S of r_gi] + (t0 + sum over S of s_i)^2 / F``: r_gi is what
device i adds at the g-th band price, less its own price; s_i is its load. For any p >= 0,
``t^2 / F >= p t - p^2 F / 4``
with the rest ``(t - p F / 2)^2 / F``. So for one row g and with h_i = r_gi + p s_i

    cost(S) >= base + sum over the flipped items of |h_i| + d^2 / F,   base = c0_g + p t0 - p^2 F / 4 + sum min(0, h_i),

where the items flipped are those in which S differs from {h_i < 0}, and d = t(S) - p F / 2. The other rows
give the same with other sums. The least is sought item by item over labels (d, sums row by row). With ``best``
the least cost seen, above ``base``, a label is dropped

* if its completions reach ``best``: the items left can gain and repair only so much, or
* if another is cheaper in every row by at least ``L |difference of d|``, ``L = (1 + sqrt 2) sqrt(best / F)``.
  For a completion below ``best`` has |d| < w = sqrt(F best); with the other label in its place d^2 / F grows by at most
  ``x (2 w + x) / F``, x being the difference: no more than ``L x`` while x <= (sqrt 2 - 1) w, and beyond that the
  label alone costs ``L x >= best``.

Sums of doubles are off by at most their number times 2^-52 times what is added up; that much is subtracted at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uara.base.quantities import Floats

MOST_LABELS = 200_000
"""Beyond this many labels the search ends with the least bound of those it holds, which is valid too."""
_EPSILON = 2.0**-52
_NEIGHBOURS = 8


@dataclass(frozen=True, eq=False)
class Items:
    """The choice of one server: n items and what is in the set anyway, in G rows.

    Parameters
    ----------
    s, r
        (n,) loads and (G, n) costs.
    flop
        F.
    t0, c0
        Load, and (G,) costs, of what is in the set anyway.
    """

    s: Floats
    r: Floats
    flop: float
    t0: float
    c0: Floats

    def with_item(self, i: int) -> Items:
        """Item i is in the set anyway."""
        rest = self.without_item(i)
        return Items(rest.s, rest.r, self.flop, self.t0 + self.s[i], self.c0 + self.r[:, i])

    def without_item(self, i: int) -> Items:
        """Item i is not there."""
        return Items(np.delete(self.s, i), np.delete(self.r, i, axis=1), self.flop, self.t0, self.c0)


@dataclass(frozen=True, eq=False)
class Start:
    """A row and a price of compute, and the bound they give: any row and any price >= 0 are valid."""

    row: int
    price: float
    base: float
    h: Floats
    """(n,) r + p s of every item."""


def relaxed(items: Items) -> Start:
    """The row, and its price, whose continuous optimum is highest."""
    best: Start | None = None
    for row in range(len(items.c0)):
        price = _compute_price(items.s, items.r[row], items.flop, items.t0)
        h = items.r[row] + price * items.s
        base = items.c0[row] + price * items.t0 - price**2 * items.flop / 4 + np.minimum(h, 0).sum()
        if best is None or base > best.base:
            best = Start(row, price, float(base), h)
    assert best is not None
    return best


def _compute_price(s: Floats, r: Floats, flop: float, t0: float) -> float:
    gaining = r < 0
    order = np.argsort(r[gaining] / s[gaining], kind="stable")
    ratio, load = (r[gaining] / s[gaining])[order], s[gaining][order]
    t = t0 + np.concatenate([[0.0], np.cumsum(load)])
    full = int(np.sum(ratio + 2 * t[1:] / flop < 0))
    if full < len(load) and ratio[full] + 2 * t[full] / flop < 0:
        return float(-ratio[full])
    return float(2 * t[full] / flop)


def least_cost(items: Items, cut: float = np.inf) -> float:
    """A lower bound on the cost of every set: the least but for rounding, or ``cut`` if that is less.

    Minus infinity where the numbers are not finite or too large for doubles.
    """
    if not (np.isfinite(items.r).all() and np.isfinite(items.c0).all() and np.isfinite(items.t0)):
        return -np.inf
    gaining = (items.r < 0).any(axis=0)  # more load never pays by itself
    items = Items(items.s[gaining], items.r[:, gaining], items.flop, items.t0, items.c0)
    start = relaxed(items)
    price, flop = start.price, items.flop
    base_set = start.h < 0
    side = np.where(base_set, -1.0, 1.0)
    step, flip = side * items.s, side * (items.r + price * items.s)
    deviation = items.t0 + items.s[base_set].sum() - price * flop / 2
    sums = items.c0 + price * items.t0 - price**2 * flop / 4 - start.base
    sums = sums + (items.r + price * items.s)[:, base_set].sum(axis=1)
    sums[start.row] = 0.0
    best, found = _search(flop, deviation, sums, step, flip, start.row, cut - start.base)
    value = start.base + max(found, 0.0)
    # What rounding may have added: to the base, to the sums along a label, and to d where d^2 < F best.
    largest = np.abs(items.r).max(axis=0, initial=0.0).sum() + price * items.s.sum()
    largest += np.abs(items.c0).max() + price * items.t0 + price**2 * flop / 4 + abs(start.base)
    reach = max(best, 0.0)
    load = items.t0 + items.s.sum() + price * flop / 2
    allowance = (len(items.s) + 16) * _EPSILON * (largest + reach + 2 * np.sqrt(reach / flop) * load)
    value -= allowance
    return float(value) if np.isfinite(value) else -np.inf


def _search(
    flop: float, deviation: float, sums: Floats, step: Floats, flip: Floats, row: int, cut: float
) -> tuple[float, float]:
    """The least ``max(sums) + d^2 / F`` seen over all flips, and a lower bound on it, cut off at ``cut``."""
    d, c = np.array([deviation]), sums[:, None]
    best = float(sums.max() + deviation**2 / flop)
    if len(step):
        best = min(best, float(((sums[:, None] + flip).max(axis=0) + (deviation + step) ** 2 / flop).min()))
    items = np.flatnonzero(flip[row] < min(best, cut))
    items = items[np.argsort(-flip[row, items], kind="stable")]
    up, down = _after(np.maximum(step[items], 0)), _after(np.maximum(-step[items], 0))
    gains = np.array([_after(np.minimum(one[items], 0)) for one in flip])
    for a, i in enumerate(items):
        d_flipped, c_flipped = d + step[i], c + flip[:, [i]]
        best = min(best, float((c_flipped.max(axis=0) + d_flipped**2 / flop).min()))
        d, c = np.concatenate([d, d_flipped]), np.concatenate([c, c_flipped], axis=1)
        far = np.maximum(np.maximum(d - down[a + 1], -d - up[a + 1]), 0)
        reach = (c + gains[:, [a + 1]]).max(axis=0) + far**2 / flop
        live = reach < min(best, cut)
        if np.count_nonzero(live) > MOST_LABELS:
            return best, min(best, cut, float(reach.min()))
        d, c = d[live], c[:, live]
        if not len(d):
            break
        if len(d) > 32:
            d, c = _undominated(d, c, (1 + np.sqrt(2)) * np.sqrt(min(best, cut) / flop))
    return best, min(best, cut)


def _after(values: Floats) -> Floats:
    """(n + 1,) The sum of the values from each place on."""
    return np.concatenate([np.cumsum(values[::-1])[::-1], [0.0]])


def _undominated(d: Floats, c: Floats, lipschitz: float) -> tuple[Floats, Floats]:
    """The labels that no other can take the place of; of labels that can take each other's, one."""
    order = np.lexsort((c[0], d))
    d, c = d[order], c[:, order]
    keep = np.ones(len(d), dtype=bool)
    if len(c) == 1:
        rising, falling = c[0] - lipschitz * d, c[0] + lipschitz * d
        left = np.minimum.accumulate(rising)
        right = np.minimum.accumulate(falling[::-1])[::-1]
        keep[1:] &= rising[1:] < left[:-1]
        keep[:-1] &= falling[:-1] <= right[1:]
        return d[keep], c[:, keep]
    for shift in range(1, min(_NEIGHBOURS, len(d) - 1) + 1):
        price = lipschitz * (d[shift:] - d[:-shift])
        rise = c[:, shift:] - c[:, :-shift]
        keep[shift:] &= ~(rise >= price).all(axis=0)
        keep[:-shift] &= ~(-rise > price).all(axis=0)
    return d[keep], c[:, keep]
