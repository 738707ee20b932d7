from __future__ import annotations

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("matplotlib", reason="pictures need the extra 'plot'")

from matplotlib.figure import Figure

from uara.base.pictures import SUFFIXES
from uara.bench.report.drawing import Drawing, Plotted, escape_for_tex
from uara.bench.report.plotting import Axis, Series, line_chart

from ...cases import make_instance

NAME = "50 % of a_b & {c} # $d$ ~"


def chart(count: int = 2) -> Drawing:
    series = [Series(f"s{place}", [1.0, 2.0], [3.0, 4.0 + place], place=place) for place in range(count)]
    return Drawing("two", "Two <lines>", lambda: line_chart(series, Axis("x"), Axis("y")))


def test_a_page_has_the_title_and_no_legend_of_its_own() -> None:
    text = chart().inline()
    root = ElementTree.fromstring(text)
    assert root[0].text == "Two <lines>"
    words = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"x", "y"} <= set(words)
    assert not {"s0", "s1"} & set(words)


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_a_file_is_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path in (first, second):
        chart().save(path)
    assert first.read_bytes() == second.read_bytes()
    assert suffix in chart().suffixes


def test_a_file_has_the_legend_that_stands_beside_it_on_the_page(tmp_path: Path) -> None:
    def legends(count: int) -> int:
        path = tmp_path / f"{count}.svg"
        chart(count).save(path)
        return path.read_text(encoding="utf-8").count('id="legend_')

    assert (legends(1), legends(2)) == (0, 1), "one line needs none"


def test_what_tex_would_take_for_a_command_stands_for_itself() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], label=NAME)
    axes.set(title=NAME, xticks=[0, 1], xticklabels=["a&b", "c"])
    axes.legend()
    escape_for_tex(figure)
    escaped = r"50 % of a_b \& \{c\} \# \$d\$ \textasciitilde{}"
    assert {axes.get_title(), axes.get_legend().get_texts()[0].get_text()} == {escaped}
    assert [each.get_text() for each in axes.get_xticklabels()] == [r"a\&b", "c"]


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20))
def test_no_bare_sign_of_tex_is_left(words: str) -> None:
    figure = Figure()
    figure.text(0, 0, words)
    escape_for_tex(figure)
    (text,) = [each.get_text() for each in figure.texts]
    plain = text.replace(r"\textbackslash{}", "").replace(r"\textasciitilde{}", "")
    assert not re.search(r"(?<!\\)[&#{}$]", plain)
    assert "~" not in text


def test_what_a_kind_plots_is_an_image_in_the_page_and_a_file(tmp_path: Path) -> None:
    picture = Plotted("i-answer", make_instance(6, 2), None)
    found = re.fullmatch(r'<img alt="the answer" src="data:image/svg\+xml;base64,(.*)">', picture.inline())
    assert found is not None
    ElementTree.fromstring(base64.b64decode(found[1]))
    assert tuple(picture.suffixes) == SUFFIXES
    picture.save(tmp_path / "answer.png")
    assert (tmp_path / "answer.png").read_bytes().startswith(b"\x89PNG")
