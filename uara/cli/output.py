"""Plain data on standard output, for machines."""

from __future__ import annotations

import math
from typing import Any

import typer

from uara.files import pretty_json


def print_json(data: Any) -> None:
    """Print data as JSON that people can read too; JSON has no number that is not finite, and null stands for it."""
    typer.echo(pretty_json(_plain(data)), nl=False)


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
