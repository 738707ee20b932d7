"""Fig. 2 of the paper, with its data and its two observations, and Fig. 1's chart.

    python benchmarks/paper/figure2.py -o docs/psd      # a minute

Latency of a profile's tasks over the draft length and over the data rate, conventional decoding above and PSD below.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import sheets
from uara.base.errors import InputError
from uara.base.extras import needs
from uara.base.files import check_output
from uara.base.pictures import check_picture, save
from uara.cli import main
from uara.psd import pictures
from uara.psd.comparison import Row, Study
from uara.psd.hardware import Speeds
from uara.psd.payload import Payload
from uara.psd.profile import TaskProfile
from uara.psd.timeline import Timeline
from uara.psd.trace import METHODS, Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAMMAS = range(1, 26)
RATES_MBIT_PER_S = tuple(round(10 ** (exponent / 4), 3) for exponent in range(-8, 21))
"""From 0.01 Mbit/s to 100 Gbit/s, four a decade."""
_LABELS = {
    "mobile": "mobile computation",
    "transmission": "network transmission",
    "server": "server computation",
}
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
    gamma_rows = over_gamma(study, COMPARED, GAMMAS, own)
    best = {method: best_gammas(gamma_rows, method) for method in COMPARED}
    rate_rows: list[Row] = []
    kinds: list[Payload] = list(dict.fromkeys([own, "full-logits"]))
    for kind in kinds:
        for method in COMPARED:
            rate_rows += over_rate(study, [method], RATES_MBIT_PER_S, kind, best[method])
    write_rows(gamma_rows, folder / tables[0])
    write_rows(rate_rows, folder / tables[1])
    save(figure2(gamma_rows, rate_rows, task), folder / charts[0])
    save(pictures.gantt(first_prompt(study, task, best["psd"][task])), folder / charts[1])
    for method in COMPARED:
        yield f"best gamma, {method}: " + ", ".join(f"{name} {gamma}" for name, gamma in best[method].items())
    for kind in kinds:
        rows = [row for row in rate_rows if row.payload == kind]
        rates = (f"{name} {saturation_mbit_per_s(rows, name, 'psd'):g}" for name in profile.tasks)
        yield f"PSD is within 1 % of its best from, in Mbit/s, sending {kind}: " + ", ".join(rates)
    yield f"wrote figure1.png, figure2.png, figure2_gamma.csv and figure2_rate.csv into {folder}"


def over_gamma(study: Study, methods: Iterable[Method], gammas: Sequence[int], payload: Payload) -> list[Row]:
    """Rows for all tasks, methods and draft lengths at the uplink's own rate."""
    return [
        study.row(task, method, g, payload)
        for method in methods
        for task in study.profile.tasks
        for g in gammas
    ]


def over_rate(
    study: Study,
    methods: Iterable[Method],
    rates_mbit_per_s: Sequence[float],
    payload: Payload,
    gammas: dict[str, int],
) -> list[Row]:
    """Rows for all tasks, methods and data rates, each task at its own draft length."""
    return [
        study.row(task, method, gammas[task], payload, rate)
        for method in methods
        for task in study.profile.tasks
        for rate in rates_mbit_per_s
    ]


def best_gammas(rows: Iterable[Row], method: Method) -> dict[str, int]:
    """The draft length of least latency, for each task."""
    best: dict[str, Row] = {}
    for row in rows:
        if row.method == method and (row.task not in best or row.total_ms < best[row.task].total_ms):
            best[row.task] = row
    return {task: row.gamma for task, row in best.items()}


def saturation_mbit_per_s(rows: Iterable[Row], task: str, method: Method, within: float = 0.01) -> float:
    """The lowest data rate whose latency is within a share of that of the highest rate."""
    chosen = sorted(
        (row for row in rows if row.task == task and row.method == method),
        key=lambda row: row.uplink_mbit_per_s,
    )
    if not chosen:
        raise InputError(f"no rows of task {task!r} and method {method}")
    limit_ms = chosen[-1].total_ms * (1 + within)
    # from the top, so that a dip on the way does not count
    rate = chosen[-1].uplink_mbit_per_s
    for row in reversed(chosen):
        if row.total_ms > limit_ms:
            break
        rate = row.uplink_mbit_per_s
    return rate


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


def figure2(gamma_rows: Sequence[Row], rate_rows: Sequence[Row], task: str) -> Figure:
    """Latency split over the draft length, total latency over it, and over the data rate (Fig. 2).

    Parameters
    ----------
    gamma_rows, rate_rows
        Of both methods and all tasks; the rate's rows may hold several payloads.
    task
        Whose parts the left panels show.
    """
    figure, axes = pictures.blank(2, 3, (13, 7))
    methods: tuple[Method, ...] = ("conventional", "psd")
    for row, method in enumerate(methods):
        own = [each for each in gamma_rows if each.method == method]
        _split_panel(axes[row, 0], [each for each in own if each.task == task], f"{method}: {task}")
        _gamma_panel(axes[row, 1], own, method)
        _rate_panel(axes[row, 2], [each for each in rate_rows if each.method == method], method)
    axes[0, 0].legend(fontsize=8)
    axes[0, 2].legend(fontsize=7)
    for column in range(3):
        top = max(axes[row, column].get_ylim()[1] for row in range(2))
        for row in range(2):
            axes[row, column].set_ylim(axes[row, column].get_ylim()[0], top)
            axes[row, column].spines[["top", "right"]].set_visible(False)
    return figure


def _split_panel(axis: Axes, rows: Sequence[Row], title: str) -> None:
    below = [0.0] * len(rows)
    gammas = [each.gamma for each in rows]
    for part, colour in pictures.COLOURS.items():
        heights = [float(getattr(each, f"{part}_ms")) for each in rows]
        axis.bar(gammas, heights, bottom=below, color=colour, label=_LABELS[part], width=0.85)
        below = [base + height for base, height in zip(below, heights, strict=True)]
    axis.set(title=title, xlabel="draft length gamma", ylabel="latency in ms")


def _gamma_panel(axis: Axes, rows: Sequence[Row], method: Method) -> None:
    best = best_gammas(rows, method)
    for task, gamma in best.items():
        own = [each for each in rows if each.task == task]
        label = f"{task}, best {gamma}"
        (line,) = axis.plot([each.gamma for each in own], [each.total_ms for each in own], label=label)
        lowest = next(each.total_ms for each in own if each.gamma == gamma)
        axis.plot([gamma], [lowest], "o", color=line.get_color())
    axis.legend(fontsize=8, loc="lower right")
    axis.set(title=f"{method}: total over gamma", xlabel="draft length gamma", ylabel="latency in ms")
    axis.set_ylim(bottom=0)


def _rate_panel(axis: Axes, rows: Sequence[Row], method: Method) -> None:
    styles = {"tokens": "-", "probabilities": "-.", "full-logits": "--"}
    colours: dict[str, Any] = {}
    for payload, style in styles.items():
        for task in dict.fromkeys(each.task for each in rows):
            own = [each for each in rows if (each.task, each.payload) == (task, payload)]
            if own:
                rates = [each.uplink_mbit_per_s for each in own]
                totals = [each.total_ms for each in own]
                (line,) = axis.plot(rates, totals, style, color=colours.get(task), label=f"{task}, {payload}")
                colours[task] = line.get_color()
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set(title=f"{method}: data rate", xlabel="uplink in Mbit/s", ylabel="latency in ms")


if __name__ == "__main__":
    main(["psd", "figure2", *sys.argv[1:]])
