"""Fig. 1's Gantt chart of a decoding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from uara.base.errors import InputError
from uara.base.extras import needs
from uara.psd.activity import Activity
from uara.psd.timeline import Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"mobile": "#3b6fb6", "transmission": "#e0a030", "server": "#2f9e75"}
_LANES = {"device": 3, "uplink": 2, "server": 1, "downlink": 0}
_OF_LANE = {"device": "mobile", "uplink": "transmission", "server": "server", "downlink": "transmission"}


def blank(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, Any]:
    """A figure of a size in inches, and its (rows, columns) panels."""
    figures = needs("matplotlib.figure", extra="plot")
    figure = figures.Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def gantt(
    timelines: Mapping[str, Timeline], until_ms: float | None = None, *, ax: Sequence[Axes] | None = None
) -> Figure:
    """Who works when, one panel for each method, on a common clock (Fig. 1, bottom).

    Parameters
    ----------
    timelines
        Simulated or real, by the title of their panel.
    until_ms
        Right end of the clock; the last completion where left out.
    ax
        Axes to draw into, one for each method.
    """
    if ax is None:
        _, panels = blank(len(timelines), 1, (10, 0.6 + 1.9 * len(timelines)))
        ax = list(panels[:, 0])
    elif len(ax) != len(timelines):
        raise InputError(f"{len(ax)} axes, but there are {len(timelines)} timelines", source="ax")
    last_ms = 1e3 * max(each.completion_s for each in timelines.values())
    for axis, (title, timeline) in zip(ax, timelines.items(), strict=True):
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
    ax[-1].set_xlabel("time in ms (hatched: waiting)")
    return ax[-1].figure  # type: ignore[return-value]


def _bars(axis: Axes, activities: Iterable[Activity]) -> None:
    for resource, lane in _LANES.items():
        own = [each for each in activities if each.resource == resource]
        spans = [(1e3 * each.start_s, 1e3 * (each.end_s - each.start_s)) for each in own]
        colour = COLOURS[_OF_LANE[resource]]
        axis.broken_barh(spans, (lane - 0.4, 0.8), facecolor=colour, edgecolor="white", linewidth=0.3)
