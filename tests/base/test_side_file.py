"""Pairs of files: only what the replaced file names is removed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uara.base import files, side_file
from uara.base.errors import InputError


def pair(path: Path, value: float) -> Path:
    """Save a pair and return the side file."""
    side_file.write(path, {"kind": "test"}, {"a": np.full(3, value)})
    return path.parent / read(path)["side_file"]["name"]


def read(path: Path) -> dict[str, Any]:
    return files.read_plain_json(path)


def test_the_side_file_that_was_named_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    old, new = pair(path, 1.0), pair(path, 2.0)
    assert (old.exists(), new.exists()) == (False, True)
    assert pair(path, 2.0) == new
    side_file.write(path, {"kind": "test"}, {})
    assert [item.name for item in tmp_path.iterdir()] == ["net.json"]


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    mine = tmp_path / "net.0123456789ab.npz"
    mine.write_text("a user's own")
    kept = pair(tmp_path / "net.json", 1.0)
    for name in ("net.inst", "net", "net.json.json", "net.inst.json"):
        pair(tmp_path / name, 1.0)
        pair(tmp_path / name, 2.0)
    shutil.copy(tmp_path / "net.json", tmp_path / "copy.json")
    pair(tmp_path / "copy.json", 3.0)
    assert mine.exists()
    for name in ("net.json", "net.inst", "net", "net.json.json", "net.inst.json", "copy.json"):
        side = read(tmp_path / name)["side_file"]
        assert files.sha256((tmp_path / side["name"]).read_bytes()) == side["sha256"], name
    pair(tmp_path / "net.json", 2.0)
    assert mine.exists()
    assert not kept.exists()


@pytest.mark.parametrize("suffix", ["inst", "json.json", "inst.json"])
def test_no_two_files_share_a_side_file(tmp_path: Path, suffix: str) -> None:
    assert pair(tmp_path / "net.json", 1.0) != pair(tmp_path / f"net.{suffix}", 1.0)
    assert pair(tmp_path / "net.inst", 1.0) != pair(tmp_path / "net.inst.json", 1.0)


@pytest.mark.parametrize(
    "named",
    [
        {"name": "notes.npz", "sha256": "0" * 64},
        {"name": "../notes.npz", "sha256": "0" * 64},
        {"name": "net.000000000000.npz", "sha256": "1" * 64},
        {"name": "net.000000000000.npz", "sha256": "../x"},
        "net.000000000000.npz",
    ],
)
def test_a_file_that_names_another_as_its_own_has_no_power_over_it(tmp_path: Path, named: object) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("notes.npz", "net.000000000000.npz", "../notes.npz"):
        (folder / name).write_text("kept")
    files.write_json(folder / "net.json", {"side_file": named})
    pair(folder / "net.json", 1.0)
    for name in ("notes.npz", "net.000000000000.npz", "../notes.npz"):
        assert (folder / name).read_text() == "kept"


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text("{")
    assert pair(tmp_path / "net.json", 1.0).exists()


@pytest.mark.parametrize("written", [False, True])
def test_of_an_interrupted_save_one_whole_pair_remains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    path = tmp_path / "net.json"
    pair(path, 1.0)
    write = files.write_json

    def interrupted(*words: Any) -> None:
        if written:
            write(*words)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_json", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pair(path, 2.0)
    side = read(path)["side_file"]
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(["net.json", side["name"]])
    assert np.load(tmp_path / side["name"])["a"][0] == (2.0 if written else 1.0)


def test_behind_a_link_the_pair_stays_together(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    real, link = tmp_path / "store" / "net.json", tmp_path / "link.json"
    pair(real, 1.0)
    link.symlink_to(real)
    side_file.write(link, {"kind": "test"}, {"a": np.full(3, 2.0)})
    name = read(real)["side_file"]["name"]
    assert side_file.locate(link, name) == side_file.locate(real, name) == tmp_path / "store" / name
    assert sorted(item.name for item in (tmp_path / "store").iterdir()) == sorted(["net.json", name])
    assert link.is_symlink()


def test_a_device_takes_no_arrays(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot take the arrays"):
        side_file.write(Path("/dev/null"), {}, {"a": np.zeros(3)})
    side_file.write(Path("/dev/null"), {}, {})
