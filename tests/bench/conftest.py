"""What the tests of the harness share: trial solvers on the path, small instances, suites in a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="the harness needs the extra 'bench'")
pytest.importorskip("joblib", reason="the harness needs the extra 'bench'")

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(autouse=True)
def _trial_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    path = os.pathsep.join(filter(None, [str(PLUGINS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PYTHONPATH", path)


def toml(value: Any) -> str:
    """A value as TOML; JSON's scalars and lists are TOML's."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


MakeSuite = Callable[..., Path]


@pytest.fixture
def make_suite(tmp_path: Path) -> MakeSuite:
    """Write a suite file over generated path-loss instances; keyword arguments are its keys."""

    def make(
        solvers: list[dict[str, Any]],
        *,
        devices: list[int] | None = None,
        file: str = "suite.toml",
        **keys: Any,
    ) -> Path:
        generate = {
            "channel": "path-loss",
            "servers": 3,
            "devices": devices or [6],
            "seed": 1,
            "name": "tiny",
        }
        keys.setdefault("instances", [{"generate": generate, "groups": ["all"]}])
        keys.setdefault("name", "trial")
        lists = {"instances": keys.pop("instances"), "solvers": solvers}
        lists |= {key: keys.pop(key) for key in ("figures", "claims") if key in keys}
        lines = [f"{key} = {toml(value)}" for key, value in keys.items()]
        for name, entries in lists.items():
            for entry in entries:
                lines += [f"[[{name}]]", *(f"{key} = {toml(value)}" for key, value in entry.items())]
        path = tmp_path / file
        path.write_text("\n".join(lines) + "\n")
        return path

    return make
