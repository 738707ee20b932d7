from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from clocks import set_clock
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge import order as order_module
from uara.solvers.hetedge.alternate import alternate
from uara.solvers.hetedge.dp import RULES, DynamicProgrammeOptions
from uara.solvers.hetedge.order import Search, annealed, improved
from uara.solvers.hetedge.search import Choices, Programme, ordered

import uara
from uara.base.clock import processor_time
from uara.hetedge.instance import HetEdge
from uara.hetedge.plan import Plan
from uara.problem import evaluate
from uara.solver import Context


def begun(instance: HetEdge) -> tuple[Search, Plan, float]:
    """A search, and the best plan of the orders by rule with its value."""
    search = Search(instance, Choices.everything(instance), "in-time", 8)
    plans = [search.cut(ordered(instance, rule)) for rule in RULES]
    return search, *min(plans, key=lambda found: found[1])


def context_of(instance: HetEdge, seconds: float = math.inf) -> Context[DynamicProgrammeOptions]:
    return Context(instance, DynamicProgrammeOptions(), time_limit_s=seconds)


def best_of_all_ms(search: Search, limit_ms: float) -> float:
    """The least total latency of all orders, if it is below a limit."""
    for each in itertools.permutations(range(len(search.instance.requests))):
        programme = Programme(search.instance, np.array(each), search.choices)
        if programme.least_service_ms < limit_ms:
            limit_ms = min(limit_ms, alternate(programme, search.band, search.alternations)[1])
    return limit_ms


def misses(seeds: range, most: int) -> list[int]:
    """Random instances of few requests where another of all orders is better than the searched one."""
    found = []
    for seed in seeds:
        count = int(np.random.default_rng(seed).integers(2, most + 1))
        instance = make_hetedge(count, seed, longest_speculation=2)
        search, plan, value_ms = begun(instance)
        value_ms = improved(search, plan, value_ms, context_of(instance))[1]
        if best_of_all_ms(search, value_ms) < value_ms * (1 - 1e-6):
            found.append(seed)
    return found


@pytest.mark.integration
def test_small_instances_are_served_in_the_best_of_all_orders() -> None:
    assert len(misses(range(30), 5)) <= 1


@pytest.mark.slow
def test_three_hundred_small_instances() -> None:
    assert len(misses(range(1000, 1300), 6)) <= 15


@pytest.mark.integration
@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_the_plan_is_never_worse_and_worth_what_is_said(seed: int) -> None:
    instance = make_hetedge(10, seed, longest_speculation=2)
    search, plan, value_ms = begun(instance)
    better, better_ms, _ = improved(search, plan, value_ms, context_of(instance, 0.3))
    score = evaluate(instance, better)
    assert score.feasible
    assert score.objective_ms == pytest.approx(better_ms, rel=1e-9)
    assert better_ms <= value_ms


def test_a_run_is_settled_by_its_seed_and_stops_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_hetedge(12, 1)
    search, plan, _ = begun(instance)
    service = search.service(plan)
    first, second = (annealed(service, plan, (0.05, 20_000), context_of(instance), 0.0) for _ in range(2))
    assert first[1] == second[1]
    assert first[0].to_plain() == second[0].to_plain()
    looks = []

    def counted(*args: object) -> float:
        looks.append(1)
        return 1.0

    monkeypatch.setattr(order_module, "anneal", counted)
    annealed(service, plan, (0.05, 20_000_000), context_of(instance, 1e-6), 0.0)
    assert len(looks) == 1


@pytest.mark.slow
def test_a_hundred_requests_in_ten_seconds() -> None:
    folder = Path(__file__).parents[3] / "instances"
    for name, most_s in (("hetedge_k100", 1205.0), ("hetedge_k50", 431.5)):
        with processor_time():
            result = uara.solve(uara.load(folder / f"{name}.json"), "hetedge-dp", time_limit_s=10.0)
        assert result.evaluation.objective_ms < most_s * 1e3


@pytest.mark.parametrize(("near", "wanders"), [(1.005, True), (1.02, False)])
def test_after_runs_without_a_gain_it_goes_on_from_the_last_end(
    monkeypatch: pytest.MonkeyPatch, near: float, wanders: bool
) -> None:
    """A start far above the best plan is none."""
    instance = make_hetedge(14, 1)
    search, plan, value_ms = begun(instance)
    starts: list[Plan] = []
    ends: list[Plan] = []

    def run(service: object, start: Plan, *_: object) -> tuple[Plan, float]:
        starts.append(start)
        ends.append(dataclasses.replace(start))
        return ends[-1], value_ms * near

    monkeypatch.setattr(order_module, "annealed", run)
    monkeypatch.setattr(order_module, "PATIENCE", 20)
    monkeypatch.setattr(order_module, "_reinserted", lambda *_: (plan, value_ms))
    monkeypatch.setattr(Search, "cut", lambda *_: (plan, value_ms))
    assert improved(search, plan, value_ms, context_of(instance)) == (plan, value_ms, 20)
    for index in range(1, 20):
        gone_on = starts[index] is ends[index - 1]
        assert gone_on == (wanders and index >= order_module._WANDERING)
        assert gone_on or starts[index] is plan


def test_without_time_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_hetedge(12, 1)
    search, plan, value_ms = begun(instance)
    set_clock(monkeypatch)
    assert improved(search, plan, value_ms, context_of(instance, search.cutting_s / 2)) == (plan, value_ms, 0)


def test_where_reinsertion_takes_too_long_it_begins_again_in_another_valley(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A melted plan is where it goes on, whatever it costs; the best plan of all is kept."""
    instance = make_hetedge(14, 1)
    search, plan, value_ms = begun(instance)
    hands = set_clock(monkeypatch)
    context = context_of(instance, 100 * search.cutting_s)
    runs: list[tuple[Plan, float, Plan]] = []

    def run(service: object, start: Plan, strength: tuple[float, int], *_: object) -> tuple[Plan, float]:
        hands.at_s += search.cutting_s
        runs.append((start, strength[0], dataclasses.replace(start)))
        return runs[-1][2], value_ms * 2.0

    monkeypatch.setattr(order_module, "annealed", run)
    monkeypatch.setattr(order_module, "PATIENCE", 5)
    monkeypatch.setattr(order_module, "_reinserted", lambda *_: pytest.fail("takes too long"))
    cuts: list[float] = []

    def cut(*_: object) -> tuple[Plan, float]:
        cuts.append(value_ms * (0.9 if len(cuts) == 2 else 1.5))
        return dataclasses.replace(plan), cuts[-1]

    monkeypatch.setattr(Search, "cut", cut)
    monkeypatch.setattr(
        order_module, "_orders", lambda *_: [np.random.default_rng(len(runs)).permutation(14)]
    )
    monkeypatch.setattr(order_module, "_FEW", 14)
    found_ms = improved(search, plan, value_ms, context)[1]
    assert found_ms == min([*cuts, value_ms]) < value_ms
    melts = [index for index, (_, heat, _) in enumerate(runs) if heat == order_module._MELTING]
    assert len(melts) > 3
    for index in melts[:-1]:
        assert runs[index + 1][0] is runs[index][2]
        assert order_module.HEATS[0] <= runs[index + 1][1] <= order_module.HEATS[1]
