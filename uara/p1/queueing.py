"""Whole queueing slots of a backlog, eq. (6), as the data say and not as their quotient rounds."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from uara.base.quantities import Floats

_NEAR = 1e-12
"""Quotients this near to a whole number, relatively, are computed again as fractions."""


def whole_slots(backlog_flop: Floats, compute_flop_per_s: Floats, slot_ms: float) -> Floats:
    """(E,) The ceiling of backlog / (speed slot): that of the exact quotient of the doubles.

    A quotient in doubles may round to the other side of a whole number, and the ceiling then misses by one.
    """
    quotient = backlog_flop / (compute_flop_per_s * (slot_ms / 1e3))
    slots = np.ceil(quotient)
    near = np.abs(quotient - np.rint(quotient)) <= _NEAR * np.maximum(quotient, 1.0)
    for j in np.flatnonzero(near & (quotient > 0)):
        flop_per_slot = Fraction(float(compute_flop_per_s[j])) * Fraction(slot_ms) / 1000
        slots[j] = math.ceil(Fraction(float(backlog_flop[j])) / flop_per_slot)
    return np.asarray(slots)
