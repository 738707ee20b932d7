"""Draw a recorded learning curve among its reference lines: python draw.py curve.csv curve.png."""

from __future__ import annotations

import csv
from pathlib import Path

import typer


def main(curve: Path, picture: Path) -> None:
    """Cost over processor time; random actions are named beside, they would flatten everything else."""
    from matplotlib.figure import Figure

    with curve.open() as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    styles = iter(["-", "--", "-.", ":"])
    runs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows:
        cost = float(row["controllable_ms"])
        if row["step"]:
            run = runs.setdefault((row["algorithm"], row["seed"]), [])
            run.append((float(row["cpu_s"]), cost))
        elif row["algorithm"] == "random":
            axes.set_title(f"small world; random actions cost {cost:,.0f} ms", fontsize=9)
        else:
            style = next(styles)
            axes.axhline(
                cost, linewidth=1, color="0.3", ls=style, label=f"{row['algorithm']}, {cost:,.1f} ms"
            )
    for (name, seed), points in runs.items():
        axes.plot(*zip(*points, strict=True), label=f"{name}, seed {seed}")
    axes.set_xlabel("processor time [s]")
    axes.set_ylabel("controllable objective of held-out slots [ms]")
    axes.legend(fontsize=8)
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    typer.run(main)
