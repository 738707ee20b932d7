"""Published reductions, measured on recorded runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.bench.ranking import cells

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reduction:
    """How much lower a solver is than the best of its rivals; fractions, NaN where nothing was measured.

    Nor is anything measured if one of them failed: what is left of its instances may be the easy ones.
    """

    mean: float
    largest: float
    smallest: float
    each: dict[str, float]
    """Mean reduction against each rival alone."""
    instances: int
    """That all of them answered."""
    failed: int = 0
    """Those that one of them failed on."""


def measured(claim: Mapping[str, Any], runs: pd.DataFrame) -> Reduction:
    """The reductions that a claim speaks of, over the instances of its groups that all solvers in it ran on."""
    member = runs["groups"].map(lambda groups: bool(set(groups) & set(claim["groups"])))
    table = cells(runs[member], claim["measure"])
    rivals = [name for name in claim["against"] if name in table]
    if claim["solver"] not in table or not rivals:
        return Reduction(math.nan, math.nan, math.nan, {}, 0)
    both = table[[claim["solver"], *rivals]].dropna()
    answered = np.isfinite(both)
    whole, own = answered.all(), both[claim["solver"]]
    lower = 1 - own / both[rivals].min(axis=1) if whole.all() else own.iloc[:0]
    each = {
        name: float((1 - own / both[name]).mean()) if whole[[claim["solver"], name]].all() else math.nan
        for name in rivals
    }
    count = int(answered.all(axis=1).sum())
    figures = (float(lower.mean()), float(lower.max()), float(lower.min()))
    return Reduction(*figures, each, count, len(both) - count)
