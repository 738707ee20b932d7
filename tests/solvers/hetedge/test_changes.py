from __future__ import annotations

import numpy as np
import pytest
from uara.solvers.hetedge import changes

from uara.base.kernels import alone

other_place = alone(changes.other_place)


@pytest.mark.parametrize("count", [2, 3, 8, 9, 30])
def test_another_place_is_any_but_the_given_one_and_often_near(count: int) -> None:
    draws = np.random.default_rng(count).random(4000)
    for place in {0, 1, count // 2, count - 1}:
        found = np.array([other_place(count, place, draw) for draw in draws])
        assert set(found.tolist()) == set(range(count)) - {place}
        near = np.mean(np.abs(found - place) <= 2 * changes._NEAR)
        assert near > 0.5
