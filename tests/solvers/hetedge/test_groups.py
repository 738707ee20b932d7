from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge, planned
from uara.solvers.hetedge.groups import Groups, Part

from uara.hetedge.request_prices import least_tail_ms
from uara.problem import evaluate


def test_groups_know_their_costs_and_chains() -> None:
    instance = make_hetedge(4, 1)
    groups = Groups(instance, least_tail_ms(instance))
    assert groups.add(0, (Part((0, 1), 1),), around=4) == 3
    assert groups.add(0, (Part((0, 1), 1),), around=4) == 0
    reduced = groups.reduced_ms(np.zeros(4))
    potential = groups.potentials_ms(reduced)
    assert potential[4] == 0.0
    assert potential[0] == pytest.approx(reduced[0] + reduced[2])
    assert np.isinf(potential[3])
    assert np.allclose(groups.reduced_ms(np.ones(4)), reduced - 2)
    groups.keep([0])
    assert groups.start == [0]


@pytest.mark.parametrize("seed", range(6))
def test_a_plans_groups_cost_no_more_than_the_plan(seed: int) -> None:
    """Every prompt there and the verify node as free as can be: the sum over the groups is below the replay."""
    instance = make_hetedge(8, seed)
    plan = planned(instance, seed)
    groups = Groups(instance, least_tail_ms(instance))
    groups.add_near(plan)
    least = groups.potentials_ms(groups.reduced_ms(np.zeros(8)))[0]
    first = float((instance.ready_ms + 0.0).min())
    assert 0 < least + 8 * first <= evaluate(instance, plan).objective_ms * (1 + 1e-9)


def test_a_plan_leaves_a_chain_from_every_position() -> None:
    instance = make_hetedge(9, 2)
    for around in ((9, 9), (1, 1)):
        groups = Groups(instance, least_tail_ms(instance))
        groups.add_plan(planned(instance, 2), *around)
        assert np.isfinite(groups.potentials_ms(groups.reduced_ms(np.zeros(9)))).all()
