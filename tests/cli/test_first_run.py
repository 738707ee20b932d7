"""A first run says that it compiles, once, and only where it does; what a command imports is what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from cases import make_instance
from rich.console import Console
from terminals import typed

from uara.answers.display import compiling_shown
from uara.base import compiling

OWN = """
    from uara import allocate
    from uara.base.kernels import kernel

    @kernel
    def doubled(x):
        return 2.0 * x

    def own(instance, context):
        assert doubled(3.0) == 6.0
        return allocate(instance, instance.channel.pair_server[instance.channel.pair_start[:-1]])
    """
"""A solver with a kernel of its own, which compiles in no time."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_instance(6, 2).save(tmp_path / "a.json")
    (tmp_path / "own_kernel.py").write_text(textwrap.dedent(OWN))
    return tmp_path


def solved(folder: Path) -> subprocess.CompletedProcess[str]:
    """``uara solve`` by the own solver in a pipe."""
    words = ["solve", "a.json", "--solver", "own_kernel:own", "--json"]
    return subprocess.run(
        [sys.executable, "-c", f"from uara.cli import main; main({words!r})"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        cwd=folder,
    )


def test_a_pipe_gets_one_line_and_no_second_run_says_it_again(folder: Path) -> None:
    first, second = solved(folder), solved(folder)
    assert first.stderr.count("uara: compiling own_kernel:own, once (about ") == 1
    assert "compiling" not in second.stderr
    assert '"solver": "own"' in first.stdout


@pytest.mark.integration
@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_a_terminal_shows_it_with_progress(folder: Path) -> None:
    shown = typed(["solve", "a.json", "--solver", "own_kernel:own"], folder)
    assert "compiling own_kernel:own, once (about " in shown
    assert "uara: compiling" not in shown
    assert "compiling" not in typed(["solve", "a.json", "--solver", "own_kernel:own"], folder)


def test_all_who_listen_hear_of_a_kernel_and_nobody_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    with compiling.hearing(heard.append), compiling_shown(Console(stderr=True)):
        compiling.begins("one")
        compiling.begins("two")
    compiling.begins("three")
    assert heard == ["one", "two"]
    assert capsys.readouterr().err == f"uara: compiling, once (about {compiling.ABOUT_S} s)\n"


def imported(words: list[str], folder: Path) -> set[str]:
    """Modules that a process holds after a command."""
    script = (
        "import sys\nfrom uara.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True, cwd=folder
    )
    return set(ended.stderr.splitlines()[-1].split())


def test_a_warm_solve_imports_one_solver_and_not_the_compiler(folder: Path) -> None:
    words = ["solve", "a.json", "--solver", "max-sinr", "--json"]
    imported(words, folder)  # compiles, where nothing is kept yet
    found = imported(words, folder)
    assert "uara.solvers.search.rules" in found
    assert not {each for each in found if each.startswith(("uara.solvers.hetedge", "uara.solvers.masac"))}
    unwanted = {"numba.np.arraymath", "scipy.linalg", "scipy.optimize", "pandas", "highspy", "matplotlib"}
    assert not found & unwanted


def test_importing_the_package_imports_next_to_nothing(folder: Path) -> None:
    script = "import sys\nbefore = set(sys.modules)\nimport uara\nprint(*set(sys.modules) - before)"
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True, cwd=folder
    )
    packages = {name.partition(".")[0] for name in ended.stdout.split()}
    assert not packages & {"numpy", "scipy", "numba", "pydantic", "rich", "typer", "pandas"}


def test_help_imports_no_numbers(folder: Path) -> None:
    packages = {name.partition(".")[0] for name in imported(["--help"], folder)}
    assert not packages & {"numpy", "scipy", "numba", "pydantic", "pandas"}
