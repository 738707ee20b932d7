"""Prices of requests whose certificate proves much: column generation over groups of batches.

In each round the linear program over the known groups gives prices, the cheapest groups at these are found, and
what the prices prove is reported. The cheapest groups are found by the checker's own enumeration
(:mod:`uara.hetedge.least_slack`): nothing is claimed but what it proves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from uara.base.clock import Clock
from uara.base.quantities import Floats
from uara.hetedge.batch_kinds import Kinds, Requests, kinds_of, lengths_of, ranked_by, rooms, tables_of
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
from .shapes import Shapes

_COLUMNS = 60
"""Columns a request that the linear program holds at most."""
_NO_MORE = 1e-4
"""What the linear program promises beyond the bound, of its value, when the search ends."""
_SETTLED, _PART = 1e-4, 0.1
"""What it may promise beyond what prices seem to prove, of its value, or of its lead on the bound, before a proof."""
_BETWEEN_PLANS = 3
"""Rounds from one search for a plan among the known groups to the next."""
_LOOKS, _PATIENCE = 60, 12
"""Most linear programs before a proof, and proofs without a gain after which no more are made."""
_WIDENED, _LAST_WIDENED = 4.0, 64.0
"""What the box's width is multiplied by after a proof, and before the last look."""
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


class Seen(NamedTuple):
    """Prices that seem to prove much."""

    promised_ms: float
    """What the linear program promises near them."""
    price_ms: Floats
    """(K,)"""
    potential: Floats
    """(K + 1,) In ms."""
    width_ms: float
    """Of the box at the end."""
    weight: Floats
    """(C,) What the program's cheapest mixture of chains holds of each column that was known then."""


class Prices:
    """The search for prices.

    Parameters
    ----------
    disjoint
        Whether pairs are looked at whose batches share no request: more is proved, later.
    certify
        Whether what is found is reported: not where the instance is a part of the one that is asked about.

    Attributes
    ----------
    bound_ms
        What the best prices prove.
    certificate
        These prices and their potentials; None where none have been tried.
    """

    def __init__(
        self, instance: HetEdge, context: Context[Any], *, disjoint: bool = True, certify: bool = True
    ) -> None:
        self._certify = certify
        self.instance, self.context, self.disjoint = instance, context, disjoint
        requests = instance.requests
        self.levels = (_levels(requests.prompt_tokens), _levels(requests.output_tokens))
        self.lengths = lengths_of(instance)
        self.tables = tables_of(instance, *self.levels)
        self.groups = Groups(instance, least_tail_ms(instance))
        self.shapes = Shapes(instance, self.tables, self.lengths, disjoint=disjoint)
        self.bound_ms = float(-np.inf)
        self.certificate: RequestPrices | None = None
        self.centre_ms = np.zeros(len(requests))
        self.rounds, self.evaluation_s = 0, 0.0
        self._idle_ms = len(requests) * earliest_ms(instance)
        self._widest = 2 * min(instance.parameters.largest_batch, len(requests))

    def know(self, plan: Plan, around: int = 2, alone_around: int | None = None) -> None:
        """Make columns of a plan's groups, and of its requests alone where so many positions about them are given."""
        before = len(self.groups.start)
        if alone_around is None:
            self.groups.add_near(plan, around)
        else:
            self.groups.add_plan(plan, around, alone_around)
        self.shapes.add(dict.fromkeys(self.groups.parts[before:]))

    def seen(self, price_ms: Floats) -> tuple[float, Floats]:
        """What some prices seem to prove, and their potentials, in ms: cheap groups become columns."""
        potential, found = self.shapes.sweep(*ranked_by(self.tables, price_ms))
        for position, parts in enumerate(found):
            self.groups.add(position, parts)
        return float(price_ms.sum() + potential[0] + self._idle_ms), potential

    def prove(self, price_ms: Floats, potential: Floats) -> float:
        """What prices and potentials prove, in ms; the cheapest groups become columns. Minus infinity if time is up."""
        clock = Clock()
        ranked, order = ranked_by(self.tables, price_ms)
        kinds = kinds_of(self.tables, ranked, disjoint=self.disjoint)
        steps = shortfalls(self.instance, ranked, kinds, potential, disjoint=self.disjoint)
        found = next(steps)
        for _ in steps:  # each lowers what the first one holds
            if self.context.expired():
                return -np.inf
        self.evaluation_s = clock.wall_s()
        value_ms = float(price_ms.sum() + potential[0] - potential[-1])
        value_ms += least_chain(found.slack, self._widest) + self._idle_ms
        if value_ms > self.bound_ms:
            self._keep(value_ms, price_ms, potential)
        groups = {
            int(i): self._parts(ranked, kinds, found, int(i), order) for i in np.flatnonzero(found.first >= 0)
        }
        self.shapes.add(groups.values())
        for position, parts in groups.items():
            self.groups.add(position, parts)
        return value_ms

    def try_stepwise(self, price_ms: Floats) -> float:
        """The same, position by position from the last one: for chains of very many groups."""
        ranked, _ = ranked_by(self.tables, price_ms)
        kinds = kinds_of(self.tables, ranked, disjoint=self.disjoint)
        potential = np.zeros(len(price_ms) + 1)
        asked = Asked(ranked.price, potential, self.disjoint, *rooms(self.instance))
        known = self.groups.continued(self.groups.reduced_ms(price_ms))
        found = cheapest_chain(kinds, asked, least_tail_ms(self.instance), known, self.context.expired)
        if found is None:
            return -np.inf
        value_ms = float(price_ms.sum() + potential[0] + least_chain(found.slack, self._widest))
        value_ms += self._idle_ms
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
        last, idle = False, 0
        while self.bound_ms < target_ms * (1 - gap) and self.context.affords(self.evaluation_s):
            seen = self.settle(self.centre_ms, width_ms)
            if seen is None or idle == _PATIENCE:
                break
            before_ms = self.bound_ms
            self.prove(seen.price_ms, seen.potential)
            idle = 0 if self.bound_ms > before_ms else idle + 1
            self.rounds += 1
            if lower is not None and self.rounds % _BETWEEN_PLANS == 0:
                target_ms = lower()
            settled = seen.promised_ms - self.bound_ms < _NO_MORE * seen.promised_ms
            if settled and last:
                break
            # In a narrow box little is promised: the last look is a wide one.
            width_ms, last = seen.width_ms * (_LAST_WIDENED if settled else _WIDENED), settled

    def settle(self, price_ms: Floats, width_ms: float) -> Seen | None:
        """The prices that seem to prove most, by cheap groups alone, from some prices on; None where time is up."""
        best_ms, potential = self.seen(price_ms)
        least_ms = max(best_ms, self.bound_ms)
        promised_ms, weight = np.inf, np.zeros(0)
        for _ in range(_LOOKS):
            if not self.context.affords(self.evaluation_s):
                break
            self._forget(price_ms)
            step = next_prices(self.groups, price_ms, width_ms, self.context)
            if step is None:
                return None
            promised_ms, weight = step.value_ms + self._idle_ms, step.weight
            before_ms = best_ms
            found_ms, found = self.seen(step.price_ms)
            if found_ms > best_ms:
                best_ms, price_ms, potential = found_ms, step.price_ms, found
            width_ms *= _widened(before_ms, found_ms, promised_ms)
            enough_ms = max(_SETTLED * promised_ms, _PART * (promised_ms - least_ms))
            if promised_ms - best_ms < enough_ms:
                best_ms, potential = self.seen(price_ms)  # with what has been found since, less
                if promised_ms - best_ms < enough_ms:
                    break
        return Seen(promised_ms, price_ms, potential, width_ms, weight) if len(weight) else None

    def _forget(self, price_ms: Floats) -> None:
        most = _COLUMNS * len(price_ms)
        if len(self.groups.start) <= most:
            return
        reduced_ms = self.groups.reduced_ms(price_ms)
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
