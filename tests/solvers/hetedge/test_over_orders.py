from __future__ import annotations

import pytest
from hetedge_cases import make_hetedge
from uara.solvers.hetedge.prices import start_prices

import uara
from uara.base.clock import processor_time
from uara.hetedge.generate import generate
from uara.solution import Claims
from uara.verify import verify


@pytest.mark.integration
def test_the_bound_is_proved_and_close() -> None:
    instance = generate(requests=6, channel="path-loss", largest_batch=3)
    result = uara.solve(instance, "hetedge-bound", options={"search_s": 0.2, "bound_s": 5.0})
    assert result.certified_bound_ms is not None
    assert result.certified_bound_ms == result.bound_ms or result.bound_ms is not None
    assert result.gap is not None
    assert 0 <= result.gap < 0.1
    claims = Claims(
        objective_ms=result.evaluation.objective_ms,
        lower_bound_ms=result.certified_bound_ms,
        certified_lower_bound_ms=result.certified_bound_ms,
        status="feasible",
    )
    verdict = verify(instance, result.decision, claims, result.certificate)
    assert verdict.accepted, verdict.refusals
    assert verdict.certified_gap == pytest.approx(result.gap, abs=1e-6)


@pytest.mark.integration
def test_a_time_limit_leaves_an_answer() -> None:
    instance = generate(requests=30, channel="path-loss")
    with processor_time():
        result = uara.solve(instance, "hetedge-bound", time_limit_s=1.0)
    assert result.evaluation.feasible
    assert result.runtime_s < 4.0


def test_first_prices_are_the_dual_of_one_machine() -> None:
    instance = make_hetedge(5, 2)
    price = start_prices(instance, 1)
    assert (price > 0).all()
    assert len(price) == 5
