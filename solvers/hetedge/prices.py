"""Prices of requests whose certificate proves much: column generation over groups of batches.

In each round the linear program over the known groups gives prices, the cheapest groups at these are found, and
what the prices prove is reported. The cheapest groups are found by the checker's own enumeration
(:mod:`uara.hetedge.least_slack`): nothing is claimed but what it proves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from uara.base.clock import Clock
from uara.base.quantities import Floats
from uara.hetedge.batch_kinds import Kinds, Requests, kinds_of, lengths_of, rooms
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import phases, rounds
from uara.hetedge.least_slack import Asked, Found
from uara.hetedge.plan import Plan
from uara.hetedge.request_prices import (
    RequestPrices,
    RequestPricesRecord,
    earliest_ms,
    least_chain,
    least_tail_ms,
    shortfalls,
)
from uara.solver import Context

from .backwards import cheapest_chain
from .groups import Groups, Part
from .master import next_prices

_COLUMNS = 60
"""Columns a request that the linear program holds at most."""
_SOME_MORE, _NO_MORE = 8e-3, 3e-4
"""What the linear program promises beyond the bound, of its value, when the search ends: first with pairs that may
share requests, then without."""
_BETWEEN_PLANS = 3
"""Rounds from one search for a plan among the known groups to the next."""
_AMBITION = 0.3
"""How far from what shared requests prove to what the known groups promise the first potentials lie, apart."""
_FIRST_WIDTH = 0.3
"""Width of the first box, of the mean price."""


def start_prices(instance: HetEdge, together: int) -> Floats:
    """(K,) Exact dual prices of one machine that serves the shortest work first.

    A request's work is its least share of a batch of so many like it: the passes, or half of the chain of a round.
    """
    requests, lengths = instance.requests, lengths_of(instance)
    size = min(together, instance.parameters.largest_batch, len(requests))
    times = phases(
        instance.system, size, requests.prompt_tokens[:, None], requests.output_tokens[:, None], lengths
    )
    more = rounds(requests.output_tokens[:, None], requests.acceptance_rate[:, None], lengths) - 1
    passes = times.first_verify + more * times.verify
    cycle = times.draft + times.send + times.verify + times.reply
    chain = times.prefill + times.draft + times.send + times.first_verify + more * cycle
    work = np.maximum(passes, chain / 2).min(axis=1) / size
    order = np.sort(work)
    below = np.searchsorted(order, work)
    return np.asarray(np.append(0.0, np.cumsum(order))[below] + work * (len(work) - below))


def _widened(before_ms: float, found_ms: float, promised_ms: float) -> float:
    """What the box is multiplied by after a step: more where it gave more than half of what was promised."""
    if found_ms <= before_ms:
        return 0.7
    return 1.5 if found_ms - before_ms > 0.5 * (promised_ms - before_ms) else 1.0


class Prices:
    """The search for prices.

    Parameters
    ----------
    certify
        Whether what is found is reported: not where the instance is a part of the one that is asked about.

    Attributes
    ----------
    bound_ms
        What the best prices prove.
    certificate
        These prices and their potentials; None where none have been tried.
    """

    def __init__(self, instance: HetEdge, context: Context[Any], *, certify: bool = True) -> None:
        self._certify = certify
        self.instance, self.context, self.disjoint = instance, context, False
        requests = instance.requests
        self.levels = (_levels(requests.prompt_tokens), _levels(requests.output_tokens))
        self.lengths = lengths_of(instance)
        self.groups = Groups(instance, least_tail_ms(instance))
        self.bound_ms = float(-np.inf)
        self.certificate: RequestPrices | None = None
        self.centre_ms = np.zeros(len(requests))
        self.rounds, self.evaluation_s = 0, 0.0
        self._widest = 2 * min(instance.parameters.largest_batch, len(requests))

    def try_prices(self, price_ms: Floats, again: int = 2, floor: Floats | None = None) -> float:
        """What some prices prove, in ms; the cheapest groups become columns. Minus infinity where time is up."""
        bound_ms = -np.inf
        ranked, kinds = kinds_of(self.instance, price_ms, *self.levels, disjoint=self.disjoint)
        order = np.argsort(-price_ms, kind="stable")
        for _ in range(again):
            clock = Clock()
            potential = self.groups.potentials_ms(self.groups.reduced_ms(price_ms))
            if floor is not None:
                potential = floor + _AMBITION * (potential - floor)
            steps = shortfalls(self.instance, ranked, kinds, potential, disjoint=self.disjoint)
            found = next(steps)
            for _ in steps:  # each lowers what the first one holds
                if self.context.expired():
                    return bound_ms
            self.evaluation_s = clock.wall_s()
            short_ms = least_chain(found.slack, self._widest)
            value_ms = price_ms.sum() + potential[0] + short_ms
            value_ms += len(price_ms) * earliest_ms(self.instance)
            if value_ms > self.bound_ms:
                self._keep(float(value_ms), price_ms, potential)
            bound_ms = max(bound_ms, value_ms)
            new = sum(
                self.groups.add(int(i), self._parts(ranked, kinds, found, int(i), order))
                for i in np.flatnonzero(found.first >= 0)
            )
            if not new or short_ms > -1e-5 * abs(value_ms):
                break
            # With the new columns known, these prices cannot prove more than this.
            most_ms = price_ms.sum() + self.groups.potentials_ms(self.groups.reduced_ms(price_ms))[0]
            if most_ms + len(price_ms) * earliest_ms(self.instance) <= self.bound_ms * (1 + 1e-4):
                break
        return float(bound_ms)

    def try_stepwise(self, price_ms: Floats) -> float:
        """The same, position by position from the last one: for chains of very many groups."""
        ranked, kinds = kinds_of(self.instance, price_ms, *self.levels, disjoint=self.disjoint)
        potential = np.zeros(len(price_ms) + 1)
        asked = Asked(ranked.price, potential, self.disjoint, *rooms(self.instance))
        known = self.groups.continued(self.groups.reduced_ms(price_ms))
        found = cheapest_chain(kinds, asked, least_tail_ms(self.instance), known, self.context.expired)
        if found is None:
            return -np.inf
        value_ms = float(price_ms.sum() + potential[0] + least_chain(found.slack, self._widest))
        value_ms += len(price_ms) * earliest_ms(self.instance)
        if value_ms > self.bound_ms:
            self._keep(value_ms, price_ms, potential)
        return value_ms

    def _keep(self, bound_ms: float, price_ms: Floats, potential: Floats) -> None:
        self.bound_ms, self.centre_ms = bound_ms, price_ms
        self.certificate = self._certificate(price_ms, potential)
        if self._certify:
            self.context.certify(self.certificate)
            self.context.bound(bound_ms * (1 - 1e-9), "request prices")

    def improve(self, target_ms: float, gap: float, lower: Callable[[], float] | None = None) -> None:
        """Better prices until the bound is within the gap of the target, or no more is to be had, or time is up.

        Parameters
        ----------
        lower
            Looks for a better plan every few rounds, and says what the best one costs.
        """
        width_ms = _FIRST_WIDTH * float(np.mean(np.abs(self.centre_ms)))
        idle_ms = len(self.centre_ms) * earliest_ms(self.instance)
        while self.bound_ms < target_ms * (1 - gap) and self.context.affords(self.evaluation_s):
            self._forget()
            step = next_prices(self.groups, self.centre_ms, width_ms, self.context)
            if step is None:
                break
            promised_ms, price_ms = step[0] + idle_ms, step[1]
            before_ms = self.bound_ms
            found_ms = self.try_prices(price_ms)
            self.rounds += 1
            if lower is not None and self.rounds % _BETWEEN_PLANS == 0:
                target_ms = lower()
            width_ms *= _widened(before_ms, found_ms, promised_ms)
            if promised_ms - self.bound_ms < (_NO_MORE if self.disjoint else _SOME_MORE) * promised_ms:
                break

    def part(self, plan: Plan) -> None:
        """From here on the two batches of a pair share no request: columns that do are forgotten.

        The groups of a plan, and each request alone, stay known at every position, so that chains still serve all.

        What the known groups promise from each position is then far too much, and what is proved lies between:
        the first potentials are taken from there, or a great many pairs would have to be looked at.
        """
        self.disjoint, count = True, len(self.centre_ms)
        if self.certificate is None:
            self.groups.add_plan(plan, count, count)
            return
        floor = self.groups.potentials_ms(self.groups.reduced_ms(self.centre_ms))
        apart = [c for c, members in enumerate(self.groups.members) if len(set(members)) == len(members)]
        self.groups.keep(apart)
        self.groups.add_plan(plan, count, count)
        self.try_prices(self.centre_ms, again=1, floor=floor)

    def _forget(self) -> None:
        most = _COLUMNS * len(self.centre_ms)
        if len(self.groups.start) <= most:
            return
        reduced_ms = self.groups.reduced_ms(self.centre_ms)
        potential = self.groups.potentials_ms(reduced_ms)
        slack = reduced_ms - potential[self.groups.start] + potential[self.groups.stop]
        self.groups.keep(np.sort(np.argsort(slack, kind="stable")[: most * 3 // 4]).tolist())

    def _certificate(self, price_ms: Floats, potential: Floats) -> RequestPrices:
        prompt, output = self.levels
        return RequestPrices(
            RequestPricesRecord(
                kind="request-prices",
                version=1,
                request_price_ms=price_ms.tolist(),
                potential_ms=potential.tolist(),
                disjoint=self.disjoint,
                prompt_levels=prompt,
                output_levels=output,
            )
        )

    def _parts(
        self, ranked: Requests, kinds: Kinds, found: Found, position: int, order: np.ndarray
    ) -> tuple[Part, ...]:
        """The batches of the cheapest group at a position: the dearest requests that its kinds admit."""
        chosen = [int(kind) for kind in (found.first[position], found.second[position]) if kind >= 0]
        sets = [kinds.sets[kinds.admits[kind]] for kind in chosen]
        sizes = [int(np.searchsorted(kinds.start, kind, side="right")) for kind in chosen]
        ranks = [np.flatnonzero(admitted)[:size] for admitted, size in zip(sets, sizes, strict=True)]
        if self.disjoint and len(chosen) == 2:
            divided = _divided(sets[0], sets[1], sizes[0], sizes[1], ranked.prompt)
            ranks = [np.asarray(part, dtype=np.int64) for part in divided]
        lengths = kinds.length[kinds.admits[chosen]]
        return tuple(
            Part(tuple(sorted(order[rank].tolist())), int(self.lengths[length]))
            for rank, length in zip(ranks, lengths, strict=True)
        )


def _divided(
    in_a: np.ndarray, in_b: np.ndarray, size_a: int, size_b: int, prompt: np.ndarray
) -> tuple[list[int], list[int]]:
    """The dearest requests that fill two batches without a common one; long prompts of both go to the second."""
    a: list[int] = []
    b: list[int] = []
    either: list[int] = []
    for k in np.flatnonzero(in_a | in_b).tolist():
        if len(a) + len(b) + len(either) == size_a + size_b:
            break
        if in_a[k] and in_b[k]:
            either.append(k)
        elif in_a[k] and len(a) < size_a:
            a.append(k)
        elif in_b[k] and not in_a[k] and len(b) < size_b:
            b.append(k)
    either.sort(key=lambda k: int(prompt[k]))
    cut = size_a - len(a)
    return a + either[:cut], b + either[cut:]


def _levels(tokens: np.ndarray, most: int = 128) -> list[int]:
    """At most so many levels, at equally many requests each."""
    values = np.unique(tokens)
    if len(values) > most:
        values = np.unique(np.sort(tokens)[:: -(-len(tokens) // most)])
    return [int(value) for value in values]
