"""``uara simulate`` of ``hetedge`` requests that arrive over time: solvers that plan what waits, beside baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base.cells import Column, Table, number, words
from uara.cli.output import finish, print_json

if TYPE_CHECKING:
    from uara.base.inks import Form
    from uara.cli.runs import Solving
    from uara.hetedge.rolling import Course
    from uara.mec.simulate import Controller


def serve(
    path: Path,
    controllers: Sequence[Controller],
    asked: Solving,
    output: Path | None,
    form: Form | None,
    *,
    json: bool,
    follow: Callable[[str], None],
) -> None:
    """Serve the requests of an instance file by each controller and the baselines; print a table of response times."""
    from uara.answers.display import print_table
    from uara.base import sheets
    from uara.base.files import check_output, save_or_rescue
    from uara.hetedge.instance import HetEdge
    from uara.hetedge.rolling import COLUMNS, baselines, roll

    instance = HetEdge.load(path)
    if output:
        check_output(output, suffixes=(".csv",), inputs=[path], kind=",".join(COLUMNS))
    how: dict[str, Any] = {"time_limit_s": asked.time_limit, "seed": asked.seed}
    courses: list[Course] = []
    for each in controllers:
        follow(each.title)
        courses.append(roll(instance, each.name, options=each.options, method=each.title, **how))
    follow("baselines")
    courses += baselines(instance)
    names = tuple(instance.requests.id)
    rows = [row for course in courses for row in course.rows(names)]

    def save() -> None:
        if output:
            save_or_rescue(lambda to: sheets.write(to, COLUMNS, rows), output)

    def show() -> None:
        if json:
            print_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
        else:
            print_table(_table(courses), form)

    finish(save, show)


FIGURES = (
    ("mean [s]", 0, lambda response_s: response_s.mean()),
    ("median [s]", 2, np.median),
    ("p95 [s]", 1, lambda response_s: np.percentile(response_s, 95)),
)
"""Columns of response times: heading, place, value."""


def _table(courses: Sequence[Course]) -> Table:
    columns = [
        Column("method", numeric=False),
        *(Column(name, place=place) for name, place, _ in FIGURES),
        *(Column("last answer [s]", place=2), Column("decisions", place=3), Column("each [ms]", place=1)),
    ]
    rows = []
    for course in sorted(courses, key=lambda course: float(course.response_ms.mean())):
        figures = [number(3)(value(course.response_ms / 1e3)) for _, _, value in FIGURES]
        figures.append(number(3)(course.complete_ms.max() / 1e3))
        each_ms = course.decision_s * 1e3 / course.decisions if course.decisions else None
        counted = [number(0)(course.decisions or None), number(1)(each_ms)]
        rows.append([words(course.method), *figures, *counted])
    return Table(columns, rows, f"{len(courses[0].ready_ms)} requests; response: from arrival to answer")
