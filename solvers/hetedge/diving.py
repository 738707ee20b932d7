"""From a bound to a plan, group by group: each takes what the linear program holds most of, and prices settle anew.

A linear program may mix chains of groups no two of which belong to one plan. When its first group is chosen, the
requests that are left are an instance of their own, at which its groups fit each other again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uara.base.quantities import Indices
from uara.solver import Context

from .groups import Groups, Part
from .prices import Prices, Seen

_WIDTH = 0.1
"""Width of the box around the prices so far, of the mean price."""
_KNOWN = 600
"""Groups that the rest of the requests begins with: those that the prices so far leave the least slack."""


def dived(prices: Prices, context: Context[Any], *, drawn: bool) -> Indices | None:
    """(K,) An order of service; None where time is up.

    Parameters
    ----------
    drawn
        Whether groups are drawn, each as likely as it is heavy; else the heaviest one is taken.
    """
    instance, rest, order = prices.instance, prices, np.zeros(0, dtype=np.int64)
    left, price_ms = np.arange(len(instance.requests)), prices.centre_ms
    while len(left):
        seen = rest.settle(price_ms, _WIDTH * float(np.mean(np.abs(price_ms))))
        if seen is None:
            return None
        parts = _first(rest.groups, seen, context.rng if drawn else None)
        chosen = [k for part in parts for k in part.members]
        order = np.concatenate([order, left[chosen]])
        kept = np.setdiff1d(np.arange(len(left)), chosen)
        left, price_ms = left[kept], seen.price_ms[kept]
        if len(left):
            before, rest = rest, Prices(instance.part(left), context, certify=False)
            _hand_on(before.groups, seen, kept, rest)
    return order


def _first(groups: Groups, seen: Seen, rng: np.random.Generator | None) -> tuple[Part, ...]:
    """A group that begins a chain."""
    first = np.flatnonzero(np.array(groups.start[: len(seen.weight)]) == 0)
    weight = np.maximum(seen.weight[first], 0.0)
    chosen = int(np.argmax(weight) if rng is None else rng.choice(len(first), p=weight / weight.sum()))
    return groups.parts[int(first[chosen])]


def _hand_on(groups: Groups, seen: Seen, kept: Indices, rest: Prices) -> None:
    """Make columns of the groups of requests that are kept, and of each alone."""
    done = groups.requests - len(kept)
    place = {k: index for index, k in enumerate(kept.tolist())}
    reduced_ms = groups.reduced_ms(seen.price_ms)
    slack = reduced_ms - seen.potential[groups.start] + seen.potential[groups.stop]
    alone = [(Part((index,), int(rest.lengths[1])),) for index in range(len(kept))]
    known: list[tuple[Part, ...]] = []
    for column in np.argsort(slack, kind="stable").tolist():
        if len(known) == _KNOWN:
            break
        if groups.start[column] >= done and all(k in place for k in groups.members[column]):
            moved = tuple(
                Part(tuple(place[k] for k in each.members), each.length) for each in groups.parts[column]
            )
            rest.groups.add(groups.start[column] - done, moved, 0)
            known.append(moved)
    for position, each in enumerate(alone):
        rest.groups.add(position, each, 0)
    rest.shapes.add(dict.fromkeys([*alone, *known]))
