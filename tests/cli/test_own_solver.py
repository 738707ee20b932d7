"""A solver in a file of the current folder, by ``module:function``, for every command that takes one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from uara import Instance

OWN = '''"""Rules of a user's own."""
import uara


class Reach(uara.Options):
    """Options of nearest."""

    rule: str = "sqrt"
    """How shares are made."""


@uara.as_solver(options=Reach)
def nearest(instance, context):
    """Every device to the server with the strongest signal."""
    gain = instance.channel.dense(len(instance.servers))
    return uara.allocate(instance, gain.argmax(axis=1), context.options.rule)


def broken(instance, context):
    raise ValueError("not today")
'''


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The installed command, whose module path knows nothing of the folder."""
    program = Path(sys.executable).with_name("uara")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [program, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


@pytest.fixture
def folder(tmp_path: Path, instance: Instance) -> Path:
    (tmp_path / "own_rules.py").write_text(OWN)
    instance.save(tmp_path / "a.json")
    return tmp_path


def test_solve_and_simulate_take_it_with_options(folder: Path) -> None:
    run = command(
        folder,
        "solve",
        "a.json",
        "--solver",
        "own_rules:nearest:rule=uniform",
        "--solver",
        "own_rules:broken",
    )
    assert run.returncode == 4
    assert "nearest rule=uniform" in run.stdout
    assert "failed: ValueError: not today (own_rules.py, line 20)" in run.stderr
    run = command(folder, "simulate", "a.json", "--solver", "own_rules:nearest", "--slots", "2")
    assert (run.returncode, "own_rules:nearest" in run.stdout) == (0, True), run.stderr


@pytest.mark.integration
def test_show_and_solvers_take_it(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    run = command(folder, "show", "a.json", "--solver", "own_rules:nearest", "--plot", "a.png")
    assert run.returncode == 0, run.stderr
    assert (folder / "a.png").exists()
    run = command(folder, "solvers", "own_rules:nearest")
    assert "How shares are made." in run.stdout, run.stderr


@pytest.mark.integration
def test_check_solver_takes_it(folder: Path) -> None:
    run = command(folder, "check-solver", "own_rules:nearest")
    assert (run.returncode, "nearest conforms" in run.stdout) == (0, True), run.stdout + run.stderr
