from __future__ import annotations

import math
from pathlib import Path

import pytest

from uara.bench import Results
from uara.bench.metrics import contradictions, references, scored

from .conftest import made_up


def test_references_prefer_proofs_to_claims() -> None:
    results = made_up(
        [
            {"label": "a", "controllable_ms": 10.0, "bound_ms": 109.5},
            {"label": "b", "controllable_ms": 12.0, "bound_ms": 109.0, "certified_bound_ms": 109.0},
            {"label": "c", "status": "timeout"},
        ]
    )
    row = references(results).loc["i"]
    assert (row["best_solver"], row["bound_kind"], row["bound_ms"]) == ("a", "certified", 109.0)
    assert row["constant_ms"] == pytest.approx(100.0)


def test_a_bound_above_an_answer_is_shouted_about() -> None:
    rows = [
        {"label": "a", "controllable_ms": 10.0},
        {"label": "b", "controllable_ms": 12.0, "bound_ms": 111.0},
    ]
    (line,) = contradictions(made_up(rows))
    assert "b bounds" in line
    assert "a has a feasible answer" in line
    rows[1]["bound_ms"] = 110.000001
    assert contradictions(made_up(rows)) == []


def test_scores_by_hand() -> None:
    results = made_up(
        [
            {
                "label": "a",
                "controllable_ms": 10.0,
                "certified_bound_ms": 109.0,
                "bound_ms": 109.0,
                "runtime_s": 2.0,
                "measure_optimal_shares_ms": 109.6,
            },
            {"label": "b", "controllable_ms": 20.0, "runtime_s": 1.0, "measure_optimal_shares_ms": 112.0},
            {"label": "c", "status": "timeout"},
            {"label": "d", "status": "skipped"},
        ],
        [
            {"run_id": "run0", "elapsed_s": 1.0, "controllable_ms": 20.0},
            {"run_id": "run0", "elapsed_s": 1.5, "controllable_ms": 10.0},
        ],
    )
    runs = scored(results).set_index("label")
    assert runs["excess"][["a", "b"]].tolist() == pytest.approx([0.0, 1.0])
    assert runs["gap_to_bound"][["a", "b"]].tolist() == pytest.approx([0.1, 11 / 20])
    assert runs["allocation_gap"][["a", "b"]].tolist() == pytest.approx([0.04, 0.4])
    assert runs["association_gap"][["a", "b"]].tolist() == pytest.approx([0.06, 0.15])
    assert runs["time_to_target_s"].tolist() == [1.5, math.inf, math.inf, math.inf]
    assert runs["primal_integral_s"][["a", "b", "c"]].tolist() == pytest.approx([1.25, 1 + 9 * 0.5, 10.0])
    assert math.isnan(runs["primal_integral_s"]["d"])


def test_the_two_parts_of_the_gap_are_the_gap(recorded: Path) -> None:
    runs = scored(Results.load(recorded))
    solved = runs[(runs["status"] == "ok") & runs["gap_to_bound"].notna()]
    assert len(solved) > 30
    parts = solved["association_gap"] + solved["allocation_gap"]
    assert (parts - solved["gap_to_bound"]).abs().max() < 1e-9
    assert (solved[solved["label"] == "tma (allocation=optimal)"]["allocation_gap"] < 1e-9).all()
    assert (solved[solved["label"] == "tma (allocation=uniform)"]["allocation_gap"] > 1e-4).all()


def test_solvers_are_integrated_over_one_horizon() -> None:
    """The smallest limit on the instance: a longer limit alone must not cost anything."""
    rows = [
        {"label": "short", "status": "timeout", "time_limit_s": 4.0},
        {"label": "long", "status": "timeout", "time_limit_s": 100.0},
        {"label": "late", "controllable_ms": 1.0, "runtime_s": 9.0, "time_limit_s": 100.0},
        {"label": "elsewhere", "instance": "j", "status": "timeout", "time_limit_s": 100.0},
    ]
    spent = scored(made_up(rows)).set_index("label")["primal_integral_s"]
    assert spent.to_dict() == {"short": 4.0, "long": 4.0, "late": 4.0, "elsewhere": 100.0}
