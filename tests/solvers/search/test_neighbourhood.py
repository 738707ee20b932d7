"""Search over some pairs: costs are true, nothing gets worse, and only allowed pairs are used."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.search.incumbents import Incumbents
from uara.solvers.search.rules import strongest

from uara import Instance, allocate, evaluate
from uara.base.files import Record
from uara.p1.model import coefficients
from uara.solver import Context


def started(instance: Instance) -> Incumbents:
    found = Incumbents(instance, Context(instance, Record()))
    found.offer(strongest(instance), polish=False)
    return found


def true_ms(instance: Instance, found: Incumbents) -> float:
    assert found.association is not None
    return evaluate(instance, allocate(instance, found.association)).controllable_ms


@pytest.mark.parametrize("seed", range(4))
def test_shakes_lower_the_cost_and_say_what_it_is(seed: int) -> None:
    instance = make_instance(30, 4, seed, payload=10.0)
    found = started(instance)
    everywhere = np.ones(len(coefficients(instance).server), dtype=bool)
    before = found.cost_ms
    assert found.near(everywhere).shake(everywhere.astype(float), 40, 1e-3 * before)
    assert found.cost_ms < before
    assert found.cost_ms == pytest.approx(true_ms(instance, found), rel=1e-9)


def test_a_descent_is_made_once_and_uses_open_pairs_or_the_best_answers() -> None:
    instance = make_instance(20, 3, 1, missing=0.0)
    found, numbers = started(instance), coefficients(instance)
    start = np.array(found.association)
    open_ = np.random.default_rng(1).random(len(numbers.server)) < 0.3
    near = found.near(open_)
    liking = np.random.default_rng(2).random(len(open_))
    end = near.descend(liking)
    assert end is not None
    assert near.descend(liking) is None
    allowed = open_.copy()
    allowed[numbers.pairs_of(start)] = True
    assert allowed[numbers.pairs_of(end)].all()
    assert found.cost_ms <= evaluate(instance, allocate(instance, end)).controllable_ms * (1 + 1e-12)


def test_nothing_is_shaken_where_no_device_has_a_choice() -> None:
    instance = make_instance(10, 2, 0)
    found = started(instance)
    nowhere = np.zeros(len(coefficients(instance).server), dtype=bool)
    assert not found.near(nowhere).shake(np.ones(len(nowhere)), 8, 1.0)


def test_the_marked_pairs_alone_keep_their_numbers() -> None:
    numbers = coefficients(make_instance(10, 3, 2, missing=0.0))
    keep = np.arange(len(numbers.server)) % 3 != 1
    few = numbers.restricted(keep)
    assert few.start.tolist() == (2 * np.arange(11)).tolist()
    assert few.uplink_ms.tolist() == numbers.uplink_ms[keep].tolist()
