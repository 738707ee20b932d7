"""Changes of measured numbers between two result files, each with its noise.

Runs are paired by seed, and compared as logarithms: the change of a cell (a solver on an instance, one measure) is the
mean over the seeds of log(new / old). Its noise is that of these differences where there are several seeds, and that
of the repetitions where there is one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from uara.bench.statistics import Estimate, t_estimate, unit_of

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
ENOUGH_DEGREES = 8
"""Degrees of freedom from which a cell's own noise is used, not that of all cells of its solver."""

Floats = NDArray[np.float64]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Paired:
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


def by_seed(runs: pd.DataFrame, what: str, failed: Collection[Any]) -> dict[int, Floats]:
    """Logarithms of the values of the runs that failed in neither file, by seed."""
    kept = np.array([pair not in failed for pair in zip(runs["seed"], runs["repetition"], strict=True)])
    solved = runs[kept & runs[what].notna()]
    least = LEAST_RUNTIME_S if what == "runtime_s" else LEAST_VALUE
    return {
        seed: np.log(np.maximum(values.to_numpy(dtype=float), least))
        for seed, values in solved.groupby("seed")[what]
    }


def paired(key: Key, what: str, old: Mapping[int, Floats], new: Mapping[int, Floats]) -> Paired:
    """Pair the seeds that both files have; where they share none, all runs of a file are repetitions."""
    seeds = sorted(old.keys() & new.keys())
    if len(seeds) > 1:
        shifts = np.array([new[seed].mean() - old[seed].mean() for seed in seeds])
        before = float(np.mean([old[seed].mean() for seed in seeds]))
        squares, degrees = float(((shifts - shifts.mean()) ** 2).sum()), len(seeds) - 1
        return Paired(
            key[2], key[0], what, before, float(shifts.mean()), "seeds", squares, degrees, 1 / len(seeds)
        )
    sides = [each[seeds[0]] if seeds else np.concatenate(list(each.values())) for each in (old, new)]
    squares = sum(float(((side - side.mean()) ** 2).sum()) for side in sides)
    return Paired(
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


def within_cells(cells: list[Paired]) -> list[Shift]:
    """The change of each cell, and the noise that it stands against."""
    pools: dict[tuple[str, str, str], list[Paired]] = defaultdict(list)
    for cell in cells:
        pools[cell.label, cell.what, cell.source].append(cell)
    shifts = []
    for cell in cells:
        variance, degrees = _noise(cell, pools[cell.label, cell.what, cell.source])
        found = t_estimate(cell.shift, math.sqrt(cell.weight * variance), degrees)
        repeats = cell.source != "unpaired" and cell.what != "runtime_s"
        shifts.append(Shift(cell.label, cell.instance, cell.what, cell.old, found, repeats))
    return shifts


def _noise(cell: Paired, alike: list[Paired]) -> tuple[float, float]:
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


def over_units(cells: list[Paired]) -> list[Shift]:
    """The change of each solver over all instances, from the mean change of each drop."""
    groups: dict[tuple[str, str], list[Paired]] = defaultdict(list)
    for cell in cells:
        if cell.what not in HIGHER_IS_BETTER:
            groups[cell.label, cell.what].append(cell)
    shifts = []
    for (label, what), mine in groups.items():
        units: dict[str, list[Paired]] = defaultdict(list)
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


def unpaired(cells: list[Paired]) -> list[str]:
    """Says how many pairs of instance and solver were run with other seeds in each file."""
    lone = {(cell.label, cell.instance) for cell in cells if cell.source == "unpaired"}
    if not lone:
        return []
    return [
        f"{len(lone)} pairs of instance and solver have no seed in common: their runs are compared unpaired"
    ]
