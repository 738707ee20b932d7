"""Figures 5 and 6 of the paper, each by one command, with every number behind them as CSV.

    python benchmarks/paper/figures_5_6.py fig5 --out docs/masac
    python benchmarks/paper/figures_5_6.py fig6 --out docs/masac

Instances are cut from ray-traced drops that training never sees (``instances/drops``). Points are means over
the drops with 95 % intervals (Student's t).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer

from uara.p1.allocation import allocate
from uara.p1.instance import Instance
from uara.p1.model import Allocation, evaluate
from uara.p1.subset import subset
from uara.solver import solve

DROPS = Path(__file__).parents[2] / "instances" / "drops"
"""20 servers and 240 devices each, seeds 500 to 509; the training pool's seeds begin at 7,000,000."""
DEVICES = (30, 60, 90, 120, 150, 180)
SERVERS = (4, 8, 12, 16, 20)
WEIGHTS = (20.0, 40.0, 60.0, 80.0, 100.0)
KEPT = "tma-masac, X of w = 20"
RULES = ("random", "max-sinr", "max-compute")
CONTROLLERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("tma-masac", "tma-masac", {}),
    ("tma-masac polish", "tma-masac", {"polish": True}),
    ("price, certified", "price", {}),
    *((f"{rule} uniform", rule, {"allocation": "uniform"}) for rule in RULES),
    *((f"{rule} optimal", rule, {"allocation": "optimal"}) for rule in RULES),
)
app = typer.Typer(add_completion=False)
Out = Annotated[Path, typer.Option(help="Folder of the CSV and the picture.")]
Seeds = Annotated[int, typer.Option(min=2, help="Number of drops.")]


@app.command()
def fig5(out: Out = Path("."), seeds: Seeds = 10) -> None:
    """Average latency against M (E = 8) and against E (M = 90)."""
    rows = []
    for axis, instance, seed in _sizes(seeds):
        for title, solver, options in CONTROLLERS:
            result = solve(instance, solver, options=options, seed=seed)
            size = {"axis": axis, "devices": len(instance.devices), "servers": len(instance.servers)}
            rows.append({**size, "seed": seed, "scheme": title, **_numbers(instance, result)})
    _with_gaps(rows)
    _write(rows, out / "fig5.csv")
    _draw_fig5(rows, out / "fig5.png")
    _print_reductions(rows, out / "fig5_reductions.csv")


@app.command()
def fig6(out: Out = Path("."), seeds: Seeds = 10) -> None:
    """Latency and energy against w, for devices with B >= 0.8 and with B <= 0.2 (E = 8, M = 90).

    Half of the devices of each instance have a low battery, half a high one. The search at each w starts
    from the answer at the w before, so that the points of a line differ by w and not by chance. The third
    scheme keeps the first w's association: what remains is the effect of w on the shares.
    """
    rows: list[dict[str, Any]] = []
    first = np.zeros(0, dtype=np.int64)
    for drop in _drops(seeds):
        base, seed = subset(drop, 8, 90), drop.provenance.seed or 0
        rng = np.random.default_rng(seed)
        low = np.arange(90) % 2 == 0
        battery = np.where(low, rng.uniform(0.05, 0.2, 90), rng.uniform(0.8, 1.0, 90))
        for title, solver in (("tma-masac", "tma-masac"), ("price, certified", "price")):
            start: Allocation | None = None
            for weight in WEIGHTS:
                instance = base.replace(
                    parameters=base.parameters.model_copy(update={"energy_weight_ms_per_j": weight}),
                    devices=base.devices.replace(battery_fraction=battery),
                )
                result = solve(instance, solver, seed=seed, start=start)
                head = {"seed": seed, "w": weight}
                start = cast(Allocation, result.decision)
                rows += list(_groups(instance, result.evaluation, {**head, "scheme": title}, low))
                if title == "tma-masac":
                    first = start.association if weight == WEIGHTS[0] else first
                    kept = evaluate(instance, _reallocated(instance, first))
                    rows += list(_groups(instance, kept, {**head, "scheme": KEPT}, low))
    _write(rows, out / "fig6.csv")
    _draw_fig6(rows, out / "fig6.png")


def _reallocated(instance: Instance, association: Any) -> Allocation:
    """The policy's shares for an association that is given."""
    from uara.solvers.masac.solver import load_policy, weighted_allocation

    band, compute = load_policy("").log_weights(instance)
    allocation: Allocation = weighted_allocation(instance, association, np.exp(band), np.exp(compute))
    return allocation


def _groups(instance: Instance, score: Any, head: dict[str, Any], low: Any) -> Iterator[dict[str, Any]]:
    computing = instance.devices.device_flop / instance.parameters.device_efficiency_flop_per_j
    for group, who in (("low", low), ("high", ~low)):
        yield {
            **head,
            "battery": group,
            "latency_ms": float(score.device_latency_ms[who].mean()),
            "energy_j": float(score.device_energy_j[who].mean()),
            "uplink_energy_mj": float((score.device_energy_j - computing)[who].mean() * 1e3),
        }


def _sizes(seeds: int) -> Iterator[tuple[str, Instance, int]]:
    for drop in _drops(seeds):
        seed = drop.provenance.seed or 0
        for devices in DEVICES:
            yield "devices", subset(drop, 8, devices), seed
        for servers in SERVERS:
            yield "servers", subset(drop, servers, 90), seed


def _drops(count: int) -> list[Instance]:
    paths = sorted(DROPS.glob("drop_s*.json"))
    if len(paths) < count:
        raise typer.BadParameter(f"{DROPS} holds {len(paths)} drops, not {count}")
    return [Instance.load(path) for path in paths[:count]]


def _numbers(instance: Instance, result: Any) -> dict[str, float]:
    """Scores, and the excess over what exact shares reach for the same association."""
    score = result.evaluation
    exact = evaluate(instance, allocate(instance, result.decision.association, "optimal"))
    return {
        "allocation_gap": score.controllable_ms / exact.controllable_ms - 1,
        "latency_ms": score.latency_ms["mean"],
        "latency_p95_ms": score.latency_ms["p95"],
        "energy_j": score.energy_j,
        "controllable_ms": score.controllable_ms,
        "objective_ms": score.objective_ms,
        "bound_ms": float("nan") if result.bound_ms is None else result.bound_ms,
        "runtime_s": result.runtime_s,
    }


def _with_gaps(rows: list[dict[str, Any]]) -> None:
    """Proven gap of every row on the controllable part, by the price method's certified bound."""
    key = ("axis", "devices", "servers", "seed")
    bound = {
        tuple(row[k] for k in key): row["bound_ms"] for row in rows if row["scheme"] == "price, certified"
    }
    for row in rows:
        row["bound_ms"] = bound[tuple(row[k] for k in key)]
        row["gap"] = max(0.0, row["objective_ms"] - row["bound_ms"]) / row["controllable_ms"]


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(
            {key: f"{value:.8g}" if isinstance(value, float) else value for key, value in row.items()}
            for row in rows
        )
    typer.echo(f"{path}")


def interval(values: list[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval."""
    from scipy.stats import t

    array = np.array(values)
    half = t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return float(array.mean()), float(half)


def _line(
    rows: list[dict[str, Any]], x: str, y: str, **match: Any
) -> tuple[list[float], list[float], list[float]]:
    chosen = [row for row in rows if all(row[key] == value for key, value in match.items())]
    places = sorted({row[x] for row in chosen})
    points = [interval([row[y] for row in chosen if row[x] == place]) for place in places]
    return places, [mean for mean, _ in points], [half for _, half in points]


def _draw_fig5(rows: list[dict[str, Any]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    panels = figure.subplots(2, 2)
    for column, (axis, label) in enumerate(
        (("devices", "devices M (E = 8)"), ("servers", "servers E (M = 90)"))
    ):
        for line, sharing in enumerate(("uniform", "optimal")):
            axes = panels[line, column]
            for title in ("tma-masac", "price, certified", *(f"{rule} {sharing}" for rule in RULES)):
                x, mean, half = _line(rows, axis, "latency_ms", axis=axis, scheme=title)
                style = "--" if title == "price, certified" else "-"  # lies on the line of tma-masac
                axes.errorbar(
                    x, mean, half, label=title, capsize=2, marker="o", markersize=3, linestyle=style
                )
            axes.set_yscale("log")
            axes.set_ylim(bottom=100)
            axes.set_xlabel(label)
            axes.set_ylabel("average latency [ms]")
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7)
            axes.set_title(f"baselines with {sharing} shares", fontsize=9)
    figure.savefig(path, dpi=120)
    typer.echo(f"{path}")


def _draw_fig6(rows: list[dict[str, Any]], path: Path) -> None:
    """Changes against the smallest w, seed by seed: instances differ far more than w does."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    labels = {
        "latency_ms": "change of average latency [ms]",
        "uplink_energy_mj": "change of uplink energy a device [mJ]",
    }
    for axes, (key, label) in zip(figure.subplots(1, 2), labels.items(), strict=True):
        start = {_line_of(row): row[key] for row in rows if row["w"] == WEIGHTS[0]}
        changes = [{**row, key: row[key] - start[_line_of(row)]} for row in rows]
        for scheme, style in (("tma-masac", "-"), ("price, certified", "--"), (KEPT, ":")):
            for group, colour in (("low", "C0"), ("high", "C1")):
                x, mean, half = _line(changes, "w", key, scheme=scheme, battery=group)
                title = f"{scheme}, {group} battery"
                axes.errorbar(x, mean, half, label=title, capsize=2, linestyle=style, color=colour)
        axes.set_xlabel("energy weight w [ms/J]")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    figure.savefig(path, dpi=120)
    typer.echo(f"{path}")


def _line_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["seed"], row["scheme"], row["battery"]


def reductions(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At each point: TMA-MASAC's mean latency against the best baseline's there, and its proven gap."""
    table = []
    for axis in ("devices", "servers"):
        for place in sorted({row[axis] for row in rows if row["axis"] == axis}):
            here = [row for row in rows if row["axis"] == axis and row[axis] == place]

            def mean(title: str, key: str, here: list[dict[str, Any]] = here) -> float:
                return float(np.mean([row[key] for row in here if row["scheme"] == title]))

            entry: dict[str, Any] = {
                "axis": axis,
                "value": place,
                "tma_masac_ms": mean("tma-masac", "latency_ms"),
            }
            for sharing in ("uniform", "optimal"):
                best = min(RULES, key=lambda rule, kind=sharing: mean(f"{rule} {kind}", "latency_ms"))  # type: ignore[misc]
                latency = mean(f"{best} {sharing}", "latency_ms")
                entry[f"best_{sharing}"] = best
                entry[f"best_{sharing}_ms"] = latency
                entry[f"reduction_{sharing}"] = 1 - entry["tma_masac_ms"] / latency
            entry["gap"] = mean("tma-masac", "gap")
            entry["gap_polish"] = mean("tma-masac polish", "gap")
            entry["allocation_gap"] = mean("tma-masac", "allocation_gap")
            entry["gap_price"] = mean("price, certified", "gap")
            table.append(entry)
    return table


def _print_reductions(rows: list[dict[str, Any]], path: Path) -> None:
    table = reductions(rows)
    _write(table, path)
    for sharing in ("uniform", "optimal"):
        cut = [entry[f"reduction_{sharing}"] for entry in table]
        typer.echo(
            f"against the best baseline with {sharing} shares: "
            f"{np.mean(cut):.1%} lower on average, {np.max(cut):.1%} at best, {np.min(cut):.1%} at least"
        )


if __name__ == "__main__":
    app()
