"""The tutorials' code runs, page by page, as it stands there; so do the notebooks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))
COMMANDS = re.compile(r"^(?:    )?uara ([a-z-]+)", re.MULTILINE)


@pytest.mark.integration
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(page), "exec"), names)


def test_every_tutorial_but_the_list_of_notebooks_has_code() -> None:
    without = [page.stem for page in PAGES if "```python" not in page.read_text(encoding="utf-8")]
    assert without == ["notebooks"]
    assert len(PAGES) >= 7


def test_commands_on_the_pages_exist() -> None:
    from uara.cli import app

    known = set(app.COMMANDS)
    pages = [*PAGES, *(ROOT / "docs" / f"{name}.md" for name in ("gallery", "which-solver", "why"))]
    used = {command for page in pages for command in COMMANDS.findall(page.read_text(encoding="utf-8"))}
    assert {"solve", "bench", "verify", "simulate"} <= used
    assert used <= known


def test_every_solver_has_a_line_on_the_page_that_chooses() -> None:
    import uara

    text = (ROOT / "docs" / "which-solver.md").read_text(encoding="utf-8")
    ours = {name for name in uara.available_solvers() if not name.startswith("hetedge-") and name != "branch"}
    missing = [name for name in ours if f"`{name}`" not in text]
    assert missing == []


@pytest.mark.integration
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path) -> None:
    pytest.importorskip("marimo", reason="marimo is not installed: pip install 'uara[docs]'")
    pytest.importorskip("pandas")
    done = subprocess.run(
        [sys.executable, str(notebook)], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_there_are_three_notebooks_and_the_page_names_them() -> None:
    text = (ROOT / "docs" / "tutorials" / "notebooks.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 3
    assert all(f"docs/notebooks/{notebook.name}" in text for notebook in NOTEBOOKS)
