from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from uara.base.errors import MissingExtra
from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.report import render
from uara.bench.report.overview import warnings

from ..conftest import HOSTILE, made_up


def test_warnings_are_loud() -> None:
    rows = [
        {"label": "a", "controllable_ms": 1.0, "commit": "x"},
        {"label": "b", "status": "timeout", "commit": "y"},
        {"label": "c", "controllable_ms": 2.0, "bound_ms": 101.5, "commit": "x"},
    ]
    results = made_up(rows, planned_runs=9)
    text = " ".join(warnings(results, scored(results)))
    for words in (
        "Contradiction",
        "6 planned runs",
        "b never succeeded: timeout",
        "2 states of the code",
        "no test can tell",
    ):
        assert words in text


def test_a_green_harness_full_of_timeouts_is_not_green() -> None:
    results = made_up(
        [{"label": "a", "status": "timeout", "host": "h"}],
        name="n",
        time_limit_s=1,
        memory_limit_mb=1,
        seeds=[0],
        repetitions=1,
    )
    assert "a never succeeded: timeout" in render(results)


@pytest.mark.integration
def test_hostile_text_is_escaped_and_rendering_is_repeatable(recorded: Path) -> None:
    text = render(Results.load(recorded))
    assert "<img" not in text
    assert "price &lt;img src=x onerror=" in text
    assert HOSTILE not in text
    assert render(Results.load(recorded)) == text


@pytest.mark.integration
def test_identifiers_of_the_page_are_unique_and_links_lead_somewhere(recorded: Path) -> None:
    text = render(Results.load(recorded))
    names = re.findall(r'\sid="([^"]+)"', text)
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text)) <= set(names)


def test_without_matplotlib_the_remedy_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises((MissingExtra, ImportError), match=r"bench"):
        render(made_up([{"controllable_ms": 1.0}]))
