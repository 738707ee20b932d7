from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base.errors import InputError
from uara.base.randomness import stream
from uara.scenarios.channel.positions import (
    Box,
    Floats,
    StreetPoints,
    flat_ground,
    nearest_distance_m,
    spaced_points,
    street_height,
)

HILL = 7.25


def block_in_the_middle(x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """A city on a hill: a house of 20 m on |x|, |y| < 50, and nothing at all east of 150."""
    ground = np.where(x_m > 150, np.nan, HILL)
    top = np.where((np.abs(x_m) < 50) & (np.abs(y_m) < 50), HILL + 20, ground)
    return top, ground


def on_street(points_m: Floats) -> np.ndarray:
    x, y = points_m[:, 0], points_m[:, 1]
    return ~((np.abs(x) < 50) & (np.abs(y) < 50)) & (x <= 150)


def supply(seed: int = 0, box: Box | None = None, height_m: float = 1.5) -> StreetPoints:
    return StreetPoints(block_in_the_middle, box or Box.centred(400.0), stream(seed, "test"), height_m)


def test_centred_box_has_its_side_and_centre() -> None:
    box = Box.centred(400.0, (10.0, -20.0))
    assert (box.x_min_m, box.x_max_m, box.y_min_m, box.y_max_m) == (-190, 210, -220, 180)


@pytest.mark.parametrize("side_m", [0.0, -1.0, np.nan, np.inf])
def test_impossible_side_is_refused(side_m: float) -> None:
    with pytest.raises(InputError, match="side of the box"):
        Box.centred(side_m)


def test_clipping_is_the_intersection() -> None:
    clipped = Box.centred(400.0).clipped(Box(-1000, 50, -30, 1000))
    assert (clipped.x_min_m, clipped.x_max_m, clipped.y_min_m, clipped.y_max_m) == (-200, 50, -30, 200)


def test_contains_is_inclusive() -> None:
    inside = Box.centred(2.0).contains(np.array([[0, 0], [1, 1], [1.001, 0], [0, -1.001]]))
    assert inside.tolist() == [True, True, False, False]


def test_street_height_is_the_ground_or_nothing() -> None:
    height = street_height(block_in_the_middle, np.array([[0.0, 0.0], [60.0, 0.0], [200.0, 0.0]]))
    np.testing.assert_array_equal(height, [np.nan, HILL, np.nan])


def test_flat_ground_is_a_street_everywhere() -> None:
    assert street_height(flat_ground, np.array([[3.0, 4.0], [-1e6, 1e6]])).tolist() == [0.0, 0.0]


def test_nearest_distance_ignores_height() -> None:
    nearest = nearest_distance_m(np.array([[0, 0, 1.5], [10, 0, 1.5]]), np.array([[3, 4, 10], [10, 1, 99]]))
    np.testing.assert_allclose(nearest, [5, 1])


def test_nearest_distance_to_nobody_is_infinite() -> None:
    assert nearest_distance_m(np.ones((2, 3)), np.zeros((0, 3))).tolist() == [np.inf, np.inf]


@given(st.integers(0, 2**32), st.floats(0.5, 30), st.floats(120, 500))
def test_points_are_in_the_box_on_streets_at_their_height(seed: int, height_m: float, side_m: float) -> None:
    box = Box.centred(side_m, (5.0, 5.0))
    points = supply(seed, box, height_m).take(40)
    assert points.shape == (40, 3)
    assert box.contains(points).all()
    assert on_street(points).all()
    np.testing.assert_allclose(points[:, 2], HILL + height_m, atol=5e-4)
    np.testing.assert_array_equal(points, np.round(points, 3))


@given(st.lists(st.integers(0, 300), min_size=1, max_size=8))
def test_portions_do_not_matter(portions: list[int]) -> None:
    whole = supply().take(sum(portions))
    points = supply()
    np.testing.assert_array_equal(np.concatenate([points.take(count) for count in portions]), whole)


def test_a_filter_keeps_the_order_and_loses_nothing_it_accepts() -> None:
    def east(points_m: Floats) -> np.ndarray:
        return points_m[:, 0] > 0

    everything = supply().take(2000)
    points = supply()
    filtered = np.concatenate([points.take(count, east) for count in (1, 300, 7, 400)])
    np.testing.assert_array_equal(filtered, everything[east(everything)][: len(filtered)])


def test_streams_differ_by_seed() -> None:
    assert not np.array_equal(supply(0).take(5), supply(1).take(5))


def test_points_are_uniform_on_the_streets() -> None:
    points = supply().take(20_000)
    # Streets of the box: 400 x 350 without the house of 100 x 100; the strip x < -150 is 50 x 400 of it.
    share = (points[:, 0] < -150).mean()
    assert share == pytest.approx(50 * 400 / (400 * 350 - 100 * 100), abs=4 * np.sqrt(0.154 * 0.846 / 20_000))


def test_a_box_within_a_house_is_refused() -> None:
    with pytest.raises(InputError, match="0 of 3 points found on streets"):
        supply(box=Box.centred(20.0)).take(3)


def test_a_box_beside_the_scene_is_refused() -> None:
    apart = Box.centred(10.0).clipped(Box(100, 200, 100, 200))
    with pytest.raises(InputError, match="does not overlap"):
        supply(box=apart).take(1)


def test_a_filter_that_accepts_nothing_is_an_error_not_a_loop() -> None:
    with pytest.raises(InputError, match="0 of 1"):
        supply().take(1, lambda points_m: np.zeros(len(points_m), dtype=bool))


@given(st.integers(0, 2**32), st.integers(0, 12), st.floats(0, 60))
def test_spaced_points_keep_their_distance(seed: int, count: int, spacing_m: float) -> None:
    points = spaced_points(supply(seed), count, spacing_m)
    assert points.shape == (count, 3)
    for index, point in enumerate(points):
        for other in points[:index]:
            assert np.hypot(*(point - other)[:2]) >= spacing_m


def test_more_servers_begin_with_the_same_ones() -> None:
    few, many = spaced_points(supply(), 4, 30.0), spaced_points(supply(), 20, 30.0)
    np.testing.assert_array_equal(few, many[:4])


def test_too_many_servers_for_the_box_is_an_error_that_counts() -> None:
    with pytest.raises(InputError, match=r"no room .* for server \d+ of 50 at 200 m"):
        spaced_points(supply(), 50, 200.0)
