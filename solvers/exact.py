"""``exact``: prove a gap. A tree of prices first, then the mixed-integer perspective program in HiGHS.

The tree (``branch``) proves most gaps in a second, and leaves a certificate. What it leaves open is handed to
HiGHS: the perspective program over the pairs that some open node still allows, which starts with the tangents
of the best prices and is cut at its answers until bound and incumbent meet (``docs/proofs.md``). The tree's
bound is certified; what HiGHS adds is its own floating-point claim, and the result keeps the two apart.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from uara.allocation import allocate
from uara.files import Record
from uara.instance import Floats, Indices, Instance
from uara.registry import as_solver
from uara.solver import OPTIMAL_GAP, Answer, Context

from .branch import Tree
from .price import PriceOptions, searched


class ExactOptions(Record):
    """Options of the exact method."""

    gap: Annotated[float, Field(ge=1e-9, lt=1)] = OPTIMAL_GAP
    """Relative gap, on the controllable part, at which the search ends."""
    engine: Literal["both", "tree", "milp"] = "both"
    """``tree`` branches on prices alone, ``milp`` goes to HiGHS at once, ``both`` is the one after the other."""
    tree_nodes: Annotated[int, Field(ge=1)] = 300
    """Size at which ``both`` leaves the tree, if a quarter of the time is not over before."""
    kicks: Annotated[int, Field(ge=0)] = 30
    """Random changes of the best association that are polished before anything is proven."""
    certificate_nodes: Annotated[int, Field(ge=1)] = 20_000
    """Largest tree that is kept as a certificate; beyond it the certificate proves what its top proves."""


def compile_exact() -> None:
    """Load HiGHS and the compiled kernels, so that the clock does not count them."""
    from .warmup import rehearse

    rehearse(exact, ExactOptions(gap=1e-9, engine="tree"))
    rehearse(exact, ExactOptions(gap=1e-9, engine="milp"))


@as_solver(options=ExactOptions, prepare=compile_exact, warm_start=True)
def exact(instance: Instance, context: Context[ExactOptions]) -> Answer:
    """Prove the answer to a gap: a tree of prices, then the perspective MILP in HiGHS."""
    options = context.options
    root, found = searched(instance, context, PriceOptions(kicks=options.kicks))
    tree = Tree(root, found, context, options.gap)
    if options.engine == "tree":
        tree.grow()
    elif options.engine == "both":
        tree.grow(most_nodes=options.tree_nodes, seconds=0.25 * context.remaining_s())
    search = MilpSearch(instance, context, tree)
    if options.engine != "tree" and not tree.proven():
        search.run()
    bound_ms = max(tree.bound_ms, search.bound_ms) + root.numbers.constant_ms
    details = {"nodes": tree.nodes, "milp_rounds": search.rounds, "tangents": search.tangents}
    return Answer(found.decision(), bound_ms, tree.certificate(options.certificate_nodes), details)


class MilpSearch:
    """The cut loop: solve the MILP, score its answer exactly, cut where it was wrong, and again.

    Attributes
    ----------
    bound_ms
        What HiGHS states for the controllable part.
    """

    def __init__(self, instance: Instance, context: Context[Any], tree: Tree) -> None:
        self.instance, self.context, self.tree = instance, context, tree
        self.root, self.found = tree.root, tree.found
        self.bound_ms = tree.bound_ms
        self.rounds = self.tangents = 0

    def run(self) -> None:
        """Solve until the gap is proven or time is up."""
        from .highs import Model
        from .perspective import Perspective
        from .price_kernel import restricted

        keep = self.tree.alive()
        if not self.context.affords(Model.SECONDS * np.count_nonzero(keep)):
            return
        relaxation = Perspective.scaled(restricted(self.root.pairs, keep), self.found.cost_ms)
        model = Model(relaxation, self.root.prices)
        best = self.found.decision()
        self._cut_at(model, best.association, best.bandwidth)
        self._tighten(model)
        model.set_integer()
        seen: set[bytes] = set()
        precise = False
        while not self.proven() and self.context.affords(2 * model.grain_s):
            before_ms = self.bound_ms
            association = self._round(model, 0.0 if precise else 0.3)
            self.tangents = model.tangents
            key = b"" if association is None else association.tobytes()
            if key in seen and self.bound_ms <= before_ms:
                # Cut where it was and found again: solved to the end once, it will not change any more.
                if precise:
                    break
                precise = True
            seen.add(key)

    def proven(self) -> bool:
        """Whether the gap is reached."""
        return self.bound_ms >= self.tree.target_ms

    def _tighten(self, model: Any) -> None:
        """Cut the continuous relaxation while that lifts its bound."""
        last_ms = -np.inf
        for _ in range(20):
            if self.context.expired():
                break
            outcome = model.solve(self.context)
            if outcome.column is None or not model.add(model.relaxation.violated(outcome.column)):
                break
            self._state(outcome.bound_ms, "relaxation", model.tangents)
            if outcome.bound_ms <= last_ms + 1e-6 * abs(last_ms):
                break
            last_ms = outcome.bound_ms

    def _round(self, model: Any, part: float) -> Indices | None:
        """Solve once, to a part of the open gap, and cut at the answer, which is returned."""
        target_ms = self.tree.target_ms
        distance_ms = max(target_ms - self.bound_ms, self.tree.gap * self.found.cost_ms)
        outcome = model.solve(
            self.context,
            cutoff_ms=target_ms,
            abs_gap_ms=part * distance_ms,
            watch=lambda bound_ms, nodes: self._state(
                min(bound_ms, target_ms), "milp", model.tangents, nodes
            ),
        )
        self.rounds += 1
        self._state(min(outcome.bound_ms, target_ms), "milp", model.tangents)
        if outcome.column is None:
            return None
        association = associated(model.relaxation, outcome.column)
        decision = allocate(self.instance, association)
        self._cut_at(model, association, decision.bandwidth)
        model.add(model.relaxation.violated(outcome.column, 1e-7))
        if self.found.offer(association):
            best = self.found.decision()
            self._cut_at(model, best.association, best.bandwidth)
        return association

    def _state(self, bound_ms: float, stage: str, tangents: int, nodes: float = 0) -> None:
        if np.isfinite(bound_ms):
            self.bound_ms = max(self.bound_ms, min(bound_ms, self.tree.settled_ms))
            total_ms = self.bound_ms + self.root.numbers.constant_ms
            self.context.bound(total_ms, stage, cuts=tangents, nodes=nodes, rounds=self.rounds)

    def _cut_at(self, model: Any, association: Indices, shares: Floats) -> None:
        model.add(model.relaxation.tangents_at(association, shares))


def associated(relaxation: Any, column: Floats) -> Indices:
    """(M,) The server that the relaxation's point gives the largest x for each device."""
    x = column[: relaxation.count]
    order = np.lexsort((-x, relaxation.device))
    return np.asarray(relaxation.pairs.server[order[relaxation.pairs.start[:-1]]])
