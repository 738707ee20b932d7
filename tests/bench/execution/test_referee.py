from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from uara import Allocation, Certificate, InputError, allocate
from uara.bench.execution.messages import RawAnswer, Report
from uara.bench.execution.referee import MOST_POINTS, Referee, thinned
from uara.isolation.supervise import Allowance
from uara.problem import evaluate, lower_bound, parse_decision

from ...cases import make_instance, random_association

INSTANCE = make_instance(8, 3)
LIMITS = Allowance(10.0, 4000.0)


def referee() -> Referee:
    return Referee(pickle.dumps(INSTANCE), LIMITS)


def answer(decision: Any = None, certificate: Any = None, **changes: Any) -> RawAnswer:
    first = INSTANCE.channel.pair_server[INSTANCE.channel.pair_start[:-1]]
    decision = allocate(INSTANCE, first) if decision is None else decision
    facts: dict[str, Any] = {
        "decision": decision.to_plain(),
        "certificate": certificate and certificate.to_plain(),
        "ended": "completed",
        "own_objective_ms": evaluate(INSTANCE, decision).objective_ms,
    }
    return RawAnswer(**{**facts, **changes})


def scored(raw: RawAnswer) -> dict[str, Any]:
    return referee().scored(raw)


def test_an_honest_answer_is_scored_outside() -> None:
    raw = answer()
    row = scored(raw)
    score = evaluate(INSTANCE, parse_decision(INSTANCE, raw.decision))
    assert row["status"] == "ok"
    assert row["objective_ms"] == score.objective_ms
    assert row["measure_optimal_shares_ms"] == pytest.approx(score.objective_ms, rel=1e-9)
    assert row["gap"] is None


def test_a_bound_is_recomputed_from_its_certificate() -> None:
    prices = Certificate(np.full(3, 1e-6), np.full(3, 0.1))
    row = scored(answer(certificate=prices))
    assert row["certified_bound_ms"] == lower_bound(INSTANCE, prices)
    assert row["bound_ms"] == row["certified_bound_ms"]
    assert row["gap"] > 0


def test_lies_are_errors() -> None:
    own = answer().own_objective_ms
    assert own is not None
    for changes, reason in [
        ({"own_objective_ms": own - 1.0}, "changed its instance"),
        ({"own_objective_ms": None}, "changed its instance"),
        ({"claimed_bound_ms": own + 1.0}, "above its own objective"),
    ]:
        row = scored(answer(**changes))
        assert row["status"] == "error"
        assert reason in row["reason"]
        assert "measure_optimal_shares_ms" not in row


def test_an_infeasible_answer_says_what_it_breaks() -> None:
    ones = np.ones(8)
    first = parse_decision(INSTANCE, answer().decision).association
    row = scored(answer(Allocation(first, ones, ones)))
    assert row["status"] == "infeasible"
    assert "bandwidth budget" in row["reason"]


def reports(*seeds: int) -> list[Any]:
    """Feasible decisions, the worst first."""
    rng = np.random.default_rng(1)
    found = [allocate(INSTANCE, random_association(INSTANCE, rng)) for _ in seeds]
    return sorted(found, key=lambda each: -evaluate(INSTANCE, each).objective_ms)


def test_a_trajectory_is_scored_here_and_timed_by_whoever_listens() -> None:
    judge, decisions = referee(), reports(0, 1, 2)
    judge.hear(0.5, Report(bound_ms=1.0))
    for place, decision in enumerate(decisions):
        judge.hear(1.0 + place, Report(decision=decision.to_plain()))
    scores = [evaluate(INSTANCE, each) for each in decisions]
    assert [point[0] for point in judge.points] == [0.5, 1.0, 2.0, 3.0]
    assert [point[1] for point in judge.points[1:]] == [score.objective_ms for score in scores]
    assert judge.points[0][1] == np.inf
    assert {point[3] for point in judge.points} == {1.0}
    row = judge.scored(answer(decisions[-1]))
    assert (row["status"], row["bound_ms"]) == ("ok", 1.0)
    assert row["objective_ms"] == judge.points[-1][1]
    worse = judge.scored(answer(decisions[0]))
    assert worse["status"] == "error"
    assert "is worse than" in worse["reason"]


def test_reports_that_are_no_progress_are_refused() -> None:
    judge, (worse, better) = referee(), reports(0, 1)
    judge.hear(1.0, Report(decision=better.to_plain()))
    ones = np.ones(8)
    broken = Allocation(better.association, ones, ones)
    for wrong in (worse.to_plain(), broken.to_plain(), {"association": [0]}, {}):
        with pytest.raises(InputError):
            judge.hear(2.0, Report(decision=wrong))
    judge.hear(2.0, Report(bound_ms=1e12))
    assert "above its own objective" in judge.scored(answer(better))["reason"], "the bound of a report counts"


def test_a_flood_of_points_stays_small_and_keeps_its_ends() -> None:
    judge = referee()
    for k in range(20 * MOST_POINTS + 1):
        judge.hear(float(k), Report(bound_ms=float(k)))
    assert len(judge._kept) <= 10 * MOST_POINTS + 1
    times = [point[0] for point in judge.points]
    assert (len(times), times[0], times[-1]) == (MOST_POINTS, 0.0, 20.0 * MOST_POINTS)
    assert max(np.diff(times)) < 2.5 * 20


def test_a_long_certificate_is_verified_elsewhere_and_proves_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from uara.bench.execution import referee as module

    prices = Certificate(np.full(3, 1e-6), np.full(3, 0.1))
    monkeypatch.setattr(module, "LONG_PROOF", 10)
    row = scored(answer(certificate=prices))
    assert row["certified_bound_ms"] == lower_bound(INSTANCE, prices)


@pytest.mark.integration
def test_a_certificate_that_takes_for_ever_is_an_error() -> None:
    nodes = 400_001
    tree = {
        "kind": "branches",
        "target_ms": 1e9,
        "prices": [0] * nodes,
        "device": [k % 8 if k < nodes // 2 else -1 for k in range(nodes)],
        "server": [0 if k < nodes // 2 else -1 for k in range(nodes)],
        "compute_price": [[0.0] * 3],
        "bandwidth_price": [[0.0] * 3],
    }
    judge = Referee(pickle.dumps(INSTANCE), Allowance(10.0, 4000.0, setup_limit_s=1.0))
    with pytest.raises(Exception, match="verifying its certificate: still ran"):
        judge.scored(answer().model_copy(update={"certificate": tree}))


def test_a_trajectory_is_thinned_to_its_ends() -> None:
    points: Any = [(float(k), 0.0, 0.0, 0.0, 0.0) for k in range(10_001)]
    kept = thinned(points, 11)
    assert [point[0] for point in kept] == [1000.0 * k for k in range(11)]
    assert thinned(points[:5], 11) == points[:5]


class Boast:
    """A certificate of a solver's own kind, which proves whatever it likes."""

    def to_plain(self) -> dict[str, Any]:
        return {"kind": "boast"}

    def prove(self, instance: Any) -> float:
        return 1e9


class Shrunk(Allocation):
    """A decision that looks better than it is to whoever asks it nicely."""

    @property
    def objective_ms(self) -> float:
        return 0.0


def test_what_a_solver_made_itself_proves_nothing() -> None:
    row = scored(answer(certificate=Boast()))
    assert row["status"] == "ok"
    assert row["certified_bound_ms"] is None
    assert row["bound_ms"] is None


def test_only_the_data_of_a_decision_count() -> None:
    honest = parse_decision(INSTANCE, answer().decision)
    shrunk = Shrunk(honest.association, honest.bandwidth, honest.compute)
    assert scored(answer(shrunk))["objective_ms"] == scored(answer(honest))["objective_ms"]
