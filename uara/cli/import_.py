"""``uara import``: make an instance of own tables."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from uara.cli.fields import options_from, taken
from uara.cli.output import sizes_of
from uara.p1.schema import Parameters
from uara.scenarios.channel.pathloss import PathLoss

_UNUSED = {"box_m", "min_distance_m", "server_spacing_m"}
"""Settings of the path loss that place what is drawn."""


@options_from(Parameters, PathLoss, without=_UNUSED)
def command(
    devices: Annotated[Path, typer.Argument(help="CSV file, a row for each device.")],
    servers: Annotated[Path, typer.Argument(help="CSV file, a row for each server.")],
    gains: Annotated[
        Path | None,
        typer.Argument(help="CSV file, a row for each usable pair; drawn by path loss where left out."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Instance file to write.")] = Path(
        "own.json"
    ),
    name: Annotated[str | None, typer.Option(help="Name of the instance; the file's by default.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root seed of the shadowing.")] = 1,
    **fields: Any,
) -> None:
    """Make an instance of own tables: devices, servers, and gains or positions (docs/own-data.md).

    Columns have the names of the file format, positions are x_m, y_m, z_m. What was hardly meant is warned of.
    """
    from uara.base.files import check_output, save_or_rescue
    from uara.scenarios.tables import from_csv

    parameters, path_loss = taken(fields, Parameters, "parameters"), taken(fields, PathLoss, "path loss")
    inputs = [path for path in (devices, servers, gains) if path]
    check_output(output, suffixes=(".json",), inputs=inputs, kind="p1")
    how: dict[str, Any] = {"parameters": parameters, "path_loss": path_loss, "seed": seed}
    made = from_csv(devices, servers, gains, name=name or output.stem, **how)
    chosen = _changed(parameters) + ([] if gains else [*_changed(path_loss), "--seed", str(seed)])
    command = shlex.join(["uara", "import", *map(str, inputs), *chosen, "-o", output.name])
    made = made.replace(provenance=made.provenance.model_copy(update={"command": command}))
    save_or_rescue(made.save, output)
    typer.echo(sizes_of(made, output))


def _changed(record: Any) -> list[str]:
    """The options that make a record what it is."""
    given = record.model_dump(exclude_defaults=True)
    return [word for key, value in given.items() for word in (f"--{key.replace('_', '-')}", f"{value:g}")]
