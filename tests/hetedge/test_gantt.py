from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hetedge_cases import make_hetedge

from uara.base.errors import InputError
from uara.hetedge.generate import generate
from uara.hetedge.plan import Plan
from uara.problem import evaluate, plot


def plan(count: int) -> Plan:
    half = count // 2
    return Plan(
        np.arange(count),
        np.array([half, count - half]),
        np.array([2, 1]),
        np.array([False, True]),
        np.full(count, 1 / count),
    )


@pytest.mark.integration
@pytest.mark.parametrize("kind", [".png", ".svg", ".pdf"])
def test_pictures_are_written(tmp_path: Path, kind: str) -> None:
    instance = generate(requests=6, channel="path-loss")
    plot(instance, tmp_path / f"requests{kind}")
    plot(instance, tmp_path / f"gantt{kind}", plan(6))
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert min(sizes) > 1000


def test_the_chart_says_what_it_shows(tmp_path: Path) -> None:
    instance = make_hetedge(6, 3)
    plot(instance, tmp_path / "gantt.svg", plan(6))
    score = evaluate(instance, plan(6))
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        plot(instance, tmp_path / "text.svg", plan(6))
    text = (tmp_path / "text.svg").read_text()
    assert f"makespan {score.makespan_ms / 1e3:,.2f} s" in text
    assert "verify node" in text
    assert "3x2" in text


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="png"):
        plot(make_hetedge(4, 0), tmp_path / "x.txt")


def test_what_cannot_be_replayed_is_not_drawn(tmp_path: Path) -> None:
    broken = Plan(np.zeros(4, int), np.array([4]), np.array([1]), np.array([False]), np.full(4, 0.25))
    with pytest.raises(InputError, match="each request once"):
        plot(make_hetedge(4, 0), tmp_path / "x.png", broken)


def test_axes_are_drawn_into_and_returned() -> None:
    from matplotlib.figure import Figure

    instance = make_hetedge(6, 3)
    for decision in (None, plan(6)):
        axes = Figure().add_subplot()
        assert plot(instance, decision=decision, ax=axes) is axes
        assert axes.get_title()
