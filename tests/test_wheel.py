"""What a wheel and an sdist hold, and what works where a wheel and nothing but the core is installed."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from uara.base.extras import requirements

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
SOURCES = ("uara", "solvers", "instances", "tests")
MOST_WHEEL_BYTES = 5_000_000
MOST_CORE_BYTES = 500_000_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("made")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, source)
    build = f"from setuptools import build_meta as b; b.build_wheel({str(folder)!r}); b.build_sdist({str(folder)!r})"
    done = subprocess.run(
        [sys.executable, "-P", "-c", build], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


def content_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def shipped_sources() -> set[str]:
    """Every module and every small instance, by its place in a wheel."""
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "uara").rglob("*.py")}
    solvers = {f"uara/{path.relative_to(ROOT)}" for path in (ROOT / "solvers").rglob("*.py")}
    data = {str(path.relative_to(ROOT)) for path in (ROOT / "uara/data").rglob("*") if path.is_file()}
    files = {
        f"uara/{path.relative_to(ROOT)}"
        for path in (ROOT / "instances").rglob("*")
        if path.is_file() and "drops/solutions" not in str(path)
    }
    return modules | solvers | data | files


def test_a_wheel_is_small_and_complete(made: dict[str, Path]) -> None:
    content = content_of(made["wheel"])
    assert made["wheel"].stat().st_size <= MOST_WHEEL_BYTES
    assert shipped_sources() - content == set()
    assert {"uara/py.typed", "uara/solvers/masac/policy.onnx", "uara/instances/e8_m90.json"} <= content
    assert not [name for name in content if name.startswith(("tests/", "instances/", "solvers/"))]


def test_an_sdist_makes_the_same_wheel(made: dict[str, Path], tmp_path: Path) -> None:
    with tarfile.open(made["sdist"]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert (source / "constraints.txt").is_file()
    assert (source / "tests" / "test_wheel.py").is_file()
    build = f"from setuptools import build_meta as b; b.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-P", "-c", build], cwd=source, capture_output=True, check=True)
    assert content_of(next(tmp_path.glob("*.whl"))) == content_of(made["wheel"])


def core() -> dict[str, importlib.metadata.Distribution]:
    """The distributions that a core installation brings, by name."""
    found: dict[str, importlib.metadata.Distribution] = {}
    to_do = [each.name for each in requirements(None)]
    while to_do:
        name = canonicalize_name(to_do.pop())
        if name in found:
            continue
        found[name] = importlib.metadata.distribution(name)
        needed = map(Requirement, found[name].requires or [])
        to_do += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def test_the_core_takes_no_more_than_500_megabytes() -> None:
    sizes = {
        name: sum(
            Path(str(part.locate())).stat().st_size for part in each.files or [] if part.locate().exists()
        )
        for name, each in core().items()
    }
    assert {"numpy", "numba", "scipy", "highspy"} <= set(sizes)
    assert not {"cvxpy", "pyomo", "onnxruntime", "torch", "pandas"} & set(sizes)
    assert sum(sizes.values()) <= MOST_CORE_BYTES, sizes


@pytest.fixture(scope="module")
def bare(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A virtual environment with the wheel and the core's distributions alone; runs ``uara`` in an empty folder."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", symlinks=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    for each in core().values():
        for part in each.files or []:
            top = site / part.parts[0]
            if part.parts[0] != ".." and not os.path.lexists(top):
                top.symlink_to(Path(str(each.locate_file(part.parts[0]))))
    with zipfile.ZipFile(made["wheel"]) as archive:
        archive.extractall(site)
    (folder / "empty").mkdir()
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(folder / "venv/bin/python"), "-m", "uara", *words], cwd=folder / "empty", env=environment,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    return run


def test_the_first_answer_by_name_in_an_empty_folder(bare: Any) -> None:
    done = bare("solve", "e8_m90", "--solver", "tma-masac")
    assert done.returncode == 0, done.stderr
    assert "28,0" in done.stdout  # controllable ms, 0.2 % over the best known
    assert "e8_m90" in bare("list").stdout


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["bench", "suite.toml"], "bench"),
        (["check-solver", "max-sinr"], "bench"),
        (["export", "e4_m30"], "models"),
        (["solve", "e4_m30", "--solver", "convex"], "convex"),
        (["solve", "e4_m30", "--solver", "minlp"], "scip"),
        (["solve", "hetedge_k20", "--solver", "hetedge-milp"], "models"),
        (["show", "e4_m30", "--plot", "map.png"], "plot"),
        (["generate", "--servers", "4", "--devices", "30", "-o", "a.json"], "sionna"),
    ],
)
def test_what_needs_an_extra_says_which_in_one_sentence(bare: Any, words: list[str], extra: str) -> None:
    done = bare(*words)
    assert done.returncode == 3, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"is not installed; install it with: pip install 'uara[{extra}]'" in done.stderr
