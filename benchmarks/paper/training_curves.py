"""Curves of training runs: every run's validation gap over wall time, and its log as one CSV.

python benchmarks/paper/training_curves.py runs/seed1 runs/seed2 --out docs/masac/training
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

PANELS = {
    "gap": "validation: TMA-MASAC over exact shares",
    "allocation_gap": "validation: allocation alone, same X",
    "return": "return",
    "temperature": "temperature",
}


def main(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    out: Annotated[Path, typer.Option(help="Files to write, without their endings.")] = Path("training"),
) -> None:
    """Draw the curves of training runs, and gather their logs."""
    from matplotlib.figure import Figure

    logs = pd.concat([pd.read_csv(run / "log.csv").assign(run=run.name) for run in runs])
    logs.to_csv(out.with_suffix(".csv"), index=False)
    figure = Figure(figsize=(10, 6), layout="constrained")
    for axes, (key, title) in zip(figure.subplots(2, 2).flat, PANELS.items(), strict=True):
        for name, log in logs.groupby("run", sort=False):
            axes.plot(log["step"], log[key], label=name, marker=".", markersize=3)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("step")
        axes.set_yscale("linear" if key == "return" else "log")
        axes.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=7)
    figure.savefig(out.with_suffix(".png"), dpi=110)
    best = logs.groupby("run", sort=False)
    typer.echo(best.agg(gap=("gap", "min"), steps=("step", "max"), seconds=("elapsed_s", "max")).to_string())


if __name__ == "__main__":
    typer.run(main)
