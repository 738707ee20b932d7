"""How far instances are proven and how fast, by the exact checker: the table of docs/proofs.md.

    python benchmarks/proof_bars.py LOG.jsonl             # hours; run again it goes on where it was
    python benchmarks/proof_bars.py LOG.jsonl --write     # puts the table of what is done into docs/proofs.md

Every job is one run of ``exact`` to one gap, from nothing but the instance: search for answers and proof, on one core,
compiled. Its clock and its time limit are processor time. The answer is written to a file, and
``uara/p1/check_certificate.py`` reads it again: the gap that counts is the one that it proves.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import uara
from uara import solution
from uara.base.clock import processor_time
from uara.p1.instance import Instance
from uara.p1.proof import check_files
from uara.p1.subset import subset

HERE = Path(__file__).resolve().parent
INSTANCES, PAGE = HERE.parent / "instances", HERE.parent / "docs" / "proofs.md"
BEGIN, END = "<!-- begin: benchmarks/proof_bars.py -->", "<!-- end: benchmarks/proof_bars.py -->"
LIMIT_S = 60.0
"""Time limit of a run, in processor time."""
GAPS = (1e-4, 1e-6, 1e-9)
CELLS = tuple((e, m) for e in (4, 8, 12, 16, 20) for m in (30, 60, 90, 120, 150, 180))
DROPS = range(500, 510)
PAYLOADS = (10.0, 50.0)
STARVED = ("e8_m90", "e8_m90_umi")
FEW_DEVICES = 10.0
"""Devices per server up to which 1e-9 is wanted."""


class Job(NamedTuple):
    """One run."""

    group: str
    """``shipped``, ``grid`` or ``payload``."""
    instance: str
    gap: float
    make: Callable[[], Instance]

    @property
    def key(self) -> tuple[str, str, float]:
        """What tells it from the others."""
        return self.group, self.instance, self.gap


def jobs(sample: int) -> Iterator[Job]:
    """All runs: quick ones first."""
    shipped = sorted([*INSTANCES.glob("e[0-9]*_m[0-9]*.json"), *INSTANCES.glob("hard_*.json")])
    for gap in GAPS:
        for path in shipped:
            yield Job("shipped", path.stem, gap, partial(Instance.load, path))
        if gap == GAPS[0]:
            yield from starved()
            yield from grid(gap, sample)
    yield from grid(1e-6, sample)


def starved() -> Iterator[Job]:
    """Instances whose devices send 10 and 50 times as much as the shipped ones."""
    for name in STARVED:
        for factor in PAYLOADS:
            yield Job("payload", f"{name} x{factor:g}", 1e-4, partial(loaded, name, factor))


def loaded(name: str, factor: float) -> Instance:
    """A shipped instance with so many times its payload."""
    instance = Instance.load(INSTANCES / f"{name}.json")
    devices = instance.devices
    devices = devices.replace(upload_bits=devices.upload_bits * factor)
    return instance.replace(name=f"{name} x{factor:g}", devices=devices)


def grid(gap: float, sample: int) -> Iterator[Job]:
    """A part of the cells of Table I's grid on all drops, drawn once for all."""
    everything = [(seed, *cell) for seed in DROPS for cell in CELLS]
    chosen = np.random.default_rng(0).permutation(len(everything))[:sample]
    for seed, servers, devices in (everything[k] for k in sorted(chosen)):
        yield Job("grid", f"s{seed}[{servers},{devices}]", gap, partial(cell, seed, servers, devices))


def cell(seed: int, servers: int, devices: int) -> Instance:
    """One cell of the grid."""
    return subset(Instance.load(INSTANCES / "drops" / f"drop_s{seed}.json"), servers, devices)


def run(job: Job) -> dict[str, Any]:
    """Solve, write, and check by the exact checker."""
    instance = job.make()
    with processor_time():
        found = uara.solve(instance, "exact", options={"gap": job.gap}, time_limit_s=LIMIT_S)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        instance.save(folder / "instance.json")
        solution.save(found, folder / "solution.json")
        verdict = check_files(folder / "instance.json", folder / "solution.json")
        size = (folder / "solution.json").stat().st_size
    proven = verdict.gap_to(verdict.bound)
    return {
        "group": job.group,
        "instance": job.instance,
        "wanted": job.gap,
        "servers": len(instance.servers),
        "devices": len(instance.devices),
        "gap": None if proven is None else float(proven),
        "objective_ms": found.evaluation.objective_ms,
        "controllable_ms": found.evaluation.controllable_ms,
        "seconds": found.runtime_s,
        "check_seconds": verdict.seconds,
        "nodes": found.details.get("nodes"),
        "columns": found.details.get("columns"),
        "bytes": size,
        "refused": verdict.refusals,
    }


def rows_of(log: Path) -> list[dict[str, Any]]:
    """What a log holds; the last row of each job counts, and a half-written line does not."""
    found: dict[tuple[str, str, float], dict[str, Any]] = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        found[row["group"], row["instance"], row["wanted"]] = row
    return list(found.values())


def reached(row: dict[str, Any]) -> bool:
    """Whether the exact checker accepts the answer and proves the gap that was asked for."""
    return not row["refused"] and row["gap"] is not None and row["gap"] <= row["wanted"]


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Markdown: each shipped instance, and what was asked of all."""
    shipped = [row for row in rows if row["group"] == "shipped"]
    lines = ["| instance | " + " | ".join(f"{gap:.0e}, s" for gap in GAPS) + " | proven | nodes | check, s |"]
    lines.append("|---|" + "---|" * (len(GAPS) + 3))
    names = sorted({row["instance"] for row in shipped}, key=lambda name: _size(name, shipped))
    for name in names:
        own = {row["wanted"]: row for row in shipped if row["instance"] == name}
        times = [_time(own.get(gap)) for gap in GAPS]
        last = own[min(own)]
        lines.append(
            f"| {name} | {' | '.join(times)} | {_gap(last)} | {last['nodes'] or 0:g} | {last['check_seconds']:.1f} |"
        )
    return [*lines, "", *bars(rows)]


def _size(name: str, rows: list[dict[str, Any]]) -> tuple[bool, int, int, str]:
    row = next(row for row in rows if row["instance"] == name)
    return name.startswith("hard"), row["servers"], row["devices"], name


def _time(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not run"
    return f"{row['seconds']:.1f}" if reached(row) else f"{_gap(row)} after {row['seconds']:.0f}"


def _gap(row: dict[str, Any]) -> str:
    return "none" if row["gap"] is None else f"{row['gap']:.1e}"


def bars(rows: list[dict[str, Any]]) -> Iterator[str]:
    """What was asked, and what came out."""
    yield "| asked | measured |"
    yield "|---|---|"

    def chosen(group: str, gap: float) -> list[dict[str, Any]]:
        return [row for row in rows if row["group"] == group and row["wanted"] == gap]

    def within(some: list[dict[str, Any]], seconds: float) -> str:
        return f"{sum(reached(row) and row['seconds'] <= seconds for row in some)} of {len(some)}"

    def tail(some: list[dict[str, Any]]) -> str:
        times = [row["seconds"] if reached(row) else np.inf for row in some]
        if not times:
            return ""
        p50, p95 = (np.quantile(times, q, method="higher") for q in (0.5, 0.95))
        return f"; median {p50:.2f} s, 95th percentile {p95:.2f} s, most {max(times):.2f} s"

    one, two = chosen("shipped", 1e-4), chosen("shipped", 1e-6)
    yield f"| shipped, 1e-4 within 2 s | {within(one, 2)}{tail(one)} |"
    yield f"| shipped, 1e-6 within 60 s | {within(two, 60)} |"
    few = [row for row in chosen("shipped", 1e-9) if row["devices"] <= FEW_DEVICES * row["servers"]]
    yield f"| shipped with M/E <= {FEW_DEVICES:g}, 1e-9 within 60 s | {within(few, 60)} |"
    cells, finer = chosen("grid", 1e-4), chosen("grid", 1e-6)
    yield f"| cells of the grid, 1e-4 within 5 s (20 s at most) | {within(cells, 5)}{tail(cells)} |"
    yield f"| cells of the grid, 1e-6 within 60 s | {within(finer, 60)}{tail(finer)} |"
    starved_ = chosen("payload", 1e-4)
    yield f"| payload x10 and x50 at 8 x 90, 1e-4 within 30 s | {within(starved_, 30)}{tail(starved_)} |"
    for name, most in (("e8_m90", 5), ("e20_m180", 60)):
        own = [row["check_seconds"] for row in rows if row["group"] == "shipped" and row["instance"] == name]
        if own:
            yield f"| exact check at {name}, within {most} s | {min(own):.2f} to {max(own):.2f} s |"
    refused = sum(bool(row["refused"]) for row in rows)
    yield f"| answers that the exact checker refuses | {refused} of {len(rows)} |"


def write(rows: list[dict[str, Any]], page: Path = PAGE) -> None:
    """Replace the table between the two marks of a page."""
    text = page.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    page.write_text(before + BEGIN + "\n\n" + "\n".join(table(rows)) + "\n\n" + END + after)


def main() -> None:
    """Run what the log lacks, or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument(
        "--write", action="store_true", help="write the table into docs/proofs.md; run nothing"
    )
    parser.add_argument("--sample", type=int, default=60, help="cells of the grid, of 300 (default 60)")
    parser.add_argument("--only", default="", help="only jobs whose group or instance begins with this")
    given = parser.parse_args()
    if given.write:
        return write(rows_of(given.log))
    os.nice(5)
    done = {(row["group"], row["instance"], row["wanted"]) for row in rows_of(given.log)}
    for job in jobs(given.sample):
        if job.key in done or not (job.group.startswith(given.only) or job.instance.startswith(given.only)):
            continue
        row = run(job)
        with given.log.open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(f"{job.group} {job.instance} {job.gap:g}: {row['gap']} in {row['seconds']:.2f} s", flush=True)


if __name__ == "__main__":
    main()
