"""Fig. 1's Gantt chart and Fig. 2's panels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import pictures
from uara.base.extras import needs
from uara.psd.activity import Activity
from uara.psd.study import Row, best_gammas
from uara.psd.timeline import Timeline
from uara.psd.trace import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"mobile": "#3b6fb6", "transmission": "#e0a030", "server": "#2f9e75"}
_LANES = {"device": 3, "uplink": 2, "server": 1, "downlink": 0}
_OF_LANE = {"device": "mobile", "uplink": "transmission", "server": "server", "downlink": "transmission"}
_LABELS = {
    "mobile": "mobile computation",
    "transmission": "network transmission",
    "server": "server computation",
}


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, Any]:
    needs("matplotlib.figure", extra="plot")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # a figure of its own: no window system, no global state
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def save(figure: Figure, path: Path) -> None:
    """Write a figure; see :func:`uara.base.pictures.save`."""
    pictures.save(figure, path, dpi=150)


def gantt(timelines: Mapping[str, Timeline], until_ms: float | None = None) -> Figure:
    """Who works when, one panel for each method, on a common clock (Fig. 1, bottom).

    Parameters
    ----------
    timelines
        Simulated or real, by the title of their panel.
    until_ms
        Right end of the clock; the last completion where left out.
    """
    figure, axes = _figure(len(timelines), 1, (10, 0.6 + 1.9 * len(timelines)))
    last_ms = 1e3 * max(each.completion_s for each in timelines.values())
    for axis, (title, timeline) in zip(axes[:, 0], timelines.items(), strict=True):
        _bars(axis, timeline.activities)
        for gap in timeline.waits:
            span = [(1e3 * gap.start_s, 1e3 * (gap.end_s - gap.start_s))]
            lane = _LANES[gap.resource] - 0.4
            axis.broken_barh(
                span, (lane, 0.8), facecolor="none", edgecolor="#bbbbbb", hatch="////", linewidth=0
            )
        done_ms = 1e3 * timeline.completion_s
        axis.axvline(done_ms, color="#444444", linewidth=1, linestyle=":")
        axis.set_yticks(list(_LANES.values()), list(_LANES))
        axis.set_xlim(0, until_ms or 1.02 * last_ms)
        axis.set_title(f"{title}: {timeline.new_tokens} tokens in {done_ms:.1f} ms", loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel("time in ms (hatched: waiting)")
    return figure


def _bars(axis: Axes, activities: Iterable[Activity]) -> None:
    for resource, lane in _LANES.items():
        own = [each for each in activities if each.resource == resource]
        spans = [(1e3 * each.start_s, 1e3 * (each.end_s - each.start_s)) for each in own]
        colour = COLOURS[_OF_LANE[resource]]
        axis.broken_barh(spans, (lane - 0.4, 0.8), facecolor=colour, edgecolor="white", linewidth=0.3)


def figure2(gamma_rows: Sequence[Row], rate_rows: Sequence[Row], task: str) -> Figure:
    """Latency split over the draft length, total latency over it, and over the data rate (Fig. 2).

    Parameters
    ----------
    gamma_rows, rate_rows
        Of both methods and all tasks; the rate's rows may hold several payloads.
    task
        Whose parts the left panels show.
    """
    figure, axes = _figure(2, 3, (13, 7))
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
    for part, colour in COLOURS.items():
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
