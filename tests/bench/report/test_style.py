from __future__ import annotations

import re
from importlib import resources

import pytest

from uara.bench.report.style import DASHES, PALETTE, colour, dash, tick_label


def test_the_style_sheet_has_the_colours_of_the_figures() -> None:
    sheet = (resources.files("uara.bench.report") / "report.css").read_text(encoding="utf-8")
    light = sheet.partition("@media")[0]
    assert tuple(re.findall(r"--c\d: (#\w+)", light)) == PALETTE


def test_forty_series_can_be_told_apart() -> None:
    assert len({(colour(place), dash(place)) for place in range(len(PALETTE) * len(DASHES))}) == 40


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.5, "0.5"), (1500, "1,500"), (2e7, "2e7"), (1e-5, "1e-5")]
)
def test_tick_labels_are_short(value: float, text: str) -> None:
    assert tick_label(value) == text
