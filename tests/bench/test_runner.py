"""Killed at any moment, the same command finishes the rest and gives the same table."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from processes import gone

import uara.bench
from uara.base.errors import InputError
from uara.bench import Results, runner
from uara.bench.store import Store

from .conftest import MakeSuite

FIXED = [
    "run_id",
    "instance",
    "label",
    "seed",
    "repetition",
    "status",
    "objective_ms",
    "controllable_ms",
    "latency_mean_ms",
    "latency_p95_ms",
    "energy_j",
    "bound_ms",
    "decision",
    "details",
    "options",
]
"""Columns that do not depend on how long anything took."""


def suite_of(make_suite: MakeSuite, log: Path, seconds: float, **keys: Any) -> Path:
    return make_suite(
        [
            {"solver": "bench_trials:sleeper", "options": {"seconds": seconds, "log": str(log)}},
            {"solver": "random", "seeds": [0, 1, 2]},
            {"solver": "bench_trials:raises", "seeds": [0]},
        ],
        seeds=[0, 1, 2, 3],
        **{"devices": [5, 6], "time_limit_s": 100.0, **keys},
    )


def start(suite: Path, output: Path, jobs: int, session: int, before: str = "") -> subprocess.Popen[bytes]:
    words = ["bench", str(suite), "-o", str(output), "--no-report", "--jobs", str(jobs)]
    return subprocess.Popen(
        [sys.executable, "-c", f"{before}from uara.cli import main; main({words!r})"],
        env={**os.environ, "SESSION": str(session)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def fixed(results: Results) -> Any:
    return results.runs[FIXED]


def killed_round(
    suite: Path, output: Path, log: Path, jobs: int, rng: random.Random, longest_s: float, most: int
) -> list[set[str]]:
    """Kill the command at random moments until it got done, or was killed so often, and then let it get done.

    Returns what was recorded after each kill.
    """
    recorded: list[set[str]] = []
    while len(recorded) < most:
        process = start(suite, output, jobs, len(recorded))
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.2, longest_s))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        recorded.append(set(Store(output).statuses()))
    else:
        process = start(suite, output, jobs, len(recorded))
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()
    return recorded


def assert_nothing_twice(suite: Path, log: Path, recorded: list[set[str]], results: Results) -> None:
    """No run that was recorded when a session was killed began again in a later one."""
    runs = results.runs.set_index(["instance", "seed"])
    sleepers = runs[runs["label"].str.contains("sleeper")]["run_id"].to_dict()
    for line in log.read_text().splitlines():
        session, what, instance, seed, _ = line.split()
        before = recorded[int(session) - 1] if int(session) else set()
        assert what != "start" or sleepers[instance, int(seed)] not in before, line


@pytest.mark.integration
def test_killed_and_resumed(make_suite: MakeSuite, tmp_path: Path) -> None:
    kills(make_suite, tmp_path, jobs=2, count=2)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_twenty_kills(make_suite: MakeSuite, tmp_path: Path, jobs: int) -> None:
    kills(make_suite, tmp_path, jobs, 20)


def kills(make_suite: MakeSuite, tmp_path: Path, jobs: int, count: int) -> None:
    log = tmp_path / "log"
    suite = suite_of(make_suite, log, 0.3)
    began = time.monotonic()
    start(suite, tmp_path / "undisturbed.parquet", jobs, 0).communicate()
    longest_s = time.monotonic() - began
    undisturbed = Results.load(tmp_path / "undisturbed.parquet")
    assert undisturbed.counts() == {"ok": 14, "error": 2}
    rng, done, rounds = random.Random(jobs), 0, 0
    while done < count:
        log.write_text("")
        output, rounds = tmp_path / f"killed{rounds}.parquet", rounds + 1
        recorded = killed_round(suite, output, log, jobs, rng, longest_s, count - done)
        done += len(recorded)
        results = Results.load(output)
        assert fixed(results).equals(fixed(undisturbed))
        assert_nothing_twice(suite, log, recorded, results)
        assert not Path(f"{output}.parts").exists()
        sizes = [len(each) for each in recorded]
        assert sizes == sorted(sizes), "what is recorded stays recorded"


@pytest.mark.integration
def test_a_finished_suite_does_nothing(make_suite: MakeSuite, tmp_path: Path) -> None:
    log = tmp_path / "log"
    suite = suite_of(make_suite, log, 0.0)
    first = uara.bench.run(suite, output=tmp_path / "r.parquet")
    lines = log.read_text()
    calls: list[Any] = []
    second = uara.bench.run(suite, output=tmp_path / "r.parquet", on_progress=calls.append)
    assert calls == []
    assert log.read_text() == lines
    assert second.runs.equals(first.runs)
    assert second.points.equals(first.points)


@pytest.mark.integration
def test_retry_does_the_failed_ones_again(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = suite_of(make_suite, tmp_path / "log", 0.0)
    uara.bench.run(suite, output=tmp_path / "r.parquet")
    calls: list[Any] = []
    uara.bench.run(suite, output=tmp_path / "r.parquet", retry=["error", "timeout"], on_progress=calls.append)
    assert Counter(call.label for call in calls) == {"bench_trials:raises": 2}
    with pytest.raises(InputError, match="is not one of"):
        uara.bench.run(suite, output=tmp_path / "r.parquet", retry=["failed"])


@pytest.mark.integration
def test_a_changed_limit_is_another_run_and_a_changed_label_is_not(
    make_suite: MakeSuite, tmp_path: Path
) -> None:
    def count(**entry: Any) -> int:
        calls: list[Any] = []
        suite = make_suite([{"solver": "random", **entry}])
        results = uara.bench.run(suite, output=tmp_path / "r.parquet", on_progress=calls.append)
        assert entry.get("label", "random") == results.runs["label"][0].partition(" ")[0]
        return len(calls)

    assert count() == 1
    assert count(label="dice") == 0
    assert count(options={"allocation": "optimal"}) == 0, "the default, written out, is the same run"
    assert count(options={"allocation": "sqrt"}, label="random") == 1
    assert count(time_limit_s=7.0) == 1
    assert count(label="dice") == 0


@pytest.mark.integration
def test_runs_that_left_the_suite_do_not_count(make_suite: MakeSuite, tmp_path: Path) -> None:
    def suite(seed: int, **entry: Any) -> Path:
        recipe = {"channel": "path-loss", "servers": 3, "devices": [5, 6], "name": "net", "seed": seed}
        return make_suite(
            [{"solver": "random", **entry}, {"solver": "max-sinr"}], instances=[{"generate": recipe}]
        )

    output = tmp_path / "r.parquet"
    first = uara.bench.run(suite(1), output=output)
    second = uara.bench.run(suite(2, time_limit_s=7.0), output=output, only_instance="*=5")
    assert len(second.runs) == 2
    assert second.missing == 2, "the old runs of the same names stand in for none"
    assert not set(second.runs["run_id"]) & set(first.runs["run_id"])
    assert not set(second.points["run_id"]) & set(first.runs["run_id"])
    assert second.runs.groupby("instance")["digest"].nunique().max() == 1
    for name, digest in second.runs[["instance", "digest"]].itertuples(index=False):
        assert second.problem(name).digest == digest
    calls: list[Any] = []
    back = uara.bench.run(suite(1), output=output, on_progress=calls.append)
    assert calls == [], "they come back with the suite that has them"
    assert back.missing == 0
    assert fixed(back).equals(fixed(first))
    assert back.points.equals(first.points)


@pytest.mark.integration
def test_another_name_of_the_same_data_is_on_every_row(make_suite: MakeSuite, tmp_path: Path) -> None:
    def names(name: str) -> list[set[str]]:
        recipe = {"channel": "path-loss", "servers": 3, "devices": 5, "name": name, "seed": 1}
        suite = make_suite([{"solver": "bench_trials:anytime"}], instances=[{"generate": recipe}])
        results = uara.bench.run(suite, output=tmp_path / "r.parquet")
        return [set(part["instance"]) for part in (results.runs, results.points, results.instances)]

    assert names("old") == [{"old"}] * 3
    assert names("new") == [{"new"}] * 3


@pytest.mark.integration
def test_what_is_missing_in_the_run_is_said_and_tried_again(make_suite: MakeSuite, tmp_path: Path) -> None:
    output, there = tmp_path / "r.parquet", tmp_path / "there"
    solver = {"solver": "bench_trials:misses_something", "options": {"file": str(there)}}
    first = uara.bench.run(make_suite([solver]), output=output)
    assert first.counts() == {"skipped": 1}
    assert "uara[scip]" in first.runs["reason"][0]
    assert first.missing == 0
    there.touch()
    assert uara.bench.run(make_suite([solver]), output=output).counts() == {"ok": 1}


@pytest.mark.integration
def test_what_an_earlier_suite_left_out_is_missing_until_it_is_done(
    make_suite: MakeSuite, tmp_path: Path
) -> None:
    output = tmp_path / "r.parquet"
    left_out = {"solver": "random", "skip": [{"instances": "*", "reason": "why not"}]}
    assert uara.bench.run(make_suite([left_out]), output=output).counts() == {"skipped": 1}
    suite = make_suite([{"solver": "random"}, {"solver": "max-sinr"}])
    results = uara.bench.run(suite, output=output, only_solver="max-*")
    assert results.counts() == {"ok": 1}
    assert results.missing == 1


@pytest.mark.parametrize("glob", ["only_solver", "only_instance"])
def test_a_glob_that_matches_nothing_is_an_error(make_suite: MakeSuite, tmp_path: Path, glob: str) -> None:
    with pytest.raises(InputError, match="'nobody' matches none of"):
        uara.bench.run(make_suite([{"solver": "random"}]), output=tmp_path / "r.parquet", **{glob: "nobody"})  # type: ignore[arg-type]
    assert not (tmp_path / "r.parquet").exists()


def test_the_file_is_renewed_while_the_suite_runs(
    make_suite: MakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "MERGE_S", 0.0)
    monkeypatch.setattr(runner, "MERGE_SHARE", 1e9)
    seen = []

    def look(advance: Any) -> None:
        if advance.done > 1:
            found = Results.load(tmp_path / "r.parquet")
            seen.append((len(found.runs), found.missing))

    suite = make_suite([{"solver": "random", "seeds": [0, 1, 2]}])
    results = uara.bench.run(suite, output=tmp_path / "r.parquet", on_progress=look)
    assert seen == [(1, 2), (2, 1)]
    assert results.missing == 0


@pytest.mark.integration
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_suite_leaves_a_file(make_suite: MakeSuite, tmp_path: Path, jobs: int) -> None:
    log, output = tmp_path / "log", tmp_path / "r.parquet"
    log.touch()
    process = start(suite_of(make_suite, log, 0.5, devices=[5]), output, jobs, 0)
    wait_until(lambda: log.read_text().count("start") >= jobs + 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors.decode()
    results = Results.load(output)
    assert len(results.runs) >= 1
    assert results.missing == 8 - len(results.runs) > 0


@pytest.mark.integration
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_killed_at_the_end(make_suite: MakeSuite, tmp_path: Path, suffix: str) -> None:
    log, output = tmp_path / "log", tmp_path / "r.parquet"
    suite = suite_of(make_suite, log, 0.0, devices=[5])
    hold = (
        "import os, signal; put = os.replace\n"
        f"os.replace = lambda a, b: os.kill(os.getpid(), 9) if str(b).endswith({suffix!r}) else put(a, b)\n"
    )
    process = start(suite, output, 1, 0, hold)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, errors.decode()
    calls: list[Any] = []
    results = uara.bench.run(suite, output=output, on_progress=calls.append)
    assert calls == []
    assert results.runs["run_id"].is_unique
    assert results.missing == 0
    assert {path.name for path in tmp_path.glob("*r.*")} == {"r.parquet", "r.csv"}, (
        "nothing half-written is left"
    )


def test_an_empty_part_is_not_a_finished_run(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite([{"solver": "random"}], seeds=[0, 1])
    output = tmp_path / "r.parquet"
    results = uara.bench.run(suite, output=output)
    output.unlink()
    parts = Path(f"{output}.parts")
    parts.mkdir()
    (parts / f"{results.runs['run_id'][0]}.json").touch()
    calls: list[Any] = []
    with pytest.warns(UserWarning, match="not a record; its run is done again"):
        again = uara.bench.run(suite, output=output, on_progress=calls.append)
    assert len(calls) == 2
    assert len(again.warnings) == 1
    assert fixed(again).equals(fixed(results))


def test_two_commands_do_not_write_the_same_results(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite([{"solver": "random"}])
    store = Store(tmp_path / "r.parquet")
    with store.locked(), pytest.raises(InputError, match="another uara bench"):
        uara.bench.run(suite, output=store.path)
    assert uara.bench.run(suite, output=store.path).counts() == {"ok": 1}


@pytest.mark.integration
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_run_dies_with_the_command(make_suite: MakeSuite, tmp_path: Path, jobs: int) -> None:
    log = tmp_path / "log"
    log.touch()
    process = start(suite_of(make_suite, log, 60.0, devices=[5]), tmp_path / "r.parquet", jobs, 0)
    wait_until(lambda: log.read_text().count("start") >= jobs)
    process.kill()
    process.wait()
    runs = [int(line.split()[-1]) for line in log.read_text().splitlines()]
    assert len(runs) >= jobs
    wait_until(lambda: all(map(gone, runs)))
    assert "finish" not in log.read_text()


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
