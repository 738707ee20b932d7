from __future__ import annotations

import math

import numpy as np
from hetedge_cases import make_hetedge, planned
from uara.solvers.hetedge.groups import Groups
from uara.solvers.hetedge.rounding import promising, rounded_order

import uara
from uara.hetedge.request_prices import least_tail_ms
from uara.solver import Context


def test_of_several_plans_the_cheapest_chain_is_found() -> None:
    instance = make_hetedge(8, 3)
    groups = Groups(instance, least_tail_ms(instance))
    values = []
    for seed in range(6):
        alone = Groups(instance, least_tail_ms(instance))
        for each in (alone, groups):
            each.add_near(planned(instance, seed))
        values.append(float(alone.potentials_ms(alone.reduced_ms(np.zeros(8)))[0]))
    context = Context(instance, uara.Options())
    order = rounded_order(groups, np.zeros(8), math.inf, context)
    assert order is not None
    assert sorted(order.tolist()) == list(range(8))
    assert rounded_order(groups, np.zeros(8), 0.0, context) is None
    assert rounded_order(groups, np.zeros(8), min(values) * (1 + 1e-6) + 1.0, context) is not None


def test_only_columns_of_a_cheap_chain_are_kept() -> None:
    instance = make_hetedge(6, 1)
    groups = Groups(instance, least_tail_ms(instance))
    groups.add_plan(planned(instance, 1), 6, 6)
    price = np.zeros(6)
    least = float(groups.potentials_ms(groups.reduced_ms(price))[0])
    assert len(promising(groups, price, least * (1 - 1e-9))) == 0
    few = promising(groups, price, least * (1 + 1e-9))
    assert 0 < len(few) < len(promising(groups, price, math.inf)) <= len(groups.start)
