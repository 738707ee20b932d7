"""Every command where nothing but the core is installed: one line that names the extra, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cases import make_instance

ROOT = Path(__file__).parents[2]
DRIVER = '''
import io, json, sys, traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from uara import extras

core = {each.name for each in extras.requirements(None)}
names = {each.name for extra in extras.extras() for each in extras.requirements(extra)} - core
names -= {"joblib", "cloudpickle", "jinja2"}  # the core's own dependencies bring them
names |= {"tokenizers", "mitsuba", "drjit", "torchvision"}
for name in names:
    sys.modules[name.lower().replace("-", "_")] = None

import typer
from uara.cli.app import COMMANDS, build, main

files = json.loads(sys.argv[1])
VALUES = files | {"name": "max-sinr", "kind": "instance", "prompt": "hello"}
OPTIONS = {"output": files["target"], "plot": files["picture"], "draft": "smollm2-int4", "target": "smollm2"}


def words(command):
    """What the command needs, and every option that names a file to write or a model."""
    for each in command.params:
        if each.param_type_name == "argument" and (each.required or each.name in VALUES):
            yield VALUES.get(each.name, files["instance"])
        elif each.param_type_name == "option" and (each.required or each.name in OPTIONS):
            yield from (each.opts[0], OPTIONS.get(each.name) or VALUES.get(each.name, files["instance"]))


def run(*words):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(words)
            code = 0
        except SystemExit as error:
            code = error.code
        except BaseException:
            code = "traceback: " + traceback.format_exc()
    return {"words": words, "code": code, "out": out.getvalue()[-2000:], "err": err.getvalue()}


found = {}
for name in COMMANDS:
    command = typer.main.get_command(build(name)).commands[name]
    for part, inner in (getattr(command, "commands", None) or {"": command}).items():
        start = [name, part] if part else [name]
        found[" ".join(start)] = run(*start, *words(inner))
        found[" ".join([*start, "--help"])] = run(*start, "--help")
for line in json.loads(sys.argv[2]):
    found[" ".join(line[:2] + line[-2:])] = run(*line)
print(json.dumps(found))
'''


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("core")
    make_instance().save(folder / "a.json")
    files = {
        "instance": str(folder / "a.json"),
        "trace": str(folder / "a.json"),
        "suite": str(ROOT / "benchmarks/smoke.toml"),
        "config": str(ROOT / "benchmarks/masac/train.toml"),
        "results": str(ROOT / "benchmarks/recorded/paper.parquet"),
        "new": str(ROOT / "benchmarks/recorded/paper.parquet"),
        "old": str(ROOT / "benchmarks/recorded/paper.parquet"),
        "profile": "gpt2_gpt2-xl",
        "folder": str(folder / "made"),
        "target": str(folder / "target.json"),
        "picture": str(folder / "picture.png"),
    }
    more = [
        ["solve", files["instance"], "--solver", "max-sinr", "--solver", "minlp"],
        ["generate", "-o", files["target"], "--channel", "sionna-rt"],
        ["generate", "-o", files["target"], "--channel", "sionna-umi"],
        ["simulate", files["trace"], "--slots", "1", "--solver", "max-sinr", "--plot", files["picture"]],
    ]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(files), json.dumps(more)],
        capture_output=True, text=True, timeout=300, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_no_command_ends_in_a_traceback(runs: dict[str, Any]) -> None:
    assert len(runs) > 40
    wrong = {
        name: run
        for name, run in runs.items()
        if not isinstance(run["code"], int) or "Traceback" in run["out"] + run["err"]
    }
    assert wrong == {}


def test_every_help_can_be_read(runs: dict[str, Any]) -> None:
    assert {name: run["code"] for name, run in runs.items() if "--help" in name and run["code"]} == {}


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("bench run", "bench"),
        ("bench report", "bench"),
        ("bench compare", "bench"),
        ("bench publish", "bench"),
        ("bench table", "bench"),
        ("bench picture", "bench"),
        ("check-solver", "bench"),
        ("train", "learn"),
        ("psd run", "psd"),
        ("show", "plot"),
        ("generate --channel sionna-rt", "sionna"),
        ("generate --channel sionna-umi", "sionna"),
        ("solve", ""),
    ],
)
def test_what_is_missing_is_one_line_with_its_extra(runs: dict[str, Any], command: str, extra: str) -> None:
    pytest.fail(json.dumps({n: (r["words"], r["code"], r["err"][-200:]) for n, r in runs.items() if "help" not in n}, indent=1))
