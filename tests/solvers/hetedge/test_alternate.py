from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from uara.solvers.hetedge.alternate import alternate, programme_s
from uara.solvers.hetedge.search import Choices, Programme

from uara.hetedge import bandwidth
from uara.problem import evaluate


@pytest.mark.parametrize("seed", range(6))
def test_taking_turns_never_ends_above_the_first_run(seed: int) -> None:
    instance = make_hetedge(7, seed)
    programme = Programme(instance, np.arange(7), Choices.everything(instance))
    first, first_ms, runs = alternate(programme, "in-time", 1)
    assert runs == 1
    plan, value_ms, used = alternate(programme, "in-time", 8)
    assert value_ms <= first_ms * (1 + 1e-12)
    assert 1 <= used <= 8
    assert evaluate(instance, plan).objective_ms == pytest.approx(value_ms, rel=1e-9)
    assert evaluate(instance, first).objective_ms == pytest.approx(first_ms, rel=1e-9)


def test_other_rules_run_once_with_their_shares() -> None:
    instance = make_hetedge(5, 2)
    programme = Programme(instance, np.arange(5), Choices.everything(instance))
    plan, _, used = alternate(programme, "min-sum", 8)
    assert used == 1
    assert plan.bandwidth == pytest.approx(bandwidth.min_sum(instance))


def test_more_work_takes_longer() -> None:
    small, large = (make_hetedge(count, 1) for count in (5, 50))
    times = [programme_s(each, Choices.everything(each)) for each in (small, large)]
    assert 0 < times[0] < times[1]
