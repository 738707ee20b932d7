from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from uara.bench import rows
from uara.bench.execution.execute import StoredRun
from uara.bench.plan import Run, make_plan
from uara.bench.suite import Suite

from .conftest import MakeSuite


@pytest.fixture
def planned(make_suite: MakeSuite, tmp_path: Path) -> tuple[Suite, list[Run]]:
    path = make_suite([{"solver": "random", "seeds": [0, 1]}])
    suite = Suite.load(path)
    return suite, make_plan(suite, tmp_path)


def recorded(suite: Suite, run: Run) -> list[dict[str, Any]]:
    record = StoredRun(run.run_id, {"status": "ok", "started_at": "t"}, [(0.1, 5.0, 4.0, 1.0, 1.0)])
    return rows.rows_of(suite.name, run, record)


def test_a_run_has_a_row_and_one_for_each_point(planned: tuple[Suite, list[Run]]) -> None:
    suite, (run, _) = planned
    own, point = recorded(suite, run)
    assert (own["record"], own["run_id"], own["status"], own["seed"]) == ("run", run.run_id, "ok", 0)
    assert own["digest"] == run.case.problem.digest
    assert {name for name in own if name.startswith("feature_")}
    assert (point["record"], point["elapsed_s"], point["objective_ms"]) == ("point", 0.1, 5.0)
    assert point["run_id"] == run.run_id


def test_rows_come_in_the_order_of_the_plan_and_others_are_old(planned: tuple[Suite, list[Run]]) -> None:
    suite, (one, two) = planned
    found = recorded(suite, two) + recorded(suite, one)
    both = rows.merged(suite, [one, two], found)
    assert [(row["record"], row.get("run_id")) for row in both] == [
        ("run", one.run_id),
        ("point", one.run_id),
        ("run", two.run_id),
        ("point", two.run_id),
        ("instance", None),
    ]
    left = rows.merged(suite, [two], both)
    assert [row["record"] for row in left] == ["run", "point", "old run", "old point", "instance"]
    assert rows.merged(suite, [one, two], left)[:4] == both[:4], "what is old comes back with its suite"


def test_what_the_suite_leaves_out_is_said(planned: tuple[Suite, list[Run]]) -> None:
    suite, (one, _) = planned
    (row, _) = rows.merged(suite, [dataclasses.replace(one, skip="on purpose")], [])
    assert (row["status"], row["reason"]) == ("skipped", "on purpose")


def test_only_moderate_instances_are_kept_whole(
    planned: tuple[Suite, list[Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = planned[1][0].case.problem
    content = rows.file_of(problem)
    assert content is not None
    assert problem.name in content
    monkeypatch.setattr(rows, "MOST_CONTENT_BYTES", len(content.encode()) - 1)
    assert rows.file_of(problem) is None
