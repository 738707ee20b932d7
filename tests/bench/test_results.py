from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uara.base.errors import InputError
from uara.bench import Results
from uara.bench.store import Store
from uara.problem import evaluate, lower_bound, parse_certificate, parse_decision

from .conftest import HOSTILE

pytestmark = pytest.mark.integration


def test_the_parts_of_a_result_file(recorded: Path) -> None:
    results = Results.load(recorded)
    assert len(results.runs) + len(results.points) + len(results.instances) == len(results.table)
    assert results.runs["run_id"].is_unique
    assert set(results.points["run_id"]) <= set(results.runs["run_id"])
    assert results.suite["name"] == "recorded"
    assert sum(results.counts().values()) == len(results.runs)
    assert results.missing == 0


def test_whole_numbers_stay_whole(recorded: Path) -> None:
    results = Results.load(recorded)
    for part in (results.runs, results.points):
        for name in {"seed", "repetition", "threads", "threads_seen", "cores", "memory_mb"} & {*part}:
            assert str(part[name].dtype) == "Int64", name


def test_missing_runs_are_counted_by_what_they_are(tmp_path: Path) -> None:
    def row(run: str, record: str = "run") -> dict[str, Any]:
        known = {"instance": "i", "digest": "d", "status": "ok", "objective_ms": 2.0, "controllable_ms": 1.0}
        return {"record": record, "run_id": run, **known}

    store = Store(tmp_path / "r.parquet")
    store.merge([row("a"), row("x", "old run"), row("x", "old point")], {"planned_runs": 2}, ["a", "b"])
    results = Results.load(store.path)
    assert results.runs["run_id"].tolist() == ["a"]
    assert results.points.empty
    assert results.missing == 1


def test_a_file_that_does_not_name_its_runs_counts_them(tmp_path: Path) -> None:
    store = Store(tmp_path / "r.parquet")
    store.merge([{"record": "run", "run_id": "a", "instance": "i", "status": "error"}], {"planned_runs": 3})
    assert Results.load(store.path).missing == 2


def test_instances_are_kept_inside(recorded: Path) -> None:
    results = Results.load(recorded)
    for _, row in results.instances.iterrows():
        problem = results.problem(row["instance"])
        assert problem.digest == row["digest"]
        assert problem.name == row["instance"]
    assert results.problem("nobody") is None


def test_a_stored_answer_scores_what_is_stored(recorded: Path) -> None:
    results = Results.load(recorded)
    solved = results.runs[results.runs["status"] == "ok"]
    checked = 0
    for _, run in solved.groupby("label").head(2).iterrows():
        problem = results.problem(run["instance"])
        decision = parse_decision(problem, Results.decoded(run["decision"]))
        assert evaluate(problem, decision).objective_ms == pytest.approx(run["objective_ms"], rel=1e-12)
        if run["label"] == HOSTILE:
            certificate = parse_certificate(problem, Results.decoded(run["certificate"]))
            assert lower_bound(problem, certificate) == pytest.approx(run["certified_bound_ms"], rel=1e-12)
            checked += 1
    assert checked


def test_ranking_is_a_frame(recorded: Path) -> None:
    ranking = Results.load(recorded).ranking()
    assert {"rank", "label", "excess", "runtime_s", "solved"} <= set(ranking.columns)


def test_what_is_no_result_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Results.load(tmp_path / "none.parquet")
    assert Results.decoded(None) is None
    assert Results.decoded('{"a": 1}') == {"a": 1}


def test_whole_numbers_stay_whole_where_some_are_missing(recorded: Path) -> None:
    results = Results.load(recorded)
    assert str(results.table["seed"].dtype) == "Int64"
    assert results.table["seed"].isna().any(), "instances have none"
    assert len(results.planned) == len(results.runs)


def test_a_file_from_before_the_planned_runs_were_kept_is_read(recorded: Path, tmp_path: Path) -> None:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(recorded)
    facts = {key: value for key, value in table.schema.metadata.items() if key != b"uara.planned"}
    pyarrow.parquet.write_table(table.replace_schema_metadata(facts), tmp_path / "old.parquet")
    results = Results.load(tmp_path / "old.parquet")
    assert results.planned == frozenset()
    assert results.missing == 0
