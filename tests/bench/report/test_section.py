from __future__ import annotations

import pytest

from uara.base.errors import InputError
from uara.bench.report.section import Facts, Section

from ..conftest import made_up

ROWS = [
    {"instance": "i", "label": "slow", "controllable_ms": 4.0, "bound_ms": 101.0},
    {"instance": "i", "label": "quick", "controllable_ms": 2.0},
    {"instance": "j", "label": "quick", "controllable_ms": 3.0},
]


def test_facts_follow_from_the_rows() -> None:
    facts = Facts.of(made_up(ROWS))
    assert dict(facts.places) == {"slow": 0, "quick": 1}, "in the order in which solvers come"
    assert facts.runs["excess"].tolist() == pytest.approx([1.0, 0.0, 0.0])
    assert facts.known.loc["i", "best_solver"] == "quick"
    assert facts.known.loc["i", "gap"] == pytest.approx((102.0 - 101.0) / 2.0)


def test_the_trajectories_of_an_instance_are_found_by_run() -> None:
    points = [
        {"run_id": "run0", "elapsed_s": 1.0, "controllable_ms": 5.0},
        {"run_id": "run0", "elapsed_s": 2.0, "controllable_ms": 4.0},
        {"run_id": "run2", "instance": "j", "elapsed_s": 1.0, "controllable_ms": 3.0},
    ]
    facts = Facts.of(made_up(ROWS, points))
    assert {run: len(found) for run, found in facts.curves("i").items()} == {"run0": 2}
    assert list(facts.curves("j")) == ["run2"]
    assert facts.curves("none") == {}


def test_nothing_follows_from_no_runs() -> None:
    with pytest.raises(InputError, match="holds no runs"):
        Facts.of(made_up([]))


def test_a_section_needs_neither_values_nor_pictures() -> None:
    section = Section("a", "A", "a")
    assert not section.values
    assert not section.pictures
