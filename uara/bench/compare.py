"""What changed between two result files, beside the noise of repeated runs.

Runs are paired by seed, and compared as logarithms: the change of a cell (a solver on an instance, one measure) is the
mean over the seeds of log(new / old). Its noise is that of these differences where there are several seeds, and that
of the repetitions where there is one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from uara.bench.results import Results
from uara.bench.statistics import Estimate, holm, t_estimate, unit_of

if TYPE_CHECKING:
    import pandas as pd

MEASURES = {"controllable_ms": 1e-6, "latency_mean_ms": 1e-6, "bound_ms": 1e-9, "runtime_s": 0.1}
"""Compared columns, each with the relative change that is worth a word even where there is no noise."""
HIGHER_IS_BETTER = ("bound_ms",)
LEAST_RUNTIME_S = 0.02
"""Runtimes below this are all the same: the clock and the system are louder."""
LEAST_VALUE = 1e-9
"""Other values below this are this: a bound that is not positive says nothing."""
EVERYWHERE = "(all)"
SIGNIFICANCE = 0.05
ENOUGH_DEGREES = 8
"""Degrees of freedom from which a cell's own noise is used, not that of all cells of its solver."""
LOAD_CHANGE = 1.0
"""A difference of the machine's load that is worth a note: one more busy process."""
SOFTWARE = ("host", "cpu", "cores", "memory_mb", "platform", "python", "commit", "versions")
LIMITS = ("time_limit_s", "memory_limit_mb", "threads")

Floats = NDArray[np.float64]
Key = tuple[str, str, str]
Verdict = Literal["better", "worse", "noise", "changed"]


@dataclass(frozen=True)
class Change:
    """One difference; ``instance`` is ``(all)`` for a solver's geometric mean over the instances."""

    label: str
    instance: str
    what: str
    old: str
    new: str
    ratio: float
    """new / old - 1."""
    low: float
    high: float
    """95 % interval of the ratio alone: from seeds or repetitions, or over the drops; NaN without any."""
    p_value: float
    """Of no change, Holm-adjusted for everything that was compared: what the verdict goes by."""
    verdict: Verdict


@dataclass(frozen=True)
class Cell:
    """One measure of one solver on one instance, paired by seed."""

    label: str
    instance: str
    what: str
    old: float
    """Mean logarithm of the old values."""
    shift: float
    """Mean of log(new / old)."""
    source: Literal["seeds", "repetitions", "unpaired"]
    """What its noise is taken from."""
    squares: float
    degrees: int
    """Sum of squared deviations from which the noise is estimated, and its degrees of freedom."""
    weight: float
    """Variance of the shift, relative to that of one deviation."""


@dataclass(frozen=True)
class Shift:
    """A change before its verdict."""

    label: str
    instance: str
    what: str
    old: float
    found: Estimate
    """Of log(new / old)."""
    repeats: bool = True
    """Whether the same seeds were run: then their answers repeat, and one run of each is enough to know them."""

    @property
    def ratio(self) -> float:
        """New / old - 1."""
        return math.expm1(self.found.mean)

    @property
    def matters(self) -> bool:
        """Whether the change is worth a word."""
        return abs(self.ratio) > MEASURES[self.what]


@dataclass(frozen=True)
class Comparison:
    """The outcome of a comparison."""

    changes: list[Change]
    notes: list[str]

    @property
    def worse(self) -> bool:
        """Whether anything got worse by more than the noise."""
        return any(change.verdict == "worse" for change in self.changes)

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = [
            {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in row.items()
            }
            for row in map(asdict, self.changes)
        ]
        return {"worse": self.worse, "notes": self.notes, "changes": rows}


def compare_results(old: Results, new: Results) -> Comparison:
    """Compare two result files run by run: endings, then numbers where both ended ok.

    Instances are the same where their data are (name and hash), solvers where their labels are, runs where their
    seeds are. Where a run fails that did not fail before, only that is told: what is left of its cell may be its easy
    part. Nor is anything else of that solver called better then.
    """
    keys = ["instance", "digest", "label"]
    olds: dict[Key, pd.DataFrame] = dict(tuple(old.runs.groupby(keys, sort=False)))
    news: dict[Key, pd.DataFrame] = dict(tuple(new.runs.groupby(keys, sort=False)))
    shared = [key for key in news if key in olds]
    broken = {key for key in shared if _failed(news[key]) - _failed(olds[key])}
    changes: list[Change] = []
    cells: list[Cell] = []
    for key in shared:
        changes += _endings(key, olds[key], news[key])
        failed = _failed(olds[key]) | _failed(news[key])
        for what in MEASURES if key not in broken else ():
            before, after = (_by_seed(runs[key], what, failed) for runs in (olds, news))
            if before and after:
                cells.append(_cell(key, what, before, after))
    failing = {label for *_, label in broken}
    everywhere = _over_units([cell for cell in cells if cell.label not in failing])
    changes += _judged([*_within_cells(cells), *everywhere], failing)
    notes = [
        *_software(old, new),
        *_limits((key[2], olds[key], news[key]) for key in shared),
        *_load(old, new),
        *_coverage(old, new),
        *_seeds(cells),
    ]
    return Comparison(changes, notes)


def _failed(runs: pd.DataFrame) -> set[Any]:
    """Seed and repetition of the runs that did not end ok."""
    failed = runs[runs["status"] != "ok"]
    return set(zip(failed["seed"], failed["repetition"], strict=True))


def _by_seed(runs: pd.DataFrame, what: str, failed: Collection[Any]) -> dict[int, Floats]:
    """Logarithms of the values of the runs that failed in neither file, by seed."""
    kept = np.array([pair not in failed for pair in zip(runs["seed"], runs["repetition"], strict=True)])
    solved = runs[kept & runs[what].notna()]
    least = LEAST_RUNTIME_S if what == "runtime_s" else LEAST_VALUE
    return {
        seed: np.log(np.maximum(values.to_numpy(dtype=float), least))
        for seed, values in solved.groupby("seed")[what]
    }


def _cell(key: Key, what: str, old: Mapping[int, Floats], new: Mapping[int, Floats]) -> Cell:
    """Pair the seeds that both files have; where they share none, all runs of a file are repetitions."""
    seeds = sorted(old.keys() & new.keys())
    if len(seeds) > 1:
        shifts = np.array([new[seed].mean() - old[seed].mean() for seed in seeds])
        before = float(np.mean([old[seed].mean() for seed in seeds]))
        squares, degrees = float(((shifts - shifts.mean()) ** 2).sum()), len(seeds) - 1
        return Cell(
            key[2], key[0], what, before, float(shifts.mean()), "seeds", squares, degrees, 1 / len(seeds)
        )
    sides = [each[seeds[0]] if seeds else np.concatenate(list(each.values())) for each in (old, new)]
    squares = sum(float(((side - side.mean()) ** 2).sum()) for side in sides)
    return Cell(
        key[2],
        key[0],
        what,
        old=float(sides[0].mean()),
        shift=float(sides[1].mean() - sides[0].mean()),
        source="repetitions" if seeds else "unpaired",
        squares=squares,
        degrees=len(sides[0]) + len(sides[1]) - 2,
        weight=1 / len(sides[0]) + 1 / len(sides[1]),
    )


def _within_cells(cells: list[Cell]) -> list[Shift]:
    """The change of each cell, and the noise that it stands against."""
    pools: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        pools[cell.label, cell.what, cell.source].append(cell)
    shifts = []
    for cell in cells:
        variance, degrees = _noise(cell, pools[cell.label, cell.what, cell.source])
        found = t_estimate(cell.shift, math.sqrt(cell.weight * variance), degrees)
        repeats = cell.source != "unpaired" and cell.what != "runtime_s"
        shifts.append(Shift(cell.label, cell.instance, cell.what, cell.old, found, repeats))
    return shifts


def _noise(cell: Cell, alike: list[Cell]) -> tuple[float, float]:
    """Variance of one deviation, and its degrees of freedom; NaN and 0 where nothing was repeated.

    A cell with too few repetitions takes that of all cells of its solver together, but never less than its own. Cells
    differ in their noise, and a pool that a few noisy cells rule knows less than it seems to: hence Satterthwaite's
    degrees of freedom (Biometrics Bulletin 2, 1946).
    """
    if cell.degrees >= ENOUGH_DEGREES:
        return cell.squares / cell.degrees, cell.degrees
    repeated = [one for one in alike if one.degrees]
    squares = sum(one.squares for one in repeated)
    degrees = sum(one.degrees for one in repeated)
    if not degrees:
        return math.nan, 0
    variance = squares / degrees
    if cell.degrees:
        variance = max(variance, cell.squares / cell.degrees)
    spread = sum(one.squares**2 / one.degrees for one in repeated)
    return variance, squares**2 / spread if spread else degrees


def _over_units(cells: list[Cell]) -> list[Shift]:
    """The change of each solver over all instances, from the mean change of each drop."""
    groups: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.what not in HIGHER_IS_BETTER:
            groups[cell.label, cell.what].append(cell)
    shifts = []
    for (label, what), mine in groups.items():
        units: dict[str, list[Cell]] = defaultdict(list)
        for cell in mine:
            units[unit_of(cell.instance)].append(cell)
        if len(units) < 2:
            continue
        each = np.array([np.mean([cell.shift for cell in unit]) for unit in units.values()])
        error = float(each.std(ddof=1) / math.sqrt(len(each)))
        before = float(np.mean([np.mean([cell.old for cell in unit]) for unit in units.values()]))
        found = t_estimate(float(each.mean()), error, len(each) - 1)
        shifts.append(Shift(label, EVERYWHERE, what, before, found))
    return shifts


def _judged(shifts: list[Shift], failing: Collection[str]) -> list[Change]:
    """Verdicts, with the p-values adjusted for all that was compared; solvers that newly fail are not better."""
    tests = {
        str(place): shift.found.p_value if shift.matters else 1.0
        for place, shift in enumerate(shifts)
        if math.isfinite(shift.found.p_value)
    }
    adjusted = holm(tests)
    return [
        Change(
            shift.label,
            shift.instance,
            shift.what,
            old=f"{math.exp(shift.old):.7g}",
            new=f"{math.exp(shift.old + shift.found.mean):.7g}",
            ratio=shift.ratio,
            low=math.expm1(shift.found.low),
            high=math.expm1(shift.found.high),
            p_value=adjusted.get(str(place), math.nan),
            verdict=_verdict(shift, adjusted.get(str(place), math.nan), shift.label in failing),
        )
        for place, shift in enumerate(shifts)
        if shift.matters
    ]


def _verdict(shift: Shift, p_value: float, failing: bool) -> Verdict:
    if p_value >= SIGNIFICANCE or (math.isnan(p_value) and not shift.repeats):
        return "noise"  # a single timing, or one answer each of two seeds, proves nothing
    if (shift.ratio > 0) != (shift.what in HIGHER_IS_BETTER):
        return "worse"
    return "changed" if failing else "better"


def _software(old: Results, new: Results) -> list[str]:
    notes = []
    for name in SOFTWARE:
        before, after = (sorted(set(each.runs[name].dropna().astype(str))) for each in (old, new))
        if before != after:
            notes.append(f"{name}: {', '.join(before)} -> {', '.join(after)}")
    return notes


def _limits(pairs: Iterable[tuple[str, pd.DataFrame, pd.DataFrame]]) -> list[str]:
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


def _load(old: Results, new: Results) -> list[str]:
    before, after = (float(each.runs["load_1min"].astype(float).median()) for each in (old, new))
    known = [not math.isnan(load) for load in (before, after)]
    if not any(known) or (all(known) and abs(after - before) <= LOAD_CHANGE):
        return []
    shown = [
        f"{load:.1f}" if there else "unknown" for load, there in zip((before, after), known, strict=True)
    ]
    return [f"load of the machine (median): {shown[0]} -> {shown[1]}"]


def _seeds(cells: list[Cell]) -> list[str]:
    lone = {(cell.label, cell.instance) for cell in cells if cell.source == "unpaired"}
    if not lone:
        return []
    return [
        f"{len(lone)} pairs of instance and solver have no seed in common: their runs are compared unpaired"
    ]


def _coverage(old: Results, new: Results) -> list[str]:
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


def _endings(key: Key, old: pd.DataFrame, new: pd.DataFrame) -> list[Change]:
    before, after = (_endings_of(runs) for runs in (old, new))
    if before == after:
        return []
    shares = [(runs["status"] == "ok").mean() for runs in (old, new)]
    verdict: Verdict = "changed" if shares[0] == shares[1] else "better" if shares[1] > shares[0] else "worse"
    nothing = math.nan
    return [Change(key[2], key[0], "status", before, after, nothing, nothing, nothing, nothing, verdict)]


def _endings_of(runs: pd.DataFrame) -> str:
    counts = runs["status"].value_counts()
    return ", ".join(
        f"{share:.0%} {name}" if share < 1 else str(name) for name, share in (counts / len(runs)).items()
    )
