"""How long a profile's tasks take on given hardware, method beside method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from uara.base.cells import Column, Table, number, words
from uara.base.errors import InputError
from uara.psd.hardware import Link, Processor, Speeds
from uara.psd.payload import Payload
from uara.psd.profile import TaskProfile
from uara.psd.records import PromptRecord
from uara.psd.timeline import Timeline, simulate
from uara.psd.trace import METHODS, DecodingTrace, Method

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
    _known: dict[tuple[str, Method, int], list[DecodingTrace]] = field(default_factory=dict, repr=False)

    def timelines(
        self, task: str, method: Method, gamma: int, payload: Payload, speeds: Speeds
    ) -> list[Timeline]:
        """A timeline for each run of each of the task's prompts."""
        pair = self.profile.draft.architecture, self.profile.target.architecture
        value_bits = self.profile.decoding.value_bits
        return [
            simulate(trace, *pair, speeds, payload, value_bits)
            for record in self.profile.of_task(task)
            for trace in self._traces(record, method, gamma)
        ]

    def _traces(self, record: PromptRecord, method: Method, gamma: int) -> list[DecodingTrace]:
        key = record.prompt, method, gamma
        if key not in self._known:
            import numpy as np

            seed = self.profile.decoding.seed
            self._known[key] = [
                self.profile.trace(record, method, gamma, np.random.default_rng([seed, number]))
                for number in range(1 if record.certain else SAMPLED_RUNS)
            ]
        return self._known[key]

    def row(
        self, task: str, method: Method, gamma: int, payload: Payload, mbit_per_s: float | None = None
    ) -> Row:
        """Mean latency of a task; the uplink's own rate where none is given."""
        rate = self.speeds.uplink.bit_per_s if mbit_per_s is None else mbit_per_s * 1e6
        lines = self.timelines(task, method, gamma, payload, self.speeds.with_uplink(rate))

        def mean_ms(name: str) -> float:
            return 1e3 * sum(float(getattr(each, name)) for each in lines) / len(lines)

        parts: tuple[str, ...] = ("mobile_s", "transmission_s", "server_s", "idle_s", "completion_s")
        parts += ("device_idle_s", "server_idle_s")
        return Row(task, method, payload, gamma, rate / 1e6, *map(mean_ms, parts))

    def comparison(self, gamma: int, payload: Payload) -> list[Row]:
        """The three methods beside each other, for all tasks."""
        return [self.row(task, method, gamma, payload) for task in self.profile.tasks for method in METHODS]


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


def comparison_table(profile: TaskProfile, ratios: Sequence[float]) -> Table:
    """How many times faster PSD is at gamma = speed ratio, for each task; links cost nothing.

    Raises
    ------
    InputError
        If a speed ratio is not positive.
    """
    gains = [
        speedups(Study(profile, ratio_speeds(each)).comparison(_gamma(each), "tokens")) for each in ratios
    ]
    rows = []
    for task in profile.tasks:
        for other in ("conventional", "autoregressive"):
            rows.append([words(task), words(other), *(number(2)(gain[task][other]) for gain in gains)])
    heads = [Column(name, numeric=False) for name in ("task", "than")]
    heads += [Column(f"{ratio:g}", place=place) for place, ratio in enumerate(ratios, start=1)]
    title = f"{profile.name}: PSD is faster than ... (times), gamma = speed ratio, free links"
    return Table(heads, rows, title)


def _gamma(ratio: float) -> int:
    if not ratio > 0:
        raise InputError(f"a speed ratio must be positive, not {ratio}")
    return max(1, round(ratio))
