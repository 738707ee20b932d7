from __future__ import annotations

from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.bench import Results
from uara.bench.picture import points, time_against_gap

from .conftest import HOSTILE, made_up


@pytest.mark.integration
def test_every_solver_with_an_answer_is_a_point(recorded: Path, tmp_path: Path) -> None:
    name, rows = points(Results.load(recorded))
    assert {row["label"] for row in rows} >= {"random", "tma (allocation=optimal)", HOSTILE}
    assert all(row["x"] > 0 and row["y"] > 0 for row in rows)
    assert [row["label"] for row in rows if row["own"]] != []
    target = tmp_path / "p.svg"
    time_against_gap(Results.load(recorded), target)
    text = target.read_text()
    assert f"{name}: a ring marks" in text
    assert "<img" not in text
    first = target.read_bytes()
    time_against_gap(Results.load(recorded), target)
    assert target.read_bytes() == first


def test_without_bounds_there_is_no_picture() -> None:
    with pytest.raises(InputError, match="nothing proves a bound"):
        points(made_up([{"controllable_ms": 1.0}]))
    with pytest.raises(InputError, match="no bound is known for 'x'"):
        points(made_up([{"controllable_ms": 1.0, "bound_ms": 100.5}]), "x")


def test_given_axes_are_drawn_into() -> None:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    rows = [{"label": name, "controllable_ms": 1.0, "bound_ms": 100.5} for name in ("a", "b")]
    assert time_against_gap(made_up(rows), ax=axes) is axes
    assert len(axes.texts) == 2
