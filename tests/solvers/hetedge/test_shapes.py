"""Groups found by changing shapes: they exist, they cost what is said, and little is cheaper."""

from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge, planned
from uara.solvers.hetedge.groups import Groups, Part
from uara.solvers.hetedge.prices import start_prices
from uara.solvers.hetedge.shapes import Shapes

from uara.hetedge.batch_kinds import kinds_of, lengths_of, ranked_by, tables_of
from uara.hetedge.instance import HetEdge
from uara.hetedge.request_prices import least_chain, least_tail_ms, shortfalls


def known(instance: HetEdge, *, disjoint: bool) -> tuple[Shapes, Groups]:
    """The shapes of a plan's groups and of its requests alone."""
    count = len(instance.requests)
    levels = instance.requests.prompt_tokens.tolist(), instance.requests.output_tokens.tolist()
    shapes = Shapes(instance, tables_of(instance, *levels), lengths_of(instance), disjoint=disjoint)
    groups = Groups(instance, least_tail_ms(instance))
    groups.add_plan(planned(instance, 1), count, count)
    shapes.add(groups.parts)
    return shapes, groups


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("disjoint", [False, True])
def test_what_is_to_come_is_that_of_chains_of_real_groups(seed: int, disjoint: bool) -> None:
    """Not below the least of all groups, which certificates know, and no more than groups that were known."""
    instance = make_hetedge(7, seed, longest_speculation=3)
    shapes, groups = known(instance, disjoint=disjoint)
    price = np.random.default_rng(seed).uniform(0.5, 1.5) * start_prices(instance, 2)
    before = groups.potentials_ms(groups.reduced_ms(price))
    tables = shapes._tables
    ranked, order = ranked_by(tables, price)
    for _ in range(3):
        potential, found = shapes.sweep(ranked, order)
        assert (potential <= before + 1e-6).all()
        for position, parts in enumerate(found):
            sizes = [len(part.members) for part in parts]
            assert position + sum(sizes) <= 7
            members = sum((part.members for part in parts), ())
            assert not disjoint or len(set(members)) == len(members)
            groups.add(position, parts, 0)
        assert groups.potentials_ms(groups.reduced_ms(price)) == pytest.approx(potential, rel=1e-9, abs=1e-6)
        before = potential
    *_, checked = shortfalls(
        instance, ranked, kinds_of(tables, ranked, disjoint=disjoint), potential, disjoint=disjoint
    )
    total = abs(price).sum()
    assert -0.02 * total < least_chain(checked.slack, 2 * instance.parameters.largest_batch) <= 1e-9 * total


def test_shapes_that_were_best_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_hetedge(6, 3, longest_speculation=2)
    shapes, _ = known(instance, disjoint=True)
    monkeypatch.setattr("uara.solvers.hetedge.shapes._MOST", 7)
    last = (Part((0,), 1),), (Part((1,), 2),)
    shapes.add(last)
    assert len(shapes._ends) <= 7
    assert list(shapes._ends)[-2:] == [shapes._shape(parts) for parts in last]


def test_what_does_not_fit_the_nodes_is_not_known() -> None:
    instance = make_hetedge(6, 3, longest_speculation=2)
    shapes, _ = known(instance, disjoint=True)
    shapes._tables = shapes._tables._replace(rooms=(0.0, 0.0))
    count = len(shapes._ends)
    shapes.add([(Part((0, 1), 2), Part((2, 3), 2))])
    assert len(shapes._ends) <= count
