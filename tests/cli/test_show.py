from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uara import Instance, Provenance
from uara.problem import describe

Command = Callable[..., Any]


def test_words_describe_the_instance(uara: Command, instance_file: Path, instance: Instance) -> None:
    outcome = uara("show", instance_file)
    assert outcome.out.splitlines() == describe(instance)


def test_json_has_words_and_digest(uara: Command, instance_file: Path, instance: Instance) -> None:
    assert uara("show", instance_file, "--json").data == {
        "name": "twelve",
        "kind": "p1",
        "digest": instance.digest,
        "description": describe(instance),
    }


@pytest.mark.parametrize("command", ["show", "solve"])
def test_a_trace_is_pointed_to_its_command(uara: Command, command: str) -> None:
    walk = Path(__file__).parents[2] / "instances" / "traces" / "walk_umi.json"
    outcome = uara(command, walk)
    assert outcome.code == 2
    assert "uara simulate" in outcome.err


@pytest.mark.integration
def test_maps_are_drawn_alone_with_a_solver_or_with_a_solution(
    uara: Command, instance_file: Path, tmp_path: Path
) -> None:
    solution = tmp_path / "s.json"
    uara("solve", instance_file, "--output", solution)
    sizes = {}
    for name, words in (
        ("alone", []),
        ("solver", ["--solver", "tma:allocation=sqrt"]),
        ("solution", ["--solution", solution]),
    ):
        path = tmp_path / f"{name}.svg"
        assert uara("show", instance_file, "--plot", path, *words).code == 0
        sizes[name] = len(path.read_bytes())
    assert sizes["alone"] < min(sizes["solver"], sizes["solution"])


def test_a_map_needs_a_name_that_says_its_kind(uara: Command, instance_file: Path, tmp_path: Path) -> None:
    outcome = uara("show", instance_file, "--plot", tmp_path / "map.gif")
    assert outcome.code == 2
    assert "pictures are written as .png, .svg or .pdf" in outcome.err


def test_a_map_needs_positions(uara: Command, instance: Instance, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    instance.replace(devices=instance.devices.replace(position_m=None)).save(path)
    outcome = uara("show", path, "--plot", tmp_path / "a.png")
    assert outcome.code == 2
    assert "$.devices.position_m: holds no positions to draw" in outcome.err


@pytest.mark.integration
@pytest.mark.parametrize("name", ["[/bold] name", "$\\frac$", ":smile:"])
def test_strange_names_are_shown(uara: Command, instance: Instance, tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.json"
    instance.replace(name=name, provenance=Provenance(scene=name)).save(path)
    outcome = uara("show", path, "--plot", tmp_path / "a.png")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith(name)
    assert uara("solve", path).out.strip().startswith(name)


def test_an_unknown_solver_is_refused(uara: Command, instance_file: Path, tmp_path: Path) -> None:
    outcome = uara("show", instance_file, "--plot", tmp_path / "a.png", "--solver", "nobody")
    assert outcome.code == 2
    assert not (tmp_path / "a.png").exists()
