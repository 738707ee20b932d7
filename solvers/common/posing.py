"""Handing a Pyomo model to a solver with a time limit that counts the handing over."""

from __future__ import annotations

import math
from typing import Any

from uara.solver import Context


def posed(solver: Any, model: Any, context: Context[Any]) -> dict[str, Any]:
    """Translate the model, where the solver can do that by itself, and only then read the time that is left.

    Returns
    -------
    dict
        What ``solver.solve(model, ...)`` is to be given.
    """
    options: dict[str, Any] = {}
    if hasattr(solver, "set_instance"):
        solver.set_instance(model)
        options["auto_updates"] = dict.fromkeys(solver.config.auto_updates, False)
    left = context.remaining_s()
    if math.isfinite(left):
        options["time_limit"] = left
    return options
