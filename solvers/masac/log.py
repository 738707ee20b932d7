"""What a training run leaves to look at: a CSV table, and TensorBoard events where TensorBoard is installed."""

from __future__ import annotations

import csv
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import Any, Self

COLUMNS = (
    "step",
    "elapsed_s",
    "slots_per_s",
    "return",
    "gap",
    "allocation_gap",
    "gap_table1",
    "allocation_gap_table1",
    "best_gap",
    "live_gap",
    "critic_loss",
    "actor_loss",
    "temperature",
    "entropy",
)


class Log:
    """Rows of numbers, one after each validation.

    Parameters
    ----------
    folder
        Receives ``log.csv`` and ``tensorboard/``.
    fresh
        Begin the table anew; otherwise rows are added.
    """

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        path = folder / "log.csv"
        new = fresh or not path.exists()
        self._file = path.open("w" if new else "a", newline="")
        self._table = csv.DictWriter(self._file, COLUMNS, restval="", extrasaction="ignore")
        if new:
            self._table.writeheader()
        self._events: Any = None
        if util.find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self._events = SummaryWriter(str(folder / "tensorboard"))

    def write(self, row: dict[str, float]) -> None:
        """Add a row; it is on the disk when this returns."""
        self._table.writerow({key: f"{value:.6g}" for key, value in row.items()})
        self._file.flush()
        if self._events is not None:
            for key, value in row.items():
                if key != "step":
                    self._events.add_scalar(key, value, int(row["step"]))
            self._events.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._events is not None:
            self._events.close()
