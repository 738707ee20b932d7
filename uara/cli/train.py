"""``uara train``: train a policy as a configuration file says."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uara.trainer import Listener, find_trainer

if TYPE_CHECKING:
    from rich.console import Console

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
    given = ["--output", str(output), *(["--seed", str(seed)] if seed is not None else [])]
    words = shlex.join(["uara", "train", str(config), *given])
    with live_line(note) as show:

        def report(row: dict[str, float]) -> None:
            cells = (f"{row[key]:11.4g}" if key in row else " " * 11 for key in keys)
            show("")
            typer.echo("  ".join(cells))

        listener = Listener(
            report, lambda row: show(progress_line(row)), lambda text: note.print(text, highlight=False)
        )
        policy = trainer(
            config,
            output,
            resume=resume,
            seed=seed,
            device=device,
            command=words,
            listener=listener,
        )
    typer.echo(f"{policy}")


@contextmanager
def live_line(console: Console) -> Iterator[Callable[[str], None]]:
    """Shows words in the last line of a terminal, in place of the last ones; nothing in a pipe.

    Standard output is left alone: it may be a pipe. No words make the line empty, so that another can be printed.
    """
    from rich.live import Live
    from rich.text import Text

    if not console.is_terminal:
        yield lambda words: None
        return
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:

        def show(words: str) -> None:
            live.update(Text(words, no_wrap=True, overflow="ellipsis"), refresh=True)

        try:
            yield show
        finally:
            show("")


def progress_line(row: dict[str, float]) -> str:
    """A row of numbers in words; what is not known yet is left out."""
    words = [f"step {row['step']:.0f} of {row['steps']:.0f}" if "steps" in row else f"step {row['step']:.0f}"]
    words += [f"{name} {row[key]:.4g}" for key, name in _LIVE.items() if key in row]
    return "  ".join(words)
