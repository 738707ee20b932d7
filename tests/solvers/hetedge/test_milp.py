from __future__ import annotations

import itertools

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from uara.solvers.hetedge.alternate import alternate
from uara.solvers.hetedge.bound import kinds_of
from uara.solvers.hetedge.milp import Arc, order_of
from uara.solvers.hetedge.search import Choices, Programme

import uara
from uara.hetedge.generate import generate


@pytest.mark.parametrize("seed", range(2))
def test_the_bound_is_below_the_best_plan_of_every_order(seed: int) -> None:
    instance = make_hetedge(4, seed, longest_speculation=2, largest_batch=3)
    result = uara.solve(instance, "hetedge-milp", options={"classes": 4, "levels": 4, "solve_s": 10})
    everything = Choices.everything(instance)
    choices = Choices((0, *everything.lengths), everything.smallest, everything.largest)
    best = min(
        alternate(Programme(instance, np.array(order), choices), "in-time", 8)[1]
        for order in itertools.permutations(range(4))
    )
    assert result.bound_ms is not None
    assert 0 < result.bound_ms <= best * (1 + 1e-9)
    assert result.evaluation.feasible
    assert result.gap is not None
    assert 0 <= result.gap < 1


@pytest.mark.integration
def test_finer_kinds_give_a_better_bound() -> None:
    instance = generate(requests=8, channel="path-loss", largest_batch=3)
    bounds = [
        uara.solve(instance, "hetedge-milp", options={"classes": n, "levels": n, "solve_s": 10}).bound_ms
        for n in (1, 8)
    ]
    assert bounds[0] is not None
    assert bounds[1] is not None
    assert bounds[0] <= bounds[1] * (1 + 1e-6)


def test_it_is_never_worse_than_the_programme() -> None:
    instance = generate(requests=12, channel="path-loss", largest_batch=4)
    plain = uara.solve(instance, "hetedge-dp").evaluation.objective_ms
    result = uara.solve(instance, "hetedge-milp", options={"classes": 3, "levels": 2, "solve_s": 5})
    assert result.evaluation.objective_ms <= plain * (1 + 1e-9)
    assert result.bound_ms is not None
    assert result.bound_ms > 0.2 * plain


def test_a_time_limit_leaves_an_answer_and_a_bound() -> None:
    instance = generate(requests=12, channel="path-loss")
    result = uara.solve(instance, "hetedge-milp", time_limit_s=0.2)
    assert result.ended == "time_limit"
    assert result.evaluation.feasible
    assert result.bound_ms is not None


def test_an_order_takes_requests_that_their_batches_admit() -> None:
    instance = make_hetedge(6, 0)
    kinds = kinds_of(instance, 6, 6, np.array([1, 2]))
    classes, levels = int(kinds.request_class.max()), int(kinds.request_level.max())
    order = order_of(instance, kinds, [Arc(0, 4, classes, levels, 1.0), Arc(4, 2, classes, levels, 1.0)])
    assert sorted(order.tolist()) == list(range(6))
    assert (np.diff(kinds.request_class[order[:4]]) <= 0).all()
