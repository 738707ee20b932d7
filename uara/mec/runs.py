"""What controllers did, slot by slot: runs, their table and their picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base import pictures, sheets
from uara.base.errors import check_one_of, printable
from uara.base.files import Record
from uara.mec.slots import BATTERY_FLOOR
from uara.p1.instance import Instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = (
    "solver", "slot", "objective_ms", "controllable_ms", "latency_mean_ms", "latency_p95_ms", "energy_j",
    "battery_mean", "battery_min", "at_floor", "backlog_s", "decision_s", "gap",
)  # fmt: skip


class Controller(Record):
    """A solver with its options."""

    name: str
    """Of an installed solver, or what tables call the function."""
    options: dict[str, Any] = {}
    label: str = ""
    function: Callable[..., Any] | None = None
    """A solver that is not installed, such as one from :func:`uara.mec.policy_solver`."""

    @property
    def solver(self) -> str | Callable[..., Any]:
        """What :func:`uara.solve` is given."""
        return self.name if self.function is None else self.function

    @property
    def title(self) -> str:
        """What tables call it."""
        return self.label or self.name


@dataclass(frozen=True)
class SimulatedRun:
    """What one controller did.

    Attributes
    ----------
    rows
        One per slot, with the keys of :data:`COLUMNS`.
    """

    controller: Controller
    rows: list[dict[str, Any]]

    def total(self, key: str) -> float:
        """Sum over the slots."""
        return float(sum(row[key] for row in self.rows))

    def mean(self, key: str) -> float:
        """Mean over the slots."""
        return self.total(key) / len(self.rows)

    def percentile(self, key: str, q: float) -> float:
        """A percentile over the slots."""
        return float(np.percentile([row[key] for row in self.rows], q))

    def last(self, key: str) -> float:
        """Value of the last slot."""
        return float(self.rows[-1][key])


def row_of(
    controller: Controller, number: int, instance: Instance, score: Any, decision_s: float, gap: float | None
) -> dict[str, Any]:
    """A slot's row (:data:`COLUMNS`): its instance, the score of the decision, and what making it took."""
    servers = instance.servers
    battery = instance.devices.battery_fraction
    return {
        "solver": controller.title,
        "slot": number,
        "objective_ms": score.objective_ms,
        "controllable_ms": score.controllable_ms,
        "latency_mean_ms": score.latency_ms["mean"],
        "latency_p95_ms": score.latency_ms["p95"],
        "energy_j": score.energy_j,
        "battery_mean": float(battery.mean()),
        "battery_min": float(battery.min()),
        "at_floor": int((battery <= BATTERY_FLOOR).sum()),
        "backlog_s": float((servers.backlog_flop / servers.compute_flop_per_s).mean()),
        "decision_s": decision_s,
        "gap": gap,
    }


def save_csv(runs: Sequence[SimulatedRun], path: Path) -> None:
    """One row per controller and slot."""
    sheets.write(path, COLUMNS, ([row[name] for name in COLUMNS] for run in runs for row in run.rows))


PANELS = (
    ("controllable_ms", "controllable objective, cumulative [s]", True, 1e-3),
    ("latency_mean_ms", "mean latency [ms]", False, 1.0),
    ("energy_j", "energy of all devices, cumulative [kJ]", True, 1e-3),
    ("battery_mean", "mean battery", False, 1.0),
    ("backlog_s", "mean backlog at slot start [s]", False, 1.0),
    ("decision_s", "decision time [ms]", False, 1e3),
)


def save_plot(
    runs: Sequence[SimulatedRun],
    path: str | Path | None = None,
    *,
    ax: Axes | None = None,
    panel: str = "controllable_ms",
) -> Axes:
    """Six panels over the slots: objective, latency, energy, battery, backlog, decision time.

    Parameters
    ----------
    path
        A picture file. Without one a notebook shows the picture.
    ax, panel
        Axes to draw one of :data:`PANELS`, named by its column, alone into.

    Returns
    -------
    Axes
        Of the first panel.

    Raises
    ------
    InputError
        If there is no such panel.
    MissingExtra
        Without matplotlib.
    """
    check_one_of(panel, (each[0] for each in PANELS), "panel")
    chosen = PANELS if ax is None else [each for each in PANELS if each[0] == panel]
    with pictures.panels(path, ax, (11, 6), nrows=2, ncols=3) as places:
        for axes, each in zip(places, chosen, strict=True):
            _draw_panel(axes, runs, each)
        if ax is None:
            places[0].legend(fontsize=7)
    return places[0]


def _draw_panel(axes: Axes, runs: Sequence[SimulatedRun], panel: tuple[str, str, bool, float]) -> None:
    key, title, cumulative, factor = panel
    for run in runs:
        values = np.array([row[key] for row in run.rows]) * factor
        axes.plot(np.cumsum(values) if cumulative else values, label=printable(run.controller.title))
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("slot")
    axes.grid(alpha=0.3)
    if key == "decision_s":
        axes.set_yscale("log")
