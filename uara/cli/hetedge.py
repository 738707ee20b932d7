"""``uara hetedge``: instances and figures of the batched, pipelined system; it is solved with ``uara solve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from uara.cli.fields import options_from
from uara.hetedge.generate import HetEdgeRecipe
from uara.hetedge.generate import generate as draw
from uara.problem import describe

app = typer.Typer(help="Batched, pipelined speculative decoding: make instances, draw the figures.")


@app.command()
@options_from(HetEdgeRecipe)
def generate(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")], **fields: Any
) -> None:
    """Make an instance from Sionna channels and a task profile."""
    from uara.base.files import check_output, save_or_rescue

    inputs = [Path(fields["profile"]), Path(fields["scene"])]
    check_output(output, suffixes=(".json",), inputs=inputs, kind="hetedge")
    instance = draw(name=output.stem, **fields)
    save_or_rescue(instance.save, output)
    for line in describe(instance):
        typer.echo(line)


@app.command()
def figures(
    instance: Annotated[
        Path, typer.Argument(help="Instance that the sweeps vary, or name of a shipped one.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for CSV and pictures.")],
) -> None:
    """Sweep requests, band and acceptance rate; write tables and pictures beside each other."""
    from uara.base.errors import InputError
    from uara.cli import study
    from uara.hetedge.instance import HetEdge
    from uara.problem import load

    problem = load(instance)
    if not isinstance(problem, HetEdge):
        raise InputError(f"holds {problem.kind}, not hetedge", source=str(instance))
    console = Console(stderr=True)
    with console.status("solving") as status:
        written = study.script("hetedge_sweeps").write_study(
            problem, output, lambda text: status.update(text)
        )
    for path in written:
        typer.echo(str(path))
