"""Plain data on standard output, for machines."""

from __future__ import annotations

from typing import Any

import typer

from uara.files import pretty_json


def print_json(data: Any) -> None:
    """Print data as JSON that people can read too."""
    typer.echo(pretty_json(data), nl=False)
