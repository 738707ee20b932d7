"""What changed between two result files, beside the noise of repeated runs."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from uara.base.scores import all_finite
from uara.bench import circumstances, shifts
from uara.bench.results import Results
from uara.bench.shifts import HIGHER_IS_BETTER, MEASURES, Key, Paired, Shift
from uara.bench.statistics import holm

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANCE = 0.05

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
        return {
            "worse": self.worse,
            "notes": self.notes,
            "changes": all_finite(list(map(asdict, self.changes))),
        }


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
    cells: list[Paired] = []
    for key in shared:
        changes += _endings(key, olds[key], news[key])
        failed = _failed(olds[key]) | _failed(news[key])
        for what in MEASURES if key not in broken else ():
            before, after = (shifts.by_seed(runs[key], what, failed) for runs in (olds, news))
            if before and after:
                cells.append(shifts.paired(key, what, before, after))
    failing = {label for *_, label in broken}
    everywhere = shifts.over_units([cell for cell in cells if cell.label not in failing])
    changes += _judged([*shifts.within_cells(cells), *everywhere], failing)
    notes = [
        *circumstances.software(old, new),
        *circumstances.limits((key[2], olds[key], news[key]) for key in shared),
        *circumstances.busyness(old, new),
        *circumstances.coverage(old, new),
        *shifts.unpaired(cells),
    ]
    return Comparison(changes, notes)


def _failed(runs: pd.DataFrame) -> set[Any]:
    """Seed and repetition of the runs that did not end ok."""
    failed = runs[runs["status"] != "ok"]
    return set(zip(failed["seed"], failed["repetition"], strict=True))


def _judged(found: list[Shift], failing: Collection[str]) -> list[Change]:
    """Verdicts, with the p-values adjusted for all that was compared; solvers that newly fail are not better."""
    tests = {
        str(place): shift.found.p_value if shift.matters else 1.0
        for place, shift in enumerate(found)
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
        for place, shift in enumerate(found)
        if shift.matters
    ]


def _verdict(shift: Shift, p_value: float, failing: bool) -> Verdict:
    if p_value >= SIGNIFICANCE or (math.isnan(p_value) and not shift.repeats):
        return "noise"  # a single timing, or one answer each of two seeds, proves nothing
    if (shift.ratio > 0) != (shift.what in HIGHER_IS_BETTER):
        return "worse"
    return "changed" if failing else "better"


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
