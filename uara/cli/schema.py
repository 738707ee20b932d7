"""``uara schema``: print the JSON Schema of an artefact."""

from __future__ import annotations

from typing import Annotated

import typer

from uara.base.errors import InputError
from uara.cli.output import print_json
from uara.problem import kind_names, kind_of


def command(artefact: Annotated[str, typer.Argument(help="Kind of file: instance, solution, ...")]) -> None:
    """Print the JSON Schema of a kind of file; ``uara schema list`` names them all."""
    from uara.solution import json_schema

    known = {
        "solution": json_schema,
        **{k: v for name in kind_names() for k, v in kind_of(name).schemas.items()},
    }
    if artefact == "list":
        typer.echo("\n".join(sorted(known)))
        return
    if artefact not in known:
        raise InputError(f"{artefact!r} is not one of {', '.join(sorted(known))}", source="schema")
    print_json(known[artefact]())
