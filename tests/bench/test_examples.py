"""The examples run as printed, and the plug-in in the docs is the one that is tested."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from uara.bench import Results

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "benchmarks" / "examples"


def call(words: list[str], path: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    search = os.pathsep.join(filter(None, [path, os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": search}
    return subprocess.run(words, env=environment, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.mark.integration
def test_the_script_runs(tmp_path: Path) -> None:
    ended = call([sys.executable, str(EXAMPLES / "compare_solvers.py")], cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "tma (moves=pairs)" in ended.stdout
    assert "weighed" in ended.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """The example plug-in as an installer would leave it: the module, and its entry points."""
    project = tomllib.loads((EXAMPLES / "plugin" / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    info = site / "uara_lightest-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "uara_lightest.py").write_text((EXAMPLES / "plugin" / "uara_lightest.py").read_text())
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"]["uara.solvers"]
    lines = ["[uara.solvers]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return str(site)


def uara(*words: str) -> list[str]:
    return [sys.executable, "-c", f"from uara.cli import main; main({list(words)!r})"]


@pytest.mark.integration
def test_the_plug_in_conforms_and_takes_part(installed: str, tmp_path: Path) -> None:
    checked = call(uara("check-solver", "lightest"), installed)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "lightest conforms" in checked.stdout
    (tmp_path / "s.toml").write_text(
        'name = "s"\n[[instances]]\n'
        'generate = { channel = "path-loss", servers = 3, devices = 9, name = "i" }\n'
        '[[solvers]]\nsolver = "lightest"\n[[solvers]]\nsolver = "tma"\n'
    )
    ran = call(
        uara("bench", str(tmp_path / "s.toml"), "-o", str(tmp_path / "r.parquet"), "--json"), installed
    )
    assert ran.returncode == 0, ran.stderr
    assert {row["label"] for row in json.loads(ran.stdout)} == {"lightest", "tma"}


def test_the_docs_show_the_plug_in_that_is_tested() -> None:
    docs = (ROOT / "docs" / "bench.md").read_text()
    for file in ("uara_lightest.py", "pyproject.toml"):
        assert (EXAMPLES / "plugin" / file).read_text().strip() in docs
    function = (EXAMPLES / "plugin" / "uara_lightest.py").read_text().partition("def ")[2]
    assert len(function.splitlines()) <= 11


@pytest.mark.integration
def test_the_examples_of_the_docs_give_the_numbers_of_the_report(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = (ROOT / "docs" / "bench.md").read_text().partition("## Every number from the data")[2]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(code) == 3
    (tmp_path / "results.parquet").write_bytes(recorded.read_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec("\n".join(code), names)
    results = Results.load(recorded)
    ranking = results.ranking().set_index("label")
    for column in ("solved", "excess"):
        assert names[column].to_dict() == pytest.approx(ranking[column].to_dict(), abs=1e-12)
    assert len(names["trajectory"]) == (results.points["run_id"] == names["run"].run_id).sum() > 0
