"""Picture and table of recorded learning curves: python compare.py comparison.csv comparison.png [--page own-policy.md]

Seeds are interpolated linearly on a common axis; intervals are Student's, 95 %, over the seeds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import small_world
import typer
from numpy.typing import NDArray

Curve = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""Steps, processor seconds and costs of a run."""
MARK = re.compile(r"(<!-- comparison -->\n).*?(<!-- end of comparison -->)", re.DOTALL)
STYLES = ("-", "--", "-.", ":")
NEAR_MS = 2500.0
"""Top of the pictures: random actions lie far above."""


def curves_of(rows: list[tuple[Any, ...]]) -> dict[str, list[Curve]]:
    """The runs of each algorithm."""
    runs: dict[tuple[str, int], list[list[float]]] = {}
    for name, seed, *numbers in rows:
        runs.setdefault((name, seed), []).append([float(number) for number in numbers])
    found: dict[str, list[Curve]] = {}
    for (name, _), points in sorted(runs.items()):
        steps, seconds, costs = np.array(points).T
        found.setdefault(name, []).append((steps, seconds, costs))
    return found


def at(curves: list[Curve], axis: int, place: NDArray[Any] | float) -> NDArray[Any]:
    """(runs, ...) Costs at a number of steps (axis 0) or of processor seconds (1)."""
    return np.array([np.interp(place, curve[axis], curve[2]) for curve in curves])


def half_width(values: NDArray[Any]) -> float:
    """Half of the 95 % interval of a mean; none of a single value."""
    from scipy.stats import t

    count = len(values)
    if count < 2:
        return float("nan")
    return float(t.ppf(0.975, count - 1) * values.std(ddof=1) / count**0.5)


def common(curves: dict[str, list[Curve]], axis: int) -> float:
    """The last place of an axis that every run reached."""
    return float(min(curve[axis][-1] for each in curves.values() for curve in each))


def _part(cost_ms: float, known: dict[str, float]) -> str:
    if cost_ms > known["random"]:
        return "worse than random"
    return f"{100 * small_world.part_of_distance(cost_ms, known):.1f} %"


def _ms(value: float) -> str:
    return f"{value:,.1f}" if value < 1e5 else f"{value:.1e}"


def table(curves: dict[str, list[Curve]], known: dict[str, float]) -> str:
    """What everybody costs at equal steps and at equal time, best at the bottom."""
    steps, seconds = common(curves, 0), common(curves, 1)
    lines = [
        f"| | seeds | ms after {steps:,.0f} steps | of the distance | ms after {seconds:.0f} s | of the distance "
        f"| steps in {seconds:.0f} s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    entries: list[tuple[float, str]] = []
    for name, cost in known.items():
        cell = f"{_ms(cost)} | {_part(cost, known)}"
        entries.append((cost, f"| {name} | | {cell} | {cell} | |"))
    for name, runs in curves.items():
        cells, cost = [], 0.0
        for axis, place in ((0, steps), (1, seconds)):
            found = at(runs, axis, place)
            cost = float(found.mean())
            cells += [f"{_ms(cost)} ± {_ms(half_width(found))}", _part(cost, known)]
        made = np.mean([np.interp(seconds, curve[1], curve[0]) for curve in runs])
        entries.append((cost, f"| **{name}** | {len(runs)} | {' | '.join(cells)} | {made:,.0f} |"))
    return "\n".join([*lines, *(line for _, line in sorted(entries, reverse=True))]) + "\n"


def draw(curves: dict[str, list[Curve]], known: dict[str, float], picture: Path) -> None:
    """Means over the seeds among the reference lines, by steps and by time; bands from least to largest seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), layout="constrained")
    kinds = list(dict.fromkeys(name.split(",")[0] for name in curves))
    inks = {}
    for name in curves:
        kind = name.split(",")[0]
        again = sum(ink == f"C{kinds.index(kind)}" for ink, _ in inks.values())
        inks[name] = f"C{kinds.index(kind)}", STYLES[again]
    near = [(name, cost) for name, cost in known.items() if cost < NEAR_MS]
    both = figure.subplots(1, 2, sharey=True)
    for axes, axis, label in zip(
        both, (0, 1), ("slots of each of 16 worlds", "processor seconds of training"), strict=True
    ):
        for style, (name, cost) in zip(STYLES, near, strict=False):
            axes.axhline(cost, linewidth=1, color="0.35", ls=style, label=f"{name}, {cost:,.0f} ms")
        for name, runs in curves.items():
            places = np.linspace(0, min(run[axis][-1] for run in runs), 200)
            found = at(runs, axis, places)
            ink, style = inks[name]
            axes.plot(places, found.mean(0), color=ink, ls=style, label=f"{name}, {len(runs)} seeds")
            axes.fill_between(places, found.min(0), found.max(0), alpha=0.15, color=ink, lw=0)
        axes.set_xlabel(label)
        axes.set_ylim(0.97 * known["optimum"], NEAR_MS)
    both[0].set_ylabel("controllable objective of held-out slots [ms]")
    figure.legend(*both[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    figure.suptitle(f"small world; random actions cost {known['random']:,.0f} ms", fontsize=9)
    figure.savefig(picture, dpi=110)


def main(
    curve: Path, picture: Path, page: Annotated[Path | None, typer.Option(help="Renew its table too.")] = None
) -> None:
    """Draw, and print the table or put it into a page between its marks."""
    rows, known = small_world.load(curve)
    curves = curves_of(rows)
    draw(curves, known, picture)
    if page is None:
        typer.echo(table(curves, known))
    else:
        page.write_text(MARK.sub(lambda found: found[1] + table(curves, known) + found[2], page.read_text()))


if __name__ == "__main__":
    typer.run(main)
