"""A third problem kind, as a third party adds it: one file of its own, no line of the toolkit edited."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "benchmarks" / "examples" / "kind"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as an installer would leave it: the module, and its entry points."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    folder = tmp_path_factory.mktemp("site")
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (folder / "uara_errands.py").write_text((EXAMPLE / "uara_errands.py").read_text())
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def five(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance file of the kind."""
    path = tmp_path_factory.mktemp("instances") / "five.json"
    run(site, "-c", f"import uara_errands as e; e.generate('five', couriers=5).save({str(path)!r})", code=0)
    return path


def run(site: Path, *words: str, code: int) -> str:
    search = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    ended = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": search},
        cwd=site,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout


def uara(site: Path, *words: object, code: int = 0) -> str:
    return run(site, "-c", f"from uara.cli import main; main({list(map(str, words))!r})", code=code)


@pytest.mark.integration
def test_it_is_shown_and_drawn(site: Path, five: Path, tmp_path: Path) -> None:
    picture = tmp_path / "five.svg"
    assert "five" in uara(site, "show", five, "--plot", picture, "--solver", "errands-hungarian")
    assert picture.read_text().startswith("<?xml")


@pytest.mark.integration
def test_it_is_solved_proven_and_verified(site: Path, five: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    solvers = ("--solver", "errands-hungarian", "--solver", "errands-in-order")
    best, other = json.loads(uara(site, "solve", five, *solvers, "--json", "--output", answer))
    assert best["solver"] == "errands-hungarian"
    assert best["status"] == "optimal"
    assert best["objective"] < other["objective"]
    verdict = json.loads(uara(site, "verify", five, answer, "--json"))
    assert verdict["accepted"]
    assert verdict["certified_gap"] < 1e-9
    forged = json.loads(answer.read_text())
    forged["claims"]["objective_ms"] -= 1.0
    answer.write_text(json.dumps(forged))
    assert not json.loads(uara(site, "verify", five, answer, "--json", code=1))["accepted"]


@pytest.mark.integration
def test_its_default_solver_is_used(site: Path, five: Path) -> None:
    (only,) = json.loads(uara(site, "solve", five, "--json"))
    assert only["solver"] == "errands-hungarian"


@pytest.mark.integration
def test_it_is_benchmarked(site: Path, tmp_path: Path) -> None:
    suite, results = tmp_path / "s.toml", tmp_path / "r.parquet"
    suite.write_text(
        'name = "errands"\n[[instances]]\nkind = "errands"\ngenerate = { couriers = [4, 6], name = "e" }\n'
        '[[solvers]]\nsolver = "errands-hungarian"\n[[solvers]]\nsolver = "errands-in-order"\n'
    )
    ranking = json.loads(uara(site, "bench", suite, "-o", results, "--json"))
    assert [row["label"] for row in ranking] == ["errands-hungarian", "errands-in-order"]
    assert ranking[0]["excess"] == 0.0


@pytest.mark.integration
def test_its_solvers_are_put_through_the_trials(site: Path) -> None:
    assert "conforms" in uara(site, "check-solver", "errands-hungarian")


@pytest.mark.integration
def test_what_it_does_not_offer_is_refused_in_words(site: Path, five: Path) -> None:
    for words in (("--explain",), ("--then", "hetedge-dp")):
        uara(site, "solve", five, *words, code=2)


def test_a_broken_kind_is_named(site: Path, tmp_path: Path) -> None:
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[uara.problems]\nbroken = nowhere:KIND\n")
    (tmp_path / "i.json").write_text('{"kind": "broken"}')
    script = (
        "import uara\ntry: uara.load('i.json')\n"
        "except uara.InputError as error: assert 'problem kind broken' in str(error), error\nelse: raise SystemExit(1)"
    )
    run(tmp_path, "-c", script, code=0)
