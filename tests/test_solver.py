from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np
import pytest
from cases import make_instance, random_association
from clocks import set_clock

from uara import (
    Allocation,
    Answer,
    Certificate,
    Context,
    InputError,
    Instance,
    SolverError,
    UaraError,
    allocate,
    as_solver,
    evaluate,
    solve,
)
from uara.base.files import Record, pretty_json
from uara.problem import lower_bound
from uara.solver import OPTIMAL_GAP, Progress, gap_of

INSTANCE = make_instance(12, 3, seed=2)
BUILT_IN = ("random", "max-sinr", "max-compute", "tma")


def some(seed: int = 0, rule: Any = "optimal") -> Allocation:
    return allocate(INSTANCE, random_association(INSTANCE, seed), rule)


def best_known() -> Allocation:
    return solve(INSTANCE, "tma").decision  # type: ignore[return-value]


def infeasible() -> Allocation:
    return Allocation(some().association, np.ones(12), np.ones(12))


# The result is computed outside the solver


def test_the_objective_is_the_evaluators_not_the_solvers() -> None:
    result = solve(INSTANCE, lambda instance, context: some())
    assert result.evaluation.objective_ms == evaluate(INSTANCE, some()).objective_ms
    assert (result.status, result.ended, result.bound_ms, result.gap) == ("feasible", "completed", None, None)


@pytest.mark.parametrize("solver", BUILT_IN)
def test_the_kept_score_is_that_of_the_kept_decision(solver: str) -> None:
    result = solve(INSTANCE, solver)
    again = evaluate(INSTANCE, Allocation.from_plain(json.loads(json.dumps(result.decision.to_plain()))))
    assert again.objective_ms == result.evaluation.objective_ms
    assert again.feasible


def test_scoring_and_progress_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    scored, hands = evaluate, set_clock(monkeypatch)

    def slow(instance: Instance, allocation: Allocation) -> Any:
        hands.at_s += 0.1
        return scored(instance, allocation)

    def show(point: Progress) -> None:
        hands.at_s += 0.1

    monkeypatch.setattr("uara.solver.evaluate", slow)

    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        for seed in range(3):
            hands.at_s += 1.0
            context.incumbent(some(seed))
        return some(9)

    result = solve(INSTANCE, solver, start=some(5), on_progress=show)
    assert hands.at_s > 3.6
    assert result.runtime_s == pytest.approx(3.0)
    assert max(point.elapsed_s for point in result.trajectory) <= 3.0 + 1e-9


def test_preparation_is_not_timed_either(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    hands = set_clock(monkeypatch)

    def prepare() -> None:
        calls.append("prepared")
        hands.at_s += 100.0
        time.sleep(0.02)

    @as_solver(prepare=prepare)
    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        calls.append("ran")
        return some()

    result = solve(INSTANCE, solver)
    assert calls == ["prepared", "ran"]
    assert result.runtime_s == 0.0
    assert result.setup_s >= 0.02


@pytest.mark.parametrize("solver", BUILT_IN)
def test_solving_changes_nothing_in_the_instance(solver: str) -> None:
    instance = make_instance(12, 3, seed=2)
    before = instance.replace().digest
    solve(instance, solver)
    assert instance.replace().digest == before
    for table in (instance.servers.columns(), instance.devices.columns(), vars(instance.channel)):
        assert all(not column.flags.writeable for column in table.values() if isinstance(column, np.ndarray))


# Seeds


def test_the_same_seed_gives_the_same_run() -> None:
    for solver in BUILT_IN:
        one, two = solve(INSTANCE, solver, seed=4), solve(INSTANCE, solver, seed=4)
        assert one.decision.to_plain() == two.decision.to_plain()
        assert one.seed == 4


def test_other_seeds_give_other_runs_and_the_global_generator_none() -> None:
    np.random.seed(0)  # a solver must not draw from this one
    one = solve(INSTANCE, "random", seed=0).decision.to_plain()
    np.random.seed(0)
    others = [solve(INSTANCE, "random", seed=seed).decision.to_plain() for seed in range(1, 5)]
    assert all(other != one for other in others)
    np.random.seed(1)
    assert solve(INSTANCE, "random", seed=0).decision.to_plain() == one


def test_the_stream_depends_on_solver_and_instance() -> None:
    def draw(name: str, instance: Instance, seed: int) -> float:
        options = Record()
        return float(Context(instance, options, seed=seed, name=name).rng.random())

    drawn = {
        draw("a", INSTANCE, 0),
        draw("b", INSTANCE, 0),
        draw("a", make_instance(12, 3, seed=3), 0),
        draw("a", INSTANCE, 1),
    }
    assert len(drawn) == 4
    assert draw("a", INSTANCE, 0) == draw("a", make_instance(12, 3, seed=2, name="renamed"), 0)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None])
def test_seeds_are_whole_numbers_from_0(seed: Any) -> None:
    with pytest.raises(InputError, match="seed"):
        solve(INSTANCE, "random", seed=seed)


# Options


def test_options_reach_the_solver_checked() -> None:
    class Options(Record):
        rounds: int = 3

    @as_solver(options=Options)
    def solver(instance: Instance, context: Context[Options]) -> Answer:
        return Answer(some(), details={"rounds": context.options.rounds})

    assert solve(INSTANCE, solver).details == {"rounds": 3}
    result = solve(INSTANCE, solver, options={"rounds": 5})
    assert result.details == {"rounds": 5}
    assert result.to_plain()["options"] == {"rounds": 5}
    with pytest.raises(InputError, match="rounds"):
        solve(INSTANCE, solver, options={"rounds": 0.5})


# Start solutions and incumbents


@pytest.mark.parametrize("solver", BUILT_IN)
def test_the_result_is_never_worse_than_the_start(solver: str) -> None:
    start = best_known()
    result = solve(INSTANCE, solver, start=start)
    assert result.evaluation.objective_ms <= evaluate(INSTANCE, start).objective_ms


def test_the_result_is_never_worse_than_an_incumbent() -> None:
    def forgetful(instance: Instance, context: Context[Any]) -> Allocation:
        context.incumbent(best_known())
        return some(rule="uniform")

    result = solve(INSTANCE, forgetful)
    assert result.decision.to_plain() == best_known().to_plain()


def test_an_infeasible_start_or_incumbent_is_not_kept() -> None:
    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        context.incumbent(infeasible())
        return some()

    result = solve(INSTANCE, solver, start=infeasible())
    assert result.status == "feasible"
    assert result.trajectory == ()


def test_a_start_for_other_devices_is_refused() -> None:
    with pytest.raises(InputError, match="is for 1 devices"):
        solve(INSTANCE, "tma", start=Allocation([0], [1.0], [1.0]))


GAPPED = make_instance(12, 3, seed=2, missing=0.4)


def lost() -> list[int]:
    """An association with a pair that has no path."""
    chosen = random_association(GAPPED, 0)
    device, server = np.argwhere(GAPPED.channel.dense(3) == 0)[0]
    chosen[device] = server
    return list(chosen)


@pytest.mark.parametrize("solver", ["price", "exact", "milp", "auto", "tma", "tma-masac", "random"])
@pytest.mark.parametrize(
    ("association", "message"),
    [
        ([7] * 12, "start: puts device .* on server 7: the servers are 0 to 2"),
        ([-1] + [0] * 11, "start: puts device .* on server -1"),
        (lost(), "start: puts device .* has no path to it"),
        ([0], "start: is for 1 devices"),
    ],
    ids=["index", "negative", "no path", "length"],
)
def test_an_unusable_start_is_one_error_before_any_solver_sees_it(
    solver: str, association: list[int], message: str
) -> None:
    shares = np.full(len(association), 0.1)
    with pytest.raises(InputError, match=message):
        solve(GAPPED, solver, start=Allocation(np.array(association), shares, shares))


def test_a_start_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match="start: is str, not an Allocation"):
        solve(INSTANCE, "price", start="text")  # type: ignore[arg-type]


def test_a_feasible_incumbent_is_better_than_an_infeasible_answer() -> None:
    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        context.incumbent(some())
        return infeasible()

    assert solve(INSTANCE, solver).status == "feasible"


def test_progress_tells_incumbents_bounds_and_messages_in_order() -> None:
    seen: list[Progress] = []
    worse, better = sorted((some(1), some(2)), key=lambda item: -evaluate(INSTANCE, item).objective_ms)

    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        context.progress("begins", rounds=1)
        context.incumbent(worse)
        context.bound(10.0, "cut", cuts=3)
        context.incumbent(worse)  # no news
        context.incumbent(better)
        context.bound(5.0)  # no better: the best one is kept
        return worse

    result = solve(INSTANCE, solver, on_progress=seen.append)
    assert tuple(seen) == result.trajectory
    assert [point.message for point in seen] == ["begins", "", "cut", "", ""]
    assert [point.bound_ms for point in seen] == [-math.inf, -math.inf, 10.0, 10.0, 10.0]
    assert seen[0].objective_ms == math.inf
    assert seen[0].details == {"rounds": 1}
    objectives = [point.objective_ms for point in seen]
    assert objectives == sorted(objectives, reverse=True)
    times = [point.elapsed_s for point in seen]
    assert times == sorted(times)
    assert seen[2].gap == pytest.approx(
        (seen[2].objective_ms - 10) / evaluate(INSTANCE, worse).controllable_ms
    )
    assert result.bound_ms == 10.0


# Time limits


@as_solver()
@pytest.mark.parametrize("details", [{7: 2.0}, {"x": "3"}, {"x": math.nan}, {"x": math.inf}, {"x": None}])
def test_details_are_words_and_finite_numbers(details: Any) -> None:
    with pytest.raises(SolverError, match="cannot be used: TypeError: details: "):
        solve(INSTANCE, lambda instance, context: Answer(some(), details=details))


def test_an_error_that_is_its_own_cause_is_a_solvers_error() -> None:
    def turns(instance: Instance, context: Context[Any]) -> Allocation:
        error = ValueError("round and round")
        error.__cause__ = error
        raise error

    with pytest.raises(SolverError, match="round and round"):
        solve(INSTANCE, turns)


def test_the_best_that_was_reported_can_be_asked_for() -> None:
    seen: list[Any] = []

    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        seen.append(context.best)
        for decision in (some(), best_known(), infeasible()):
            context.incumbent(decision)
            seen.append(context.best)
        return some()

    result = solve(INSTANCE, solver)
    assert seen[0] is None
    assert seen[2] is seen[3] is result.decision


@pytest.mark.parametrize("limit", [0.1, 0.5])
def test_a_cooperative_solver_ends_with_its_limit(limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = set_clock(monkeypatch)

    def cooperative(instance: Instance, context: Context[Any]) -> Allocation:
        """Improves nothing until it is told to stop."""
        context.incumbent(some())
        while not context.expired():
            hands.at_s += min(0.002, context.remaining_s())
        return some()

    result = solve(INSTANCE, cooperative, time_limit_s=limit)
    assert result.ended == "time_limit"
    assert result.runtime_s == pytest.approx(limit)


def test_the_limit_does_not_grow_with_the_number_of_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    def checking(instance: Instance, context: Context[Any]) -> Allocation:
        while not context.expired():
            pass
        return some()

    set_clock(monkeypatch, step_s=0.001)  # every look takes as long
    assert solve(INSTANCE, checking, time_limit_s=0.2).runtime_s <= 0.203


def test_the_limit_does_not_grow_with_the_number_of_incumbents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scoring is not counted as run time, but a user who waits does not care."""
    scored, hands = evaluate, set_clock(monkeypatch)

    def slow(instance: Instance, allocation: Allocation) -> Any:
        hands.at_s += 0.01
        return scored(instance, allocation)

    def chatty(instance: Instance, context: Context[Any]) -> Allocation:
        while not context.expired():
            context.incumbent(some())
        return some()

    monkeypatch.setattr("uara.solver.evaluate", slow)
    result = solve(INSTANCE, chatty, time_limit_s=0.3)
    assert result.ended == "time_limit"
    assert hands.at_s <= 0.3 + 2 * 0.01 + 1e-9  # the last incumbent and the answer
    assert result.runtime_s == 0.0


@pytest.mark.parametrize("limit", [0, -1, math.nan])
def test_limits_are_positive(limit: float) -> None:
    with pytest.raises(InputError, match="time_limit_s: must be positive"):
        solve(INSTANCE, "tma", time_limit_s=limit)


def test_a_run_that_ends_by_itself_is_complete() -> None:
    result = solve(INSTANCE, "tma", time_limit_s=60)
    assert result.ended == "completed"
    assert result.runtime_s < 5


def test_remaining_time_runs_down_and_stops_at_0(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = set_clock(monkeypatch)
    context = Context(INSTANCE, Record(), time_limit_s=0.05)
    assert context.remaining_s() == 0.05
    hands.at_s = 0.02
    assert context.remaining_s() == pytest.approx(0.03)
    hands.at_s = 0.06
    assert context.remaining_s() == 0.0
    assert context.expired()
    assert Context(INSTANCE, Record()).remaining_s() == math.inf


# Parts of a run


def test_what_a_part_reports_the_run_knows() -> None:
    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        part = context.part(Record(), name="other").part()
        part.incumbent(best_known())
        part.bound(1.0)
        part.certify(Certificate(np.zeros(3), np.zeros(3)))
        return some()

    result = solve(INSTANCE, solver)
    assert result.decision.to_plain() == best_known().to_plain()
    assert result.bound_ms == 1.0
    assert [point.bound_ms for point in result.trajectory] == [-math.inf, 1.0]


def test_what_a_part_apart_reports_stays_with_it() -> None:
    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        part = context.part(apart=True)
        part.incumbent(best_known())
        part.bound(1.0)
        return some()

    seen: list[Progress] = []
    result = solve(INSTANCE, solver, on_progress=seen.append)
    assert result.decision.to_plain() == some().to_plain()
    assert (result.bound_ms, result.trajectory, seen) == (None, (), [])


def test_a_part_has_options_and_random_numbers_of_its_own() -> None:
    context = Context(INSTANCE, Record(), seed=3, name="one")
    options = Record()
    assert context.part(options).options is options
    assert context.part().rng is context.rng
    alone = Context(INSTANCE, Record(), seed=3, name="two")
    assert context.part(name="two").rng.random() == alone.rng.random()


@pytest.mark.parametrize(
    ("limit_s", "of_the_part", "left_s"),
    [
        (8.0, {}, 8.0),
        (8.0, {"share": 0.25}, 2.0),
        (8.0, {"seconds": 3.0}, 3.0),
        (8.0, {"seconds": 3.0, "share": 0.25}, 2.0),
        (math.inf, {"share": 0.25}, math.inf),
        (math.inf, {"seconds": 3.0, "share": 0.25}, 3.0),
    ],
)
def test_a_part_has_a_time_of_its_own(
    limit_s: float, of_the_part: dict[str, float], left_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = set_clock(monkeypatch)
    hands.at_s = 5.0
    context = Context(INSTANCE, Record(), time_limit_s=limit_s)
    part = context.part(**of_the_part)
    assert part.remaining_s() == left_s
    assert context.remaining_s() == limit_s
    hands.at_s += 1.0
    assert part.remaining_s() == left_s - 1.0
    assert part.part(share=0.5).remaining_s() == (left_s - 1.0) / 2


@pytest.mark.parametrize(
    ("limit_s", "of_the_part", "ended"),
    [
        (None, {"seconds": 1.0}, "completed"),
        (9.0, {"seconds": 1.0}, "completed"),
        (1.0, {"seconds": 9.0}, "time_limit"),
        (4.0, {"share": 0.25}, "time_limit"),
    ],
)
@pytest.mark.parametrize("asked", ["expired", "affords"])
def test_only_the_runs_own_limit_ends_it(
    limit_s: float | None, of_the_part: dict[str, float], ended: str, asked: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    hands = set_clock(monkeypatch)

    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        part = context.part(**of_the_part).part(share=0.9)
        if asked == "affords":
            assert part.affords(0.5)
            assert not part.affords(5.0 if limit_s is None or limit_s > 1.0 else 2.0)
        else:
            hands.at_s += 2.0
            assert part.expired()
        return some()

    assert solve(INSTANCE, solver, time_limit_s=limit_s).ended == ended


# Interruptions


def test_an_interrupt_returns_the_incumbent() -> None:
    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        context.incumbent(some())
        context.bound(1.0)
        raise KeyboardInterrupt

    result = solve(INSTANCE, solver)
    assert (result.ended, result.status, result.bound_ms) == ("interrupted", "feasible", 1.0)
    assert result.decision.to_plain() == some().to_plain()


def test_an_interrupt_without_an_incumbent_is_an_interrupt() -> None:
    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve(INSTANCE, solver)
    assert solve(INSTANCE, solver, start=some()).ended == "interrupted"


# Plug-ins that break the contract


def named_broken(function: Any) -> Any:
    function.__name__ = "broken"
    return function


@pytest.mark.parametrize(
    "answer",
    [
        None,
        3,
        "text",
        [0] * 12,
        Answer("text"),  # type: ignore[arg-type]
        Answer(None),  # type: ignore[arg-type]
        Allocation([0], [1.0], [1.0]),
        INSTANCE,
        Answer(some(), bound_ms="low"),  # type: ignore[arg-type]
        Answer(some(), certificate="proof"),  # type: ignore[arg-type]
        Answer(some(), certificate=Certificate([1.0], [1.0])),
        Answer(some(), details=3),  # type: ignore[arg-type]
    ],
    ids=lambda answer: f"{type(answer).__name__}",
)
def test_garbage_is_refused_in_the_name_of_the_solver(answer: Any) -> None:
    with pytest.raises(SolverError, match="solver broken: ") as caught:
        solve(INSTANCE, named_broken(lambda instance, context: answer))
    assert caught.value.solver == "broken"


@pytest.mark.parametrize(
    "error", [ValueError("no"), ZeroDivisionError(), MemoryError(), RecursionError("deep"), AssertionError()]
)
def test_a_failure_is_reported_in_the_name_of_the_solver(error: Exception) -> None:
    def broken(instance: Instance, context: Context[Any]) -> Allocation:
        raise error

    with pytest.raises(SolverError, match=f"solver broken: failed: {type(error).__name__}") as caught:
        solve(INSTANCE, broken)
    assert caught.value.__cause__ is error


def test_garbage_as_an_incumbent_is_a_failure_of_the_solver() -> None:
    def broken(instance: Instance, context: Context[Any]) -> Allocation:
        context.incumbent("text")  # type: ignore[arg-type]
        return some()

    with pytest.raises(SolverError, match="solver broken: failed: AttributeError"):
        solve(INSTANCE, broken)


def test_errors_of_the_toolkit_pass_through() -> None:
    def picky(instance: Instance, context: Context[Any]) -> Allocation:
        raise InputError("is too small", source="option capacity")

    with pytest.raises(InputError, match="option capacity: is too small"):
        solve(INSTANCE, picky)


def test_an_infeasible_answer_is_called_so_and_never_optimal() -> None:
    bound = evaluate(INSTANCE, infeasible()).objective_ms
    for answer in (infeasible(), Answer(infeasible(), bound_ms=bound)):
        result = solve(INSTANCE, named_broken(lambda instance, context, answer=answer: answer))
        assert (result.solver, result.status) == ("broken", "infeasible")
        assert result.gap is None
        assert len(result.evaluation.violations) > 0


def test_an_answer_of_infinite_cost_is_plain_data_too() -> None:
    nowhere = Allocation(np.full(12, 99), np.zeros(12), np.zeros(12))
    result = solve(INSTANCE, lambda instance, context: Answer(nowhere, bound_ms=3.0))
    plain = json.loads(pretty_json(result.to_plain()))
    assert (plain["status"], plain["objective"], plain["gap"]) == ("infeasible", None, None)


def test_a_bound_above_a_feasible_objective_is_refused() -> None:
    objective = evaluate(INSTANCE, some()).objective_ms
    for claim in (objective * 1.01, objective + 1):
        with pytest.raises(SolverError, match="claims a lower bound"):
            solve(INSTANCE, lambda instance, context, claim=claim: Answer(some(), bound_ms=claim))

    def liar(instance: Instance, context: Context[Any]) -> Allocation:
        context.bound(objective + 1)
        return some()

    with pytest.raises(SolverError, match="solver liar: claims a lower bound"):
        solve(INSTANCE, liar)


# Bounds, gaps, status


def test_the_best_bound_wins_and_a_certificate_is_recomputed() -> None:
    certificate = Certificate([1e-9] * 3, [0.0] * 3)
    proven = lower_bound(INSTANCE, certificate)

    def solver(instance: Instance, context: Context[Any]) -> Answer:
        context.bound(proven - 2)
        return Answer(some(), bound_ms=proven - 1, certificate=certificate)

    result = solve(INSTANCE, solver)
    assert result.bound_ms == result.certified_bound_ms == proven
    assert result.certificate is certificate


@pytest.mark.parametrize(("distance", "status"), [(0.5, "optimal"), (2.0, "feasible"), (-0.001, "optimal")])
def test_optimal_means_a_proven_gap(distance: float, status: str) -> None:
    score = evaluate(INSTANCE, some())
    bound = score.objective_ms - distance * OPTIMAL_GAP * score.controllable_ms
    result = solve(INSTANCE, lambda instance, context: Answer(some(), bound_ms=bound))
    assert result.status == status
    assert result.gap == pytest.approx(max(0, distance) * OPTIMAL_GAP, rel=1e-3)


def test_a_bound_that_is_no_number_is_no_bound() -> None:
    for claim in (math.nan, -math.inf):
        result = solve(INSTANCE, lambda instance, context, claim=claim: Answer(some(), bound_ms=claim))
        assert (result.bound_ms, result.gap, result.status) == (None, None, "feasible")


def test_gaps_are_on_the_controllable_part() -> None:
    score = evaluate(INSTANCE, some())
    assert gap_of(score, score.constant_ms) == pytest.approx(1.0)
    assert gap_of(score, score.objective_ms + 1) == 0.0
    assert gap_of(score, -math.inf) == gap_of(None, 0.0) == math.inf


# Choosing solvers


def test_solvers_of_other_problems_and_unknown_ones_are_refused() -> None:
    with pytest.raises(InputError, match="solves hetedge, not p1"):
        solve(INSTANCE, as_solver(kind="hetedge")(lambda instance, context: None))
    with pytest.raises(InputError, match="there is no solver 'nobody'"):
        solve(INSTANCE, "nobody")


def test_plain_data_has_what_machines_need() -> None:
    plain = json.loads(pretty_json(solve(INSTANCE, "tma", seed=3).to_plain()))
    assert {
        "solver", "status", "objective", "controllable", "lower_bound", "gap", "latency_ms", "energy_j",
        "runtime_s", "association", "bandwidth", "compute", "seed", "options", "ended", "setup_s", "instance",
    } <= plain.keys()  # fmt: skip
    assert plain["latency_ms"].keys() == {"mean", "p95"}
    assert len(plain["association"]) == len(plain["bandwidth"]) == len(plain["compute"]) == 12


def test_every_deliberate_error_is_of_one_family() -> None:
    assert issubclass(SolverError, UaraError)
    assert issubclass(InputError, UaraError)


def test_what_is_not_finite_moves_no_bound() -> None:
    def solver(instance: Instance, context: Context[Any]) -> Answer:
        for claim in (1.0, math.inf, math.nan, -math.inf):
            context.bound(claim)
        return Answer(some(), certificate=Certificate([1e308] * 3, [1e308] * 3))

    result = solve(INSTANCE, solver)
    assert (result.bound_ms, result.certified_bound_ms, result.status) == (1.0, None, "feasible")
    assert all(point.bound_ms == 1.0 for point in result.trajectory)


def test_a_share_that_vanishes_is_no_answer() -> None:
    first = some()
    vanishing = Allocation(first.association, np.full(len(first.bandwidth), 1e-160), first.compute)

    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        context.incumbent(vanishing)
        return vanishing

    result = solve(INSTANCE, lambda instance, context: Answer(vanishing, bound_ms=1e300))
    assert (result.status, result.gap) == ("infeasible", None)
    assert solve(INSTANCE, solver, start=first).decision is first


def test_details_are_numbers_by_name() -> None:
    for details in ({7: 2.0}, {"rounds": "many"}):
        with pytest.raises(SolverError, match="cannot be used"):
            solve(INSTANCE, lambda instance, context, details=details: Answer(some(), details=details))
