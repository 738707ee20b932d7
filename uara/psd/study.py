"""Latencies of a profile's tasks on given hardware: over draft lengths, data rates, and methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from uara.base.errors import InputError
from uara.psd.hardware import Link, Processor, Speeds
from uara.psd.payload import Payload
from uara.psd.profile import TaskProfile
from uara.psd.records import PromptRecord
from uara.psd.timeline import Timeline, simulate
from uara.psd.trace import METHODS, Method, Trace

SAMPLED_RUNS = 8
"""Runs of each prompt where acceptance is a matter of chance."""


class Row(NamedTuple):
    """Mean latency of a task's prompts, and its three parts; all in milliseconds."""

    task: str
    method: Method
    payload: Payload
    gamma: int
    uplink_mbit_per_s: float
    mobile_ms: float
    transmission_ms: float
    server_ms: float
    idle_ms: float
    total_ms: float
    device_idle_ms: float
    server_idle_ms: float


@dataclass(frozen=True)
class Study:
    """A profile on given speeds."""

    profile: TaskProfile
    speeds: Speeds
    _known: dict[tuple[str, Method, int], list[Trace]] = field(default_factory=dict, repr=False)

    def timelines(
        self, task: str, method: Method, gamma: int, payload: Payload, speeds: Speeds
    ) -> list[Timeline]:
        """A timeline for each run of each of the task's prompts."""
        records = [each for each in self.profile.records if each.task == task]
        if not records:
            raise InputError(f"no task {task!r} in profile {self.profile.name}")
        pair = self.profile.draft.architecture, self.profile.target.architecture
        value_bits = self.profile.decoding.value_bits
        return [
            simulate(trace, *pair, speeds, payload, value_bits)
            for record in records
            for trace in self._traces(record, method, gamma)
        ]

    def _traces(self, record: PromptRecord, method: Method, gamma: int) -> list[Trace]:
        key = record.prompt, method, gamma
        if key not in self._known:
            self._known[key] = self._replayed(record, method, gamma)
        return self._known[key]

    def _replayed(self, record: PromptRecord, method: Method, gamma: int) -> list[Trace]:
        import numpy as np

        certain = all(value in (0, 1) for value in record.acceptance)
        seed = self.profile.decoding.seed
        return [
            self.profile.trace(record, method, gamma, np.random.default_rng([seed, number]))
            for number in range(1 if certain else SAMPLED_RUNS)
        ]

    def row(
        self, task: str, method: Method, gamma: int, payload: Payload, mbit_per_s: float | None = None
    ) -> Row:
        """Mean latency of a task; the uplink's own rate where none is given."""
        rate = self.speeds.uplink.bit_per_s if mbit_per_s is None else mbit_per_s * 1e6
        lines = self.timelines(task, method, gamma, payload, self.speeds.with_uplink(rate))

        def mean_ms(name: str) -> float:
            return 1e3 * sum(float(getattr(each, name)) for each in lines) / len(lines)

        parts = (
            "mobile_s",
            "transmission_s",
            "server_s",
            "idle_s",
            "completion_s",
            "device_idle_s",
            "server_idle_s",
        )
        return Row(task, method, payload, gamma, rate / 1e6, *map(mean_ms, parts))

    def over_gamma(self, methods: Iterable[Method], gammas: Sequence[int], payload: Payload) -> list[Row]:
        """Rows for all tasks, methods and draft lengths at the uplink's own rate."""
        return [
            self.row(task, method, g, payload)
            for method in methods
            for task in self.profile.tasks
            for g in gammas
        ]

    def over_rate(
        self,
        methods: Iterable[Method],
        rates_mbit_per_s: Sequence[float],
        payload: Payload,
        gammas: dict[str, int],
    ) -> list[Row]:
        """Rows for all tasks, methods and data rates, each task at its own draft length."""
        return [
            self.row(task, method, gammas[task], payload, rate)
            for method in methods
            for task in self.profile.tasks
            for rate in rates_mbit_per_s
        ]

    def comparison(self, gamma: int, payload: Payload) -> list[Row]:
        """The three methods beside each other, for all tasks."""
        return [self.row(task, method, gamma, payload) for task in self.profile.tasks for method in METHODS]


def best_gammas(rows: Iterable[Row], method: Method) -> dict[str, int]:
    """The draft length of least latency, for each task."""
    best: dict[str, Row] = {}
    for row in rows:
        if row.method == method and (row.task not in best or row.total_ms < best[row.task].total_ms):
            best[row.task] = row
    return {task: row.gamma for task, row in best.items()}


def saturation_mbit_per_s(rows: Iterable[Row], task: str, method: Method, within: float = 0.01) -> float:
    """The lowest data rate whose latency is within a share of that of the highest rate."""
    chosen = sorted(
        (row for row in rows if row.task == task and row.method == method),
        key=lambda row: row.uplink_mbit_per_s,
    )
    if not chosen:
        raise InputError(f"no rows of task {task!r} and method {method}")
    limit_ms = chosen[-1].total_ms * (1 + within)
    # from the top, so that a dip on the way does not count
    rate = chosen[-1].uplink_mbit_per_s
    for row in reversed(chosen):
        if row.total_ms > limit_ms:
            break
        rate = row.uplink_mbit_per_s
    return rate


def speedups(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """How many times faster PSD is, for each task: against ``conventional`` and ``autoregressive``."""
    totals = {(row.task, row.method): row.total_ms for row in rows}
    others: tuple[Method, ...] = ("conventional", "autoregressive")
    return {
        task: {other: totals[task, other] / totals[task, "psd"] for other in others}
        for task in dict.fromkeys(row.task for row in rows)
    }


def ratio_speeds(ratio: float) -> Speeds:
    """Speeds at which one target pass takes as long as ``ratio`` drafted tokens, and links cost nothing."""
    free = Link(1e15)
    device, server = (Processor(1e24, pass_latency_s=each) for each in (1e-3, ratio * 1e-3))
    return Speeds(device, server, free, free)
