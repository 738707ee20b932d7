"""What scores of all problem kinds share: violated constraints, values that are not finite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from uara.base.quantities import Floats

FEASIBILITY_TOLERANCE = 1e-9
"""Largest excess over a budget of shares that counts as rounding."""


@dataclass(frozen=True)
class Violation:
    """A constraint that a decision breaks, where, and by how much."""

    constraint: str
    where: str
    amount: float

    def to_plain(self) -> dict[str, str | float | None]:
        """Plain data for JSON."""
        return {"constraint": self.constraint, "where": self.where, "amount": finite(self.amount)}

    def __str__(self) -> str:
        return f"{self.constraint} at {self.where}: {self.amount:.3g} too much"


def finite(value: float) -> float | None:
    """The value, or None where JSON has no number for it."""
    return float(value) if np.isfinite(value) else None


def finite_ones(values: Mapping[str, float]) -> dict[str, float | None]:
    """The same for values by name."""
    return {name: finite(value) for name, value in values.items()}


def mean_and_p95(values: Floats) -> dict[str, float]:
    """``mean`` and 95th percentile (``p95``); infinite unless all are finite."""
    if not np.isfinite(values).all():
        return {"mean": float("inf"), "p95": float("inf")}
    return {"mean": float(np.mean(values)), "p95": float(np.percentile(values, 95))}
