"""A better order of service, as good as time allows: annealing from the best plan again and again, each cut exactly.

The programme is exact for a stated order, and no rule states the best one. Heats are drawn between a gentle one, which
keeps the plan's structure, and one that melts it; long and short runs take turns. What a run ends with gives an order,
which the programme cuts; the best plan so far is where the next run begins, or, after some runs without a gain, where
the last one ended.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from uara.base.quantities import Indices
from uara.hetedge import bandwidth
from uara.hetedge.instance import HetEdge
from uara.hetedge.plan import Plan
from uara.solver import Context

from .alternate import Band, alternate, programme_s
from .anneal import DRAWS, anneal
from .search import Choices, Programme, work_ms
from .sequence import plan_of, sequence_of, walk
from .service import Service, service_of

HEATS = (0.01, 0.06)
"""Least and largest temperature at the beginning of a run, as a part of the total latency per batch."""
MOVES = (4000, 1000)
"""Changes for each request in a run, in turn."""
PATIENCE = 30
"""Runs without a gain after which a valley is given up."""
_MELTING = 0.3
"""The temperature, as the same part, of a run that is to end in another valley."""
_WANDERING, _NEAR = 8, 1.01
"""After so many runs without a gain a run begins where the last one ended, if that is so near to the best plan."""
_BETWEEN_LOOKS = 5000
_FEW = 12
"""Up to so many requests every run's order is cut, not only where the annealing itself has gained."""
_SAME = 1 - 1e-6
"""A gain below a millionth is none."""


@dataclass(frozen=True)
class Search:
    """What is searched: an instance, with choices, a sharing rule and how often shares and programme take turns."""

    instance: HetEdge
    choices: Choices
    band: Band
    alternations: int

    @property
    def cutting_s(self) -> float:
        """Seconds that the programme of an order will take."""
        return programme_s(self.instance, self.choices)

    def cut(self, order: Indices, context: Context[Any] | None = None) -> tuple[Plan, float]:
        """The best plan of an order and its total latency in ms."""
        programme = Programme(self.instance, order, self.choices)
        return alternate(programme, self.band, self.alternations, context)[:2]

    def service(self, plan: Plan) -> Service:
        """The tables for annealing: shares that follow the plan, or those of the plan."""
        instance = self.instance
        release_ms, airtime_ms = np.zeros(len(plan.order)) + instance.ready_ms, np.zeros(len(plan.order))
        if self.band == "in-time":
            airtime_ms = bandwidth.airtime_ms(instance)
        else:
            release_ms = release_ms + bandwidth.upload_ms(instance, plan.bandwidth)
        return service_of(
            instance,
            self.choices.lengths,
            pairs=self.choices.pairs,
            release_ms=release_ms,
            airtime_ms=airtime_ms,
        )


def improved(
    search: Search, plan: Plan, value_ms: float, context: Context[Any], ends: list[Plan] | None = None
) -> tuple[Plan, float, int]:
    """Better plans from a plan on, until time is up or nothing more is found.

    Parameters
    ----------
    ends
        What every annealing run ends with is added to it.

    Returns
    -------
    tuple
        The best plan, its total latency in ms, and the number of annealing runs.
    """
    runs = _Runs(search, search.service(plan), context, ends)
    plan, value_ms = runs.valley(plan, value_ms)
    while context.affords(search.cutting_s):
        if context.remaining_s() >= len(plan.order) ** 2 * search.cutting_s:
            new, new_ms = _reinserted(search, plan, value_ms, context)
            if new_ms >= value_ms * _SAME:
                break
            plan, value_ms = runs.valley(new, new_ms)
        else:
            start, start_ms = runs.anneal(plan, _MELTING)
            new, new_ms = runs.valley(start, start_ms)
            if new_ms < value_ms * _SAME:
                plan, value_ms = new, new_ms
    return plan, value_ms, runs.made


@dataclass
class _Runs:
    """Annealing runs, each cut exactly where it is worth it."""

    search: Search
    service: Service
    context: Context[Any]
    ends: list[Plan] | None
    made: int = 0
    cut: set[bytes] = field(default_factory=set)
    """Orders that have been cut."""

    def anneal(self, plan: Plan, heat: float) -> tuple[Plan, float]:
        """One run from a plan: what it ends with, and its total latency in ms."""
        moves = MOVES[self.made % len(MOVES)] * len(plan.order)
        found, found_ms = annealed(self.service, plan, (heat, moves), self.context, self.search.cutting_s)
        self.made += 1
        if self.ends is not None:
            self.ends.append(found)
        return found, found_ms

    def valley(self, plan: Plan, value_ms: float) -> tuple[Plan, float]:
        """The best plan that is found from a plan on, until so many runs have gained nothing, or time is up."""
        search, context = self.search, self.context
        begin, reached, idle = plan, math.inf, 0
        while idle < PATIENCE and context.affords(search.cutting_s):
            heat = math.exp(context.rng.uniform(math.log(HEATS[0]), math.log(HEATS[1])))
            found, found_ms = self.anneal(begin, heat)
            idle += 1
            begin = found if idle >= _WANDERING and found_ms < value_ms * _NEAR else plan
            if found_ms >= reached and len(plan.order) > _FEW:
                continue
            reached = min(reached, found_ms)
            for order in _orders(search.instance, found):
                if not context.affords(search.cutting_s):
                    break
                if order.tobytes() in self.cut:
                    continue
                self.cut.add(order.tobytes())
                new, new_ms = search.cut(order, context)
                if new_ms < value_ms * _SAME:
                    plan, value_ms, idle = new, new_ms, 0
                    begin = plan
        return plan, value_ms


def annealed(
    service: Service, plan: Plan, strength: tuple[float, int], context: Context[Any], after_s: float
) -> tuple[Plan, float]:
    """A plan after one annealing run, with the old band shares, and its total latency in ms by the service's tables.

    Parameters
    ----------
    strength
        Temperature at the beginning as a part of the total latency per batch, and the number of changes; where time
        is short for them, the temperature falls with the time.
    after_s
        Seconds to leave.
    """
    heat, moves = strength
    found = sequence_of(service, plan)
    value_ms = walk(service, found, 0, math.inf)
    temperature_ms = heat * value_ms / found.batches[0]
    there_s = max(context.remaining_s() - after_s, 1e-9)
    done, made = 0.0, 0
    while done < 1.0:
        count = min(_BETWEEN_LOOKS, moves - made)
        # while only moves count, the run does not depend on the clock
        ahead = max((made + count) / moves, done)
        value_ms = anneal(
            service, found, value_ms, temperature_ms, (done, ahead), context.rng.random((count, DRAWS))
        )
        made += count
        spent = 0.0 if math.isinf(there_s) else 1.0 - (context.remaining_s() - after_s) / there_s
        done = max(ahead, spent) if made < moves else 1.0
    return plan_of(service, found, plan.bandwidth), value_ms


def _orders(instance: HetEdge, plan: Plan) -> Iterator[Indices]:
    """The plan's order, in each batch the shortest service first, or the shortest prompt."""
    for key in (work_ms(instance), instance.requests.prompt_tokens):
        yield np.concatenate([batch[np.argsort(key[batch], kind="stable")] for batch in plan.members()])


def _reinserted(search: Search, plan: Plan, value_ms: float, context: Context[Any]) -> tuple[Plan, float]:
    """The first better plan that is found with one request in another place of the order."""
    count = len(plan.order)
    for move in context.rng.permutation(count * count):
        if not context.affords(search.cutting_s):
            break
        source, target = divmod(int(move), count)
        if source == target:
            continue
        order = np.insert(np.delete(plan.order, source), target, plan.order[source])
        programme = Programme(search.instance, order, search.choices)
        if programme.least_service_ms >= value_ms:
            continue
        new, new_ms, _ = alternate(programme, search.band, search.alternations)
        if new_ms < value_ms * _SAME:
            context.incumbent(new)
            return new, new_ms
    return plan, value_ms
