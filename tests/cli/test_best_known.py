"""``uara best-known`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import make_instance
from commands import run

from uara.p1.subset import subset
from uara.scenarios import best_known


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_instance(8, 3, 1, name="one").save(tmp_path / "one.json")
    return tmp_path


def test_best_known_fills_and_checks_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("best-known", str(folder), "--time-limit", "5", "--solver", "price") == 0
    assert "certified" in capsys.readouterr().out
    assert run("best-known", str(folder), "--check") == 0
    assert "1 entries, 0 problems" in capsys.readouterr().out
    table = json.loads((folder / "best_known.json").read_text())
    table["instances"]["one"]["objective_ms"] += 5.0
    (folder / "best_known.json").write_text(json.dumps(table))
    assert run("best-known", str(folder), "--check") == 1


def test_a_folder_without_instances_is_an_error(tmp_path: Path) -> None:
    assert run("best-known", str(tmp_path)) == 2


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
        assert run("best-known", str(folder), *words) == 2
        assert text in capsys.readouterr().err
    (folder / "solutions" / "one.json").write_text('{"kind": "p1"}')
    assert run("best-known", str(folder), "--only", "one") == 2
    assert "holds 'p1', not 'solution'" in capsys.readouterr().err


def test_cuts_of_a_drop_are_entered_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drop = make_instance(20, 4, 1, name="drop")
    drop.save(tmp_path / "drop.json")
    words = ["best-known", str(tmp_path), "--servers", "2,3", "--devices", "6", "--solver", "exact:gap=1e-6"]
    assert run(*words) == 0
    table = best_known.read(tmp_path).instances
    assert list(table) == ["drop[e2,m6]", "drop[e3,m6]"]
    entry = table["drop[e3,m6]"]
    assert entry.digest == subset(drop, 3, 6).digest
    assert entry.certified_gap is not None
    assert entry.certified_gap <= 1e-6
    assert run("best-known", str(tmp_path), "--check") == 0
    assert "2 entries, 0 problems" in capsys.readouterr().out

    assert run(*words, "--gap", "1e-6") == 0
    assert capsys.readouterr().out == "", "both are certified already"

    make_instance(20, 4, 2, name="drop").save(tmp_path / "drop.json")
    assert best_known.check(tmp_path) == [f"{name}: the instance has changed since" for name in table]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--servers", "2"], "--servers and --devices: a cut has both"),
        (["--servers", "2,x", "--devices", "3"], "--servers: '2,x' is not a list of whole numbers"),
        (["--servers", "2", "--devices", "0"], "--devices: '0' is not a list"),
        (["--servers", "9", "--devices", "3"], "has 3 servers, not 9"),
        (["--solver", "exact:gap"], "'gap' is not of the form key=value"),
    ],
)
def test_impossible_cuts_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    assert run("best-known", str(folder), *words) == 2
    assert text in capsys.readouterr().err
    assert not (folder / best_known.TABLE).exists()
