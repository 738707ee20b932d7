from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="pictures need the extra 'plot'")

from matplotlib.figure import Figure

from uara.base.errors import InputError
from uara.base.pictures import Mark, check_picture, mark, marked, panels, save


def test_marks_are_found_again_and_change_no_file(tmp_path: Path) -> None:
    figure = Figure()
    (line,) = figure.add_subplot().plot([0, 1], [0, 1])
    assert marked(figure) == []
    save(figure, tmp_path / "a.png")
    mark(line, series="s", notes=["p", "q"])
    assert marked(figure) == [(line, Mark("s", ("p", "q")))]
    save(figure, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_panels_are_written_at_the_end_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        with panels(tmp_path / name, None, (4, 3), title="all $", credit=["me"], ncols=2) as (left, right):
            left.plot([0, 1], [0, 1], label="cost in $")
            right.plot([1, 0])
            assert not (tmp_path / name).exists()
    content = (tmp_path / "a.svg").read_text()
    assert "all $" in content
    assert content == (tmp_path / "b.svg").read_text()


def test_axes_of_others_are_the_only_panel(tmp_path: Path) -> None:
    given = Figure().add_subplot()
    with panels(None, given, (4, 3), ncols=3, credit=["me"]) as found:
        assert found == [given]
    assert len(given.figure.axes) == 1
    with pytest.raises(InputError, match="not both"), panels(tmp_path / "a.png", given, (4, 3)):
        pass
    with pytest.raises(RuntimeError), panels(tmp_path / "a.png", None, (4, 3)):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"written as \.png, \.svg or \.pdf"):
        check_picture(tmp_path / "a.gif")
    check_picture(tmp_path / "a.svg")
    assert list(tmp_path.iterdir()) == []
