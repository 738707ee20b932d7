"""What a command gives back: data for machines on standard output, and steps that hide nothing when one fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from uara.base.errors import UaraError, one_line
from uara.base.files import pretty_json
from uara.base.inks import Form
from uara.cli import postponed

FormOption = Annotated[
    Form | None, typer.Option("--format", help="Print tables as markdown, latex or csv, with every column.")
]
"""The form in which a command prints its tables; for people where it is left out."""


def print_json(data: Any) -> None:
    """Print data as JSON that people can read too; JSON has no number that is not finite, and null stands for it."""
    typer.echo(pretty_json(_plain(data)), nl=False)


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def finish(
    save: Callable[[], object] | None,
    *steps: Callable[[], object],
    failures: Sequence[BaseException] = (),
) -> None:
    """Save the result, then show it and do what else was asked for; a step that fails stops no other.

    Parameters
    ----------
    save
        Comes first, and Ctrl-C waits for it; None if there is nothing to save.
    failures
        What has gone wrong before.

    Raises
    ------
    UaraError, OSError, SystemExit, KeyboardInterrupt
        The first failure, when all is done; the others have a line on standard error.
    """
    found = list(failures)

    def attempt(step: Callable[[], object]) -> None:
        try:
            step()
        except (UaraError, OSError, SystemExit, KeyboardInterrupt) as error:
            found.append(error)

    def save_first() -> None:
        with postponed():
            (save or _nothing)()

    for step in (save_first, *steps):
        attempt(step)
    if not found:
        return
    last = next((error for error in found if isinstance(error, KeyboardInterrupt)), found[0])
    for error in found:
        if error is not last and isinstance(error, UaraError):
            typer.echo(f"uara: {one_line(error)}", err=True)
    raise last


def _nothing() -> None:
    pass
