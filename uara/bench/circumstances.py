"""What else differs between two result files: software, limits, load, coverage."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from uara.bench.results import Results

if TYPE_CHECKING:
    import pandas as pd

LOAD_CHANGE = 1.0
"""A difference of the machine's load that is worth a note: one more busy process."""
SOFTWARE = ("host", "cpu", "cores", "memory_mb", "platform", "python", "commit", "versions")
LIMITS = ("time_limit_s", "memory_limit_mb", "threads")


def software(old: Results, new: Results) -> list[str]:
    """Machines and software that were others."""
    notes = []
    for name in SOFTWARE:
        before, after = (sorted(set(each.runs[name].dropna().astype(str))) for each in (old, new))
        if before != after:
            notes.append(f"{name}: {', '.join(before)} -> {', '.join(after)}")
    return notes


def limits(pairs: Iterable[tuple[str, pd.DataFrame, pd.DataFrame]]) -> list[str]:
    """Limits that a solver had in one file and not in the other, on the same instance."""
    found: dict[str, list[str]] = defaultdict(list)
    for label, old, new in pairs:
        for name in LIMITS:
            before, after = (sorted(set(runs[name].dropna())) for runs in (old, new))
            if before != after:
                change = " -> ".join(", ".join(f"{value:g}" for value in side) for side in (before, after))
                if label not in found[f"{name}: {change}"]:
                    found[f"{name}: {change}"].append(label)
    return [f"{change} ({', '.join(labels)})" for change, labels in found.items()]


def busyness(old: Results, new: Results) -> list[str]:
    """Whether the machine was busier with other work."""
    before, after = (float(each.runs["load_1min"].astype(float).median()) for each in (old, new))
    known = [not math.isnan(load) for load in (before, after)]
    if not any(known) or (all(known) and abs(after - before) <= LOAD_CHANGE):
        return []
    shown = [
        f"{load:.1f}" if there else "unknown" for load, there in zip((before, after), known, strict=True)
    ]
    return [f"load of the machine (median): {shown[0]} -> {shown[1]}"]


def coverage(old: Results, new: Results) -> list[str]:
    """What only one of the files has, or neither yet."""
    keys = ["instance", "digest", "label"]
    before, after = (set(map(tuple, each.runs[keys].to_numpy())) for each in (old, new))
    notes = []
    if new.missing:
        notes.append(f"{new.missing} planned runs of the new results have not been done yet")
    if gone := len(before - after):
        notes.append(f"{gone} pairs of instance and solver are in the old results only")
    if fresh := len(after - before):
        notes.append(f"{fresh} pairs of instance and solver are in the new results only")
    if not before & after:
        notes.append(
            "the two files have nothing in common: instances are matched by name and data, solvers by label"
        )
    return notes
