"""Fig. 2 in one call, with its data and its two observations; and PSD's gain at gamma = speed ratio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from uara.base import sheets
from uara.base.errors import InputError
from uara.base.extras import needs
from uara.base.files import check_output
from uara.base.pictures import check_picture
from uara.psd import pictures
from uara.psd.hardware import Speeds
from uara.psd.payload import Payload
from uara.psd.profile import TaskProfile
from uara.psd.study import Row, Study, best_gammas, ratio_speeds, saturation_mbit_per_s, speedups
from uara.psd.timeline import Timeline
from uara.psd.trace import METHODS, Method

if TYPE_CHECKING:
    from rich.table import Table

GAMMAS = range(1, 26)
RATES_MBIT_PER_S = tuple(round(10 ** (exponent / 4), 3) for exponent in range(-8, 21))
"""From 0.01 Mbit/s to 100 Gbit/s, four a decade."""
COMPARED: tuple[Method, ...] = ("conventional", "psd")


def draw_figures(profile: TaskProfile, speeds: Speeds, task: str, folder: Path) -> Iterator[str]:
    """Write Fig. 2's picture and data and Fig. 1's chart into a folder; yields what is seen, line by line.

    Parameters
    ----------
    task
        Whose latency the left panels split, and whose first prompt the chart shows.

    Raises
    ------
    InputError
        If the profile has no such task.
    MissingExtra
        If matplotlib is not installed.
    """
    needs("matplotlib", extra="plot")
    if task not in profile.tasks:
        raise InputError(f"no task {task!r} in profile {profile.name}; it has {', '.join(profile.tasks)}")
    tables, charts = ("figure2_gamma.csv", "figure2_rate.csv"), ("figure2.png", "figure1.png")
    for name in tables:
        check_output(folder / name, suffixes=(".csv",), kind=",".join(Row._fields))
    for name in charts:
        check_picture(folder / name)
    study = Study(profile, speeds)
    own = profile.payload
    gamma_rows = study.over_gamma(COMPARED, GAMMAS, own)
    best = {method: best_gammas(gamma_rows, method) for method in COMPARED}
    rate_rows: list[Row] = []
    kinds: list[Payload] = list(dict.fromkeys([own, "full-logits"]))
    for kind in kinds:
        for method in COMPARED:
            rate_rows += study.over_rate([method], RATES_MBIT_PER_S, kind, best[method])
    write_rows(gamma_rows, folder / tables[0])
    write_rows(rate_rows, folder / tables[1])
    pictures.save(pictures.figure2(gamma_rows, rate_rows, task), folder / charts[0])
    pictures.save(pictures.gantt(first_prompt(study, task, best["psd"][task])), folder / charts[1])
    for method in COMPARED:
        yield f"best gamma, {method}: " + ", ".join(f"{name} {gamma}" for name, gamma in best[method].items())
    for kind in kinds:
        rows = [row for row in rate_rows if row.payload == kind]
        rates = (f"{name} {saturation_mbit_per_s(rows, name, 'psd'):g}" for name in profile.tasks)
        yield f"PSD is within 1 % of its best from, in Mbit/s, sending {kind}: " + ", ".join(rates)
    yield f"wrote figure1.png, figure2.png, figure2_gamma.csv and figure2_rate.csv into {folder}"


def first_prompt(study: Study, task: str, gamma: int) -> dict[str, Timeline]:
    """The task's first prompt decoded by the three methods, at the study's speeds."""
    lines = {
        method: study.timelines(task, method, gamma, study.profile.payload, study.speeds)[0]
        for method in METHODS
    }
    return {
        method if method == "autoregressive" else f"{method}, gamma {gamma}": lines[method]
        for method in METHODS
    }


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Rows as CSV."""
    cells = ([round(each, 6) if isinstance(each, float) else each for each in row] for row in rows)
    sheets.write(path, Row._fields, cells)


def comparison_table(profile: TaskProfile, ratios: Sequence[float]) -> Table:
    """How many times faster PSD is at gamma = speed ratio, for each task; links cost nothing."""
    from rich.table import Table

    table = Table(title=f"{profile.name}: PSD is faster than ... (times), gamma = speed ratio, free links")
    table.add_column("task")
    table.add_column("than")
    for ratio in ratios:
        table.add_column(f"{ratio:g}", justify="right")
    gains = [
        speedups(Study(profile, ratio_speeds(each)).comparison(_gamma(each), "tokens")) for each in ratios
    ]
    for task in profile.tasks:
        for other in ("conventional", "autoregressive"):
            table.add_row(task, other, *(f"{gain[task][other]:.2f}" for gain in gains))
    return table


def _gamma(ratio: float) -> int:
    if not ratio > 0:
        raise InputError(f"a speed ratio must be positive, not {ratio}")
    return max(1, round(ratio))
