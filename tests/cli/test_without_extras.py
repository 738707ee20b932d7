"""Every command where nothing but the core is installed: one line that names the extra, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cases import make_instance

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
WRITES_JSON = ("solve", "generate", "hetedge generate", "profile", "psd transfer")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("core")
    make_instance().save(folder / "a.json")
    benchmarks = ROOT / "benchmarks"
    values = {
        "instance": folder / "a.json",
        "trace": folder / "a.json",
        "suite": benchmarks / "smoke.toml",
        "config": benchmarks / "masac/train.toml",
        "results": benchmarks / "recorded/paper.parquet",
        "folder": folder,
        "output": folder / "made",
        "export output": folder / "made.mps",
        "simulate output": folder / "made.csv",
        **{f"{command} output": folder / f"{command}.json" for command in WRITES_JSON},
        "plot": folder / "picture.png",
        "name": "max-sinr",
        "solver": "max-sinr",
        "only": "a",
        "artefact": "instance",
        "prompt": "hello",
        "draft": "smollm2-int4",
        "target": "smollm2",
    }
    driver = Path(__file__).with_name("without_extras.py")
    given = {name: str(value) for name, value in values.items()}
    more = [
        ["solve", given["instance"], "--solver", "max-sinr", "--solver", "minlp"],
        ["solve", "e4_m30", "--solver", "tma-masac"],
    ]
    done = subprocess.run(
        [sys.executable, str(driver), json.dumps(given), json.dumps(more)],
        capture_output=True, text=True, timeout=600, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_no_command_ends_in_a_traceback(runs: dict[str, Any]) -> None:
    assert len(runs) > 40
    for name, run in runs.items():
        assert isinstance(run["code"], int), f"{name}: {run['code']}"
        assert "Traceback" not in run["out"] + run["err"], name


def test_every_help_can_be_read(runs: dict[str, Any]) -> None:
    assert [name for name, run in runs.items() if name.endswith("--help") and run["code"] != 0] == []


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        *((f"bench {part}", "bench") for part in ("run", "report", "compare", "publish", "table", "picture")),
        ("check-solver", "bench"),
        ("export", "models"),
        ("train", "learn"),
        ("profile", "psd"),
        ("psd run", "psd"),
        ("psd figure2", "plot"),
        ("psd transfer", "psd"),
        ("show", "plot"),
        ("simulate", "plot"),
        ("generate", "sionna"),
        ("hetedge generate", "sionna"),
    ],
)
def test_what_is_missing_is_one_line_that_names_the_extra(
    runs: dict[str, Any], command: str, extra: str
) -> None:
    run = runs[command]
    assert run["code"] == 3, run
    assert run["err"].splitlines() == [run["err"].rstrip()]
    assert run["err"].startswith("uara: ")
    assert f"is not installed; install it with: pip install 'uara[{extra}]'" in run["err"]


@pytest.mark.parametrize(
    "command", ["solve", "solve e4_m30 --solver tma-masac", "list", "solvers", "schema", "psd compare"]
)
def test_what_needs_no_extra_works(runs: dict[str, Any], command: str) -> None:
    assert runs[command]["code"] == 0, runs[command]


def test_one_solver_that_lacks_its_extra_leaves_the_others_answers(runs: dict[str, Any]) -> None:
    (run,) = (run for run in runs.values() if "minlp" in run["words"])
    assert run["code"] == 3
    assert "max-sinr" in run["out"]
    assert run["err"] == "uara: pyomo is not installed; install it with: pip install 'uara[scip]'\n"
