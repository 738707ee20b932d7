"""Studies of the papers that the toolkit has commands for: their scripts stand in its repository alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import uara
from uara.base.errors import InputError
from uara.base.extras import needs

PLACE = Path("benchmarks", "paper")
"""Where the scripts are in a checkout."""


def checkouts() -> list[Path]:
    """Folders that may be the repository's."""
    return [Path(uara.__file__).resolve().parents[1], Path.cwd()]


def script(name: str) -> ModuleType:
    """A study's module: of the checkout that the toolkit runs from, or of the one that is the current folder.

    Raises
    ------
    MissingExtra
        Without what draws figures: every study has some.
    InputError
        If there is neither.
    """
    needs("matplotlib", extra="plot")
    script = PLACE / f"{name}.py"
    paths = [folder / script for folder in checkouts()]
    path = next((path for path in paths if path.is_file()), None)
    found = importlib.util.spec_from_file_location(name, path) if path else None
    if path is None or found is None or found.loader is None:
        raise InputError(
            f"this study is part of the repository, not of the package: get it, and call this in its folder"
            f" (or run {script})"
        )
    if str(path.parent) not in sys.path:  # a study imports what stands beside it, as when it is run
        sys.path.append(str(path.parent))
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
