"""``exact``: prove a gap by device prices, column generation and branching; every bound it states can be checked.

It begins as ``price`` does: 2E prices, local search, one row of device prices. What that row excludes at the wanted
gap is dropped, the sets that come out cheapest become the columns of a linear program whose dual raises the prices
further, and what is still open is divided by a device's servers or a server's count (``docs/proofs.md``). The tree of
rows is the certificate.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import Field

from uara.base.files import Record
from uara.p1.instance import Instance
from uara.registry import as_solver
from uara.solver import OPTIMAL_GAP, Answer, Context

from .dual.price import MOST_PASSES, PriceOptions, searched

HASTE_S = 1.0
"""Time left below which the first row is climbed to its end: little else can be done in it."""
_CLIMBS = 25.0
"""The same where the time left is below so many times what the row's first passes took."""


class ExactOptions(Record):
    """Options of the exact method."""

    gap: Annotated[float, Field(ge=1e-9, lt=1)] = OPTIMAL_GAP
    """Relative gap, on the controllable part, at which the search ends."""
    kicks: Annotated[int, Field(ge=0)] = 30
    """Random changes of the best association that are polished before anything is divided."""
    certificate_nodes: Annotated[int, Field(ge=1)] = 2_000
    """Largest tree that is kept as a certificate; beyond it the certificate proves what its top proves."""


@cache
def compile_exact() -> None:
    """Load HiGHS and the compiled kernels, so that the clock does not count them."""
    from .common.warmup import knotty_instance, rehearse

    rehearse(exact, ExactOptions(gap=1e-9))
    rehearse(exact, ExactOptions(gap=1e-9), knotty_instance())


@as_solver(options=ExactOptions, prepare=compile_exact, warm_start=True)
def exact(instance: Instance, context: Context[ExactOptions]) -> Answer:
    """Prove the answer to a gap: device prices, column generation and branching, all of it certified."""
    from .columns.tree import FIRST_PASSES, Tree
    from .dual.kernel import certificate_of

    options = context.options
    root, found = searched(instance, context, PriceOptions(kicks=options.kicks))
    left_s = context.remaining_s()
    passes = FIRST_PASSES if left_s > HASTE_S else MOST_PASSES
    row = root.device_row(found.cost_ms, options.gap, passes)
    after_s = context.remaining_s()
    if row is not None and passes < MOST_PASSES and after_s < _CLIMBS * (left_s - after_s):
        root.climb_on(row, found.cost_ms, options.gap, MOST_PASSES - passes)
    if row is None:
        return Answer(found.decision(), certificate=certificate_of(root.numbers, root.prices))
    tree = Tree(row, found, context, options.gap, root.numbers.constant_ms)
    try:
        tree.grow()
    except BaseException:  # Ctrl-C: leave the proof of what has been said so far
        context.certify(tree.certificate(options.certificate_nodes))
        raise
    details = {"nodes": tree.nodes, "columns": tree.columns, "device_passes": row.passes}
    bound_ms = tree.bound_ms + root.numbers.constant_ms
    return Answer(found.decision(), bound_ms, tree.certificate(options.certificate_nodes), details)
