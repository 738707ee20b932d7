"""``uara train``: train a policy as a configuration file says."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uara import files
from uara.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from rich.console import Console

GROUP = "uara.trainers"
"""Entry points: what ``method`` in a configuration file may name."""
_LIBRARIES = ("torch", "safetensors", "onnx", "tensorboard")
_LIVE = {
    "slots_per_s": "slots/s",
    "return": "return",
    "temperature": "temperature",
    "best_gap": "best gap",
}


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
    with live_line(note) as progress:
        policy = trainer(
            config,
            output,
            resume=resume,
            seed=seed,
            device=device,
            command=words,
            report=report,
            progress=progress,
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
        library = (error.name or "").partition(".")[0]
        if library in _LIBRARIES:
            raise MissingExtra(library, "learn") from None
        raise


@contextmanager
def live_line(console: Console) -> Iterator[Callable[[dict[str, float]], None]]:
    """A function that shows a row of numbers on the last line of a terminal, and nothing in a pipe."""
    if not console.is_terminal:
        yield lambda row: None
        return
    from rich.live import Live
    from rich.text import Text

    # Standard output may be a pipe where standard error is a terminal: its lines are then left alone.
    together = sys.stdout.isatty()
    with Live(
        Text(""), console=console, auto_refresh=False, transient=True, redirect_stdout=together
    ) as live:
        yield lambda row: live.update(
            Text(progress_line(row), no_wrap=True, overflow="ellipsis"), refresh=True
        )


def progress_line(row: dict[str, float]) -> str:
    """A row of numbers in words; what is not known yet is left out."""
    words = [f"step {row['step']:.0f} of {row['steps']:.0f}" if "steps" in row else f"step {row['step']:.0f}"]
    words += [f"{name} {row[key]:.4g}" for key, name in _LIVE.items() if key in row]
    return "  ".join(words)


def _spelled(output: Path, seed: int | None) -> list[str]:
    return ["--output", str(output), *(["--seed", str(seed)] if seed is not None else [])]
