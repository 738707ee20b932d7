"""SCIP on P1 as it is stated, against all associations."""

from __future__ import annotations

import pytest
from cases import make_instance

from uara import solve


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(2))
def test_the_answer_is_the_best_of_all_associations_and_its_bound_holds(seed: int) -> None:
    pytest.importorskip("pyscipopt")
    instance = make_instance(4, 2, seed)
    truth = solve(instance, "brute-force").evaluation
    result = solve(instance, "minlp", time_limit_s=30.0)
    assert result.evaluation.feasible
    assert result.evaluation.objective_ms >= truth.objective_ms * (1 - 1e-6)
    assert result.bound_ms is not None
    assert result.bound_ms <= truth.objective_ms * (1 + 1e-6)
    if result.ended == "completed":
        assert result.evaluation.objective_ms == pytest.approx(truth.objective_ms, rel=1e-3)
