"""What changed between two result files, beside the noise of repeated runs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from uara.bench.results import Results
from uara.randomness import stream

if TYPE_CHECKING:
    import pandas as pd

MEASURES = {"controllable_ms": 1e-6, "latency_mean_ms": 1e-6, "bound_ms": 1e-9, "runtime_s": 0.1}
"""Compared columns, each with the relative change that is worth a word even where there is no noise."""
HIGHER_IS_BETTER = ("bound_ms",)
LEAST_RUNTIME_S = 0.02
"""Runtimes below this are all the same: the clock and the system are louder."""
RESAMPLES = 2000

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
    """95 % interval of the ratio: from repeated runs and seeds, or over the instances; NaN without repetition."""
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

    Instances are the same where their data are (name and hash), solvers where their labels are.
    """
    notes = [*_software(old, new), *_coverage(old, new)]
    changes: list[Change] = []
    keys = ["instance", "digest", "label"]
    olds, news = (
        dict(tuple(old.runs.groupby(keys, sort=False))),
        dict(tuple(new.runs.groupby(keys, sort=False))),
    )
    shared = [key for key in news if key in olds]
    for key in shared:
        changes += _endings(key, olds[key], news[key])
        for what, least in MEASURES.items():
            changes += _numbers(key, what, least, _solved(olds[key], what), _solved(news[key], what))
    for label in dict.fromkeys(key[2] for key in shared):
        mine = [key for key in shared if key[2] == label]
        for what, least in MEASURES.items():
            if what not in HIGHER_IS_BETTER:
                changes += _overall(label, what, least, [(olds[key], news[key]) for key in mine])
    return Comparison(changes, notes)


def _solved(runs: pd.DataFrame, what: str) -> np.ndarray[Any, Any]:
    values = runs.loc[runs["status"] == "ok", what].dropna().to_numpy(dtype=float)
    return np.asarray(np.maximum(values, LEAST_RUNTIME_S if what == "runtime_s" else -np.inf))


def _software(old: Results, new: Results) -> list[str]:
    notes = []
    for name in ("cpu", "cores", "python", "commit", "versions"):
        before, after = (sorted(set(each.runs[name].dropna().astype(str))) for each in (old, new))
        if before != after:
            notes.append(f"{name}: {', '.join(before)} -> {', '.join(after)}")
    return notes


def _coverage(old: Results, new: Results) -> list[str]:
    keys = ["instance", "digest", "label"]
    before, after = (set(map(tuple, each.runs[keys].to_numpy())) for each in (old, new))
    notes = []
    if gone := len(before - after):
        notes.append(f"{gone} pairs of instance and solver are in the old results only")
    if fresh := len(after - before):
        notes.append(f"{fresh} pairs of instance and solver are in the new results only")
    if not before & after:
        notes.append(
            "the two files have nothing in common: instances are matched by name and data, solvers by label"
        )
    return notes


def _endings(key: tuple[str, str, str], old: pd.DataFrame, new: pd.DataFrame) -> list[Change]:
    before, after = (_endings_of(runs) for runs in (old, new))
    if before == after:
        return []
    shares = [(runs["status"] == "ok").mean() for runs in (old, new)]
    verdict: Verdict = "changed" if shares[0] == shares[1] else "better" if shares[1] > shares[0] else "worse"
    return [Change(key[2], key[0], "status", before, after, math.nan, math.nan, math.nan, verdict)]


def _endings_of(runs: pd.DataFrame) -> str:
    counts = runs["status"].value_counts()
    return ", ".join(
        f"{share:.0%} {name}" if share < 1 else str(name) for name, share in (counts / len(runs)).items()
    )


def _numbers(
    key: tuple[str, str, str], what: str, least: float, old: np.ndarray[Any, Any], new: np.ndarray[Any, Any]
) -> list[Change]:
    if not len(old) or not len(new) or not old.mean():
        return []
    ratio = float(new.mean() / old.mean() - 1)
    if abs(ratio) <= least:
        return []
    low, high = _interval_of_means(old, new, f"{key} {what}")
    verdict = _verdict(what, ratio, low, high)
    return [Change(key[2], key[0], what, _short(old.mean()), _short(new.mean()), ratio, low, high, verdict)]


def _interval_of_means(
    old: np.ndarray[Any, Any], new: np.ndarray[Any, Any], name: str
) -> tuple[float, float]:
    """Bootstrap interval of the ratio of two means of repeated runs; NaN where one was not repeated."""
    if len(old) < 2 or len(new) < 2:
        return math.nan, math.nan
    rng = stream(0, "compare", name)
    means = [
        values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1) for values in (old, new)
    ]
    low, high = np.percentile(means[1] / means[0] - 1, [2.5, 97.5])
    return float(low), float(high)


def _verdict(what: str, ratio: float, low: float, high: float) -> Verdict:
    if what == "runtime_s" and math.isnan(low):
        return "noise"  # a single timing proves nothing
    if math.isfinite(low) and low <= 0 <= high:
        return "noise"
    return "better" if (ratio > 0) == (what in HIGHER_IS_BETTER) else "worse"


def _overall(
    label: str, what: str, least: float, pairs: list[tuple[pd.DataFrame, pd.DataFrame]]
) -> list[Change]:
    """Geometric mean over the instances of new / old, with a bootstrap interval over the instances."""
    found = [(_solved(old, what), _solved(new, what)) for old, new in pairs]
    means = [
        (old.mean(), new.mean())
        for old, new in found
        if len(old) and len(new) and min(old.mean(), new.mean()) > 0
    ]
    if len(means) < 2:
        return []
    logs = np.log([after / before for before, after in means])
    ratio = float(np.expm1(logs.mean()))
    if abs(ratio) <= least:
        return []
    rng = stream(0, "compare", label, what)
    drawn = np.expm1(logs[rng.integers(0, len(logs), (RESAMPLES, len(logs)))].mean(axis=1))
    low, high = (float(value) for value in np.percentile(drawn, [2.5, 97.5]))
    before, after = (float(np.exp(np.mean(np.log([pair[side] for pair in means])))) for side in (0, 1))
    return [
        Change(
            label,
            "(all)",
            what,
            _short(before),
            _short(after),
            ratio,
            low,
            high,
            _verdict(what, ratio, low, high),
        )
    ]


def _short(value: float) -> str:
    return f"{value:.7g}"
