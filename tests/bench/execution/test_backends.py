from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import uara.bench
from uara.base.errors import InputError, UaraError

from ..conftest import MakeSuite
from ..test_runner import fixed


@pytest.fixture
def suite(make_suite: MakeSuite, tmp_path: Path) -> Path:
    log = str(tmp_path / "log")
    return make_suite(
        [
            {"solver": "bench_trials:sleeper", "options": {"seconds": 0.4, "log": log}},
            {"solver": "random"},
            {"solver": "bench_trials:hang", "time_limit_s": 0.2, "seeds": [0]},
        ],
        devices=[5, 6],
        seeds=[0, 1, 2, 3],
        grace_s=0.2,
    )


def test_jobs_give_the_same_table(suite: Path) -> None:
    one, two = (uara.bench.run(suite, jobs=jobs) for jobs in (1, 2))
    assert fixed(one).equals(fixed(two))
    assert one.counts() == {"ok": 16, "timeout": 2}


def test_dask_with_a_worker_killed_gives_the_same_table(suite: Path, tmp_path: Path) -> None:
    distributed: Any = pytest.importorskip("distributed", reason="the Dask backend needs the extra 'bench'")
    undisturbed = uara.bench.run(suite)
    expected = fixed(undisturbed)
    logging = undisturbed.runs["label"].str.contains("sleeper")  # others leave no lines
    seed_of = undisturbed.runs[logging].set_index("run_id")["seed"]
    (tmp_path / "log").unlink()
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            pids = list(client.run(os.getpid).values())
        assert len(set(pids)) == 3

        calls: list[Any] = []
        killed: dict[str, Any] = {}

        def kill_one() -> None:
            """Kill a worker that is busy, and that holds the result of a run which is recorded."""
            where: dict[tuple[str, str], int] = {}
            while not killed:
                time.sleep(0.02)
                recorded = [call.run_id for call in calls if call.run_id in seed_of]
                holders = {where.get((call.instance, str(seed_of.get(call.run_id)))) for call in calls}
                for run in unfinished(tmp_path / "log"):
                    with suppress(psutil.Error, KeyError):
                        worker = ({each.pid for each in psutil.Process(run[-1]).parents()} & set(pids)).pop()
                        where[run[:2]] = worker
                        if worker not in holders:
                            continue
                        time.sleep(0.1)  # the scheduler hears that the recorded result is no longer wanted
                        if run in unfinished(tmp_path / "log"):
                            lines = len((tmp_path / "log").read_text().splitlines())
                            os.kill(worker, signal.SIGKILL)
                            killed.update(run=run, recorded=recorded, lines=lines)
                        break

        killer = threading.Thread(target=kill_one)
        killer.start()
        results = uara.bench.run(
            suite,
            backend="dask",
            scheduler=cluster.scheduler_address,
            output=tmp_path / "dask.parquet",
            on_progress=calls.append,
        )
        killer.join()
        with distributed.Client(cluster) as client:
            assert set(client.run(os.getpid).values()) != set(pids), "a worker was to be killed"
    assert fixed(results).equals(expected)
    assert len(calls) == len({call.run_id for call in calls}) == 18
    lines = [line.split()[1:] for line in (tmp_path / "log").read_text().splitlines()]
    what, instance, seed, pid = "start", *map(str, killed["run"])
    assert ["finish", instance, seed, pid] not in lines, "the killed worker was busy"
    assert len([line for line in lines if line[:3] == [what, instance, seed]]) >= 2, "its run was done again"
    runs = results.runs[results.runs["run_id"].isin(killed["recorded"])]
    recorded = {(instance, str(seed)) for instance, seed in zip(runs["instance"], runs["seed"], strict=True)}
    later = {(line[1], line[2]) for line in lines[killed["lines"] :] if line[0] == "start"}
    sleepers = {(line[1], line[2]) for line in lines[: killed["lines"]] if line[0] == "finish"} & recorded
    assert sleepers, "some were recorded before"
    assert not sleepers & later, "and none of these was done again"


def unfinished(log: Path) -> list[tuple[str, str, int]]:
    """Instance, seed and process of the runs that have started and not finished."""
    lines = [line.split()[1:] for line in log.read_text().splitlines()] if log.exists() else []
    done = {tuple(line[1:]) for line in lines if line[0] == "finish"}
    return [(line[1], line[2], int(line[3])) for line in lines if tuple(line[1:]) not in done]


class BrokenCluster:
    """The parts of ``distributed`` that are used, on a cluster whose scheduler is lost."""

    class KilledWorker(Exception):
        pass

    class Future:
        def result(self) -> Any:
            raise ConnectionError("lost the scheduler")

    class Client:
        def __init__(self, *words: Any, **more: Any) -> None: ...

        def submit(self, *words: Any, **more: Any) -> Any:
            return BrokenCluster.Future()

        def close(self) -> None:
            raise TimeoutError("nobody answers")

    LocalCluster, as_completed = Client, staticmethod(list)


def test_a_lost_cluster_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from uara.bench.execution import backends
    from uara.isolation.supervise import Allowance

    monkeypatch.setattr(backends, "needs", lambda name, *, extra: BrokenCluster)
    task = backends.Task("id", b"", "random", {}, 0, Allowance(1.0, 100.0))
    with pytest.raises(UaraError, match=r"Dask cluster failed .ConnectionError: lost the scheduler"):
        list(backends.execute_all([task], backend="dask"))


def test_no_scheduler_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    from uara.bench.execution import backends

    monkeypatch.setattr(backends, "CONNECT_S", 1)
    with pytest.raises(UaraError, match="no Dask scheduler at"):
        list(backends.execute_all([], backend="dask", scheduler="tcp://127.0.0.1:1"))


def test_a_scheduler_is_for_dask() -> None:
    from uara.bench.execution import backends

    with pytest.raises(InputError, match="--backend dask"):
        backends.execute_all([], scheduler="tcp://127.0.0.1:1")
