from __future__ import annotations

import sys
from pathlib import Path

import pytest

from uara.base.errors import InputError, MissingExtra
from uara.base.pictures import save
from uara.psd import pictures
from uara.psd.flops import GPT2, GPT2_XL
from uara.psd.hardware import speeds
from uara.psd.replay import replay
from uara.psd.timeline import simulate


def lines():  # type: ignore[no-untyped-def]
    traces = {method: replay([1, 1, 0, 1] * 4, method, 3, 20) for method in ("conventional", "psd")}
    return {method: simulate(trace, GPT2, GPT2_XL, speeds()) for method, trace in traces.items()}


def test_gantt_shows_every_activity_and_wait() -> None:
    drawn = lines()
    figure = pictures.gantt(drawn)
    assert len(figure.axes) == 2
    for axis, line in zip(figure.axes, drawn.values(), strict=True):
        bars = sum(len(each.get_paths()) for each in axis.collections)
        assert bars == len(line.activities) + len(line.waits)
        assert axis.get_xlim()[1] > 1e3 * line.completion_s


def test_the_clock_can_be_cut() -> None:
    assert pictures.gantt(lines(), until_ms=7.0).axes[0].get_xlim() == (0, 7.0)


@pytest.mark.integration
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"chart.{suffix}"
    save(pictures.gantt(lines()), path)
    assert path.stat().st_size > 1000
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match="matplotlib"):
        pictures.gantt(lines())


def test_given_axes_are_drawn_into() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = list(figure.subplots(2, 1))
    assert pictures.gantt(lines(), ax=axes) is figure
    assert all(axis.collections for axis in axes)
    with pytest.raises(InputError, match="1 axes, but there are 2 timelines"):
        pictures.gantt(lines(), ax=axes[:1])
