"""Instances that ship are found by name in any folder; files of that name come first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import uara
from uara.base.errors import InputError
from uara.shipped import folder, located, shipped


def test_a_name_is_a_shipped_instance_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    instance = uara.load("e8_m90")
    assert (instance.name, len(instance.servers), len(instance.devices)) == ("e8_m90", 8, 90)


def test_a_file_of_that_name_comes_first_and_a_folder_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e8_m90").mkdir()
    assert uara.load("e8_m90").name == "e8_m90"
    (tmp_path / "e8_m90").rmdir()
    shutil.copy(shipped()["e4_m30"].path, tmp_path / "e8_m90")
    assert uara.load("e8_m90").name == "e4_m30"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("e8_m9", "e8_m9: no such file, and no shipped instance of this name; did you mean e8_m90"),
        ("e8_m90.json", "e8_m90.json: no such file; e8_m90 without a suffix is a shipped instance"),
        ("other.json", "other.json: no such file"),
        ("folder/e8_m90", "folder/e8_m90: no such file"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest_names(
    word: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        uara.load(word)
    assert str(error.value).startswith(said)


def test_all_files_ship_but_tables_and_schemas() -> None:
    root = folder()
    assert root is not None
    names = {path.stem for below in ("", "drops", "traces") for path in (root / below).glob("*.json")}
    assert set(shipped()) == names - {"best_known", "instance.schema", "trace.schema"}
    assert {"e8_m90", "hetedge_k100", "drop_s500", "walk_etoile"} <= set(shipped())
    assert {each.group for each in shipped().values()} == {"instances", "drops", "traces"}
    for name, each in shipped().items():
        assert located(name) == each.path or Path(name).is_file()
