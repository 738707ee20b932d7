"""Solvers as controllers: the same devices, tasks and channels slot by slot, each solver with its own queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base import pictures, sheets
from uara.base.errors import InputError, printable
from uara.base.files import Record
from uara.base.quantities import Floats
from uara.base.randomness import derived_seed, stream
from uara.hardware import OWN_WORK_S
from uara.mec.slots import BATTERY_FLOOR, battery_capacity_j, place_on, without_outages
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Channel, Instance
from uara.p1.model import evaluate
from uara.psd.profile import TaskProfile
from uara.registry import find
from uara.scenarios.trace import MobilityTrace
from uara.solver import Ended, solve
from uara.tracker import Tracker, checked_deadline

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


class Stopped(KeyboardInterrupt):
    """Ctrl-C ended a simulation; ``runs`` holds what was done before, the last run with fewer slots."""

    def __init__(self, runs: list[SimulatedRun]) -> None:
        self.runs = runs
        super().__init__()


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


@dataclass
class _Standing:
    """A controller's own world."""

    battery: Floats
    backlog_flop: Floats
    decision: Allocation | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    tracker: Tracker | None = None


def simulate(
    trace: MobilityTrace,
    controllers: Sequence[Controller | str | Callable[..., Any]],
    *,
    slots: int | None = None,
    seed: int = 0,
    profile: str | TaskProfile = "gpt2_gpt2-xl",
    time_limit_s: float | None = None,
    deadline_ms: float | None = None,
    warm: bool = True,
    on_slot: Callable[[Controller, int], None] | None = None,
) -> list[SimulatedRun]:
    """Run controllers over a trace; all meet the same channels, tasks and own work of the servers.

    Parameters
    ----------
    controllers
        Solvers with options, or names of installed ones, or functions.
    slots
        T; the trace's by default. A longer run goes back and forth over the trace.
    profile
        Tasks of the slots after the first are drawn from it.
    time_limit_s
        For each decision.
    deadline_ms
        For each decision too; a solver that offers a tracker gives the best answer so far.
    warm
        Start each decision from the last one, and prices from the last prices, where a solver takes a start
        (the trait ``warm_start``). Others get none: ``solve`` never returns worse than the start it is given,
        which would make rules better than they are. A solver with the option ``realtime`` set, or under a
        deadline, goes through the slots as a :class:`uara.Tracker` where it offers one.
    on_slot
        Called after each decision.

    Returns
    -------
    list of SimulatedRun
        In the order of the controllers.

    Raises
    ------
    InputError
        For an unknown solver or bad options.
    Stopped
        By Ctrl-C; holds the slots that are done.
    """
    if (deadline := checked_deadline(deadline_ms)) is not None:
        time_limit_s = min(deadline * 1e-3, np.inf if time_limit_s is None else time_limit_s)
    count = len(trace) if slots is None else slots
    if count < 1:
        raise InputError(f"must be at least 1, not {count}", source="slots")
    tasks = profile if isinstance(profile, TaskProfile) else TaskProfile.load(profile)
    chosen = [_controller(each) for each in controllers]
    for controller in chosen:
        find(controller.solver).make_options(controller.options)
    gains = without_outages(trace.power_gain)
    worlds = [_slot(trace, gains, tasks, number, seed) for number in range(count)]
    runs: list[SimulatedRun] = []
    try:
        for controller in chosen:
            standing = _Standing(trace.instance.devices.battery_fraction, trace.instance.servers.backlog_flop)
            runs.append(SimulatedRun(controller, []))
            if warm:
                standing.tracker = _tracker(controller, trace.instance, deadline_ms)
            for number, world in enumerate(worlds):
                row, ended = _decide(controller, standing, world, number, seed, time_limit_s, warm, trace)
                runs[-1].rows.append(row)
                if ended == "interrupted":
                    raise KeyboardInterrupt
                if on_slot:
                    on_slot(controller, number)
    except KeyboardInterrupt:
        raise Stopped([run for run in runs if run.rows]) from None
    return runs


def _controller(given: Controller | str | Callable[..., Any]) -> Controller:
    if isinstance(given, Controller):
        return given
    if isinstance(given, str):
        return Controller(name=given)
    return Controller(name=find(given).name, function=given)


def _decide(
    controller: Controller,
    standing: _Standing,
    world: tuple[Instance, Floats],
    number: int,
    seed: int,
    time_limit_s: float | None,
    warm: bool,
    trace: MobilityTrace,
) -> tuple[dict[str, Any], Ended]:
    """One slot: solve, score, and move the controller's world on."""
    base, own_work = world
    backlog = standing.backlog_flop + (own_work if number else 0.0)
    instance = base.replace(
        devices=base.devices.replace(battery_fraction=standing.battery),
        servers=base.servers.replace(backlog_flop=backlog),
    )
    if standing.tracker is not None:
        slot = standing.tracker.advance(instance)
        score = evaluate(instance, slot.allocation)
        energy = score.device_energy_j
        standing.battery, standing.backlog_flop = advance(instance, slot.allocation, energy, trace.slot_s)
        return _row(controller, number, instance, score, slot.decision_s, slot.gap), (
            "completed" if slot.complete else "time_limit"
        )
    method = find(controller.solver)
    warmed = warm and method.traits.warm_start
    result = solve(
        instance,
        controller.solver,
        options={**controller.options, **(standing.carried if warmed else {})},
        seed=derived_seed(seed, "controller", number),
        time_limit_s=time_limit_s,
        start=_usable_start(instance, standing.decision) if warmed else None,
    )
    row = _row(controller, number, instance, result.evaluation, result.runtime_s, result.gap)
    if isinstance(result.decision, Allocation):
        standing.decision = result.decision
    if result.certificate is not None and "prices" in method.traits.options.model_fields:
        standing.carried = {"prices": result.certificate.to_plain()}
    energy = result.evaluation.device_energy_j  # type: ignore[attr-defined]
    standing.battery, standing.backlog_flop = advance(instance, result.decision, energy, trace.slot_s)
    return row, result.ended


def advance(
    instance: Instance, allocation: Any, device_energy_j: Floats, slot_s: float
) -> tuple[Floats, Floats]:
    """Batteries (M,) and backlogs (E,) at the end of a slot (section III.A).

    A battery falls by E_i of its capacity. A server works off F_j tau of what waited and what came.
    """
    servers, devices = instance.servers, instance.devices
    left_over = devices.battery_fraction - device_energy_j / battery_capacity_j(devices)
    battery = np.maximum(left_over, BATTERY_FLOOR)
    came = np.bincount(allocation.association, weights=devices.server_flop, minlength=len(servers))
    left = servers.backlog_flop + came - servers.compute_flop_per_s * slot_s
    return battery, np.maximum(left, 0.0)


def _slot(
    trace: MobilityTrace, gains: Floats, profile: TaskProfile, number: int, seed: int
) -> tuple[Instance, Floats]:
    """A slot's channel and tasks, and the servers' own new work (E,) in FLOP."""
    place = place_on(len(trace), number)
    devices, servers = trace.instance.devices, trace.instance.servers
    devices = devices.replace(position_m=trace.device_position_m[place])
    rng = stream(seed, "simulate", number)
    if number:
        devices = devices.replace(**profile.draw_tasks(len(devices), rng, payload=trace.payload))
    own = rng.uniform(0, OWN_WORK_S, len(servers)) * servers.compute_flop_per_s
    instance = trace.instance.replace(
        name=f"{trace.name}@{number}", channel=Channel.from_dense(gains[place]), devices=devices
    )
    return instance, own


def _usable_start(instance: Instance, decision: Allocation | None) -> Allocation | None:
    """The last decision, unless a device has lost its server since."""
    if decision is None or (coefficients(instance).pairs_of(decision.association) < 0).any():
        return None
    return decision


def _tracker(controller: Controller, first: Instance, deadline_ms: float | None) -> Tracker | None:
    """What goes through the slots in real time, where the solver offers it and that is asked for."""
    method = find(controller.solver)
    options = {name: value for name, value in controller.options.items() if name != "realtime"}
    asked = deadline_ms is not None or controller.options.get("realtime")
    if method.traits.tracker is None or not asked or options:
        return None
    return Tracker(first, controller.solver, deadline_ms=deadline_ms)


def _row(
    controller: Controller, number: int, instance: Instance, score: Any, decision_s: float, gap: float | None
) -> dict[str, Any]:
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
    chosen = PANELS if ax is None else [each for each in PANELS if each[0] == panel]
    if not chosen:
        names = ", ".join(each[0] for each in PANELS)
        raise InputError(f"{panel!r} is not one of {names}", source="panel")
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
