"""``uara schema``: print the JSON Schema of an artefact."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from uara.cli.output import print_json


class Artefact(StrEnum):
    """What has a schema."""

    INSTANCE = "instance"
    HETEDGE = "hetedge"
    TRACE = "trace"
    SOLUTION = "solution"


def command(artefact: Annotated[Artefact, typer.Argument(help="Kind of file.")]) -> None:
    """Print the JSON Schema of a kind of file."""
    if artefact is Artefact.INSTANCE:
        from uara.schema import json_schema

        print_json(json_schema())
    elif artefact is Artefact.HETEDGE:
        from uara.hetedge.schema import json_schema

        print_json(json_schema())
    elif artefact is Artefact.TRACE:
        from uara.mec.trace import json_schema

        print_json(json_schema())
    else:
        from uara.solution import SolutionFile

        print_json(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **SolutionFile.model_json_schema()}
        )
