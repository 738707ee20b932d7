from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("matplotlib", reason="pictures need the extra 'plot'")

from matplotlib.figure import Figure

from uara.base.pictures import mark
from uara.bench.report.inline import _rounded, page_svg
from uara.bench.report.style import PALETTE

HOSTILE = "<script>alert('x')</script> & \"y\""


def drawn(figure: Figure, title: str = "t") -> ElementTree.Element:
    return ElementTree.fromstring(
        page_svg(figure, title, "name").replace(' xmlns="http://www.w3.org/2000/svg"', "")
    )


def figure_with(*, color: str = PALETTE[3], marker: str = "o") -> Figure:
    figure = Figure()
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    (line,) = axes.plot([0, 1, 2], [2, 1, 3], marker, color=color, markeredgewidth=0)
    mark(line, series=HOSTILE, notes=["p", "q", HOSTILE])
    axes.set(title=HOSTILE, xlabel="x $a_b$")
    return figure


def test_words_cannot_break_out_of_the_page() -> None:
    text = page_svg(figure_with(), HOSTILE, "name")
    assert "<script" not in text
    root = ElementTree.fromstring(text)
    assert root[0].text == HOSTILE


def test_series_and_notes_stand_where_they_belong() -> None:
    root = drawn(figure_with())
    (series,) = [each for each in root.iter() if "data-series" in each.attrib]
    assert series.attrib["data-series"] == HOSTILE
    notes = [each.findtext("title") for each in series.iter("use")]
    assert notes == ["p", "q", HOSTILE]
    places = [float(each.attrib["y"]) for each in series.iter("use")]
    assert places[2] < places[0] < places[1], "the largest value is on top"


def test_notes_find_markers_that_are_not_round_and_bars() -> None:
    (squares,) = [each for each in drawn(figure_with(marker="s")).iter() if "data-series" in each.attrib]
    assert [each.findtext("title") for each in squares.iter("use")] == ["p", "q", HOSTILE]
    figure = Figure()
    for bar, name in zip(figure.add_subplot().bar([0, 1], [1, 2]), "ab", strict=True):
        mark(bar, notes=[name])
    assert [each.text for each in drawn(figure).iter("title")][1:] == ["a", "b"]


def test_series_of_one_colour_both_have_their_dots() -> None:
    """Matplotlib draws the marker of both once."""
    figure = Figure()
    axes = figure.add_subplot()
    for place, name in enumerate("ab"):
        (line,) = axes.plot([0, 1], [place, place], "o", color=PALETTE[0], markeredgewidth=0)
        mark(line, series=name, notes=[f"{name}0", f"{name}1"])
    root = drawn(figure)
    for series in (each for each in root.iter() if "data-series" in each.attrib):
        name = series.attrib["data-series"]
        assert [each.findtext("title") for each in series.iter("use")] == [f"{name}0", f"{name}1"]
    links = {each.attrib["href"][1:] for each in root.iter("use")}
    assert links <= {each.attrib["id"] for each in root.iter() if "id" in each.attrib}


def test_the_page_gives_its_own_colours() -> None:
    text = page_svg(figure_with(), "t", "name")
    assert "var(--c3)" in text
    assert PALETTE[3] not in text
    assert "#000000" not in text
    assert "#123456" in page_svg(figure_with(color="#123456"), "t", "name"), "others stay"


def test_nothing_that_nobody_sees_is_in_it() -> None:
    text = page_svg(figure_with(), "t", "name")
    assert "metadata" not in text
    assert "DejaVu" not in text
    assert 'fill="none"' not in text.partition("<text")[0], "backgrounds are transparent"


def test_two_figures_of_a_page_share_no_identifier() -> None:
    def identifiers(name: str) -> set[str]:
        root = ElementTree.fromstring(page_svg(figure_with(marker="s"), "t", name))
        return {each.attrib["id"] for each in root.iter() if "id" in each.attrib}

    assert identifiers("a")
    assert not identifiers("a") & identifiers("b")
    assert identifiers("a") == identifiers("a")


def test_lines_are_drawn() -> None:
    figure = Figure()
    (line,) = figure.add_subplot().plot([0, 1], [0, 1], color=PALETTE[0])
    mark(line, series="s")
    (series,) = [each for each in drawn(figure).iter() if each.attrib.get("data-series") == "s"]
    (path,) = series.iter("path")
    assert path.attrib["style"] == "stroke:var(--c0)"
    assert path.attrib["fill"] == "none"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_short_paths_go_through_the_same_points(points: list[tuple[int, int]]) -> None:
    long = "M " + " \nL ".join(f"{x}.04 {y}.04" for x, y in points) + " \n"
    at, walked = [0.0, 0.0], []
    for command, numbers in re.findall(r"([MLHV])([^MLHV]*)", _rounded(long)):
        values = [float(each) for each in numbers.split()]
        at = {"H": [values[0], at[1]], "V": [at[0], values[0]]}.get(command, values)
        walked.append(tuple(at))
    assert walked == [(float(x), float(y)) for x, y in points]
