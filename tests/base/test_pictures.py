from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="pictures need the extra 'plot'")

from matplotlib.figure import Figure

from uara.base.errors import InputError
from uara.base.pictures import Mark, check_picture, mark, marked, save


def test_marks_are_found_again_and_change_no_file(tmp_path: Path) -> None:
    figure = Figure()
    (line,) = figure.add_subplot().plot([0, 1], [0, 1])
    assert marked(figure) == []
    save(figure, tmp_path / "a.png")
    mark(line, series="s", notes=["p", "q"])
    assert marked(figure) == [(line, Mark("s", ("p", "q")))]
    save(figure, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"written as \.png, \.svg or \.pdf"):
        check_picture(tmp_path / "a.gif")
    check_picture(tmp_path / "a.svg")
    assert list(tmp_path.iterdir()) == []
