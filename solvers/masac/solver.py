"""TMA-MASAC (Fig. 4 of the paper): the trained policy weighs Y and Z, Algorithm 1 then chooses X."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate, shares_of, usable_pairs
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.model import evaluate
from uara.registry import as_solver
from uara.solver import Context

from ..search.matching import by_gain
from ..search.rules import AllocationOptions, max_compute, max_sinr, random_server
from .policy import Policy

SECONDS = 4.5e-6
"""Time of the policy's forward pass for each device and server."""


class TmaMasacOptions(Record):
    """Options of TMA-MASAC."""

    policy: str = ""
    """Policy file from ``uara train``; the shipped one where left out."""
    polish: bool = False
    """Replace the policy's Y and Z by the optimal ones at the end, and go on moving and swapping under them."""


class MasacOptions(Record):
    """Options of MASAC alone."""

    policy: str = ""
    """Policy file from ``uara train``; the shipped one where left out."""
    association: Literal["random", "max-sinr", "max-compute"] = "max-sinr"
    """Rule that associates."""


@lru_cache(maxsize=8)
def load_policy(path: str) -> Policy:
    """The policy of a file, read once; the shipped one for an empty name."""
    return Policy.load(Path(path) if path else None)


@cache
def prepare() -> None:
    """Load the compiled search, ONNX Runtime and the shipped policy, so that the clock does not count them."""
    from uara.p1.smallest import smallest_instance

    from .association import associate

    load_policy("")
    numbers = coefficients(smallest_instance())
    ones = np.ones(len(numbers.uplink_ms))
    associate(numbers, ones, ones, np.zeros(numbers.devices, dtype=np.int64))


@as_solver(options=TmaMasacOptions, prepare=prepare, warm_start=True)
def tma_masac(instance: Instance, context: Context[TmaMasacOptions]) -> Allocation:
    """The paper's scheme: a learned policy weighs bandwidth and compute, two-phase matching associates."""
    from ..search.local_search import improve
    from ..search.state import make_state, make_task
    from .association import associate

    numbers = coefficients(instance)
    start = context.start.association if isinstance(context.start, Allocation) else by_gain(instance)
    weights = learned(instance, context)
    if weights is None:  # what is left of the time goes to the search under optimal shares
        chosen, answer = start, allocate(instance, start, "optimal")
    else:
        context.incumbent(weighted_allocation(instance, start, *weights))
        chosen = associate(numbers, *weights, start, context.expired)
        answer = weighted_allocation(instance, chosen, *weights)
    context.incumbent(answer)
    if weights is None or context.options.polish:
        state = make_state(task := make_task(numbers), numbers, chosen)
        improve(task, state, expired=context.expired)
        answer = allocate(instance, state.chosen, "optimal")
    known = (
        [context.start] if isinstance(context.start, Allocation) else []
    )  # its shares may be better than learned ones
    return min(answer, *known, key=lambda each: evaluate(instance, each).objective_ms) if known else answer


@as_solver(options=MasacOptions, prepare=prepare)
def masac(instance: Instance, context: Context[MasacOptions]) -> Allocation:
    """The learned allocation alone, over the association of a simple rule."""
    rule, options = context.options.association, AllocationOptions(allocation="optimal")
    answer = RULES[rule](instance, context.part(options, name=rule))
    weights = learned(instance, context)
    return answer if weights is None else weighted_allocation(instance, answer.association, *weights)


def learned(instance: Instance, context: Context[Any]) -> tuple[Floats, Floats] | None:
    """(K,) The policy's weights of Y and Z for each pair; None where it cannot answer in the time that is left."""
    policy = load_policy(context.options.policy)
    if not context.affords(SECONDS * policy.cells(instance)):
        return None
    band, compute = policy.log_weights(instance)
    return np.exp(band), np.exp(compute)


RULES = {"random": random_server, "max-sinr": max_sinr, "max-compute": max_compute}
"""Under the same seed each draws the association that the solver of this name draws."""


def weighted_allocation(
    instance: Instance, association: Indices, band_weight: Floats, compute_weight: Floats
) -> Allocation:
    """Shares from the (K,) weights of the pairs: wanted band, scaled down where a server's is exceeded."""
    servers, pair = usable_pairs(instance, association)
    count = len(instance.servers)
    wanted = np.bincount(servers, weights=band_weight[pair], minlength=count)
    return Allocation(
        servers,
        band_weight[pair] / np.maximum(wanted, 1.0)[servers],
        shares_of(servers, compute_weight[pair], count),
    )
