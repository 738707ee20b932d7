"""``uara play``: write the page on which phones and servers can be moved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uara.pages import play_page


def command(
    output: Annotated[Path, typer.Option("--output", "-o", help="The page (.html).")] = Path("play.html"),
) -> None:
    """Write a page, one file: move phones and servers, see association and bound, and the proof checked."""
    play_page.write(output)
    typer.echo(f"wrote {output}: open it in a browser")
