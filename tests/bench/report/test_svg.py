from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.bench.report.svg import Scale, Series, plot, scale_for, stacked_bars, tick_label

finite = st.floats(-1e9, 1e9)


@given(st.lists(finite, min_size=1, max_size=20))
def test_a_scale_shows_every_value(values: list[float]) -> None:
    scale = scale_for(values, 0, 100)
    assert all(0 <= scale(value) <= 100 and scale.shows(value) for value in values)
    ticks = scale.ticks()
    assert ticks == sorted(ticks)
    assert len(ticks) <= 12


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20))
def test_a_logarithmic_scale_has_round_ticks_inside(values: list[float]) -> None:
    scale = scale_for(values, 0, 100, log=True)
    assert all(scale.shows(value) for value in values)
    assert 1 <= len(scale.ticks()) <= 12
    for tick in scale.ticks() if max(values) > 5 * min(values) else ():
        lead = tick / 10 ** math.floor(math.log10(tick) + 1e-9)
        assert min(abs(lead - digit) for digit in (1, 2, 5)) < 1e-6


def test_a_scale_keeps_order_and_direction() -> None:
    scale = Scale(1, 100, 300, 10, log=True)
    assert scale(1) == 300
    assert scale(100) == pytest.approx(10)
    assert scale(10) == pytest.approx(155)


def test_pictures_are_well_formed_whatever_they_are_called() -> None:
    name = "<script>alert('x')</script> & \"y\""
    series = [Series(name, [1, 2, math.nan], [3.0, math.inf, 4.0], place=13)]
    text = plot(series, title=name, x_label=name, y_label=name)
    root = ElementTree.fromstring(text)
    assert "<script" not in text
    assert root[0].text == name
    (group,) = [each for each in root.iter() if "data-series" in each.attrib]
    assert group.attrib["data-series"] == name
    assert len([each for each in group.iter() if each.tag.endswith("circle")]) == 1, (
        "what is not finite is not drawn"
    )


def test_steps_go_across_and_then_down() -> None:
    text = plot([Series("s", [0, 1], [1, 0], step=True)], title="t", x_label="x", y_label="y")
    (path,) = [
        each.attrib["d"] for each in ElementTree.fromstring(text).iter() if each.attrib.get("class") == "line"
    ]
    assert path.index("H") < path.index("V")


def test_empty_charts_are_charts() -> None:
    ElementTree.fromstring(plot([], title="t", x_label="x", y_label="y", x_log=True))
    ElementTree.fromstring(stacked_bars([], ["a"], title="t", unit="%"))


def test_bars_are_as_long_as_their_values() -> None:
    root = ElementTree.fromstring(stacked_bars([("a", [1.0, 3.0])], ["p", "q"], title="t", unit="%"))
    widths = [float(each.attrib["width"]) for each in root.iter() if each.tag.endswith("rect")]
    assert widths[1] == pytest.approx(3 * widths[0], abs=0.2)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.5, "0.5"), (1500, "1,500"), (2e7, "2e7"), (1e-5, "1e-5")]
)
def test_tick_labels_are_short(value: float, text: str) -> None:
    assert tick_label(value) == text
