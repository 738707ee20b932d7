"""``uara simulate``: run solvers as controllers over a trace, slot by slot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uara.cli.output import finish, print_json
from uara.cli.runs import attach_options, parse_solver

if TYPE_CHECKING:
    from rich.table import Table

    from uara.mec.simulate import SimulatedRun
    from uara.scenarios.trace import Trace


def command(
    trace: Annotated[
        Path,
        typer.Argument(
            help="Trace file, or an instance file, whose channel stands still; or name of a shipped one."
        ),
    ],
    solver: Annotated[
        list[str] | None,
        typer.Option(
            help="Solver, or package.module:function; may be repeated, and carry options: tma-masac:polish=true"
        ),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="key=value for every solver that knows it.")
    ] = None,
    slots: Annotated[
        int | None, typer.Option(min=1, help="Number of slots T; the trace's by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root seed of tasks and own work.")] = 0,
    profile: Annotated[str, typer.Option(help="Task profile: shipped name or .json file.")] = "gpt2_gpt2-xl",
    time_limit: Annotated[float | None, typer.Option(help="Seconds for each decision.")] = None,
    warm: Annotated[bool, typer.Option("--warm/--cold", help="Start from the last slot's decision.")] = True,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all slots to this CSV.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the course to this file (.png, .svg, .pdf).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Every slot as JSON.")] = False,
) -> None:
    """Run solvers as controllers over a trace, slot by slot; each drains its own batteries and fills its own queues."""
    from rich.console import Console

    from uara.base import pictures
    from uara.base.files import check_output, save_or_rescue
    from uara.display import output_console
    from uara.mec.simulate import COLUMNS, Controller, Stopped, save_csv, save_plot, simulate
    from uara.shipped import located

    trace = located(trace)
    specs = attach_options([parse_solver(word) for word in solver or ["tma-masac"]], option or [])
    controllers = [
        Controller(
            name=spec.name,
            options=spec.options.model_dump(exclude_defaults=True),
            label=" ".join([spec.name, *(f"{key}={value}" for key, value in spec.values.items())]),
        )
        for spec in specs
    ]
    chosen, inputs = open_trace(trace), [trace, Path(profile)]
    if output:
        check_output(output, suffixes=(".csv",), inputs=inputs, kind=",".join(COLUMNS))
    if plot:
        pictures.check_picture(plot, inputs=inputs)
    failures: list[BaseException] = []
    try:
        with Console(stderr=True, quiet=json).status("simulating") as status:
            runs = simulate(
                chosen,
                controllers,
                slots=slots,
                seed=seed,
                profile=profile,
                time_limit_s=time_limit,
                warm=warm,
                on_slot=lambda controller, number: status.update(f"{controller.title}: slot {number + 1}"),
            )
    except Stopped as stopped:
        runs = stopped.runs
        failures.append(stopped)

    def save() -> None:
        if output:
            save_or_rescue(lambda path: save_csv(runs, path), output)

    def show() -> None:
        if json:
            print_json([row for run in runs for row in run.rows])
        else:
            output_console().print(_table(runs))

    if runs:
        finish(save, show, lambda: save_plot(runs, plot) if plot else None, failures=failures)
    else:
        finish(None, failures=failures)


def open_trace(path: Path) -> Trace:
    """A trace file, or an instance file as a trace of one slot."""
    import numpy as np

    from uara.base import files
    from uara.p1.instance import Instance
    from uara.scenarios.trace import KIND, Trace

    if files.read_plain_json(path).get("kind") == KIND:
        return Trace.load(path)
    instance = Instance.load(path)
    position = instance.devices.position_m
    if position is None:
        position = np.zeros((len(instance.devices), 3))
    gain = instance.channel.dense(len(instance.servers))
    return Trace(instance, gain[None], position[None], instance.parameters.slot_ms / 1e3, 0.0)


def _table(runs: list[SimulatedRun]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    slots = len(runs[0].rows)
    runs = [run for run in runs if len(run.rows) == slots]  # one that was interrupted cannot be compared
    table = Table(box=SIMPLE_HEAD, title=f"{slots} slots; sums over the slots, means where said")
    for name in (
        "solver", "objective [s]", "controllable [s]", "mean latency [ms]", "p95 [ms]", "energy [kJ]",
        "last battery", "mean backlog [ms]", "decision [ms]",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "solver" else "right")
    for run in sorted(runs, key=lambda run: run.total("objective_ms")):
        table.add_row(
            run.controller.title,
            f"{run.total('objective_ms') / 1e3:,.3f}",
            f"{run.total('controllable_ms') / 1e3:,.3f}",
            f"{run.mean('latency_mean_ms'):,.1f}",
            f"{run.mean('latency_p95_ms'):,.1f}",
            f"{run.total('energy_j') / 1e3:,.3f}",
            f"{run.last('battery_mean'):.4f}",
            f"{run.mean('backlog_s') * 1e3:,.1f}",
            f"{run.mean('decision_s') * 1e3:,.2f}",
        )
    return table
