"""Killed at any moment, the same command finishes the rest and gives the same table."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import uara.bench
from uara.bench import Results
from uara.bench.store import Store
from uara.errors import InputError

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
        devices=[5, 6, 7, 8],
        seeds=[0, 1, 2, 3],
        time_limit_s=20.0,
        **keys,
    )


def start(suite: Path, output: Path, jobs: int, session: int) -> subprocess.Popen[bytes]:
    words = ["bench", str(suite), "-o", str(output), "--no-report", "--jobs", str(jobs)]
    return subprocess.Popen(
        [sys.executable, "-c", f"from uara.cli import main; main({words!r})"],
        env={**os.environ, "SESSION": str(session)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def fixed(results: Results) -> Any:
    return results.runs[FIXED]


def kill_at_random(
    suite: Path, output: Path, log: Path, kills: int, jobs: int, rng: random.Random
) -> list[int]:
    """Kill the command so many times, then let it finish; returns how much was recorded at each kill."""
    recorded: list[set[str]] = []
    for session in range(kills):
        process = start(suite, output, jobs, session)
        time.sleep(rng.uniform(0.2, 6.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        recorded.append(set(Store(output).statuses()))
    last = start(suite, output, jobs, kills)
    _, errors = last.communicate(timeout=240)
    assert last.returncode == 0, errors.decode()
    assert_nothing_twice(suite, log, recorded, Results.load(output))
    return [len(each) for each in recorded]


def assert_nothing_twice(suite: Path, log: Path, recorded: list[set[str]], results: Results) -> None:
    """No run that was recorded when a session was killed began again in a later one."""
    runs = results.runs.set_index(["instance", "seed"])
    sleepers = runs[runs["label"].str.contains("sleeper")]["run_id"].to_dict()
    for line in log.read_text().splitlines():
        session, what, instance, seed = line.split()
        before = recorded[int(session) - 1] if int(session) else set()
        assert what != "start" or sleepers[instance, int(seed)] not in before, line


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_and_resumed(make_suite: MakeSuite, tmp_path: Path, jobs: int) -> None:
    kills(make_suite, tmp_path, jobs, 2)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_twenty_kills(make_suite: MakeSuite, tmp_path: Path, jobs: int) -> None:
    kills(make_suite, tmp_path, jobs, 20)


def kills(make_suite: MakeSuite, tmp_path: Path, jobs: int, count: int) -> None:
    log = tmp_path / "log"
    suite = suite_of(make_suite, log, 0.3)
    undisturbed = uara.bench.run(suite, output=tmp_path / "undisturbed.parquet", jobs=2)
    assert undisturbed.counts() == {"ok": 28, "error": 4}
    log.unlink()
    rng, done, round_ = random.Random(jobs), 0, 0
    while done < count:
        output = tmp_path / f"killed{round_}.parquet"
        log.touch()
        progress = kill_at_random(suite, output, log, min(10, count - done), jobs, rng)
        log.unlink()
        done, round_ = done + len(progress), round_ + 1
        assert fixed(Results.load(output)).equals(fixed(undisturbed))
        assert progress == sorted(progress)
        assert not (output.parent / f"{output.name}.parts").exists()


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


def test_retry_does_the_failed_ones_again(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = suite_of(make_suite, tmp_path / "log", 0.0)
    uara.bench.run(suite, output=tmp_path / "r.parquet")
    calls: list[Any] = []
    uara.bench.run(suite, output=tmp_path / "r.parquet", retry=["error", "timeout"], on_progress=calls.append)
    assert Counter(call.label for call in calls) == {"bench_trials:raises": 4}
    with pytest.raises(InputError, match="is not one of"):
        uara.bench.run(suite, output=tmp_path / "r.parquet", retry=["failed"])


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


def test_an_empty_part_is_not_a_finished_run(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite([{"solver": "random"}], seeds=[0, 1])
    output = tmp_path / "r.parquet"
    results = uara.bench.run(suite, output=output)
    output.unlink()
    parts = Path(f"{output}.parts")
    parts.mkdir()
    (parts / f"{results.runs['run_id'][0]}.parquet").touch()
    calls: list[Any] = []
    again = uara.bench.run(suite, output=output, on_progress=calls.append)
    assert len(calls) == 2
    assert fixed(again).equals(fixed(results))


def test_two_commands_do_not_write_the_same_results(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite([{"solver": "random"}])
    store = Store(tmp_path / "r.parquet")
    with store.locked(), pytest.raises(InputError, match="another uara bench"):
        uara.bench.run(suite, output=store.path)
    assert uara.bench.run(suite, output=store.path).counts() == {"ok": 1}


def test_the_run_dies_with_the_command(make_suite: MakeSuite, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for jobs in (1, 2):
        suite = suite_of(make_suite, log, 3.0, file=f"long{jobs}.toml")
        process = start(suite, tmp_path / f"r{jobs}.parquet", jobs, jobs)
        deadline = time.monotonic() + 60
        while not (log.exists() and log.read_text().count("start") >= jobs) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        process.wait()
        time.sleep(3.5)
        assert "finish" not in log.read_text(), "a run went on without the command that started it"
        log.unlink()
