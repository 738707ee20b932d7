"""``uara simulate``: run solvers as controllers over a trace, slot by slot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import Field

from uara.base.errors import InputError
from uara.cli.fields import options_from, taken
from uara.cli.output import FormOption, finish, print_json
from uara.cli.runs import Solving

if TYPE_CHECKING:
    from uara.base.cells import Table
    from uara.mec.simulate import Controller, SimulatedRun
    from uara.scenarios.trace import MobilityTrace


class Simulation(Solving):
    """What is simulated."""

    solver: list[str] | None = None
    """Solver, or package.module:function; may be repeated, and may carry options: tma-masac:polish=true. Left out,
    tma-masac for traces, hetedge-dp for requests."""
    slots: Annotated[int, Field(ge=1)] | None = None
    """Number of slots T; the trace's by default."""
    profile: str = "gpt2_gpt2-xl"
    """Task profile: shipped name or .json file."""
    deadline_ms: float | None = None
    """Milliseconds for each decision; the best answer so far is taken."""
    warm: bool = True
    """Start from the last slot's decision."""

    def controllers(self, default: str) -> list[Controller]:
        """Solvers with their options."""
        from uara.mec.simulate import Controller

        return [
            Controller(
                name=spec.name,
                options=spec.options.model_dump(exclude_defaults=True),
                label=" ".join([spec.name, *(f"{key}={value}" for key, value in spec.values.items())]),
            )
            for spec in self.specs(default)
        ]


@options_from(Simulation, flags={"warm": "warm/--cold"})
def command(
    trace: Annotated[
        Path,
        typer.Argument(
            help="Trace or instance file (its channel stands still), hetedge requests, or name of a shipped one."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all slots to this CSV.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the course to this file (.png, .svg, .pdf).")
    ] = None,
    form: FormOption = None,
    json: Annotated[bool, typer.Option("--json", help="Every slot as JSON.")] = False,
    **fields: Any,
) -> None:
    """Run solvers as controllers over a trace, slot by slot; each drains its own batteries and fills its own queues."""
    from uara.answers.display import print_table
    from uara.base import pictures
    from uara.base.files import check_output, save_or_rescue
    from uara.cli.rolling import serve
    from uara.mec.simulate import COLUMNS, save_csv, save_plot
    from uara.shipped import located

    trace, course = located(trace), taken(fields, Simulation)
    if holds_requests(trace):
        if course.slots is not None or plot is not None:
            raise InputError("does not apply to requests that arrive over time", source="--slots, --plot")
        with _following("serving", json) as status:
            controllers = course.controllers("hetedge-dp")
            serve(trace, controllers, course, output, form, json=json, follow=status.update)
        return
    controllers = course.controllers("tma-masac")
    chosen, inputs = open_trace(trace), [trace, Path(course.profile)]
    if output:
        check_output(output, suffixes=(".csv",), inputs=inputs, kind=",".join(COLUMNS))
    if plot:
        pictures.check_picture(plot, inputs=inputs)
    runs, failures = _simulated(chosen, controllers, course, json)

    def save() -> None:
        if output:
            save_or_rescue(lambda path: save_csv(runs, path), output)

    def show() -> None:
        if json:
            print_json([row for run in runs for row in run.rows])
        else:
            print_table(_table(runs), form)

    if runs:
        finish(save, show, lambda: save_plot(runs, plot) if plot else None, failures=failures)
    else:
        finish(None, failures=failures)


def _simulated(
    trace: MobilityTrace, controllers: list[Controller], course: Simulation, quiet: bool
) -> tuple[list[SimulatedRun], list[BaseException]]:
    """What the controllers did, and what stopped them."""
    from uara.mec.simulate import Stopped, simulate

    with _following("simulating", quiet) as status:

        def follow(controller: Controller, number: int) -> None:
            status.update(f"{controller.title}: slot {number + 1}")

        how = course.model_dump(include={"slots", "seed", "profile", "deadline_ms", "warm"})
        try:
            return simulate(trace, controllers, time_limit_s=course.time_limit, on_slot=follow, **how), []
        except Stopped as stopped:
            return stopped.runs, [stopped]


def holds_requests(path: Path) -> bool:
    """Whether a file holds a ``hetedge`` instance, whose requests arrive one by one."""
    from uara.base import files

    return files.read_plain_json(path).get("kind") == "hetedge"


def open_trace(path: Path) -> MobilityTrace:
    """A trace file, or an instance file as a trace of one slot."""
    import numpy as np

    from uara.base import files
    from uara.p1.instance import Instance
    from uara.scenarios.trace import KIND, MobilityTrace

    if files.read_plain_json(path).get("kind") == KIND:
        return MobilityTrace.load(path)
    instance = Instance.load(path)
    position = instance.devices.position_m
    if position is None:
        position = np.zeros((len(instance.devices), 3))
    gain = instance.channel.dense(len(instance.servers))
    return MobilityTrace(instance, gain[None], position[None], instance.parameters.slot_ms / 1e3, 0.0)


FIGURES: Sequence[tuple[str, int, Callable[[SimulatedRun], float | None], int]] = (
    ("objective s", 1, lambda run: run.total("objective_ms") / 1e3, 3),
    ("controllable s", 0, lambda run: run.total("controllable_ms") / 1e3, 3),
    ("mean latency ms", 1, lambda run: run.mean("latency_mean_ms"), 1),
    ("95th percentile ms", 2, lambda run: run.mean("latency_p95_ms"), 1),
    ("energy kJ", 2, lambda run: run.total("energy_j") / 1e3, 3),
    ("last battery", 3, lambda run: run.last("battery_mean"), 4),
    ("mean backlog ms", 3, lambda run: run.mean("backlog_s") * 1e3, 1),
    ("decision p50 ms", 1, lambda run: run.percentile("decision_s", 50) * 1e3, 2),
    ("p99 ms", 2, lambda run: run.percentile("decision_s", 99) * 1e3, 2),
    ("p99.9 ms", 3, lambda run: run.percentile("decision_s", 99.9) * 1e3, 2),
    ("mean optimality gap %", 1, lambda run: mean_gap(run), 3),
)
"""Columns of the table: heading with unit, place, value of a run, decimals."""


def _table(runs: list[SimulatedRun]) -> Table:
    from uara.base.cells import Column, Table, number, words

    slots = len(runs[0].rows)
    runs = [run for run in runs if len(run.rows) == slots]  # one that was interrupted cannot be compared
    columns = [
        Column("solver", numeric=False),
        *(Column(name, place=place) for name, place, _, _ in FIGURES),
    ]
    rows = [
        [words(run.controller.title), *(number(digits)(value(run)) for _, _, value, digits in FIGURES)]
        for run in sorted(runs, key=lambda run: run.total("objective_ms"))
    ]
    return Table(columns, rows, f"{slots} slots; sums over the slots, means where said")


def mean_gap(run: SimulatedRun) -> float | None:
    """In per cent: what a deadline costs shows here; None where the solver proves nothing."""
    gaps = [row["gap"] for row in run.rows if row["gap"] is not None]
    return 100 * sum(gaps) / len(gaps) if gaps else None


@contextmanager
def _following(text: str, quiet: bool) -> Iterator[Any]:
    """A status line on a terminal; a first run says that it compiles."""
    from rich.console import Console

    from uara.answers.display import compiling_shown

    console = Console(stderr=True, quiet=quiet)
    with console.status(text) as status, compiling_shown(console, update=status.update):
        yield status
