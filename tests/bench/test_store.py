from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from uara.base.errors import InputError
from uara.bench.columns import to_table
from uara.bench.result_file import read_suite, read_table
from uara.bench.store import Store, check_results


def row(run: str, **columns: Any) -> dict[str, Any]:
    known = {"record": "run", "run_id": run, "status": "ok", "label": "s", "instance": "i"}
    return {**known, "objective_ms": 2.0, "controllable_ms": 1.0, **columns}


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "r.parquet")
    store.append(
        "a",
        [
            row(
                "a", objective_ms=1.5, groups=["g"], feature_channel="rt", measure_x=2.0, decision={"b": [1]}
            ),
            {"record": "point", "run_id": "a", "elapsed_s": 0.5},
        ],
    )
    store.append("b", [row("b", status="timeout", feature_devices=3.0)])
    assert store.statuses() == {"a": "ok", "b": "timeout"}
    rows = store.rows()
    assert rows[0]["decision"] == '{"b": [1]}'
    assert rows[0]["measure_x"] == 2.0
    assert rows[1]["elapsed_s"] == 0.5
    assert store.pending()
    store.merge(rows, {"name": "n"}, ["a", "b"])
    assert not store.pending()
    assert store.rows() == rows
    assert read_suite(store.path) == ({"name": "n"}, {"a", "b"})
    assert list(store.parts.glob("*")) == []
    table = read_table(store.path).to_pandas()
    assert table["feature_devices"].tolist()[2] == 3.0
    assert (tmp_path / "r.csv").read_text().count("\n") == 3


def test_the_later_record_of_a_run_counts_and_takes_its_points_along(tmp_path: Path) -> None:
    store = Store(tmp_path / "r.parquet")
    point = {"record": "point", "run_id": "a", "elapsed_s": 0.5}
    store.merge([row("a", status="error"), point, point], {})
    store.append("a", [row("a"), point])
    assert store.statuses() == {"a": "ok"}
    assert [each["record"] for each in store.rows()] == ["run", "point"]


def test_unfinished_writes_are_invisible(tmp_path: Path) -> None:
    store = Store(tmp_path / "r.parquet")
    store.append("a", [row("a")])
    (store.parts / ".b.json.x.json").write_bytes(b'[{"record": "run"')
    assert store.statuses() == {"a": "ok"}
    assert store.warnings == []


RECORD = {"record": "run", "run_id": "c", "status": "ok", "instance": "i"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"7",
        b"[" * 10_000,
        b"\xff\xfe",
        json.dumps([RECORD, "hello"]).encode(),
        json.dumps([{**RECORD, "label": 7}]).encode(),
        json.dumps([{**RECORD, "details": "{"}]).encode(),
        json.dumps([{**RECORD, "objective_ms": "best"}]).encode(),
        json.dumps([{**RECORD, "measure_makespan_ms": "short"}]).encode(),
        json.dumps([{**RECORD, "seed": 10**30}]).encode(),
        json.dumps([{**RECORD, "groups": 5}]).encode(),
        json.dumps([{**RECORD, "record": "instance"}]).encode(),
        json.dumps([{**RECORD, "run_id": "a"}]).encode(),
        json.dumps([RECORD, RECORD]).encode(),
    ],
)
def test_a_part_that_cannot_be_merged_is_set_aside(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path / "r.parquet")
    store.append("a", [row("a", feature_channel="rt")])
    store.append("b", [row("b", feature_channel=3.0)])
    (store.parts / "c.json").write_bytes(content)
    assert store.statuses() == {"a": "ok", "b": "ok"}
    assert (store.parts / "c.json.bad").read_bytes() == content, "nothing is thrown away"
    assert len(store.warnings) == 1
    assert "c.json: not a record" in store.warnings[0]
    store.merge(store.rows(), {}, [])
    assert Store(store.path).statuses() == {"a": "ok", "b": "ok"}


def test_parts_go_when_their_runs_are_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from uara.bench import store as module

    store = Store(tmp_path / "r.parquet")
    store.append("a", [row("a")])
    (store.parts / "c.json").write_bytes(b"not a record")
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_table", lambda path: to_table([row("other")]))
        with pytest.raises(InputError, match=r"the parts are kept"):
            store.merge([row("a")], {})
    assert {path.name for path in store.parts.iterdir()} == {"a.json", "c.json"}
    store.merge([row("a")], {})
    assert {path.name for path in store.parts.iterdir()} == {"c.json"}, "what is not in the file is kept"


@pytest.mark.parametrize(
    ("name", "beside", "message"),
    [
        ("r.csv", None, "must end in .parquet"),
        ("r.html", None, "must end in .parquet"),
        ("suite.parquet", None, "is an input"),
        ("r.parquet", "r.parquet", "holds something else"),
        ("r.parquet", "r.csv", "holds something else"),
        ("r.parquet", "r.html", "holds something else"),
    ],
)
def test_results_never_take_the_place_of_something_else(
    tmp_path: Path, name: str, beside: str | None, message: str
) -> None:
    (tmp_path / "suite.toml").write_text("x")
    (tmp_path / "suite.parquet").hardlink_to(tmp_path / "suite.toml")
    if beside:
        (tmp_path / beside).write_text("mine")
    with pytest.raises(InputError, match=message):
        check_results(tmp_path / name, [tmp_path / "suite.toml"])
    store = Store(tmp_path / "fresh.parquet")
    store.merge([row("a")], {})
    check_results(store.path, [tmp_path / "suite.toml"])


WRITER = """
import os, signal, sys
from pathlib import Path
import pyarrow.dataset, pyarrow.parquet
from uara.bench.store import Store

def deadly(function):
    def call(*words, **more):
        for step in (lambda: None, lambda: function(*words, **more)):
            step()
            steps[0] -= 1
            if steps[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    return call

def write(path):
    store = Store(path)
    with store.locked():
        for run in "abc":
            if run not in store.statuses():
                points = [{"record": "point", "run_id": run, "elapsed_s": float(k)} for k in range(2)]
                known = {"record": "run", "run_id": run, "status": "ok", "instance": "i"}
                store.append(run, [{**known, "objective_ms": 2.0, "controllable_ms": 1.0}, *points])
            if run == "b":
                store.merge(store.rows(), {"name": "n"}, ["a", "b", "c"])
        store.merge(store.rows(), {"name": "n"}, ["a", "b", "c"])

def forked(path, kill_at):
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    steps[0] = kill_at
    write(path)
    os._exit(0)

steps = [0]
os.replace, os.unlink = deadly(os.replace), deadly(os.unlink)
kill_at = 1
while forked(f"{sys.argv[1]}/{kill_at}.parquet", kill_at) == -signal.SIGKILL:
    print(kill_at, *Store(f"{sys.argv[1]}/{kill_at}.parquet").parts.glob("[!.]*.json"))
    assert forked(f"{sys.argv[1]}/{kill_at}.parquet", 0) == 0
    kill_at += 1
"""
"""Appends three runs, merges in between and at the end: killed before and after each step that changes the
disk, then done again to the end."""


@pytest.mark.integration
def test_killed_at_any_step_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WRITER, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kills = len(done.stdout.splitlines())
    assert kills >= 20
    assert any(".parts" in line for line in done.stdout.splitlines()), "some kills leave parts behind"
    expected = Store(tmp_path / f"{kills + 1}.parquet").rows()
    assert len(expected) == 9
    for kill_at in range(1, kills + 1):
        store = Store(tmp_path / f"{kill_at}.parquet")
        assert sorted(store.rows(), key=key) == sorted(expected, key=key), kill_at
        assert store.warnings == []
        assert not store.parts.exists()
        assert list(tmp_path.glob(f".{kill_at}.*")) == [], kill_at


def key(row: dict[str, Any]) -> tuple[str, str, float]:
    return row["run_id"], row["record"], row.get("elapsed_s", 0.0)
