from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from processes import gone

import uara.bench
from uara.bench import Results

from .conftest import MakeSuite

pytestmark = pytest.mark.integration

T = "bench_trials:"


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One suite in which every solver ends in its own way."""
    from .conftest import PLUGINS, toml

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        folder = tmp_path_factory.mktemp("endings")
        ways = {
            "good": {"solver": T + "sleeper"},
            "anytime": {"solver": T + "anytime"},
            "hang": {"solver": T + "hang", "time_limit_s": 0.3},
            "stubborn": {"solver": T + "stubborn", "time_limit_s": 0.3},
            "hungry": {"solver": T + "hungry", "memory_limit_mb": 500.0},
            "hides": {"solver": T + "hides_its_hunger", "memory_limit_mb": 500.0},
            "shares": {"solver": T + "shares_memory", "memory_limit_mb": 900.0},
            "greedy": {"solver": T + "greedy_for_memory"},
            "raises": {"solver": T + "raises"},
            "crashes": {"solver": T + "crashes"},
            "leaves": {"solver": T + "leaves"},
            "overbooks": {"solver": T + "overbooks"},
            "cheats": {"solver": T + "cheats"},
            "boasts": {"solver": T + "boasts"},
            "boasts-at-last": {"solver": T + "boasts_at_last", "time_limit_s": 0.3},
            "own-numbers": {"solver": T + "bounds_with_its_own"},
            "nonsense": {"solver": T + "answers_nonsense"},
            "gives-up": {"solver": T + "gives_up", "time_limit_s": 0.3},
            "needs-more": {"solver": T + "needs_more"},
            "left-out": {"solver": "random", "skip": [{"instances": "tiny", "reason": "on purpose"}]},
            "late": {"solver": T + "late", "options": {"seconds": 0.4}, "time_limit_s": 0.2},
            "proves": {"solver": T + "proves_at_length", "time_limit_s": 5.0},
            "compiles": {"solver": T + "slow_to_compile"},
            "chatters": {"solver": T + "chatters"},
            "threads": {"solver": T + "counts_threads", "threads": 2},
        }
        lines = ['name = "endings"', "time_limit_s = 20", "grace_s = 2.5", "[[instances]]"]
        recipe = {"channel": "path-loss", "servers": 3, "devices": 6, "seed": 1, "name": "tiny"}
        lines.append(f"generate = {toml(recipe)}")
        for label, entry in ways.items():
            lines += ["[[solvers]]", *(f"{k} = {toml(v)}" for k, v in {"label": label, **entry}.items())]
        path = folder / "endings.toml"
        path.write_text("\n".join(lines))
        return uara.bench.run(path, output=folder / "endings.parquet")


@pytest.mark.parametrize(
    ("label", "status", "reason"),
    [
        ("good", "ok", ""),
        ("anytime", "ok", ""),
        ("hang", "timeout", "still ran"),
        ("stubborn", "timeout", "still ran"),
        ("hungry", "memory", "more than 500 MB"),
        ("hides", "memory", "more than 500 MB"),
        ("shares", "ok", ""),
        ("greedy", "memory", "out of memory"),
        ("raises", "error", "ZeroDivisionError: by <b>nothing</b>"),
        ("crashes", "error", "SIGSEGV"),
        ("leaves", "error", "exit code 7"),
        ("overbooks", "infeasible", "(4) bandwidth budget"),
        ("cheats", "error", "changed its instance"),
        ("boasts", "error", "above"),
        ("boasts-at-last", "error", "above"),
        ("own-numbers", "ok", ""),
        ("nonsense", "error", "returned int, not an Allocation"),
        ("gives-up", "timeout", "no answer within its 0.3 s"),
        ("needs-more", "skipped", "pip install 'uara[scip]'"),
        ("left-out", "skipped", "on purpose"),
        ("compiles", "ok", ""),
        ("proves", "ok", ""),
        ("late", "timeout", "s after the 0.2 s that it was given, with an objective of"),
        ("chatters", "ok", ""),
    ],
)
def test_every_ending_has_its_status(endings: Any, label: str, status: str, reason: str) -> None:
    run = endings.runs.set_index("label").loc[label]
    assert (run["status"], reason in (run["reason"] or "")) == (status, True), run["reason"]


def test_a_failure_has_no_objective(endings: Any) -> None:
    runs: Any = endings.runs
    failed = runs[runs["status"].isin(["timeout", "memory", "skipped"])]
    assert len(failed)
    assert failed["objective_ms"].isna().all()
    assert runs[runs["status"] == "ok"]["objective_ms"].notna().all()


def test_limits_are_kept_in_time(endings: Any) -> None:
    runs = endings.runs.set_index("label")
    for label in ("hang", "stubborn"):
        assert 2.8 <= runs.loc[label, "wall_s"] - runs.loc[label, "setup_s"] < 60, "they would never end"
    assert 500 < runs.loc["hungry", "peak_memory_mb"] < 8000, "it would take 160 GB"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows what processes share")
def test_shared_pages_count_once(endings: Any) -> None:
    run = endings.runs.set_index("label").loc["shares"]
    assert run["threads_seen"] >= 5, "its children were seen"
    assert 320 < run["peak_memory_mb"] < 900, "five times 320 MB are shared"


def test_compile_time_is_apart_from_solve_time(endings: Any) -> None:
    run = endings.runs.set_index("label").loc["compiles"]
    assert run["setup_s"] >= 1.0
    assert run["runtime_s"] < run["setup_s"]


def test_incumbents_of_an_ended_run_are_kept(endings: Any) -> None:
    points = endings.points
    assert len(points[points["label"] == "hang"]) == 1
    anytime = points[points["label"] == "anytime"]
    assert anytime["elapsed_s"].is_monotonic_increasing
    assert anytime["objective_ms"].dropna().is_monotonic_decreasing


def test_threads_are_pinned_and_recorded(endings: Any) -> None:
    runs = endings.runs.set_index("label")
    assert '"pinned": 2.0' in runs.loc["threads", "details"]
    assert runs.loc["threads", "threads"] == 2
    assert runs.loc["good", "threads"] == 1
    assert runs.loc["good", "threads_seen"] >= 1


def test_what_a_failed_run_printed_is_kept(endings: Any) -> None:
    runs = endings.runs.set_index("label")
    assert "about to divide" in runs.loc["raises", "log"]
    assert "about to hang" in runs.loc["hang", "log"], "though it was ended in the midst"
    assert "about to crash" in runs.loc["crashes", "log"]
    assert "ZeroDivisionError" in runs.loc["raises", "log"]


def test_no_process_is_left_behind(endings: Any) -> None:
    templates = [each for each in psutil.Process().children() if is_of_the_harness(each)]
    assert 1 <= len(templates) <= 2, "one for each number of threads, kept for later runs"
    for template in templates:
        watchers = [each for each in template.children() if is_of_the_harness(each)]
        assert len(watchers) <= 1, "of the process that waits for the next run"
        for watcher in watchers:
            waiting = [each for each in watcher.children(recursive=True) if is_of_the_harness(each)]
            assert len(waiting) <= 1


def is_of_the_harness(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "uara.isolation" in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize(("solver", "status"), [("escapes", "ok"), ("escapes_and_hangs", "timeout")])
def test_what_leaves_the_runs_session_ends_with_it(
    make_suite: MakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, solver: str, status: str
) -> None:
    monkeypatch.setenv("ESCAPED", str(tmp_path / "pid"))
    suite = make_suite([{"solver": T + solver}], time_limit_s=1.0, grace_s=0.2)
    assert uara.bench.run(suite).runs["status"].tolist() == [status]
    assert gone(int((tmp_path / "pid").read_text())), "before the next run begins"


def test_a_solvers_classes_stay_in_its_process(
    make_suite: MakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLD", str(tmp_path / "pids"))
    results = uara.bench.run(make_suite([{"solver": T + "tells"}]))
    assert results.counts() == {"ok": 1}
    assert str(os.getpid()) not in (tmp_path / "pids").read_text().split()


def test_an_answer_that_never_says_what_it_is_is_ended(make_suite: MakeSuite) -> None:
    results = uara.bench.run(make_suite([{"solver": T + "stalls"}], time_limit_s=0.5, grace_s=0.2))
    assert results.runs["status"].tolist() == ["timeout"]
    assert "still ran" in results.runs["reason"][0]


def test_a_solver_that_never_gets_ready_is_ended(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite([{"solver": T + "never_ready"}], setup_limit_s=0.5, time_limit_s=5)
    results: Results = uara.bench.run(suite)
    assert results.runs["status"].tolist() == ["timeout"]
    assert "imports and compilation" in results.runs["reason"][0]
