"""The one way in leads to the kernel that is named, and each leaves a state whose sums are true."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from searches import check_lists, evaluated, search_at
from uara.solvers.search import prices_search
from uara.solvers.search.by_prices import move_pass, settle_by_prices, swap_pass

from uara.base.kernels import alone


@pytest.mark.parametrize(
    ("way_in", "inner"),
    [(move_pass, prices_search.moves_by_prices), (swap_pass, prices_search.swaps_by_prices)],
)
def test_each_does_what_its_kernel_does(way_in: object, inner: object) -> None:
    assert callable(way_in)
    instance = make_instance(14, 4, 5, missing=0.1)
    task, state = search_at(instance, "optimal", 2)
    _, twin = search_at(instance, "optimal", 2)
    changes = way_in(task, state, 0, 14)
    assert changes > 0
    assert changes == alone(inner)(task, twin, 0, 14)  # type: ignore[operator, type-var]
    assert (state.chosen == twin.chosen).all()
    check_lists(state)
    assert state.cost_ms.sum() == pytest.approx(evaluated(instance, state.chosen, "optimal"), rel=1e-9)


def test_only_the_devices_that_are_named_begin_a_change() -> None:
    task, state = search_at(make_instance(14, 4, 5, missing=0.1), "optimal", 2)
    before = state.chosen.copy()
    move_pass(task, state, 3, 6)
    assert set(np.flatnonzero(state.chosen != before)) <= {3, 4, 5}
    before = state.chosen.copy()
    assert move_pass(task, state, 6, 6) == swap_pass(task, state, 6, 6) == 0
    assert (state.chosen == before).all()


def test_settling_begins_with_the_association_alone() -> None:
    instance = make_instance(14, 4, 5, missing=0.1)
    task, state = search_at(instance, "optimal", 2)
    costs = state.cost_ms.copy()
    state.cost_ms[:] = -1.0
    state.root_sum[:] = -1.0
    settle_by_prices(task, state)
    assert state.cost_ms == pytest.approx(costs, rel=1e-12)
    check_lists(state)
