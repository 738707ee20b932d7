"""Time limits: looks at the clock, stages that are left out, and what is answered then. Time is the tests' own."""

from __future__ import annotations

import resource
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cases import make_instance, random_association
from clocks import set_clock
from hetedge_cases import make_hetedge
from uara.solvers import greedy as greedy_module
from uara.solvers.common.posing import posed
from uara.solvers.convex import load_cvxpy
from uara.solvers.dual import ascent as price_ascent
from uara.solvers.dual.ascent import ascend, first_prices
from uara.solvers.masac import solver as tma_masac
from uara.solvers.milp import highs
from uara.solvers.milp.highs import Model
from uara.solvers.milp.perspective import Perspective

import uara
from uara import Context, Instance, allocate, evaluate, solve
from uara.base.clock import processor_time
from uara.base.files import Record
from uara.p1.model import coefficients
from uara.registry import available_solvers
from uara.scenarios.recipe import generate
from uara.solver import Result

INSTANCES = Path(__file__).parents[2] / "instances"
INSTANCE = make_instance(30, 5, 3, missing=0.0)
P1 = sorted(
    n for n, method in available_solvers().items() if method.traits.kind == "p1" and method.origin == "uara"
)
HETEDGE = sorted(n for n in available_solvers() if n.startswith("hetedge-"))
RULES = {"random", "max-sinr", "max-compute", "masac", "brute-force", "greedy"}
"""What associates by itself, or not at all, when there is no time."""


def strongest() -> float:
    return solve(INSTANCE, "max-sinr", options={"allocation": "optimal"}).evaluation.objective_ms


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("begun although there was no time for it")


@pytest.mark.integration
@pytest.mark.parametrize("solver", P1)
def test_without_any_time_there_is_an_answer_as_good_as_the_strongest_signals(
    solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyscipopt")
    instance = make_instance(8, 2, 3) if solver == "brute-force" else INSTANCE
    set_clock(monkeypatch, step_s=1e3)
    result = solve(instance, solver, time_limit_s=1.0)
    assert result.evaluation.feasible
    if solver not in RULES:
        assert result.evaluation.objective_ms <= strongest() * (1 + 1e-12)
        assert result.ended == "time_limit"


@pytest.mark.integration
@pytest.mark.parametrize("solver", P1)
def test_without_any_time_the_start_is_the_answer(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyscipopt")
    instance = make_instance(8, 2, 3) if solver == "brute-force" else INSTANCE
    start = solve(instance, "tma").decision
    set_clock(monkeypatch, step_s=1e3)
    result = solve(instance, solver, time_limit_s=1.0, start=start)
    assert result.evaluation.objective_ms <= evaluate(instance, start).objective_ms


@pytest.mark.integration
@pytest.mark.parametrize("solver", HETEDGE)
def test_without_any_time_requests_are_served(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, step_s=1e3)
    result = solve(make_hetedge(12, 1, longest_speculation=8), solver, time_limit_s=1.0)
    assert result.evaluation.feasible


# The ascent looks at the clock within its rounds


@pytest.mark.parametrize("newton_servers", [0, 64])
def test_the_ascent_does_nothing_more_once_time_is_up(
    newton_servers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_ascent, "NEWTON_SERVERS", newton_servers)
    monkeypatch.setattr(price_ascent, "_STRETCH", 1)
    asked: list[int] = []
    pairs = coefficients(make_instance(40, 5, 2))

    def expired() -> bool:
        asked.append(1)
        return len(asked) >= 3

    result = ascend(pairs, expired=expired)
    assert not result.finished
    assert result.passes <= 3 * 5  # steps of one evaluation and a line search
    assert len(asked) <= 4
    assert np.isfinite(result.value_ms)
    assert np.add.reduceat(result.weight, pairs.start[:-1]) == pytest.approx(np.ones(40))


def test_newtons_method_in_stretches_goes_where_it_goes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = coefficients(make_instance(40, 5, 2))
    whole = ascend(pairs)
    monkeypatch.setattr(price_ascent, "_STRETCH", 1)
    parts = ascend(pairs)
    assert parts.value_ms == pytest.approx(whole.value_ms, rel=1e-9)
    assert parts.passes > whole.passes


# HiGHS


def relaxed(instance: Instance = INSTANCE) -> tuple[Perspective, Any]:
    pairs = coefficients(instance)
    cost_ms = evaluate(instance, allocate(instance, random_association(instance))).controllable_ms
    return Perspective.scaled(pairs, cost_ms), first_prices(pairs)


def test_the_limit_of_highs_goes_on_with_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)
    model = Model(*relaxed())
    for _ in range(3):
        used_s = model._highs.getRunTime()
        model.solve(Context(INSTANCE, Record(), time_limit_s=100.0))
        limit_s = model._highs.getOptionValue("time_limit")[1]
        assert limit_s == pytest.approx(used_s + 100.0 - model.grain_s, abs=1e-9)
    assert used_s > 0.0
    model.set_integer()  # and then its clock begins with each search
    model.solve(Context(INSTANCE, Record(), time_limit_s=100.0), abs_gap_ms=1e6)
    assert model._highs.getOptionValue("time_limit")[1] == pytest.approx(100.0 - model.grain_s, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("integer", [False, True])
def test_highs_itself_ends_at_the_limit_when_asked_again(integer: bool) -> None:
    model = Model(*relaxed(uara.load(INSTANCES / "e20_m180.json")), integer=integer)
    for _ in range(4):
        model._highs.clearSolver()
        began_s = model._highs.getRunTime()
        outcome = model.solve(Context(INSTANCE, Record(), time_limit_s=1.0))
        used_s = model._highs.getRunTime() - began_s
        assert outcome.finished or 0.1 < used_s < 4.0


def test_relaxation_uses_its_limit_over_many_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of HiGHS that is far on must not end the cut loop."""
    monkeypatch.setattr(highs, "run", lambda highs: None)
    set_clock(monkeypatch)
    model = Model(*relaxed())
    monkeypatch.setattr(type(model._highs), "getRunTime", lambda self: 1e6, raising=False)
    model.solve(Context(INSTANCE, Record(), time_limit_s=2.0))
    assert model._highs.getOptionValue("time_limit")[1] > 1e6 + 1.0


@pytest.mark.parametrize("solver", ["relaxation", "milp"])
def test_no_program_is_stated_that_cannot_be_solved(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)
    state = Model.__init__
    monkeypatch.setattr(
        Model, "__init__", lambda *given: state(*given) if given[1].count < 10 else never()
    )  # the rehearsal is small
    options = {"gap": 1e-9} if solver == "milp" else {}
    limit_s = 0.1 * Model.SECONDS * len(INSTANCE.channel.pair_server)
    result = solve(INSTANCE, solver, options=options, time_limit_s=limit_s)
    assert result.ended == "time_limit"
    assert result.evaluation.objective_ms <= strongest()


def test_relaxation_without_a_program_answers_with_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)
    result = solve(INSTANCE, "relaxation", time_limit_s=1e-6)
    assert (result.details["rounds"], result.bound_ms) == (0, None)
    assert result.evaluation.controllable_ms <= 1.1 * solve(INSTANCE, "price").evaluation.controllable_ms


# Prices, tree, auto


@pytest.mark.integration
@pytest.mark.parametrize("solver", ["milp", "exact", "auto"])
@pytest.mark.parametrize("seed", range(4))
def test_what_begins_with_prices_is_never_worse_than_price(solver: str, seed: int) -> None:
    instance = make_instance(40, 8, seed, payload=10.0)
    prices = solve(instance, "price", seed=seed)
    other = solve(instance, solver, options={"gap": 0.5}, seed=seed)  # nothing is left to prove
    assert other.details.get("nodes", 1) == 1
    assert other.evaluation.objective_ms == prices.evaluation.objective_ms


# Other solvers


def test_servers_that_convex_does_not_come_to_keep_the_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    load_cvxpy()
    set_clock(monkeypatch)
    monkeypatch.setattr("uara.solvers.convex.band_shares", never)
    result = solve(INSTANCE, "convex", time_limit_s=1e-3)
    association = result.decision.association  # type: ignore[attr-defined]
    assert result.details["closed_form_servers"] == len(np.unique(association))
    assert result.ended == "time_limit"
    closed = evaluate(INSTANCE, allocate(INSTANCE, association))
    assert result.evaluation.objective_ms == closed.objective_ms


def test_convex_does_all_servers_where_there_is_time() -> None:
    assert solve(INSTANCE, "convex").details["closed_form_servers"] == 0


@pytest.mark.parametrize("solver", ["masac", "tma-masac"])
def test_the_policy_is_not_asked_without_the_time_for_it(
    solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch)
    monkeypatch.setattr(tma_masac.Policy, "log_weights", never)
    result = solve(INSTANCE, solver, time_limit_s=0.9 * tma_masac.SECONDS * 150)
    assert result.ended == "time_limit"
    assert result.evaluation.objective_ms <= strongest() * (1 + 1e-12)


def test_greedy_prices_no_server_once_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, step_s=1e3)
    greedy_module.compile_greedy()
    monkeypatch.setattr(greedy_module, "set_cost", never)
    greedy_module.greedy(INSTANCE, Context(INSTANCE, Record(), time_limit_s=1.0))


def test_minlp_states_no_model_without_the_time_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyscipopt")
    set_clock(monkeypatch)
    monkeypatch.setattr("uara.solvers.milp.minlp.minlp_model", never)
    result = solve(INSTANCE, "minlp", time_limit_s=0.01)
    assert (result.details, result.ended) == ({"found_nothing": 1.0}, "time_limit")
    assert result.evaluation.objective_ms == strongest()


def test_handing_a_model_over_counts_as_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = set_clock(monkeypatch)

    class Persistent:
        config = SimpleNamespace(auto_updates=("update_vars", "update_constraints"))

        def set_instance(self, model: Any) -> None:
            hands.at_s += 3.0

    context = Context(INSTANCE, Record(), time_limit_s=10.0)
    options = posed(Persistent(), None, context)
    assert options["time_limit"] == pytest.approx(7.0)
    assert options["auto_updates"] == {"update_vars": False, "update_constraints": False}
    assert posed(object(), None, context) == {"time_limit": pytest.approx(7.0)}
    assert posed(object(), None, Context(INSTANCE, Record())) == {}


@pytest.mark.integration
def test_scip_gives_one_answer_to_one_question() -> None:
    pytest.importorskip("pyscipopt")
    instance = make_instance(5, 2, 3)
    first, *others = (solve(instance, "minlp") for _ in range(3))
    for other in others:
        assert other.decision.to_plain() == first.decision.to_plain()
        assert other.bound_ms == first.bound_ms


# Requests served in batches


@pytest.mark.integration
def test_speculation_lengths_are_left_out_where_time_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    from uara.solvers.hetedge.alternate import programme_s
    from uara.solvers.hetedge.search import Choices

    instance = make_hetedge(12, 1, longest_speculation=8)
    full = programme_s(instance, Choices.everything(instance))
    set_clock(monkeypatch)
    short = solve(instance, "hetedge-dp", options={"search_s": 0.0}, time_limit_s=0.6 * full)
    assert short.ended == "time_limit"
    assert set(short.decision.length) <= {1, 3, 5, 7}  # type: ignore[attr-defined]
    whole = solve(instance, "hetedge-dp", options={"search_s": 0.0}, time_limit_s=1.1 * full)
    assert whole.ended == "completed"


@pytest.mark.integration
def test_the_bound_of_a_short_run_holds_for_all_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    from uara.solvers.hetedge.alternate import programme_s
    from uara.solvers.hetedge.search import Choices

    instance = make_hetedge(12, 1, longest_speculation=8)
    best = solve(instance, "hetedge-dp", options={"search_s": 1.0}).evaluation.objective_ms
    set_clock(monkeypatch)
    monkeypatch.setattr("uara.solvers.hetedge.milp.SECONDS", 0.0)
    short = solve(
        instance, "hetedge-milp", time_limit_s=0.6 * programme_s(instance, Choices.everything(instance))
    )
    assert short.details["programmes"] > 0
    assert short.bound_ms is not None
    assert short.bound_ms <= best


# Processor time, on the largest instance of each suite


MOST_KB = 2_000_000
"""Of all that ran in the process so far."""
LARGEST: dict[str, Any] = {
    "paper": lambda: uara.load(INSTANCES / "e20_m180.json"),
    "hard": lambda: uara.load(INSTANCES / "hard_bandwidth.json"),
    "hetedge": lambda: uara.load(INSTANCES / "hetedge_k2000.json"),
    "scale": lambda: generate(
        name="s100_m5000", channel="path-loss", servers=100, devices=5000, bandwidth_mhz=125.0, box_m=1800.0
    ),
    "growth": lambda: generate(
        name="n5",
        channel="path-loss",
        servers=10_000,
        devices=100_000,
        candidates=16,
        bandwidth_mhz=12_500.0,
        box_m=18_000.0,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("limit_s", [1.0, 5.0])
@pytest.mark.parametrize("suite", LARGEST)
@pytest.mark.parametrize("solver", P1 + HETEDGE)
def test_limits_hold_in_processor_time(solver: str, suite: str, limit_s: float) -> None:
    instance = LARGEST[suite]()
    if available_solvers()[solver].traits.kind != instance.kind or solver == "brute-force":
        pytest.skip("solves none of these")
    with processor_time():
        result: Result = solve(instance, solver, time_limit_s=limit_s)
    assert result.evaluation.feasible
    assert result.runtime_s <= max(1.1 * limit_s, limit_s + 0.2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss <= MOST_KB
