"""Published reductions, measured on recorded runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uara.bench.ranking import cells

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reduction:
    """How much lower a solver is than the best of its rivals; fractions, NaN where nothing was measured."""

    mean: float
    largest: float
    smallest: float
    each: dict[str, float]
    """Mean reduction against each rival alone."""
    instances: int


def measured(claim: Mapping[str, Any], runs: pd.DataFrame) -> Reduction:
    """The reductions that a claim speaks of, over the instances of its groups that all solvers in it solved."""
    member = runs["groups"].map(lambda groups: bool(set(groups) & set(claim["groups"])))
    table = cells(runs[member], claim["measure"])
    rivals = [name for name in claim["against"] if name in table]
    if claim["solver"] not in table or not rivals:
        return Reduction(math.nan, math.nan, math.nan, {}, 0)
    both = table[[claim["solver"], *rivals]].dropna()
    own = both[claim["solver"]]
    lower = 1 - own / both[rivals].min(axis=1)
    each = {name: float((1 - own / both[name]).mean()) for name in rivals}
    return Reduction(float(lower.mean()), float(lower.max()), float(lower.min()), each, len(both))
