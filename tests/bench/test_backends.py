from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import uara.bench
from uara.errors import InputError, UaraError

from .conftest import MakeSuite
from .test_runner import fixed


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
    expected = fixed(uara.bench.run(suite))
    (tmp_path / "log").unlink()
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            pids = list(client.run(os.getpid).values())
        assert len(set(pids)) == 3

        def kill_one() -> None:
            while not (tmp_path / "log").exists():
                time.sleep(0.02)
            time.sleep(0.2)
            os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        calls: list[Any] = []
        results = uara.bench.run(
            suite,
            backend="dask",
            scheduler=cluster.scheduler_address,
            output=tmp_path / "dask.parquet",
            on_progress=calls.append,
        )
        killer.join()
        with distributed.Client(cluster) as client:
            assert pids[0] not in client.run(os.getpid).values(), "the worker was to be killed"
    assert fixed(results).equals(expected)
    assert len(calls) == len({(call.label, call.instance, call.done) for call in calls}) == 18


def test_no_scheduler_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    from uara.bench import backends

    monkeypatch.setattr(backends, "CONNECT_S", 1)
    with pytest.raises(UaraError, match="no Dask scheduler at"):
        list(backends.execute_all([], backend="dask", scheduler="tcp://127.0.0.1:1"))


def test_a_scheduler_is_for_dask() -> None:
    from uara.bench import backends

    with pytest.raises(InputError, match="--backend dask"):
        backends.execute_all([], scheduler="tcp://127.0.0.1:1")
