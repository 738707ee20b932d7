"""Answers from device prices: what is found is no worse than before, and its sets are columns."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance, random_association
from uara.solvers.columns.answers import Answers
from uara.solvers.columns.layout import layout_of
from uara.solvers.columns.pool import Pool
from uara.solvers.columns.pricing import CLOSED, OPEN, Prices
from uara.solvers.search.incumbents import Incumbents

from uara import Instance, Options, allocate, evaluate, solve
from uara.base.quantities import Indices
from uara.p1.coefficients import coefficients
from uara.solver import Context

INSTANCE = make_instance(14, 3, 4, payload=20.0, missing=0.0)


class Begun:
    """A search that begins at an association of chance, as it is."""

    def __init__(self, instance: Instance = INSTANCE) -> None:
        servers = len(instance.servers)
        self.layout = layout_of(coefficients(instance), np.full(servers, 3.0))
        self.found = Incumbents(instance, Context(instance, Options()))
        self.found.offer(random_association(instance, 1), polish=False)
        self.pool = Pool(self.layout)
        self.answers = Answers(self.layout, self.found, self.pool)
        pi = np.full(len(instance.devices), np.inf)
        np.minimum.at(pi, self.layout.device, self.layout.table_ms)
        self.prices = Prices(1.5 * pi, np.zeros(servers))

    def sets_of(self, association: Indices) -> np.ndarray:  # type: ignore[type-arg]
        return np.asarray(association[self.layout.device] == self.layout.server)


def cost_of(association: Indices) -> float:
    return evaluate(INSTANCE, allocate(INSTANCE, association)).controllable_ms


def test_sets_that_serve_everybody_once_are_searched_from_and_kept() -> None:
    best = solve(INSTANCE, "price").decision.association
    begun = Begun()
    begun.answers.look(begun.layout, begun.prices, 0.0)
    begun.answers.round([begun.sets_of(best)], most=1)
    assert begun.found.cost_ms <= cost_of(best) * (1 + 1e-9)
    assert begun.found.association is not None
    assert begun.pool.add_association(begun.found.association) == 0, "its sets are columns already"


def test_no_more_ends_than_asked_for_and_none_twice() -> None:
    begun, rng = Begun(), np.random.default_rng(0)
    begun.answers.look(begun.layout, begun.prices, 0.0)
    trail = [rng.random(len(begun.layout.device)) < 0.4 for _ in range(6)]
    begun.answers.round(trail, most=0)
    assert len(begun.pool) == 0
    begun.answers.round(trail, most=1)
    assert len(begun.pool) == 3, "one association, of three servers"
    before = len(begun.pool)
    begun.answers.round(trail[-1:], most=1)
    assert len(begun.pool) == before


def test_shares_say_where_to_begin() -> None:
    best = solve(INSTANCE, "price").decision.association
    begun = Begun()
    begun.answers.look(begun.layout, begun.prices, 0.0)
    shares = np.full((14, 3), 0.1)
    shares[np.arange(14), best] = 0.8
    begun.answers.prefer(shares)
    assert begun.found.cost_ms <= cost_of(best) * (1 + 1e-9)


def test_a_shake_only_improves_and_says_so() -> None:
    begun = Begun()
    before = begun.found.cost_ms
    begun.answers.look(begun.layout, begun.prices, 0.0)
    assert begun.answers.shake(patience=32)
    assert begun.found.cost_ms < before
    assert begun.found.association is not None
    assert begun.found.cost_ms == pytest.approx(cost_of(begun.found.association), rel=1e-9)
    assert begun.pool.add_association(begun.found.association) == 0


def test_closed_pairs_are_left_alone() -> None:
    begun = Begun()
    start = np.array(begun.found.association)
    states = np.where(begun.sets_of(start), OPEN, CLOSED).astype(np.uint8)
    begun.answers.look(begun.layout, begun.prices, 0.0, states)
    assert not begun.answers.shake(patience=16), "nothing is left to draw"
    begun.answers.prefer(np.random.default_rng(1).random((14, 3)))
    assert (begun.found.association == start).all()
