"""Trainers of policies: what ``uara train`` gives one and hears of it, and how installed ones are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Protocol

from uara.base import files
from uara.base.errors import InputError
from uara.base.extras import explained

GROUP = "uara.trainers"
"""Entry points: what ``method`` in a configuration file may name."""
Row = dict[str, float]


def _nothing(_: object) -> None:
    """Hear it, and do nothing."""


@dataclass(frozen=True)
class Listener:
    """Who hears of a training run."""

    report: Callable[[Row], None] = _nothing
    """Called with a row of numbers after each validation."""
    progress: Callable[[Row], None] = _nothing
    """Called with one after each step."""
    note: Callable[[str], None] = _nothing
    """Called with lines of text."""


NOBODY = Listener()


class Trainer(Protocol):
    """What an entry point of the group is: it trains as a file says, and returns the policy file."""

    def __call__(
        self,
        config: Path,
        folder: Path,
        *,
        resume: bool = False,
        seed: int | None = None,
        device: str | None = None,
        command: str = "",
        listener: Listener = ...,
    ) -> Path:
        """Train; :func:`uara.solvers.masac.training.train` says what each parameter means."""


def find_trainer(config: Path) -> Trainer:
    """The installed trainer that a configuration file names.

    Raises
    ------
    InputError
        If the file cannot be read or names an unknown method.
    MissingExtra
        If the trainer's library is not installed.
    """
    method = files.read_toml(config).get("method", "masac")
    found = {point.name: point for point in metadata.entry_points(group=GROUP)}
    if not isinstance(method, str) or method not in found:
        names = ", ".join(sorted(found)) or "none"
        raise InputError(f"{method!r} is no trainer; there are: {names}", source=str(config), path="$.method")
    try:
        trainer: Trainer = found[method].load()
    except ImportError as error:
        raise explained(error, "learn") or error from None
    return trainer
