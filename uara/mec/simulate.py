"""Solvers as controllers: the same devices, tasks and channels slot by slot, each solver with its own queues."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from uara.base.errors import InputError
from uara.base.quantities import Floats
from uara.base.randomness import derived_seed, stream
from uara.hardware import OWN_WORK_S
from uara.mec.runs import COLUMNS as COLUMNS
from uara.mec.runs import Controller as Controller
from uara.mec.runs import SimulatedRun as SimulatedRun
from uara.mec.runs import row_of
from uara.mec.runs import save_csv as save_csv
from uara.mec.runs import save_plot as save_plot
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


@dataclass(frozen=True)
class SimulationSettings:
    """What controllers go through, and how."""

    slots: int | None = None
    """T; the trace's by default. A longer run goes back and forth over the trace."""
    seed: int = 0
    """Root seed of tasks and own work."""
    profile: str | TaskProfile = "gpt2_gpt2-xl"
    """Tasks of the slots after the first are drawn from it."""
    time_limit_s: float | None = None
    """For each decision."""
    deadline_ms: float | None = None
    """For each decision too; a solver that offers a tracker gives the best answer so far."""
    warm: bool = True
    """Start each decision from the last one, and prices from the last prices, where a solver takes a start
    (the trait ``warm_start``). Others get none: ``solve`` never returns worse than the start it is given,
    which would make rules better than they are. A solver with the option ``realtime`` set, or under a
    deadline, goes through the slots as a :class:`uara.Tracker` where it offers one."""

    @property
    def decision_limit_s(self) -> float | None:
        """The lesser of time limit and deadline."""
        deadline_ms = checked_deadline(self.deadline_ms)
        if deadline_ms is None:
            return self.time_limit_s
        return min(deadline_ms * 1e-3, np.inf if self.time_limit_s is None else self.time_limit_s)


class Stopped(KeyboardInterrupt):
    """Ctrl-C ended a simulation; ``runs`` holds what was done before, the last run with fewer slots."""

    def __init__(self, runs: list[SimulatedRun]) -> None:
        self.runs = runs
        super().__init__()


@dataclass
class _Standing:
    """A controller's own world."""

    controller: Controller
    settings: SimulationSettings
    slot_s: float
    battery: Floats
    backlog_flop: Floats
    decision: Allocation | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    tracker: Tracker | None = None

    @classmethod
    def of(cls, controller: Controller, settings: SimulationSettings, trace: MobilityTrace) -> _Standing:
        """The world as the trace begins."""
        first = trace.instance
        batteries, backlogs = first.devices.battery_fraction, first.servers.backlog_flop
        tracker = _tracker(controller, first, settings.deadline_ms) if settings.warm else None
        return cls(controller, settings, trace.slot_s, batteries, backlogs, tracker=tracker)

    def decide(self, base: Instance, own_work: Floats, number: int) -> tuple[dict[str, Any], Ended]:
        """One slot: solve, score, and move the world on."""
        backlog = self.backlog_flop + (own_work if number else 0.0)
        instance = base.replace(
            devices=base.devices.replace(battery_fraction=self.battery),
            servers=base.servers.replace(backlog_flop=backlog),
        )
        if self.tracker is not None:
            slot = self.tracker.advance(instance)
            allocation, score = slot.allocation, evaluate(instance, slot.allocation)
            decision_s, gap = slot.decision_s, slot.gap
            ended: Ended = "completed" if slot.complete else "time_limit"
        else:
            result = self._solved(instance, number)
            allocation, score = result.decision, result.evaluation
            decision_s, gap, ended = result.runtime_s, result.gap, result.ended
        self.battery, self.backlog_flop = advance(instance, allocation, score.device_energy_j, self.slot_s)
        return row_of(self.controller, number, instance, score, decision_s, gap), ended

    def _solved(self, instance: Instance, number: int) -> Any:
        """What the solver answers, which the next slot may start from."""
        method = find(self.controller.solver)
        warmed = self.settings.warm and method.traits.warm_start
        result = solve(
            instance,
            self.controller.solver,
            options={**self.controller.options, **(self.carried if warmed else {})},
            seed=derived_seed(self.settings.seed, "controller", number),
            time_limit_s=self.settings.decision_limit_s,
            start=_usable_start(instance, self.decision) if warmed else None,
        )
        if isinstance(result.decision, Allocation):
            self.decision = result.decision
        if result.certificate is not None and "prices" in method.traits.options.model_fields:
            self.carried = {"prices": result.certificate.to_plain()}
        return result


def simulate(
    trace: MobilityTrace,
    controllers: Sequence[Controller | str | Callable[..., Any]],
    settings: SimulationSettings | None = None,
    *,
    on_slot: Callable[[Controller, int], None] | None = None,
    **changes: Any,
) -> list[SimulatedRun]:
    """Run controllers over a trace; all meet the same channels, tasks and own work of the servers.

    Parameters
    ----------
    controllers
        Solvers with options, or names of installed ones, or functions.
    settings
        Slots, seed, limits; the defaults where left out.
    on_slot
        Called after each decision.
    changes
        Fields of :class:`SimulationSettings` that differ from ``settings``.

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
    settings = dataclasses.replace(settings or SimulationSettings(), **changes)
    checked_deadline(settings.deadline_ms)
    count = len(trace) if settings.slots is None else settings.slots
    if count < 1:
        raise InputError(f"must be at least 1, not {count}", source="slots")
    tasks = (
        settings.profile if isinstance(settings.profile, TaskProfile) else TaskProfile.load(settings.profile)
    )
    chosen = [_controller(each) for each in controllers]
    for controller in chosen:
        find(controller.solver).make_options(controller.options)
    gains = without_outages(trace.power_gain)
    worlds = [_slot(trace, gains, tasks, number, settings.seed) for number in range(count)]
    runs: list[SimulatedRun] = []
    try:
        for controller in chosen:
            runs.append(SimulatedRun(controller, []))
            standing = _Standing.of(controller, settings, trace)
            for number, (base, own_work) in enumerate(worlds):
                row, ended = standing.decide(base, own_work, number)
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
