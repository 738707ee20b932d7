"""The relaxation with its rounding, and the general solver."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance

from uara import Channel, InputError, solve
from uara.base.errors import SolverError


@pytest.mark.parametrize("payload", [1.0, 50.0])
def test_the_relaxation_has_the_value_of_the_prices(payload: float) -> None:
    instance = make_instance(30, 4, 2, payload=payload)
    prices, linear = solve(instance, "price", options={"gap": 0.5}), solve(instance, "relaxation")
    assert prices.bound_ms is not None
    assert linear.bound_ms is not None
    scale = prices.evaluation.controllable_ms
    assert abs(linear.bound_ms - prices.bound_ms) <= 2e-4 * scale
    assert linear.bound_ms <= prices.evaluation.objective_ms


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("solver", ["relaxation", "milp", "exact"])
def test_numbers_far_apart_end_no_program(solver: str, seed: int) -> None:
    """Signals over ten powers of ten and long payloads: HiGHS must not be given what it refuses."""
    rng, instance = (
        np.random.default_rng(seed),
        make_instance(12, 4, seed, payload=1e3, sync_weight_per_ms=1.0),
    )
    gain = instance.channel.dense(4) * 10 ** rng.uniform(-10, 0, (12, 1))
    spread = instance.replace(channel=Channel.from_dense(gain))
    result = solve(spread, solver, time_limit_s=20.0)
    assert result.evaluation.feasible
    assert result.ended == "completed"


def test_more_roundings_are_no_worse() -> None:
    instance = make_instance(30, 4, 2)
    few = solve(instance, "relaxation", options={"roundings": 0})
    many = solve(instance, "relaxation", options={"roundings": 200})
    assert many.evaluation.objective_ms <= few.evaluation.objective_ms


@pytest.mark.integration
@pytest.mark.parametrize("inequalities", [False, True])
def test_scip_agrees_with_brute_force(inequalities: bool) -> None:
    pytest.importorskip("pyscipopt")
    instance = make_instance(4, 2, 3)
    truth = solve(instance, "brute-force")
    options = {"with": "scip", "inequalities": inequalities}
    result = solve(instance, "minlp", options=options, time_limit_s=20.0)
    assert result.bound_ms is not None
    assert result.bound_ms <= truth.evaluation.objective_ms * (1 + 1e-6)
    assert result.evaluation.objective_ms >= truth.evaluation.objective_ms * (1 - 1e-12)
    if inequalities:
        assert result.evaluation.objective_ms == pytest.approx(truth.evaluation.objective_ms, rel=1e-6)


def test_unknown_general_solvers_are_named() -> None:
    with pytest.raises(InputError, match="Pyomo knows no solver"):
        solve(make_instance(3, 2), "minlp", options={"with": "oracle"})


def test_a_general_solver_without_an_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyscipopt")
    instance = make_instance(60, 8, 1)
    short = solve(instance, "minlp", time_limit_s=0.05)
    assert (short.ended, short.details) == ("time_limit", {"found_nothing": 1.0})
    monkeypatch.setattr("uara.solvers.milp.minlp.rounded", lambda model, devices: None)
    with pytest.raises(SolverError, match="no feasible answer"):
        solve(make_instance(3, 2), "minlp")
