"""``uara train``: train a policy as a configuration file says."""

from __future__ import annotations

import shlex
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from uara import files
from uara.errors import InputError, MissingExtra

GROUP = "uara.trainers"
"""Entry points: what ``method`` in a configuration file may name."""


def command(
    config: Annotated[Path, typer.Argument(help="Configuration file (TOML).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")] = Path("run"),
    resume: Annotated[bool, typer.Option("--resume", help="Take up the folder's checkpoint.")] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Root seed; the configuration's by default.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; cuda where there is one.")] = None,
) -> None:
    """Train a policy as a configuration file says.

    The folder receives policy.onnx (the best by validation), a checkpoint, log.csv and TensorBoard events.
    """
    from rich.console import Console

    trainer = find_trainer(config)
    note = Console(stderr=True)
    header = ("step", "slots/s", "return", "gap", "alloc. gap", "live gap", "temperature", "best")
    keys = ("step", "slots_per_s", "return", "gap", "allocation_gap", "live_gap", "temperature", "best_gap")
    typer.echo("  ".join(f"{word:>11}" for word in header))

    def report(row: dict[str, float]) -> None:
        cells = (f"{row[key]:11.4g}" if key in row else " " * 11 for key in keys)
        typer.echo("  ".join(cells))

    words = shlex.join(["uara", "train", str(config), *_spelled(output, seed)])
    policy = trainer(
        config,
        output,
        resume=resume,
        seed=seed,
        device=device,
        command=words,
        report=report,
        note=lambda text: note.print(text, highlight=False),
    )
    typer.echo(f"{policy}")


def find_trainer(config: Path) -> Any:
    """The installed trainer that a configuration file names.

    Raises
    ------
    InputError
        If the file cannot be read or names an unknown method.
    MissingExtra
        If the trainer's library is not installed.
    """
    try:
        method = tomllib.loads(files.read_bytes(config).decode()).get("method", "masac")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not valid TOML: {error}", source=str(config)) from None
    found = {point.name: point for point in metadata.entry_points(group=GROUP)}
    if method not in found:
        names = ", ".join(sorted(found)) or "none"
        raise InputError(f"{method!r} is no trainer; there are: {names}", source=str(config), path="$.method")
    try:
        return found[method].load()
    except ModuleNotFoundError as error:
        if error.name in ("torch", "safetensors", "tensorboard"):
            raise MissingExtra(error.name, "learn") from None
        raise


def _spelled(output: Path, seed: int | None) -> list[str]:
    return ["--output", str(output), *(["--seed", str(seed)] if seed is not None else [])]
