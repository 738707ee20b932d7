"""``uara play`` as a user types it; what the page does is tested in a browser (tests/pages)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uara.pages import play_page

Command = Callable[..., Any]


@pytest.mark.parametrize("words", [(), ("--output", "mine.html"), ("-o", "mine.htm")])
def test_one_file_is_written_and_named(
    uara: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = uara("play", *words)
    name = words[1] if words else "play.html"
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"wrote {name}: open it in a browser\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == play_page.page()


@pytest.mark.parametrize(
    ("name", "text"), [("page.txt", "must end in .htm or .html"), ("/dev/null/x.html", "cannot be written")]
)
def test_a_page_that_cannot_be_written_is_one_line(
    uara: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = uara("play", "-o", name)
    assert outcome.code == 2
    assert text in outcome.err
    assert outcome.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
