"""What scores of all problem kinds share: violated constraints, values that are not finite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

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


def finite(value: float | None) -> float | None:
    """The value, or None where there is none or JSON has no number for it."""
    return float(value) if value is not None and math.isfinite(value) else None


def all_finite(data: Any) -> Any:
    """Plain data as JSON can hold them: None for every number that is not finite."""
    if isinstance(data, dict):
        return {key: all_finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [all_finite(value) for value in data]
    return finite(data) if isinstance(data, float) else data


def mean_and_p95(values: Floats) -> dict[str, float]:
    """``mean`` and 95th percentile (``p95``); infinite unless all are finite."""
    if not np.isfinite(values).all():
        return {"mean": float("inf"), "p95": float("inf")}
    return {"mean": float(np.mean(values)), "p95": float(np.percentile(values, 95))}
