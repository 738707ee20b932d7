"""Running a suite: plan it, leave out what is recorded, do the rest, record each run as it ends."""

from __future__ import annotations

import pickle
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from uara.base.errors import InputError
from uara.bench.execution.backends import Backend, execute_all
from uara.bench.execution.child import HOME
from uara.bench.execution.execute import RunTask
from uara.bench.plan import Run, choose, make_plan
from uara.bench.rows import merged, rows_of
from uara.bench.store import Store, check_results
from uara.bench.suite import Suite
from uara.isolation.template import template

if TYPE_CHECKING:
    from uara.bench.results import Results

STATUSES = ("ok", "timeout", "memory", "error", "infeasible", "skipped")
"""How a run ends. A run that has not been done has no row at all."""
MERGE_S = 60.0
"""The result file is renewed so often while a suite runs."""
MERGE_SHARE = 0.05
"""At most this part of the time goes into renewing it before the end."""


@dataclass(frozen=True)
class Advance:
    """A finished run, as progress callbacks receive it."""

    done: int
    total: int
    label: str
    instance: str
    status: str
    run_id: str = ""


def run(
    suite: str | Path | Suite,
    *,
    output: str | Path | None = None,
    folder: str | Path | None = None,
    jobs: int = 1,
    backend: Backend = "joblib",
    scheduler: str | None = None,
    retry: Collection[str] = (),
    only_solver: str = "*",
    only_instance: str = "*",
    on_progress: Callable[[Advance], None] | None = None,
) -> Results:
    """Do what is left of a suite, and return all of its results.

    Parameters
    ----------
    suite
        A suite file, or a :class:`Suite`.
    output
        Result file. Runs that are recorded in it are not done again. None: nothing is kept on disk.
    folder
        Folder that globs of instances start from: the suite file's, or the present one.
    jobs, backend, scheduler
        See :func:`uara.bench.execution.backends.execute_all`.
    retry
        Statuses of recorded runs that are done again.
    only_solver, only_instance
        Globs of labels and instance names.
    on_progress
        Called after each run.

    Raises
    ------
    InputError
        For a suite that cannot be run, a glob that matches nothing, or results that another command is writing.
    """
    check_statuses(retry)
    if jobs < 1:
        raise InputError("must be at least 1", source="jobs")
    if not isinstance(suite, Suite):
        folder = Path(suite).resolve().parent if folder is None else folder
        suite = Suite.load(suite)
    if output is not None:
        check_results(Path(output), [Path(suite.source)] if suite.source else [])
    if backend == "joblib" and jobs == 1:
        template(HOME, suite.threads)  # it starts up while the plan is made
    plan = make_plan(suite, Path(folder or "."))
    chosen = choose(plan, only_solver, only_instance)
    how = How(jobs, backend, scheduler, on_progress)
    return run_plan(suite, plan, chosen, output, retry, how)


def check_statuses(retry: Collection[str]) -> None:
    """:class:`uara.InputError` for a word that is no status of a run."""
    if unknown := set(retry) - set(STATUSES):
        raise InputError(f"{sorted(unknown)[0]!r} is not one of {', '.join(STATUSES)}", source="retry")


@dataclass(frozen=True)
class How:
    """Where runs are done, and who hears of it; see :func:`run`."""

    jobs: int = 1
    backend: Backend = "joblib"
    scheduler: str | None = None
    on_progress: Callable[[Advance], None] | None = None


def run_plan(
    suite: Suite,
    plan: list[Run],
    chosen: list[Run],
    output: str | Path | None,
    retry: Collection[str],
    how: How,
) -> Results:
    """Do those of the chosen runs that are not recorded, then merge everything into the one file."""
    from uara.bench.results import Results

    with tempfile.TemporaryDirectory() as scratch:
        store = Store(output if output is not None else Path(scratch) / "results.parquet")
        with store.locked():
            todo = left_to_do(store, chosen, retry)
            if todo:
                threading.Thread(target=_load_tables, daemon=True).start()
            try:
                _do(suite, plan, todo, store, how)
            except BaseException:  # an interrupt, above all
                if store.pending():
                    _merge(suite, plan, store)
                raise
            _merge(suite, plan, store)
        for warning in store.warnings:
            warnings.warn(warning, stacklevel=3)
        return replace(Results.load(store.path), warnings=tuple(store.warnings))


def _do(suite: Suite, plan: list[Run], todo: list[Run], store: Store, how: How) -> None:
    """Do these runs, record each as it ends, and renew the result file now and then."""
    by_id = {each.run_id: each for each in plan}
    records = execute_all(tasks_of(todo), backend=how.backend, jobs=how.jobs, scheduler=how.scheduler)
    next_merge = time.monotonic() + MERGE_S
    try:
        for done, record in enumerate(records, start=1):
            one = by_id[record.run_id]
            store.append(record.run_id, rows_of(suite.name, one, record))
            if how.on_progress:
                what = (one.setting.label, one.case.name, record.row["status"], record.run_id)
                how.on_progress(Advance(done, len(todo), *what))
            began = time.monotonic()
            if began > next_merge:
                _merge(suite, plan, store)
                spent = time.monotonic() - began
                next_merge = began + max(MERGE_S, spent / MERGE_SHARE)
    finally:
        records.close()


def _merge(suite: Suite, plan: list[Run], store: Store) -> None:
    facts = suite.model_dump(mode="json", exclude_none=True)
    rows = merged(suite, plan, store.rows())
    store.merge(rows, {**facts, "planned_runs": len(plan)}, [each.run_id for each in plan])


def _load_tables() -> None:
    """Load what the end of a suite needs while its runs are on their way."""
    with suppress(ImportError):  # asked for again, with the remedy, where it is needed
        for name in ("pyarrow.parquet", "pandas", "scipy.stats"):
            import_module(name)


def left_to_do(store: Store, runs: Sequence[Run], retry: Collection[str]) -> list[Run]:
    """The runs that are neither left out nor recorded, and those whose status is to be tried again."""
    recorded = store.statuses()
    again = {*retry, "skipped"}
    return [
        each
        for each in runs
        if each.skip is None and (each.run_id not in recorded or recorded[each.run_id] in again)
    ]


def tasks_of(runs: Sequence[Run]) -> list[RunTask]:
    """What workers are sent; runs of one instance share its bytes."""
    packed: dict[int, bytes] = {}
    tasks = []
    for each in runs:
        problem = each.case.problem
        content = packed.setdefault(id(problem), b"") or pickle.dumps(problem)
        packed[id(problem)] = content
        options = dict(each.setting.options)
        tasks.append(RunTask(each.run_id, content, each.setting.solver, options, each.seed, each.allowance))
    return tasks
