"""Run every command in a process that finds no package of an extra; print what each said, as JSON.

Arguments: a JSON object of values by parameter name, or by command and parameter name, and a JSON list of further
command lines.
"""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import typer

from uara.base import extras
from uara.cli import main
from uara.cli.app import COMMANDS, build

BELOW = {"tokenizers", "mitsuba", "drjit"}
"""What the extras' own packages bring."""


class Absent:
    """Finds no package of an extra, as if none were installed."""

    def __init__(self) -> None:
        core = {each.name for each in extras.requirements(None)}
        optional = {each.name for extra in extras.extras() for each in extras.requirements(extra)}
        self.names = {name.lower().replace("-", "_") for name in (optional - core) | BELOW}

    def find_spec(self, name: str, *_: Any) -> None:
        """Raises what the import system raises for a module that is nowhere."""
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def words(name: str, command: Any, values: dict[str, str]) -> Iterator[str]:
    """What a command asks for, and each option for which there is a value."""
    own = {each.name: values.get(f"{name} {each.name}") for each in command.params}
    values = values | {key: value for key, value in own.items() if value is not None}
    for each in command.params:
        if each.param_type_name == "argument" and (each.required or each.name in values):
            yield values.get(each.name, values["instance"])
        elif each.param_type_name == "option" and (each.required or each.name in values):
            yield from (each.opts[0], values.get(each.name, values["instance"]))


def said(line: list[str]) -> dict[str, Any]:
    """Exit code, or traceback, and the last of what a command line printed."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(line)
        except SystemExit as error:
            code = error.code
        except BaseException:
            code = traceback.format_exc()
    return {"words": line, "code": code, "out": out.getvalue()[-2000:], "err": err.getvalue()[-2000:]}


if __name__ == "__main__":
    sys.meta_path.insert(0, Absent())
    given = json.loads(sys.argv[1])
    found = {}
    for name in COMMANDS:
        command: Any = typer.main.get_command(build(name)).commands[name]  # type: ignore[attr-defined]
        for part, inner in (getattr(command, "commands", None) or {"": command}).items():
            start = [name, part] if part else [name]
            found[" ".join(start)] = said([*start, *words(" ".join(start), inner, given)])
            found[" ".join([*start, "--help"])] = said([*start, "--help"])
    for line in json.loads(sys.argv[2]):
        found[" ".join(line)] = said(line)
    print(json.dumps(found))
