"""``uara export`` and ``uara best-known`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import make_instance

from uara.cli import main


def run(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_instance(8, 3, 1, name="one").save(tmp_path / "one.json")
    return tmp_path


def test_export_says_what_it_wrote(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(folder / "one.json"), "--to", "lp"]) == 0
    assert (folder / "one.lp").exists()
    assert "wrote" in capsys.readouterr().out
    assert run(["export", str(folder / "one.json"), "--to", "mps", "--program", "minlp"]) == 2


def test_best_known_fills_and_checks_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["best-known", str(folder), "--time-limit", "5", "--solver", "price"]) == 0
    assert "certified" in capsys.readouterr().out
    assert run(["best-known", str(folder), "--check"]) == 0
    assert "1 entries, 0 problems" in capsys.readouterr().out
    table = json.loads((folder / "best_known.json").read_text())
    table["instances"]["one"]["objective_ms"] += 5.0
    (folder / "best_known.json").write_text(json.dumps(table))
    assert run(["best-known", str(folder), "--check"]) == 1


def test_a_folder_without_instances_is_an_error(tmp_path: Path) -> None:
    assert run(["best-known", str(tmp_path)]) == 2


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
        assert run(["export", str(folder / "one.json"), *words]) == 2
        assert text in capsys.readouterr().err
    assert (folder / "one.json").read_bytes() == before
    assert (folder / "other.col").read_text() == "a user's own"
    for _ in range(2):
        assert run(["export", str(folder / "one.json"), "--to", "nl"]) == 0


def test_best_known_looks_at_names_and_places_first(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("solved before the places were looked at")

    monkeypatch.setattr("uara.cli.best_known.solve", forbidden)
    make_instance(8, 3, 1, name="../../escape").save(folder / "two.json")
    (folder / "solutions").mkdir()
    for words, text in (
        ([], "two.json: $.name: '../../escape' cannot be the name of a file"),
        (["--only", "../one"], "--only: '../one' cannot be the name of a file"),
    ):
        assert run(["best-known", str(folder), *words]) == 2
        assert text in capsys.readouterr().err
    (folder / "solutions" / "one.json").write_text('{"kind": "p1"}')
    assert run(["best-known", str(folder), "--only", "one"]) == 2
    assert "holds 'p1', not 'solution'" in capsys.readouterr().err
