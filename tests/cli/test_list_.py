from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uara.psd.profile import shipped_profiles
from uara.shipped import shipped


def test_all_that_ships_is_listed(uara: Callable[..., Any]) -> None:
    out = uara("list").out
    assert all(name in out for name in (*shipped(), *shipped_profiles()))
    assert "8 servers, 90 devices" in out
    assert "60 slots" in out


def test_as_json_each_has_its_file(uara: Callable[..., Any]) -> None:
    rows = json.loads(uara("list", "--json").out)
    assert {row["name"] for row in rows} == {*shipped(), *shipped_profiles()}
    assert all(Path(row["path"]).is_file() for row in rows)


def test_commands_take_names(
    uara: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert uara("show", "e4_m30").out.startswith("e4_m30: 30 devices, 4 edge servers")
    solved = uara("solve", "e4_m30", "--solver", "max-sinr", "--output", "a.json")
    assert solved.code == 0, solved.err
    assert "gap %" in solved.out  # the table of best-known answers ships too
    assert uara("evaluate", "e4_m30", "a.json").code == 0
    assert uara("verify", "e4_m30", "a.json").code == 0
    assert uara("export", "e4_m30", "--to", "csv").code == 0
    assert (tmp_path / "e4_m30_devices.csv").is_file()


def test_a_name_that_is_none_is_one_line_with_the_nearest(uara: Callable[..., Any]) -> None:
    outcome = uara("solve", "e4_m3")
    assert outcome.code == 2
    assert "did you mean e4_m30" in outcome.err


@pytest.mark.parametrize(("line", "wanted"), [("uara so", "solve"), ("uara solve --dev", "--devices")])
def test_a_shell_completes_commands_and_their_options(line: str, wanted: str) -> None:
    words = {"_UARA_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", "from uara.cli import main; main()"],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **words},
    )  # fmt: skip
    assert wanted in done.stdout.split(), done


def test_the_package_can_be_run_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uara", "--version"], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == __import__("uara").__version__
