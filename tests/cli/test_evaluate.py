from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uara import Instance

Command = Callable[..., Any]


@pytest.fixture
def solution_file(uara: Command, instance_file: Path, tmp_path: Path) -> Path:
    assert uara("solve", instance_file, "--solver", "tma", "--output", tmp_path / "s.json").code == 0
    return tmp_path / "s.json"


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_bytes())
    change(data)
    path.write_text(json.dumps(data))


def test_what_solve_wrote_scores_the_same(
    uara: Command, instance_file: Path, solution_file: Path, instance: Instance
) -> None:
    outcome = uara("evaluate", instance_file, solution_file, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    claimed = json.loads(solution_file.read_bytes())["claims"]["objective_ms"]
    assert outcome.data["objective"] == claimed
    assert (outcome.data["instance"], outcome.data["solver"]) == ("twelve", "tma")
    assert outcome.data.keys() >= {
        "objective", "controllable", "constant", "terms_ms", "latency_ms", "sequential_ms", "energy_j", "feasible",
        "violations",
    }  # fmt: skip
    assert outcome.data["feasible"] is True
    assert outcome.data["objective"] == pytest.approx(outcome.data["constant"] + outcome.data["controllable"])


def test_the_table_shows_the_terms(uara: Command, instance_file: Path, solution_file: Path) -> None:
    outcome = uara("evaluate", instance_file, solution_file)
    for word in ("objective", "synchronisation", "uplink energy", "p95", "feasible", "yes"):
        assert word in outcome.out


def test_what_the_file_claims_is_not_believed(
    uara: Command, instance_file: Path, solution_file: Path
) -> None:
    before = uara("evaluate", instance_file, solution_file, "--json").data
    edit(solution_file, lambda data: data["claims"].update(objective_ms=1.0, status="optimal"))
    assert uara("evaluate", instance_file, solution_file, "--json").data == before


def test_an_infeasible_solution_ends_with_1_and_names_every_violation(
    uara: Command, instance_file: Path, solution_file: Path
) -> None:
    edit(solution_file, lambda data: data["decision"].update(bandwidth=[0.9] * 12))
    outcome = uara("evaluate", instance_file, solution_file, "--json")
    assert outcome.code == 1
    assert not outcome.data["feasible"]
    assert {item["constraint"] for item in outcome.data["violations"]} == {"(4) bandwidth budget"}
    assert "violated: (4) bandwidth budget at s" in uara("evaluate", instance_file, solution_file).out


def test_a_decision_of_infinite_cost_is_scored(
    uara: Command, instance_file: Path, solution_file: Path
) -> None:
    edit(solution_file, lambda data: data["decision"].update(association=[99] * 12))
    outcome = uara("evaluate", instance_file, solution_file, "--json")
    assert outcome.code == 1
    assert outcome.data["objective"] is None
    assert uara("evaluate", instance_file, solution_file).code == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: data["instance"].update(digest="0" * 64), "$.instance: is for 'twelve'"),
        (lambda data: data["decision"].update(association=[0]), "lengths differ"),
        (
            lambda data: data.update(decision={"association": [0], "bandwidth": [1.0], "compute": [1.0]}),
            "$.decision.association: 1 entries, but there are 12 devices",
        ),
        (lambda data: data.pop("decision"), "$.decision"),
        (lambda data: data.update(kind="p1"), "$.kind"),
    ],
)
def test_files_that_are_no_solution_of_this_instance_are_refused(
    uara: Command, instance_file: Path, solution_file: Path, change: Any, text: str
) -> None:
    edit(solution_file, change)
    outcome = uara("evaluate", instance_file, solution_file)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"uara: {solution_file}: ")
    assert text in outcome.err
    assert outcome.err.count("\n") == 1
