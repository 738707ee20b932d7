"""Studies of the papers that the toolkit has commands for: their scripts stand in its repository alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import uara
from uara.base.errors import InputError

FOLDER = Path(uara.__file__).resolve().parents[1] / "benchmarks" / "paper"
"""Where the scripts are in a checkout."""


def script(name: str) -> ModuleType:
    """A study's module.

    Raises
    ------
    InputError
        If the toolkit was installed without its repository.
    """
    path = FOLDER / f"{name}.py"
    found = importlib.util.spec_from_file_location(name, path) if path.is_file() else None
    if found is None or found.loader is None:
        raise InputError(
            f"this study is part of the repository, not of the package: get it and run benchmarks/paper/{name}.py"
        )
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
