"""Real time: an object that keeps prices from slot to slot and re-solves P1 in milliseconds when its data change."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from uara.base.errors import InputError
from uara.p1.certificate import Certificate
from uara.p1.decision import Allocation
from uara.p1.instance import Channel, Instance
from uara.registry import blaming, find

DEVICE_COLUMNS = ("battery_fraction", "upload_bits", "device_flop", "server_flop", "position_m")
"""What of the devices may change from slot to slot."""


@dataclass(frozen=True, eq=False)
class SlotAnswer:
    """What a slot's solver returns; times in ms, constant part included."""

    allocation: Allocation
    certificate: Certificate
    """Prices that prove ``bound_ms``."""
    bound_ms: float
    objective_ms: float
    constant_ms: float
    complete: bool
    """Whether it was not cut short by the deadline."""

    @property
    def gap(self) -> float:
        """(objective - bound) / controllable part."""
        part = self.objective_ms - self.constant_ms
        return max(0.0, self.objective_ms - self.bound_ms) / part if part > 0 else math.inf


class SlotSolver(Protocol):
    """What a solver's trait ``tracker`` makes."""

    @property
    def certificate(self) -> Certificate | None:
        """Prices of the last slot."""

    def restart(self, certificate: Certificate | None) -> None:
        """Begin the next slot from these prices, or from none."""

    def solve(self, instance: Instance, expired: Callable[[], bool]) -> SlotAnswer:
        """Solve a slot; where ``expired`` says so, what there is."""


@dataclass(frozen=True, eq=False)
class Slot:
    """A decision of a :class:`Tracker`.

    Attributes
    ----------
    allocation
        X, Y and Z.
    objective_ms, bound_ms
        P1's objective, and a lower bound on its least value: the dual at the kept prices in double precision.
    decision_s
        Wall time from the data to the allocation.
    complete
        False where the deadline cut it short: the allocation and the bound hold, the gap is larger.
    instance
        The slot as an instance, for :func:`uara.evaluate`.
    """

    instance: Instance
    answer: SlotAnswer
    decision_s: float

    @property
    def allocation(self) -> Allocation:
        """X, Y and Z."""
        return self.answer.allocation

    @property
    def objective_ms(self) -> float:
        """P1's objective."""
        return self.answer.objective_ms

    @property
    def bound_ms(self) -> float:
        """A lower bound on the least objective."""
        return self.answer.bound_ms

    @property
    def gap(self) -> float:
        """(objective - bound) / controllable part."""
        return self.answer.gap

    @property
    def complete(self) -> bool:
        """Whether no deadline cut the work short."""
        return self.answer.complete

    @property
    def certificate(self) -> Certificate:
        """The prices behind the bound."""
        return self.answer.certificate

    @cached_property
    def certified_bound_ms(self) -> float:
        """The bound re-computed from the certificate, as :func:`uara.lower_bound` does it: computed when asked for."""
        from uara.problem import lower_bound

        return float(lower_bound(self.instance, self.certificate))


class Tracker:
    """Re-solves an instance whose gains, tasks, queues and batteries change from slot to slot.

        tracker = uara.Tracker(instance)
        slot = tracker.step(power_gain=gain, upload_bits=bits)
        slot.allocation, slot.bound_ms, slot.gap

    Parameters
    ----------
    instance
        The first slot; devices, servers and constants stay.
    solver
        A solver that offers a tracker: ``price``.
    deadline_ms
        Wall time after which a step returns what it has; none by default. A step has an answer and a bound after
        some tenths of a millisecond, and gives these however short the deadline is.

    Raises
    ------
    InputError
        If the solver offers no tracker.
    """

    def __init__(
        self,
        instance: Instance,
        solver: str | Callable[..., Any] = "price",
        *,
        deadline_ms: float | None = None,
    ) -> None:
        if not isinstance(instance, Instance):
            raise InputError(f"must be an instance of P1, not {type(instance).__name__}", source="Tracker")
        method = find(solver)
        method.require()
        if method.traits.tracker is None or method.traits.kind != instance.kind:
            raise InputError(f"offers no tracker for {instance.kind}", source=f"solver {method.name}")
        if method.traits.prepare:
            with blaming(method.name, "cannot be prepared"):
                method.traits.prepare()
        self._name, self._deadline_ms = method.name, checked_deadline(deadline_ms)
        with blaming(method.name, "cannot make a tracker"):
            self._solver: SlotSolver = method.traits.tracker()
        self._instance = instance
        self._last: Slot | None = None

    @property
    def instance(self) -> Instance:
        """The present slot."""
        return self._instance

    @property
    def last(self) -> Slot | None:
        """The last decision."""
        return self._last

    def restart(self, certificate: Certificate | None = None) -> None:
        """Forget the last prices, or begin the next step from a certificate's."""
        self._solver.restart(certificate)

    def step(
        self,
        *,
        power_gain: ArrayLike | None = None,
        backlog_flop: ArrayLike | None = None,
        deadline_ms: float | None = None,
        **devices: ArrayLike,
    ) -> Slot:
        """Solve the next slot; what is not given stays as it was.

        Parameters
        ----------
        power_gain
            (M, E) Linear gains; 0 where there is no path.
        backlog_flop
            (E,) Work that waits at the servers.
        deadline_ms
            For this step, in place of the tracker's.
        **devices
            (M,) ``battery_fraction``, ``upload_bits``, ``device_flop``, ``server_flop``; ``position_m`` (M, 3).

        Raises
        ------
        InputError
            For data that an instance refuses; the tracker goes on from the last good slot.
        """
        began = time.perf_counter()
        deadline = self._deadline_ms if deadline_ms is None else checked_deadline(deadline_ms)
        unknown = sorted(set(devices) - set(DEVICE_COLUMNS))
        if unknown:
            known = ", ".join(("power_gain", "backlog_flop", *DEVICE_COLUMNS))
            raise InputError(f"there is no {unknown[0]!r}; known are {known}", source="Tracker.step")
        return self.advance(
            self._changed(power_gain, backlog_flop, devices), deadline_ms=deadline, began=began
        )

    def advance(
        self, instance: Instance, *, deadline_ms: float | None = None, began: float | None = None
    ) -> Slot:
        """Solve the next slot, given as an instance with as many servers; devices may come and go.

        Parameters
        ----------
        began
            When the slot's time began, by :func:`time.perf_counter`; now by default.
        """
        began = time.perf_counter() if began is None else began
        if not isinstance(instance, Instance):
            raise InputError(f"must be an instance of P1, not {type(instance).__name__}", source="slot")
        limit = self._deadline_ms if deadline_ms is None else checked_deadline(deadline_ms)
        end = math.inf if limit is None else began + limit * 1e-3
        if len(instance.servers) != len(self._instance.servers):
            raise InputError(
                f"has {len(instance.servers)} servers, not {len(self._instance.servers)}", source="slot"
            )
        with blaming(self._name, "failed"):
            answer = self._solver.solve(instance, lambda: time.perf_counter() >= end)
        self._instance = instance
        self._last = Slot(instance, answer, time.perf_counter() - began)
        return self._last

    def _changed(
        self, power_gain: ArrayLike | None, backlog_flop: ArrayLike | None, devices: dict[str, ArrayLike]
    ) -> Instance:
        now = self._instance
        parts: dict[str, Any] = {}
        if devices:
            parts["devices"] = now.devices.replace(**devices)
        if backlog_flop is not None:
            parts["servers"] = now.servers.replace(backlog_flop=backlog_flop)
        if power_gain is not None:
            if isinstance(power_gain, np.ma.MaskedArray):
                raise InputError("is masked; pairs without a path have the gain 0", source="power_gain")
            try:
                gain = np.asarray(power_gain)
            except ValueError as error:
                raise InputError(f"is no table: {error}", source="power_gain") from None
            if gain.shape != (shape := (len(now.devices), len(now.servers))):
                raise InputError(f"has shape {gain.shape}, not {shape}", source="power_gain")
            parts["channel"] = Channel.from_dense(gain)
        return now.replace(**parts)


def checked_deadline(deadline_ms: float | None) -> float | None:
    """A deadline; :class:`InputError` if it is no positive number."""
    if deadline_ms is not None and not (isinstance(deadline_ms, Real) and deadline_ms > 0):
        raise InputError("must be a positive number", source="deadline_ms")
    return deadline_ms
