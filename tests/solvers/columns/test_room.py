"""The work space of the pricing is as large as it says, and its sort sorts."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.columns import room as rooms
from uara.solvers.columns.layout import layout_of, with_grids
from uara.solvers.columns.room import room_for, room_of, sort_by

from uara.base.kernels import alone
from uara.p1.coefficients import coefficients


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(allow_nan=False), max_size=40), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_the_first_are_sorted_and_the_rest_stays(keys: list[float], count: int, seed: int) -> None:
    key = np.array(keys, dtype=float)
    order = np.random.default_rng(seed).permutation(len(keys))
    before, count = order.copy(), min(count, len(keys))
    alone(sort_by)(key, order, count)
    assert sorted(order[:count]) == sorted(before[:count])
    assert list(key[order[:count]]) == sorted(key[before[:count]])
    assert (order[count:] == before[count:]).all()
    assert (key == np.array(keys)).all()


@pytest.mark.parametrize(("items", "rows"), [(0, 1), (1, 1), (7, 3)])
def test_there_is_one_place_more_than_items(items: int, rows: int) -> None:
    room = room_for(items, rows)
    assert room.line.shape == (
        1 + max(rooms.RATIO, rooms.SIGN, rooms.UP, rooms.DOWN, rooms.LOAD, rooms.OTHER),
        items + 1,
    )
    assert room.table.shape == (1 + max(rooms.COST, rooms.FLIP, rooms.REST, rooms.OTHERS), rows, items + 1)
    assert room.head.shape == (1 + max(rooms.BASE, rooms.START, rooms.BUT_ONE, rooms.LABEL), rows)
    assert room.whole.shape == (1 + max(rooms.PLACE, rooms.ORDER), items + 1)
    assert room.whole.dtype == np.int64
    assert room.chosen.shape == (items + 1,)
    assert not room.chosen.any()


def test_a_layouts_room_holds_its_largest_server_and_its_longest_grid() -> None:
    instance = make_instance(9, 3, 2, missing=0.3, payload=50.0)
    layout = layout_of(coefficients(instance), np.zeros(3))
    grids = [np.array([1.0]), np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 6.0])]
    largest = int(np.bincount(layout.server, minlength=3).max())
    assert room_of(layout).line.shape == (6, largest + 1)
    assert room_of(with_grids(layout, grids)).table.shape == (4, 4, largest + 1)
