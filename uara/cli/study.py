"""Studies of the papers that were commands of the toolkit: their scripts stand beside the package, not in it."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uara
from uara.base.errors import InputError

FOLDER = Path(uara.__file__).resolve().parents[1] / "benchmarks" / "paper"
"""Where the scripts are in a checkout; an installed package has none."""
DELEGATED: dict[str, Any] = {
    "hidden": True,
    "add_help_option": False,
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
}
"""Settings of a command that hands all its words on."""


def run(name: str, words: Sequence[str]) -> None:
    """Run a study with the words of its command line.

    Raises
    ------
    InputError
        If the toolkit was installed without its repository.
    """
    script = FOLDER / f"{name}.py"
    if not script.is_file():
        line = shlex.join(["python", f"benchmarks/paper/{name}.py", *words])
        raise InputError(f"this study is part of the repository, not of the package; there, run: {line}")
    found = importlib.util.spec_from_file_location(name, script)
    if found is None or found.loader is None:
        raise InputError("cannot be imported", source=str(script))
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    module.app(list(words), prog_name=f"python benchmarks/paper/{name}.py")
