"""Where runs are done: here one after the other, here side by side (joblib), or on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from uara.base.errors import InputError, UaraError
from uara.base.extras import needs
from uara.bench.execution.execute import RunTask, StoredRun, execute

Backend = Literal["joblib", "dask"]
CONNECT_S = 20
"""How long a Dask scheduler is waited for."""


def execute_all(
    tasks: Sequence[RunTask], *, backend: Backend = "joblib", jobs: int = 1, scheduler: str | None = None
) -> Generator[StoredRun]:
    """Do all runs, and yield their records as they come.

    Parameters
    ----------
    jobs
        Runs at a time with ``joblib``; a Dask cluster does as many as its workers have threads.
    scheduler
        Address of the Dask scheduler, or None for a cluster of ``jobs`` processes on this machine.
    """
    if backend == "dask":
        return _with_dask(tasks, jobs, scheduler)
    if scheduler is not None:
        raise InputError("is for --backend dask", source="--scheduler")
    return (execute(task) for task in tasks) if jobs == 1 else _with_joblib(tasks, jobs)


def _with_joblib(tasks: Sequence[RunTask], jobs: int) -> Generator[StoredRun]:
    needs("joblib", extra="bench")
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    parallel = Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered", batch_size=1)
    try:
        yield from parallel(delayed(execute)(task, parent=os.getpid()) for task in tasks)
    except TerminatedWorkerError as error:
        raise UaraError(
            f"a worker process died ({error}); the same command goes on where it stopped"
        ) from None
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _with_dask(tasks: Sequence[RunTask], jobs: int, scheduler: str | None) -> Generator[StoredRun]:
    """Not by joblib's own backend, which waits for ever for a run that every worker died of, and with one worker
    does all runs in the command's process."""
    distributed = needs("distributed", extra="bench")
    try:
        if scheduler is None:
            cluster = distributed.LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
            client = distributed.Client(cluster)
        else:
            cluster, client = None, distributed.Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise UaraError(f"no Dask scheduler at {scheduler}: {error}") from None
    try:
        futures = _submit(client, tasks)
        for future in distributed.as_completed(futures):
            task = futures.pop(future)
            try:
                record = future.result()
            except distributed.KilledWorker as error:
                reason = f"every worker that did it died: {error.last_worker.address}"
                record = StoredRun(task.run_id, {"status": "error", "reason": reason})
            future.release()  # the cluster would do a run again whose result is wanted and dies with its worker
            yield record
    except UaraError:
        raise
    except Exception as error:  # a lost scheduler, workers without this uara, whatever a cluster thinks of
        raise UaraError(
            f"the Dask cluster failed ({type(error).__name__}: {error}); "
            "the same command goes on where it stopped"
        ) from error
    finally:
        for each in filter(None, (client, cluster)):
            with suppress(Exception):  # what it could not do is already said
                each.close()


def _submit(client: Any, tasks: Sequence[RunTask]) -> dict[Any, RunTask]:
    """One future a run. The instances are tasks of their own, so that a lost worker's copy is made again."""
    problems: dict[bytes, Any] = {}
    futures = {}
    for task in tasks:
        if task.problem not in problems:
            problems[task.problem] = client.submit(_same, task.problem, pure=True)
        light = replace(task, problem=b"")
        future = client.submit(_execute, light, problems[task.problem], pure=False, key=f"uara-{task.run_id}")
        futures[future] = task
    return futures


def _same(content: bytes) -> bytes:
    return content


def _execute(task: RunTask, problem: bytes) -> StoredRun:
    return execute(replace(task, problem=problem))
