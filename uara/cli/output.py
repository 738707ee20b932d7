"""What a command gives back: data for machines on standard output, and steps that hide nothing when one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uara.base.errors import UaraError, one_line
from uara.base.files import pretty_json
from uara.base.inks import Form
from uara.base.scores import all_finite
from uara.cli import postponed

if TYPE_CHECKING:
    from uara.p1.instance import Instance

FormOption = Annotated[
    Form | None, typer.Option("--format", help="Print tables as markdown, latex or csv, with every column.")
]
"""The form in which a command prints its tables; for people where it is left out."""


def print_json(data: Any) -> None:
    """Print data as JSON that people can read too; JSON has no number that is not finite, and null stands for it."""
    typer.echo(pretty_json(all_finite(data)), nl=False)


def sizes_of(instance: Instance, path: Path) -> str:
    """What an instance's file holds, in a line."""
    servers, devices, usable = len(instance.servers), len(instance.devices), len(instance.channel.power_gain)
    return f"{path}: {servers} servers, {devices} devices, {usable} of {servers * devices} pairs usable"


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
        if save:
            with postponed():
                save()

    for step in (save_first, *steps):
        attempt(step)
    if not found:
        return
    last = next((error for error in found if isinstance(error, KeyboardInterrupt)), found[0])
    for error in found:
        if error is not last and isinstance(error, UaraError):
            typer.echo(f"uara: {one_line(error)}", err=True)
    raise last
