"""The table of best-known answers: for every instance of a folder the best objective, the best bound, and proof.

``best_known.json`` is generated (``uara best-known``), never typed. Each entry points to a solution file, whose
decision re-scores to the objective and whose certificate re-computes to the certified bound. An entry is of an
instance file, or of a cut from one: its first servers and devices.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from uara import solution
from uara.base import files, locks
from uara.base.errors import InputError
from uara.base.files import Record, VersionOne
from uara.p1.certificate import objective_parts
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.proof import lower_bound, parse_certificate
from uara.p1.subset import subset
from uara.solver import Result
from uara.verify import slack_ms, verify

TABLE = "best_known.json"
SOLUTIONS = "solutions"


class Cut(Record):
    """What an instance was cut from (:func:`uara.p1.subset.subset`)."""

    drop: str
    """Name of the drop's file, without its suffix."""
    servers: Annotated[int, Field(ge=1)]
    """E of the cut."""
    devices: Annotated[int, Field(ge=1)]
    """M of the cut."""

    def instance(self, folder: Path) -> Instance:
        """The instance, cut from the drop in a folder, which is read once as long as its file stays the same."""
        path = folder / f"{files.file_name(self.drop)}.json"
        if not path.is_file():
            return Instance.load(path)  # says what is wrong
        found = path.stat()
        return subset(_drop(path, found.st_mtime_ns, found.st_size), self.servers, self.devices)


@lru_cache(maxsize=2)
def _drop(path: Path, changed_ns: int, size: int) -> Instance:
    """A drop, of which many instances are cut one after the other."""
    return Instance.load(path)


class Entry(Record):
    """What is known of one instance; values in ms, constant part included; gaps on the controllable part."""

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the instance's data."""
    objective_ms: float
    """Least objective that an answer has reached."""
    found_by: str
    """Solver that reached it."""
    controllable_ms: Annotated[float, Field(gt=0)]
    """That objective without its constant part."""
    lower_bound_ms: float
    """Greatest lower bound that a solver has stated."""
    bound_by: str
    """Solver that stated it."""
    gap: float
    """Between objective and lower bound."""
    certified_lower_bound_ms: float | None
    """What the certificate in the solution file proves to anyone."""
    certified_gap: float | None
    solution: str
    """Solution file, relative to the table: decision, claims and certificate."""
    cut: Cut | None = None
    """What the instance is cut from, if it has no file of its own."""

    def distance(self, result: Result) -> float:
        """By how much of the controllable part an answer exceeds this one; negative if it is better."""
        return float((result.evaluation.objective_ms - self.objective_ms) / self.controllable_ms)


class TableFile(Record):
    """The best-known table of a folder of instances, by instance name."""

    schema_version: VersionOne = 1
    kind: Literal["best-known"] = "best-known"
    instances: dict[str, Entry] = {}


def read(folder: str | Path) -> TableFile:
    """The table of a folder, empty where there is none."""
    path = Path(folder) / TABLE
    return files.read_json(path, TableFile) if os.path.exists(path) else TableFile()


def lookup(instance: Instance, instance_file: str | Path) -> Entry | None:
    """The entry of an instance in the table beside its file; None if the data is another or none is there."""
    entry = read(Path(instance_file).parent).instances.get(instance.name)
    return entry if entry is not None and entry.digest == instance.digest else None


def record(folder: str | Path, instance: Instance, result: Result, cut: Cut | None = None) -> Entry:
    """Enter a run's answer and bound where they improve on the table, and write its solution file.

    Others who enter something at the same time are waited for.

    Parameters
    ----------
    cut
        What the instance was cut from, if it has no file of its own.

    Raises
    ------
    InputError
        If the run's bound and the known answer, or the other way round, contradict each other, or the instance's
        name cannot be that of a file.
    """
    folder = Path(folder)
    path = solution_path(folder, instance)
    with locks.exclusive(folder / f".{TABLE}.lock"):
        return _record(folder, path, instance, result, cut)


def solution_path(folder: Path, instance: Instance) -> Path:
    """Where an instance's solution is kept.

    Raises
    ------
    InputError
        If its name cannot be the name of a file.
    """
    return folder / SOLUTIONS / f"{files.file_name(instance.name, path='$.name')}.json"


def check_writable(folder: Path, instance: Instance) -> None:
    """Refuse, before any work, a folder whose table or whose solution of an instance must not be written."""
    files.check_output(folder / TABLE, suffixes=(".json",), kind="best-known")
    files.check_output(solution_path(folder, instance), suffixes=(".json",), kind="solution")


def _record(folder: Path, path: Path, instance: Instance, result: Result, cut: Cut | None) -> Entry:
    table = read(folder)
    old = table.instances.get(instance.name)
    fresh = old is None or old.digest != instance.digest or not path.exists()
    kept = None if fresh else solution.open_for(instance, path)
    merged = _merged(instance, result, None if fresh else old, kept[0] if kept else None)
    entry = _entry(instance, merged, None if fresh else old, result, path.relative_to(folder).as_posix())
    entry = entry.model_copy(update={"cut": cut})
    if entry.lower_bound_ms > entry.objective_ms + slack_ms(entry.objective_ms, entry.controllable_ms):
        raise InputError(
            f"a bound of {entry.lower_bound_ms:.9g} ms by {entry.bound_by} contradicts an answer of "
            f"{entry.objective_ms:.9g} ms by {entry.found_by}",
            source=instance.name,
        )
    files.write_json(path, merged)
    instances = dict(sorted({**table.instances, instance.name: entry}.items()))
    files.write_json(folder / TABLE, TableFile(instances=instances))
    return entry


def _merged(
    instance: Instance, result: Result, old: Entry | None, kept: solution.SolutionFile | None
) -> solution.SolutionFile:
    """The solution file with the better decision, the better bound and the better certificate of both."""
    new = solution.from_result(result)
    if old is None or kept is None:
        return new
    lower_ms = old.objective_ms - slack_ms(old.objective_ms, old.controllable_ms)
    best = new if result.status != "infeasible" and result.evaluation.objective_ms < lower_ms else kept
    known = [b for b in (result.bound_ms, old.lower_bound_ms) if b is not None]
    certified = result.certified_bound_ms
    known_ms = old.certified_lower_bound_ms
    newer = certified is not None and (known_ms is None or certified > known_ms)
    proof = new if newer else kept
    claims = best.claims.model_copy(
        update={
            "lower_bound_ms": max(known),
            "certified_lower_bound_ms": proof.claims.certified_lower_bound_ms,
            "status": "",
        }
    )
    return best.model_copy(update={"certificate": proof.certificate, "claims": claims})


def _entry(
    instance: Instance, merged: solution.SolutionFile, old: Entry | None, result: Result, path: str
) -> Entry:
    """The table's line for a solution file, its numbers computed from the file's content."""
    decision = Allocation.from_plain(merged.decision)
    shares = (decision.association, decision.bandwidth, decision.compute)
    constant_ms, controllable_ms, broken = objective_parts(instance, *shares)
    if broken:
        raise InputError(f"is not feasible: {broken[0]}", source=path)
    value_ms = constant_ms + controllable_ms
    certified = None
    if merged.certificate is not None:
        proven_ms = lower_bound(instance, parse_certificate(merged.certificate))
        certified = proven_ms if math.isfinite(proven_ms) else None
    stated = [b for b in (merged.claims.lower_bound_ms, certified) if b is not None]
    if not stated:
        raise InputError("has no lower bound; use a solver that proves one", source=f"solver {result.solver}")
    bound_ms = max(stated)
    by = result.solver if old is None or bound_ms > old.lower_bound_ms else old.bound_by

    def gap(bound: float) -> float:
        return max(0.0, value_ms - bound) / controllable_ms

    return Entry(
        digest=instance.digest,
        objective_ms=value_ms,
        found_by=merged.solver,
        controllable_ms=controllable_ms,
        lower_bound_ms=bound_ms,
        bound_by=by,
        gap=gap(bound_ms),
        certified_lower_bound_ms=certified,
        certified_gap=None if certified is None else gap(certified),
        solution=path,
    )


def check(folder: str | Path, seen: Callable[[str], None] = lambda name: None) -> list[str]:
    """Compute every entry of a folder's table again; what does not hold, a line each.

    Parameters
    ----------
    seen
        Called with each instance's name when its turn comes.
    """
    folder = Path(folder)
    table, problems = read(folder), []
    shipped = {path.stem for path in folder.glob("*.json") if files.read_plain_json(path).get("kind") == "p1"}
    entered = {entry.cut.drop if entry.cut else name for name, entry in table.instances.items()}
    problems += [f"{name}: not in the table" for name in sorted(shipped - entered)]
    for name, entry in table.instances.items():
        seen(name)
        if (entry.cut.drop if entry.cut else name) not in shipped:
            problems.append(f"{name}: there is no such instance")
            continue
        instance = entry.cut.instance(folder) if entry.cut else Instance.load(folder / f"{name}.json")
        if instance.digest != entry.digest:
            problems.append(f"{name}: the instance has changed since")
            continue
        problems += [f"{name}: {text}" for text in _problems(instance, entry, folder / entry.solution)]
    return problems


def _problems(instance: Instance, entry: Entry, path: Path) -> list[str]:
    record, decision, certificate = solution.open_for(instance, path)
    verdict = verify(instance, decision, record.claims, certificate)
    found = list(verdict.refusals)
    if not math.isfinite(verdict.objective_ms):
        return found
    rounding_ms = slack_ms(verdict.objective_ms, verdict.controllable_ms)
    if abs(verdict.objective_ms - entry.objective_ms) > rounding_ms:
        found.append(f"the solution scores {verdict.objective_ms!r}, the table says {entry.objective_ms!r}")
    if entry.lower_bound_ms > verdict.objective_ms + rounding_ms:
        found.append("the bound exceeds the objective of the stored solution")
    proven, stated = verdict.certified_bound_ms, entry.certified_lower_bound_ms
    if stated is not None and (proven is None or proven < stated - rounding_ms):
        found.append(f"the certificate proves {proven!r}, the table says {stated!r}")
    if abs(entry.controllable_ms - verdict.controllable_ms) > rounding_ms:
        found.append(f"{verdict.controllable_ms!r} is controllable, the table says {entry.controllable_ms!r}")
    for name, gap, bound_ms in (
        ("gap", entry.gap, entry.lower_bound_ms),
        ("certified gap", entry.certified_gap, stated),
    ):
        right = None if bound_ms is None else max(0.0, entry.objective_ms - bound_ms) / entry.controllable_ms
        if gap is None or right is None:
            wrong = gap is not right
        else:
            wrong = abs(gap - right) * entry.controllable_ms > 2 * rounding_ms
        if wrong:
            found.append(f"its {name} is {right!r}, the table says {gap!r}")
    return found
