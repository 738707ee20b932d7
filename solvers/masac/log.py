"""What a training run leaves to look at: a CSV table, and TensorBoard events where TensorBoard is installed."""

from __future__ import annotations

import csv
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from uara.base import files

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


FILE = "log.csv"


class Log:
    """Rows of numbers, one after each validation.

    Parameters
    ----------
    folder
        Receives ``log.csv`` and ``tensorboard/``.
    resumed_at
        Step of the checkpoint that the run goes on from: what was logged beyond it is dropped, since it comes
        again. None begins the table anew.
    """

    def __init__(self, folder: Path, *, resumed_at: int | None) -> None:
        path = folder / FILE
        kept = [] if resumed_at is None else _rows_until(path, resumed_at)
        with files.replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            table = _writer(file)
            table.writeheader()
            table.writerows(kept)
        self._file = path.open("a", encoding="utf-8", newline="")
        self._table = _writer(self._file)
        self._events: Any = None
        if util.find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            beyond = 0 if resumed_at is None else resumed_at + 1
            self._events = SummaryWriter(str(folder / "tensorboard"), purge_step=beyond)

    def write(self, row: dict[str, float]) -> None:
        """Add a row; it is on the disk when this returns."""
        self._table.writerow({key: f"{value:.6g}" for key, value in row.items()} | {"step": int(row["step"])})
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


def _writer(file: TextIO) -> csv.DictWriter[str]:
    return csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore")


def _rows_until(path: Path, step: int) -> list[dict[str, str]]:
    """The whole rows of a table up to a step: the last one may have been cut off while it was written."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    whole = [row for row in rows if None not in row.values() and row.get("step", "").isdigit()]
    return [row for row in whole if int(row["step"]) <= step]
