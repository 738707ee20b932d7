"""``uara export`` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import make_instance
from commands import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_instance(8, 3, 1, name="one").save(tmp_path / "one.json")
    return tmp_path


def test_export_says_what_it_wrote(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", str(folder / "one.json"), "--to", "lp") == 0
    assert (folder / "one.lp").exists()
    assert "wrote" in capsys.readouterr().out
    assert run("export", str(folder / "one.json"), "--to", "mps", "--program", "minlp") == 2


def test_nothing_but_a_program_is_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "link.mps").symlink_to(folder / "one.json")
    (folder / "other.col").write_text("a user's own")
    (folder / "third.dec").write_text("a user's own")
    before = (folder / "one.json").read_bytes()
    for words, text in (
        (["--output", str(folder / "one.json")], "must end in .mps"),
        (["--output", str(folder / "link.mps")], "is an input"),
        (["--to", "nl", "--output", str(folder / "other.nl")], "belongs to no other.nl"),
        (["--output", str(folder / "third.mps")], "belongs to no third.mps"),
    ):
        assert run("export", str(folder / "one.json"), *words) == 2
        assert text in capsys.readouterr().err
    assert (folder / "one.json").read_bytes() == before
    assert (folder / "other.col").read_text() == "a user's own"
    for _ in range(2):
        assert run("export", str(folder / "one.json"), "--to", "nl") == 0
