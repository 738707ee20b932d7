"""The rows of a result file: of each run what it is and how it ended, its trajectory, and the instances."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from uara.base import files
from uara.bench.execution.execute import StoredRun
from uara.bench.plan import Run
from uara.bench.store import OLD, POINT
from uara.bench.suite import Suite

MOST_CONTENT_BYTES = 2_000_000
"""Instances whose file is larger are not kept inside the results."""


def rows_of(suite: str, run: Run, record: StoredRun) -> list[dict[str, Any]]:
    """The rows of a finished run: its own, and one for each point of its trajectory."""
    known = identity(suite, run)
    brief = {
        name: known[name] for name in ("run_id", "suite", "instance", "label", "solver", "seed", "repetition")
    }
    points = [{"record": "point", **brief, **dict(zip(POINT, point, strict=True))} for point in record.points]
    return [{"record": "run", **known, **record.row}, *points]


def identity(suite: str, run: Run) -> dict[str, Any]:
    """The columns of a run that its suite gives."""
    problem, allowance = run.case.problem, run.allowance
    return {
        "run_id": run.run_id,
        "suite": suite,
        "instance": problem.name,
        "digest": problem.digest,
        "kind": problem.kind,
        "groups": run.case.groups,
        "label": run.setting.label,
        "solver": run.setting.name,
        "options": dict(run.setting.options),
        "seed": run.seed,
        "repetition": run.repetition,
        "time_limit_s": allowance.time_limit_s,
        "memory_limit_mb": allowance.memory_limit_mb,
        "threads": allowance.threads,
        "training_s": run.training_s,
        **{f"feature_{name}": value for name, value in run.case.features.items()},
    }


def merged(suite: Suite, plan: Sequence[Run], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All rows in the order of the plan, under its present names and groups, with what is left out and the instances.

    Runs that are recorded but no longer in the suite stay at the end, marked as :data:`uara.bench.store.OLD`.
    """
    by_run: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        kind = row["record"].removeprefix(OLD)
        if kind != "instance":
            by_run.setdefault(row["run_id"], []).append({**row, "record": kind})
    result: list[dict[str, Any]] = []
    for each in plan:
        known = identity(suite.name, each)
        brief = {name: known[name] for name in ("suite", "instance", "label")}
        for row in _counted(each, by_run.pop(each.run_id, [])):
            result.append(row | (known if row["record"] == "run" else brief))
    left = [row for found in by_run.values() if not _skipped(found) for row in found]
    result += [{**row, "record": OLD + row["record"]} for row in left]
    return result + _instance_rows(suite, plan, rows, left)


def _counted(run: Run, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a planned run: what is recorded of it, or that the suite leaves it out."""
    if found and not _skipped(found):
        return found
    if run.skip is not None:
        return [{"record": "run", "status": "skipped", "reason": run.skip}]
    return [row for row in found if row.get("started_at")]  # skipped in the run, not by an earlier suite


def _skipped(found: Sequence[Mapping[str, Any]]) -> bool:
    return any(row.get("status") == "skipped" for row in found)


def _instance_rows(
    suite: Suite, plan: Sequence[Run], rows: Sequence[Mapping[str, Any]], left: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """A row for each instance of the plan, then those of the runs that are left from other plans."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for problem in {each.case.name: each.case.problem for each in plan}.values():
        facts = {"record": "instance", "suite": suite.name, "instance": problem.name}
        facts |= {"digest": problem.digest, "kind": problem.kind}
        found[problem.name, problem.digest] = {**facts, "content": file_of(problem)}
    used = {(row["instance"], row["digest"]) for row in left if row["record"] == "run"} - found.keys()
    for row in rows:
        key = (row["instance"], row.get("digest"))
        if row["record"].removeprefix(OLD) == "instance" and key in used:
            found[key] = {**row, "record": OLD + "instance"}
    return list(found.values())


def file_of(problem: Any) -> str | None:
    """The content of the instance's file, where that is one file of moderate size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instance.json"
        problem.save(path)
        if path.stat().st_size > MOST_CONTENT_BYTES or len(list(Path(folder).iterdir())) > 1:
            return None
        return files.read_bytes(path).decode()
