from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
INSTANCES = Path(__file__).parents[2] / "instances"
BENCHMARKS = INSTANCES.parent / "benchmarks"


@pytest.mark.integration
def test_variants_are_compared_saved_and_drawn(uara: Command, instance_file: Path, tmp_path: Path) -> None:
    words = (
        "what-if",
        instance_file,
        "--band",
        "2x",
    )
    outcome = uara(*words[:4], "--w", "20:60:40", "--solver", "price", "--json")
    assert outcome.code == 0
    assert [row["variant"] for row in outcome.data] == ["as it is", "band 2x", "w 20", "w 60"]
    folder, picture = tmp_path / "answers", tmp_path / "what.svg"
    shown = uara(*words[:4], "--solver", "price", "--output", folder, "--plot", picture)
    assert shown.code == 0
    assert "band 2x" in shown.out
    assert picture.read_text().startswith("<?xml")
    assert uara("verify", folder / "001_band_2x.json", folder / "001_band_2x_answer.json").code == 0


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "says nothing to change"),
        (("--band", "much"), "neither a factor"),
        (("--drop-server", "nobody"), "is the id of no server"),
        (("--band", "2x", "--solver", "nobody"), "there is no solver 'nobody'"),
        (("--band", "2x", "--plot", "a.gif"), "pictures are written as"),
    ],
)
def test_what_is_wrong_is_one_line(
    uara: Command, instance_file: Path, words: tuple[str, ...], text: str
) -> None:
    outcome = uara("what-if", instance_file, *words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert text in outcome.err
    assert outcome.err.count("\n") == 1


def test_it_is_for_p1(uara: Command) -> None:
    outcome = uara("what-if", INSTANCES / "hetedge_k20.json", "--band", "2x")
    assert outcome.code == 2
    assert "is for P1, not for instances of kind hetedge" in outcome.err


def test_an_answer_is_not_written_over_an_instance(
    uara: Command, instance_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    own = tmp_path / "out" / "000_as_it_is.json"
    own.write_bytes(instance_file.read_bytes())
    outcome = uara("what-if", own, "--band", "2x", "--output", tmp_path / "out")
    assert outcome.code == 2
    assert own.read_bytes() == instance_file.read_bytes()


def test_a_folder_of_other_variants_is_refused_and_kept(
    uara: Command, instance_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    words = ("what-if", instance_file, "--solver", "max-sinr", "--output", folder)
    assert uara(*words, "--band", "2x,3x").code == 0
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert len(before) == 6
    outcome = uara(*words, "--band", "2x")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert (
        "holds 002_band_3x.json and 1 more of other variants: remove them, or name another folder"
        in outcome.err
    )
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert uara(*words, "--band", "2x,3x").code == 0, "the same variants take the place of their files"


@pytest.mark.parametrize(
    "command", ["what-if", "solve", "bench publish", "bench figures", "train", "generate"]
)
@pytest.mark.parametrize("below", [False, True])
def test_a_file_in_the_place_of_a_folder_is_a_wrong_option(
    uara: Command, instance_file: Path, tmp_path: Path, command: str, below: bool
) -> None:
    place = tmp_path / "file"
    place.write_text("mine")
    folder = place / "folder" if below else place
    words = {
        "what-if": ("--band", "2x", "-o", folder, instance_file),
        "solve": ("--solver", "max-sinr", "-o", folder, instance_file, INSTANCES / "e4_m30.json"),
        "bench publish": (BENCHMARKS / "recorded" / "peers.parquet", folder),
        "bench figures": (BENCHMARKS / "recorded" / "peers.parquet", "-o", folder),
        "train": (BENCHMARKS / "masac" / "train.toml", "-o", folder),
        "generate": ("--collection", "shipped", "-o", folder),
    }[command]
    if command.startswith("bench"):
        pytest.importorskip("pyarrow")
    if command == "train":
        pytest.importorskip("torch")
    outcome = uara(*command.split(), *words)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "Not a directory" in outcome.err if below else "is a file; name a folder" in outcome.err
    assert place.read_text() == "mine"
