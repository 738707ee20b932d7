"""``auto`` beside ``price`` and ``exact`` at the same time limit: answers and proofs on 24 networks.

    python benchmarks/auto_beside.py LOG.jsonl            # about ten minutes; run again it goes on where it was
    python benchmarks/auto_beside.py LOG.jsonl --table    # what was found, as Markdown

The networks are cut from the ten drops of ``instances/drops``, cells of six regimes drawn once. Clock and limits are
processor time. A longer limit is tried where the shorter one ended a run.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import uara
from uara.base.clock import processor_time
from uara.bench.cases import with_parameters
from uara.p1.instance import Instance
from uara.p1.subset import subset

DROPS = Path(__file__).resolve().parent.parent / "instances" / "drops"
NETWORKS, LIMITS_S = 24, (2.0, 10.0)
SOLVERS = ("price", "exact", "auto")


def _sending(factor: float, instance: Instance) -> Instance:
    devices = instance.devices
    return instance.replace(devices=devices.replace(upload_bits=devices.upload_bits * factor))


def _with(instance: Instance, **changes: float) -> Instance:
    found: Instance = with_parameters(instance, changes)
    return found


REGIMES: dict[str, Callable[[Instance], Instance]] = {
    "as they are": lambda instance: instance,
    "payload x50": partial(_sending, 50.0),
    "lambda = 0": partial(_with, sync_weight_per_ms=0.0),
    "w = 0": partial(_with, energy_weight_ms_per_j=0.0),
    "lambda = 1": partial(_with, sync_weight_per_ms=1.0),
    "w = 1000": partial(_with, energy_weight_ms_per_j=1000.0),
}


def networks() -> Iterator[tuple[str, str, Instance]]:
    """Name, regime and instance."""
    rng = np.random.default_rng(20261130)
    for number in range(NETWORKS):
        seed, servers = 500 + number % 10, int(rng.integers(4, 21))
        devices = int(rng.integers(servers, 181))
        regime = list(REGIMES)[number % len(REGIMES)]
        instance = subset(Instance.load(DROPS / f"drop_s{seed}.json"), servers, devices)
        yield f"s{seed}[{servers},{devices}], {regime}", regime, REGIMES[regime](instance)


def run(name: str, regime: str, instance: Instance, solver: str, limit_s: float) -> dict[str, Any]:
    """One run."""
    with processor_time():
        found = uara.solve(instance, solver, time_limit_s=limit_s)
    return {
        "network": name,
        "regime": regime,
        "solver": solver,
        "limit_s": limit_s,
        "objective_ms": found.evaluation.objective_ms,
        "controllable_ms": found.evaluation.controllable_ms,
        "certified_ms": found.certified_bound_ms,
        "gap": found.gap,
        "seconds": found.runtime_s,
        "ended": found.ended,
    }


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """How often and by how much ``auto`` was behind, in answers and in proven bounds."""
    yield "| limit | beside | networks | answers behind | at most | bounds behind | at most | 1e-4: auto | the other |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for limit_s in LIMITS_S:
        found = {(row["network"], row["solver"]): row for row in rows if row["limit_s"] <= limit_s}
        for other in SOLVERS[:2]:
            pairs = [
                (found[name, "auto"], found[name, other])
                for name, each in found
                if each == other and (name, "auto") in found
            ]
            worse = [(a["objective_ms"] - b["objective_ms"]) / b["controllable_ms"] for a, b in pairs]
            # a bound that proves the gap is not raised further, by whatever method
            lower = [
                (b["certified_ms"] - a["certified_ms"]) / b["controllable_ms"] if a["gap"] > 1e-4 else 0.0
                for a, b in pairs
            ]
            yield (
                f"| {limit_s:g} s | `{other}` | {len(pairs)} | {sum(x > 1e-9 for x in worse)} | {max(0.0, *worse):.1e} "
                f"| {sum(x > 1e-9 for x in lower)} | {max(0.0, *lower):.1e} "
                f"| {sum(a['gap'] <= 1e-4 for a, _ in pairs)} | {sum(b['gap'] <= 1e-4 for _, b in pairs)} |"
            )


def main() -> None:
    """Run what the log lacks, or print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--table", action="store_true", help="print what was found; run nothing")
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.log.read_text().splitlines()] if given.log.exists() else []
    if given.table:
        print("\n".join(table(rows)))
        return
    os.nice(5)
    done = {(row["network"], row["solver"], row["limit_s"]): row for row in rows}
    for limit_s in LIMITS_S:
        for name, regime, instance in networks():
            before = [row for key, row in done.items() if key[0] == name and key[2] < limit_s]
            if before and all(row["ended"] == "completed" for row in before):
                continue
            for solver in SOLVERS:
                if (name, solver, limit_s) in done:
                    continue
                row = done[name, solver, limit_s] = run(name, regime, instance, solver, limit_s)
                with given.log.open("a") as log:
                    log.write(json.dumps(row) + "\n")
                print(
                    f"{name}, {solver}, {limit_s:g} s: {row['gap']:.2e} in {row['seconds']:.2f} s", flush=True
                )


if __name__ == "__main__":
    main()
