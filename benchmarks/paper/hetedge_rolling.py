"""Requests that arrive over time: plans of what waits, beside full batches and continuous batching.

python benchmarks/paper/hetedge_rolling.py CONVERSATION.csv CODE.csv -o docs/hetedge/rolling.csv     # some minutes

The files are arrival traces, such as Azure's of 2023 (CC-BY-4.0). Traces and speeds that the table holds are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import hetedge_record
import numpy as np
import typer

from uara.base.files import check_output
from uara.hetedge.generate import generate
from uara.hetedge.rolling import Course, baselines, roll

SPEEDS = (0.03, 0.07, 0.15)
"""Times the trace's own: from a load that the nodes bear to one above it."""
REQUESTS = 200


@dataclass(frozen=True)
class Row:
    """How one method served one trace."""

    trace: str
    speed: float
    method: str
    mean_s: float
    p95_s: float
    """Response, from arrival to answer."""
    p99_s: float
    last_s: float
    """When the last request was answered."""


def row_of(trace: str, speed: float, course: Course) -> Row:
    """What is shown of a course."""
    response_s = course.response_ms / 1e3
    p95_s, p99_s = np.percentile(response_s, [95, 99])
    return Row(
        trace, speed, course.method, float(response_s.mean()), float(p95_s), float(p99_s),
        float(course.complete_ms.max()) / 1e3,
    )  # fmt: skip


def served(trace: Path, speed: float, requests: int = REQUESTS) -> list[Row]:
    """One trace at one speed by every method."""
    instance = generate(
        requests=requests, channel="path-loss", seed=1, arrivals=str(trace), arrival_speed=speed
    )
    courses = [roll(instance, "hetedge-dp"), *baselines(instance)]
    return [row_of(trace.stem, speed, course) for course in courses]


def go_on(
    traces: Sequence[Path],
    path: Path,
    *,
    speeds: Sequence[float] = SPEEDS,
    requests: int = REQUESTS,
    follow: Callable[[str], None] = typer.echo,
) -> list[Row]:
    """Serve what the table lacks; it is written after each trace and speed."""
    rows = hetedge_record.read(path, Row)
    known = {(row.trace, row.speed) for row in rows}
    for speed in speeds:
        for trace in traces:
            if (trace.stem, speed) in known:
                continue
            new = served(trace, speed, requests)
            rows += new
            hetedge_record.write(rows, path)
            for row in new:
                follow(f"{row.trace} {row.speed:g} {row.method}: {row.mean_s:.1f} / {row.p95_s:.1f} s")
    return rows


def main(
    traces: Annotated[list[Path], typer.Argument(help="Arrival traces.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write or to go on with.")],
) -> None:
    """Serve the traces at every speed."""
    check_output(output, suffixes=(".csv",), inputs=traces, kind=",".join(hetedge_record.columns(Row)))
    go_on(traces, output)


if __name__ == "__main__":
    typer.run(main)
