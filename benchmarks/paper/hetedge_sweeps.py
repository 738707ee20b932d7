"""Sweeps over the batched system: the joint optimum beside its benchmark schemes, one table and one figure each.

python benchmarks/paper/hetedge_sweeps.py instances/hetedge_k100.json -o docs/hetedge      # a quarter of an hour

Every point comes with what is proved of all its plans, whatever their order. The points that the tables hold already
are left out, so that a study that was stopped goes on: for another one, name another folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hetedge_record
import numpy as np

from uara.base import pictures
from uara.base.clock import processor_time
from uara.base.errors import printable
from uara.base.files import check_output
from uara.cli import main
from uara.hetedge.instance import HetEdge
from uara.hetedge.request_prices import earliest_ms
from uara.solver import solve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Solver = tuple[str, Mapping[str, Any]]

SEARCHED = "joint optimum, orders searched"
GAP = 0.01
"""Proven gap at which the search and the proof of a point end."""
MOST_S = 45.0
"""Their longest processor time."""
SEARCH_S = 10.0
"""Processor time of a search where the proof is known."""
RULES: Mapping[str, Any] = {"bandwidth": "uniform", "batching": "max", "length": 4, "order": "given"}
METHODS: Mapping[str, Solver] = {
    "joint optimum": ("hetedge-dp", {}),
    "uniform band, full batches, length 4": ("hetedge-rules", RULES),
    "the same, shortest prompts first": ("hetedge-rules", {**RULES, "order": "prompt"}),
    "the same without pipeline": ("hetedge-rules", {**RULES, "pipeline": False}),
    "no batching": ("hetedge-rules", {**RULES, "batching": "none"}),
    "autoregressive": ("hetedge-autoregressive", {}),
    "autoregressive, all else optimal": (
        "hetedge-autoregressive",
        {"bandwidth": "in-time", "batching": "optimal", "order": "output"},
    ),
}
"""The lines of the figures, beside :data:`SEARCHED` and the best fixed length."""
BENCHMARK = "uniform band, full batches, length 4"
ORDERED = "the same, shortest prompts first"
FIXED_LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)
SWEEPS: Mapping[str, tuple[float, ...]] = {
    "requests": (20, 40, 60, 80, 100),
    "bandwidth_mhz": (0.05, 0.1, 0.2, 0.5, 1, 2, 5),
    "acceptance_rate": (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
}
"""What is varied, one at a time, about the given instance."""
LABELS = {
    "requests": "requests K",
    "bandwidth_mhz": "uplink band [MHz]",
    "acceptance_rate": "acceptance rate, the same for all",
}

INGREDIENTS: Mapping[str, Mapping[str, Any]] = {
    "order of service": {"order": "prompt"},
    "band in time": {"bandwidth": "in-time"},
    "batch sizes": {"batching": "optimal"},
    "speculation lengths": {"length": "optimal"},
}
"""Each ingredient of the joint optimum, as an option of the rules."""


@dataclass(frozen=True)
class Row:
    """One point of a sweep, solved by one method."""

    sweep: str
    value: float
    method: str
    total_ms: float
    makespan_ms: float
    mean_ms: float
    p95_ms: float
    runtime_s: float
    bound_ms: float = 0.0
    """Certified lower bound on the total latency of every plan of the point; 0 where none was made."""

    @property
    def gap(self) -> float:
        """Part of the total latency that no proof says is needed."""
        return 1 - self.bound_ms / self.total_ms


def varied(instance: HetEdge, sweep: str, value: float) -> HetEdge:
    """The instance with one quantity changed; fewer requests are the first ones."""
    if sweep == "requests":
        kept = {name: column[: int(value)] for name, column in instance.requests.columns().items()}
        return instance.replace(requests=type(instance.requests)(**kept))
    if sweep == "bandwidth_mhz":
        return instance.replace(
            parameters=instance.parameters.model_copy(update={"bandwidth_hz": value * 1e6})
        )
    rate = np.full(len(instance.requests), value)
    return instance.replace(requests=instance.requests.replace(acceptance_rate=rate))


def run(
    instance: HetEdge, sweep: str, value: float, method: str, solver: Solver, most_s: float | None = None
) -> Row:
    """Solve one point, by the seconds of the processor."""
    with processor_time():
        result = solve(instance, solver[0], options=solver[1], time_limit_s=most_s)
    score: Any = result.evaluation
    latency = score.latency_ms
    return Row(
        sweep, value, method, score.objective_ms, score.makespan_ms, latency["mean"], latency["p95"],
        result.runtime_s, result.certified_bound_ms or 0.0,
    )  # fmt: skip


def searched(instance: HetEdge, point: HetEdge, sweep: str, value: float, known: Sequence[Row]) -> Row:
    """The best order that was found at a point, with what is proved of all of them.

    What a certificate proves depends on the band by the first prompt's arrival alone, so that the proof of the
    instance itself serves at every band.
    """
    whole = ("requests", float(len(instance.requests)), SEARCHED)
    base = next((row for row in known if (row.sweep, row.value, row.method) == whole), None)
    if sweep != "bandwidth_mhz" or base is None:
        return run(point, sweep, value, SEARCHED, ("hetedge-bound", {"gap": GAP}), MOST_S)
    row = run(point, sweep, value, SEARCHED, ("hetedge-dp", {"search_s": SEARCH_S}), MOST_S)
    later_ms = earliest_ms(point) - earliest_ms(instance)
    return replace(row, bound_ms=base.bound_ms + len(instance.requests) * later_ms)


def point_rows(
    instance: HetEdge, point: HetEdge, sweep: str, value: float, known: Sequence[Row]
) -> list[Row]:
    """One point by all methods, each with the bound of the point."""
    best = searched(instance, point, sweep, value, known)
    rows = [run(point, sweep, value, method, solver) for method, solver in METHODS.items()]
    fixed = [
        run(point, sweep, value, "best fixed length", ("hetedge-rules", {**RULES, "length": length}))
        for length in FIXED_LENGTHS
    ]
    rows += [best, min(fixed, key=lambda row: row.total_ms)]
    return [replace(row, bound_ms=best.bound_ms) for row in rows]


def proved(rows: Sequence[Row]) -> list[Row]:
    """Those with a bound: what was recorded without is made anew."""
    return [row for row in rows if row.bound_ms > 0]


def sweep_rows(
    instance: HetEdge,
    sweeps: Mapping[str, Sequence[float]] = SWEEPS,
    follow: Callable[[str], None] | None = None,
    known: Sequence[Row] = (),
) -> Iterator[list[Row]]:
    """All rows that are known so far, after each point of the sweeps that was not."""
    rows = proved(known)
    for sweep, values in sweeps.items():
        for value in values:
            if sweep == "requests" and value > len(instance.requests):
                continue
            if any((row.sweep, row.value) == (sweep, value) for row in rows):
                continue
            if follow:
                follow(f"{sweep} = {value:g}")
            rows += point_rows(instance, varied(instance, sweep, value), sweep, value, rows)
            yield rows


def ablation_rows(instance: HetEdge, known: Sequence[Row] = ()) -> list[Row]:
    """Each ingredient alone, added to the benchmark, and each taken away from the whole.

    Parameters
    ----------
    known
        Rows of the sweeps: the instance itself is one of their points.
    """
    whole = {key: value for change in INGREDIENTS.values() for key, value in change.items()}
    chosen: dict[str, Solver] = {
        "benchmark": ("hetedge-rules", RULES),
        "benchmark without pipeline": ("hetedge-rules", {**RULES, "pipeline": False}),
        "band min-max": ("hetedge-rules", {**RULES, "bandwidth": "min-max"}),
        "band min-sum": ("hetedge-rules", {**RULES, "bandwidth": "min-sum"}),
    }
    for name, change in INGREDIENTS.items():
        chosen[f"benchmark + {name}"] = ("hetedge-rules", {**RULES, **change})
    chosen["joint optimum"] = ("hetedge-dp", {})
    for name, change in INGREDIENTS.items():
        kept = {**whole, **{key: RULES[key] for key in change}}
        chosen[f"joint without {name}"] = ("hetedge-rules", kept)
    chosen["joint without pipeline"] = ("hetedge-dp", {"pipeline": False})
    rows = [run(instance, "ablation", 0.0, method, solver) for method, solver in chosen.items()]
    requests = float(len(instance.requests))
    best = next(
        (row for row in known if (row.sweep, row.value, row.method) == ("requests", requests, SEARCHED)), None
    )
    best = best or searched(instance, instance, "requests", requests, ())
    rows.insert(list(chosen).index("joint optimum") + 1, replace(best, sweep="ablation", value=0.0))
    return [replace(row, bound_ms=best.bound_ms) for row in rows]


def saving(
    rows: Sequence[Row], against: str, sweep: str, method: str = "joint optimum"
) -> list[tuple[float, float]]:
    """(value, part of the total latency that the joint optimum, or another, saves) against a method, along a sweep."""
    totals = {(row.value, row.method): row.total_ms for row in rows if row.sweep == sweep}
    values = sorted({value for value, _ in totals})
    return [(value, 1 - totals[value, method] / totals[value, against]) for value in values]


def write_study(instance: HetEdge, folder: Path, follow: Callable[[str], None] | None = None) -> list[Path]:
    """Run the sweeps and the ablation; write ``sweeps.csv``, ``ablation.csv`` and the figures.

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    written = [folder / "sweeps.csv", folder / "ablation.csv", folder / "sweeps.png", folder / "ablation.png"]
    for path in written[:2]:
        check_output(path, suffixes=(".csv",), kind=",".join(hetedge_record.columns(Row)))
    for path in written[2:]:
        pictures.check_picture(path)
    from matplotlib.figure import Figure

    rows = proved(hetedge_record.read(written[0], Row))
    for so_far in sweep_rows(instance, follow=follow, known=rows):
        rows = so_far
        hetedge_record.write(rows, written[0])
    if follow:
        follow("ablation")
    ablation = proved(hetedge_record.read(written[1], Row)) or ablation_rows(instance, rows)
    hetedge_record.write(ablation, written[1])
    figure = Figure(figsize=(15, 8), layout="constrained")
    axes = figure.subplots(2, 3)
    for column, sweep in enumerate(SWEEPS):
        _draw_totals(axes[0, column], rows, sweep)
        _draw_savings(axes[1, column], rows, sweep)
    axes[0, 0].legend(fontsize=7)
    axes[1, 0].legend(fontsize=7)
    figure.suptitle(f"{printable(instance.name)}: total serving latency", fontsize=11)
    bars = Figure(figsize=(9, 5), layout="constrained")
    _draw_ablation(bars.add_subplot(), ablation)
    for picture, path in ((figure, written[2]), (bars, written[3])):
        pictures.save(picture, path, dpi=130)
    return written


def _draw_totals(axes: Axes, rows: Sequence[Row], sweep: str) -> None:
    for method in [*METHODS, SEARCHED, "best fixed length"]:
        if method == "no batching":
            continue  # several times the others: it would flatten them
        points = [
            (row.value, row.total_ms / 1e3) for row in rows if (row.sweep, row.method) == (sweep, method)
        ]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, label=method)
    proved = {row.value: row.bound_ms / 1e3 for row in rows if row.sweep == sweep}
    axes.plot(*zip(*proved.items(), strict=True), color="k", linestyle=":", label="no plan is below (proved)")
    axes.set(xlabel=LABELS[sweep], ylabel="total latency [s]", ylim=(0, None))
    if sweep == "bandwidth_mhz":
        axes.set_xscale("log")


def _draw_savings(axes: Axes, rows: Sequence[Row], sweep: str) -> None:
    for against in (BENCHMARK, ORDERED, "best fixed length", "autoregressive, all else optimal"):
        points = saving(rows, against, sweep)
        axes.plot(
            [value for value, _ in points], [100 * part for _, part in points], marker="o", markersize=4,
            label=f"against: {against}",
        )  # fmt: skip
    axes.axhline(44.9, color="k", linestyle="--", linewidth=0.8, label="44.9 %: the paper's largest")
    axes.set(xlabel=LABELS[sweep], ylabel="saved by the joint optimum [%]", ylim=(0, 100))
    if sweep == "bandwidth_mhz":
        axes.set_xscale("log")


def _draw_ablation(axes: Axes, rows: Sequence[Row]) -> None:
    names = [row.method for row in rows][::-1]
    totals = np.array([row.total_ms for row in rows])[::-1]
    colours = ["C0" if name.startswith("joint") else "0.6" for name in names]
    axes.barh(names, totals / 1e3, color=colours)
    base = rows[0].total_ms
    for place, total in enumerate(totals):
        axes.text(total / 1e3, place, f" {100 * (total / base - 1):+.1f} %", va="center", fontsize=8)
    axes.set(
        xlabel="total latency [s] (and change against the benchmark)", xlim=(0, 1.15 * totals.max() / 1e3)
    )


if __name__ == "__main__":
    main(["hetedge", "figures", *sys.argv[1:]])
