"""``uara simulate`` of ``hetedge`` requests that arrive over time: solvers that plan what waits, beside baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.cli.output import finish, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from uara.hetedge.rolling import Course
    from uara.mec.simulate import Controller


def serve(
    path: Path,
    controllers: Sequence[Controller],
    *,
    seed: int,
    time_limit_s: float | None,
    output: Path | None,
    json: bool,
    follow: Callable[[str], None],
) -> None:
    """Serve the requests of an instance file by each controller and the baselines; print a table of response times."""
    from uara.answers.display import output_console
    from uara.base import sheets
    from uara.base.files import check_output, save_or_rescue
    from uara.hetedge.instance import HetEdge
    from uara.hetedge.rolling import COLUMNS, baselines, roll

    instance = HetEdge.load(path)
    if output:
        check_output(output, suffixes=(".csv",), inputs=[path], kind=",".join(COLUMNS))
    courses: list[Course] = []
    for controller in controllers:
        follow(controller.title)
        courses.append(
            roll(
                instance,
                controller.name,
                options=controller.options,
                time_limit_s=time_limit_s,
                seed=seed,
                method=controller.title,
            )
        )
    follow("baselines")
    courses += baselines(instance)
    names = tuple(instance.requests.id)
    rows = [row for course in courses for row in course.rows(names)]

    def show() -> None:
        if json:
            print_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
        else:
            output_console().print(_table(courses))

    def save() -> None:
        if output:
            save_or_rescue(lambda to: sheets.write(to, COLUMNS, rows), output)

    finish(save, show)


def _table(courses: Sequence[Course]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD, title=f"{len(courses[0].ready_ms)} requests; response: from arrival to answer"
    )
    for name in ("method", "mean [s]", "median [s]", "p95 [s]", "last answer [s]", "decisions", "each [ms]"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for course in sorted(courses, key=lambda course: float(course.response_ms.mean())):
        response_s = course.response_ms / 1e3
        figures: list[Any] = [
            response_s.mean(), np.median(response_s), np.percentile(response_s, 95), course.complete_ms.max() / 1e3,
        ]  # fmt: skip
        each = f"{course.decision_s * 1e3 / course.decisions:,.1f}" if course.decisions else ""
        table.add_row(
            course.method, *(f"{figure:,.3f}" for figure in figures), str(course.decisions or ""), each
        )
    return table
