from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cases import make_instance

from uara import Instance
from uara.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Outcome]


@pytest.fixture
def uara(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process."""

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        code: int | str | None = 0
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        assert isinstance(code, int) or code is None
        return Outcome(code or 0, captured.out, captured.err)

    return run


@pytest.fixture
def instance() -> Instance:
    return make_instance(12, 3, seed=2, name="twelve")


@pytest.fixture
def instance_file(instance: Instance, tmp_path: Path) -> Path:
    instance.save(tmp_path / "twelve.json")
    return tmp_path / "twelve.json"
