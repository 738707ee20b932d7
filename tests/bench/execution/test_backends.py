from __future__ import annotations

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import uara.bench
from uara.base.errors import InputError, UaraError

from ..conftest import MakeSuite
from ..test_runner import fixed


@pytest.fixture
def suite(make_suite: MakeSuite, tmp_path: Path) -> Path:
    options = {"seconds": 0.1, "log": str(tmp_path / "log"), "go": str(tmp_path / "go")}
    return make_suite(
        [
            {"solver": "bench_trials:sleeper", "options": options, "time_limit_s": 600.0},
            {"solver": "random"},
            {"solver": "bench_trials:hang", "time_limit_s": 0.2, "seeds": [0]},
        ],
        devices=[5, 6],
        seeds=[0, 1, 2, 3],
        grace_s=0.2,
    )


@pytest.mark.integration
def test_jobs_give_the_same_table(suite: Path, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    one, two = (uara.bench.run(suite, jobs=jobs) for jobs in (1, 2))
    assert fixed(one).equals(fixed(two))
    assert one.counts() == {"ok": 16, "timeout": 2}


@pytest.mark.integration
def test_dask_with_a_worker_killed_gives_the_same_table(suite: Path, tmp_path: Path) -> None:
    """It dies in the middle of a run, and after another that is recorded: the first alone is done again."""
    distributed: Any = pytest.importorskip("distributed", reason="the Dask backend needs the extra 'bench'")
    log, go = tmp_path / "log", tmp_path / "go"
    go.touch()
    undisturbed = uara.bench.run(suite)
    sleepers = undisturbed.runs[undisturbed.runs["label"].str.contains("sleeper")]  # others leave no lines
    run_of = {(row.instance, str(row.seed)): row.run_id for row in sleepers.itertuples()}
    go.unlink()
    log.unlink()
    calls: list[Any] = []
    killed: dict[str, Any] = {}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        client = distributed.Client(cluster)
        (worker,) = client.run(os.getpid).values()

        def kill() -> None:
            """Wait for a run that waits, and until nobody wants the results that are recorded; then kill."""
            patient = time.monotonic() + 60
            while not killed:
                time.sleep(0.05)
                recorded = {call.run_id for call in calls} & set(run_of.values())
                held = [run_of[run] for run in unfinished(log)]
                tasks = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
                wanted = recorded & {key.removeprefix("uara-") for key in tasks}
                if held and recorded and (not wanted or time.monotonic() > patient):
                    os.kill(worker, signal.SIGKILL)
                    killed.update(held=held, recorded=recorded)
            go.touch()

        with client, ThreadPoolExecutor() as pool:
            killer = pool.submit(kill)
            output, scheduler = tmp_path / "dask.parquet", cluster.scheduler_address
            results = uara.bench.run(
                suite, backend="dask", scheduler=scheduler, output=output, on_progress=calls.append
            )
            killer.result()
            assert worker not in client.run(os.getpid).values()
    assert fixed(results).equals(fixed(undisturbed))
    assert len(calls) == len({call.run_id for call in calls}) == 18
    lines = [line.split()[1:4] for line in log.read_text().splitlines()]
    starts = Counter(run_of[instance, seed] for what, instance, seed in lines if what == "start")
    assert [starts[run_id] for run_id in killed["held"]] == [2], "it was done again"
    assert {starts[run_id] for run_id in killed["recorded"]} == {1}, "and none that was recorded"


def unfinished(log: Path) -> list[tuple[str, str]]:
    """Instance and seed of the runs that have started and not finished."""
    lines = [line.split()[1:4] for line in log.read_text().splitlines()] if log.exists() else []
    done = [rest for what, *rest in lines if what == "finish"]
    return [
        (instance, seed) for what, instance, seed in lines if what == "start" and [instance, seed] not in done
    ]


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
    task = backends.RunTask("id", b"", "random", {}, 0, Allowance(1.0, 100.0))
    with pytest.raises(UaraError, match=r"Dask cluster failed .ConnectionError: lost the scheduler"):
        list(backends.execute_all([task], backend="dask"))


@pytest.mark.integration
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
