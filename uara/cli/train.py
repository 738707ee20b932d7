"""``uara train``: train a policy as a configuration file says."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

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
    line = LiveLine(note)

    def report(row: dict[str, float]) -> None:
        cells = (f"{row[key]:11.4g}" if key in row else " " * 11 for key in keys)
        line.clear()
        typer.echo("  ".join(cells))

    words = shlex.join(["uara", "train", str(config), *_spelled(output, seed)])
    with line:
        policy = trainer(
            config,
            output,
            resume=resume,
            seed=seed,
            device=device,
            command=words,
            listener=Listener(report, line.show, lambda text: note.print(text, highlight=False)),
        )
    typer.echo(f"{policy}")


class LiveLine:
    """The last line of a terminal, which shows where a run stands; nothing in a pipe.

    Parameters
    ----------
    console
        Where it is shown. What goes elsewhere is left alone: standard output may be a pipe.
    """

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)
        self._shown = console.is_terminal

    def show(self, row: dict[str, float]) -> None:
        """Show a row of numbers in place of the last one."""
        self._put(progress_line(row))

    def clear(self) -> None:
        """Empty the line, so that another can be printed there."""
        self._put("")

    def _put(self, words: str) -> None:
        from rich.text import Text

        if self._shown:
            self._live.update(Text(words, no_wrap=True, overflow="ellipsis"), refresh=True)

    def __enter__(self) -> Self:
        if self._shown:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self.clear()
            self._live.stop()


def progress_line(row: dict[str, float]) -> str:
    """A row of numbers in words; what is not known yet is left out."""
    words = [f"step {row['step']:.0f} of {row['steps']:.0f}" if "steps" in row else f"step {row['step']:.0f}"]
    words += [f"{name} {row[key]:.4g}" for key, name in _LIVE.items() if key in row]
    return "  ".join(words)


def _spelled(output: Path, seed: int | None) -> list[str]:
    return ["--output", str(output), *(["--seed", str(seed)] if seed is not None else [])]
