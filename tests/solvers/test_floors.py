"""Greedy and brute force, the relaxation's rounding, the convex reference and the general solver."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from clocks import set_clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uara.solvers.convex import compute_shares

from uara import Channel, InputError, Instance, Parameters, allocate, evaluate, solution, solve
from uara.base import files
from uara.base.errors import SolverError
from uara.p1.model import coefficients


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(max_devices=4))
def test_brute_force_is_the_least_of_all_products(instance: Instance) -> None:
    start, server = instance.channel.pair_start, instance.channel.pair_server
    choices = [server[a:b] for a, b in itertools.pairwise(start)]
    values = [
        evaluate(instance, allocate(instance, np.array(pick))).objective_ms
        for pick in itertools.product(*choices)
    ]
    result = solve(instance, "brute-force")
    assert result.details["associations"] == len(values)
    assert result.evaluation.objective_ms == pytest.approx(min(values), rel=1e-12)
    if instance.parameters.sync_weight_per_ms > 0:
        score = result.evaluation
        short_ms = score.objective_ms - result.bound_ms
        assert 0 < short_ms <= 1e-9 * score.controllable_ms + 1e-14 * score.objective_ms


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(max_devices=4), st.sampled_from([0.0, 20.0, 1e5]))
def test_without_synchronisation_brute_force_bounds_the_infimum(instance: Instance, weight: float) -> None:
    instance = instance.replace(parameters=Parameters(sync_weight_per_ms=0.0, energy_weight_ms_per_j=weight))
    numbers = coefficients(instance)
    choices = [range(a, b) for a, b in itertools.pairwise(numbers.start)]
    infimum_ms = np.inf
    for pick in itertools.product(
        *choices
    ):  # of the band as little as one likes, compute by the root of the load
        roots = np.bincount(numbers.server[list(pick)], numbers.root_work[list(pick)], numbers.servers)
        compute_ms = np.sum(roots**2 / numbers.work_per_ms)
        infimum_ms = min(infimum_ms, numbers.constant_ms + numbers.wait_ms[list(pick)].sum() + compute_ms)
    result = solve(instance, "brute-force")
    traces_ms = 2e-9 * float(numbers.band_cost_ms.max()) * len(instance.devices)
    assert infimum_ms - traces_ms - 1e-9 * infimum_ms <= result.bound_ms <= infimum_ms


def test_brute_force_states_no_bound_where_its_least_share_may_bind() -> None:
    assert solve(make_instance(3, 2, payload=1e-9), "brute-force").bound_ms is None
    assert solve(make_instance(3, 2, payload=1e-3), "brute-force").bound_ms is not None


def test_brute_force_refuses_more_than_ten_million() -> None:
    with pytest.raises(InputError, match="associations"):
        solve(make_instance(30, 3), "brute-force")
    with pytest.raises(InputError, match=r"some 10\^\d+ associations, more than the 1e\+07"):
        solve(make_instance(600, 20), "brute-force")


def test_greedy_is_feasible_and_beats_the_strongest_signal() -> None:
    for seed in range(5):
        instance = make_instance(40, 5, seed)
        greedy, strongest = solve(instance, "greedy"), solve(instance, "max-sinr")
        assert greedy.evaluation.feasible
        assert greedy.evaluation.objective_ms < strongest.evaluation.objective_ms


def test_greedy_keeps_a_time_limit() -> None:
    result = solve(make_instance(300, 10, 1), "greedy", time_limit_s=1e-3)
    assert result.evaluation.feasible


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


SHIPPED = sorted(
    path
    for path in (Path(__file__).parents[2] / "instances").glob("*.json")
    if files.read_plain_json(path).get("kind") == "p1"
)


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("association", ["max-sinr", "tma"])
def test_the_convex_reference_agrees_on_every_shipped_instance(path: Path, association: str) -> None:
    agree(Instance.load(path), association)


@pytest.mark.integration
@pytest.mark.parametrize("payload", [0.1, 1.0, 50.0])
@pytest.mark.parametrize("association", ["max-sinr", "tma", "price"])
def test_the_convex_reference_agrees_with_the_closed_form(payload: float, association: str) -> None:
    agree(make_instance(12, 3, 1, payload=payload), association)


def agree(instance: Instance, association: str) -> None:
    reference = solve(instance, "convex", options={"association": association})
    assert reference.evaluation.feasible
    assert reference.details["closed_form_servers"] == 0
    assert (
        reference.bound_ms is None
    )  # it is the reference's own answer, not that of the solver that associated
    closed = evaluate(instance, allocate(instance, reference.decision.association))  # type: ignore[attr-defined]
    assert reference.evaluation.controllable_ms == pytest.approx(closed.controllable_ms, rel=1e-6)
    assert reference.evaluation.controllable_ms >= closed.controllable_ms * (1 - 1e-9)


def test_the_convex_reference_takes_a_solution_file(tmp_path: Path) -> None:
    instance = make_instance(10, 3, 1)
    tma = solve(instance, "tma")
    solution.save(tma, tmp_path / "s.json")
    result = solve(instance, "convex", options={"association": str(tmp_path / "s.json")})
    assert (result.decision.association == tma.decision.association).all()  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="no association"):
        solve(instance, "convex", options={"association": "convex"})


def test_compute_shares_follow_the_root_of_the_load() -> None:
    flop = np.array([1e12, 4e12, 9e12])
    assert compute_shares(flop) == pytest.approx(np.array([1, 2, 3]) / 6, abs=1e-5)


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


def test_association_options_are_checked() -> None:
    with pytest.raises(InputError):
        solve(make_instance(3, 2), "convex", options={"association": "none"})


def test_random_associations_cost_more_than_auto() -> None:
    instance = make_instance(15, 3, 5)
    best = solve(instance, "auto", time_limit_s=3.0)
    for seed in range(20):
        other = evaluate(instance, allocate(instance, random_association(instance, seed)))
        assert best.evaluation.objective_ms <= other.objective_ms


def test_auto_ends_on_its_own_which_is_no_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(60, 8, 2, payload=10.0, missing=0.0)
    set_clock(monkeypatch, step_s=0.1)
    result = solve(instance, "auto", options={"seconds": 15.0, "gap": 1e-9})
    assert result.ended == "completed"
    assert result.runtime_s < 30
    assert solve(instance, "auto", options={"gap": 1e-9}, time_limit_s=15.0).ended == "time_limit"
