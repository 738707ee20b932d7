from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("matplotlib", reason="pictures need the extra 'plot'")

from matplotlib.collections import LineCollection

from uara.base.pictures import marked
from uara.bench.report.plotting import Axis, Series, line_chart, shortened, stacked_bars
from uara.bench.report.style import MOST_TICKS, drawing

PLAIN = Axis("x")


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20), st.booleans())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_axes_show_every_value_with_few_round_ticks(values: list[float], log: bool) -> None:
    with drawing():
        axes = line_chart([Series("s", values, values)], Axis("x", log=log), PLAIN).axes[0]
    low, high = axes.get_xlim()
    assert low <= min(values)
    assert max(values) <= high
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert len(ticks) <= MOST_TICKS + 1
    assert ticks or high / low < 1.5
    assert ticks == sorted(ticks)


def test_what_is_not_finite_or_beyond_the_frame_has_no_dot() -> None:
    series = Series("s", [1, 2, math.nan, 4], [3.0, math.inf, 4.0, 9.0], notes="abcd")
    figure = line_chart([series], PLAIN, Axis("y", limits=(0.0, 5.0)))
    (dots,) = [found for _, found in marked(figure) if found.notes]
    assert dots.notes == ("a",)
    assert figure.axes[0].get_ylim() == pytest.approx((-0.15, 5.15))


def test_error_bars_stand_where_intervals_are_known() -> None:
    series = Series("s", [1, 2], [3.0, 4.0], [2.0, math.nan], [5.0, math.nan])
    (bars,) = line_chart([series], PLAIN, PLAIN).findobj(LineCollection)
    (segment,) = bars.get_segments()
    assert segment.tolist() == [[1, 2], [1, 5]]


def test_steps_go_across_and_then_down() -> None:
    (part, _), *_ = marked(line_chart([Series("s", [0, 1], [1, 0], step=True)], PLAIN, PLAIN))
    assert part.get_drawstyle() == "steps-post"  # type: ignore[attr-defined]


def test_empty_charts_are_charts() -> None:
    assert line_chart([], Axis("x", log=True), Axis("y", zero=True)).axes
    assert stacked_bars([], ["a"], "%").axes


def test_bars_are_as_long_as_their_values() -> None:
    figure = stacked_bars([("a", [1.0, 3.0]), ("b", [math.nan, 2.0])], ["p", "q"], "%")
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    assert widths == [1.0, 0.0, 3.0, 2.0]
    assert [patch.get_x() for patch in figure.axes[0].patches] == [0.0, 0.0, 1.0, 0.0]
    notes = [found.notes[0] for _, found in marked(figure)]
    assert "a, q: 3 %" in notes


def test_the_bounds_of_a_solver_are_no_second_entry_of_a_legend() -> None:
    answers, bounds = Series("_s", [0, 1], [2, 1]), Series("_s", [0, 1], [0, 1], dashed=True)
    labels = line_chart([answers, bounds], PLAIN, PLAIN).axes[0].get_legend_handles_labels()[1]
    assert labels == ["s"]


def test_long_names_are_shortened() -> None:
    assert shortened("x" * 31) == "x" * 29 + "…"
    assert shortened("x" * 30) == "x" * 30
