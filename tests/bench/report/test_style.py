from __future__ import annotations

import re
from importlib import resources

import pytest

from uara.bench.report.style import DASHES, MOST_TICKS, PALETTE, colour, dash, new_axes, set_ticks


def test_the_style_sheet_has_the_colours_of_the_figures() -> None:
    sheet = (resources.files("uara.bench.report") / "report.css").read_text(encoding="utf-8")
    light = sheet.partition("@media")[0]
    assert tuple(re.findall(r"--c\d: (#\w+)", light)) == PALETTE


def test_forty_series_can_be_told_apart() -> None:
    assert len({(colour(place), dash(place)) for place in range(len(PALETTE) * len(DASHES))}) == 40


@pytest.mark.parametrize(("scale", "limits"), [("linear", (0, 3)), ("log", (1, 4)), ("log", (1e-5, 1e7))])
def test_ticks_are_few_and_written_without_powers(scale: str, limits: tuple[float, float]) -> None:
    _, axes = new_axes()
    axes.set(xscale=scale, xlim=limits)
    set_ticks(axes.xaxis)
    labels = [label.get_text().replace("−", "-") for label in axes.get_xticklabels()]
    assert 2 <= len(labels) <= MOST_TICKS + 2
    assert all("$" not in label and float(label) >= 0 for label in labels)
    assert not axes.get_xticks(minor=True).size
