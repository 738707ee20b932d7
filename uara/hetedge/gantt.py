"""Pictures: the requests of an instance, and a plan as a Gantt chart of uplink, draft node and verify node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uara.base import pictures
from uara.base.errors import InputError, printable
from uara.base.quantities import Floats
from uara.problem import evaluate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from uara.hetedge.evaluation import Evaluation
    from uara.hetedge.instance import HetEdge
    from uara.hetedge.plan import Plan


def draw(
    instance: HetEdge, path: str | Path | None = None, plan: Plan | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the requests, or with a plan its Gantt chart.

    Parameters
    ----------
    path
        A .png, .svg or .pdf file. Without one a notebook shows the picture.
    ax
        Axes to draw the first panel alone into.

    Returns
    -------
    Axes
        Of the first panel.

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    InputError
        For another kind of file, or a plan that cannot be replayed.
    """
    score: Any = None if plan is None else evaluate(instance, plan)
    if score is not None and not score.steps:
        raise InputError("cannot be replayed: " + "; ".join(map(str, score.violations)), source="plan")
    size = (9, 4) if plan is None else (13, 6)
    shape: dict[str, Any] = {"ncols": 2} if plan is None else {"nrows": 2, "height_ratios": (3, 2)}
    with pictures.panels(path, ax, size, credit=instance.provenance.credits, **shape) as (main, *others):
        if plan is None:
            _draw_requests(main, instance)
        else:
            _draw_gantt(main, instance, plan, score)
        for second in others:
            if plan is None:
                _draw_snr(second, instance)
            else:
                _draw_start(second, plan, score)
    return main


def _draw_requests(axes: Axes, instance: HetEdge) -> None:
    requests = instance.requests
    for kind in sorted(set(requests.task or ("request",))):
        chosen = np.array([name == kind for name in requests.task or ["request"] * len(requests)])
        axes.scatter(
            requests.prompt_tokens[chosen], requests.acceptance_rate[chosen], s=14, alpha=0.7, label=kind
        )
    axes.set(xlabel="prompt [tokens]", ylabel="acceptance rate", title=printable(instance.name))
    axes.legend(fontsize=8)


def _draw_snr(axes: Axes, instance: HetEdge) -> None:
    axes.hist(10 * np.log10(instance.snr), bins=20, color="0.5")
    axes.set(xlabel="SNR over the whole band [dB]", ylabel="requests")


def _colours(count: int) -> Any:
    from matplotlib import colormaps

    return colormaps["tab20"](np.arange(count) % 20 / 20)


def _draw_gantt(axes: Axes, instance: HetEdge, plan: Plan, score: Evaluation) -> None:
    """All of it: when prompts arrive, what the nodes do, when batches are complete."""
    colours = _colours(len(plan.batch_size))
    low = 2.1
    for batch, members in enumerate(plan.members()):
        arrival: Floats = score.release_ms[members]
        height = 0.8 / len(plan.batch_size)
        axes.broken_barh(
            [(0.0, float(arrival.max()) / 1e3)], (low, height), color=colours[batch], linewidth=0
        )
        low += height
        end = float(score.request_latency_ms[members[0]]) / 1e3
        axes.axvline(end, color=colours[batch], linewidth=0.8, linestyle=":")
        above = 3.02 + 0.16 * (batch % 2)
        axes.text(end, above, f"{plan.batch_size[batch]}x{plan.length[batch]}", fontsize=7, ha="center")
    _bars(axes, score, colours)
    axes.set(
        ylim=(-0.05, 3.0),
        xlim=(0, score.makespan_ms / 1e3),
        yticks=[0.5, 1.5, 2.5],
        yticklabels=["verify node", "draft node", "uploads"],
    )
    names = (
        f"{instance.name}: total {score.objective_ms / 1e3:,.1f} s, makespan {score.makespan_ms / 1e3:,.2f} s"
    )
    busy = f"busy: draft {score.busy_fraction('draft'):.0%}, verify {score.busy_fraction('verify'):.0%}"
    axes.set_title(f"{names}; {busy}; requests x drafts above each batch's end", fontsize=9, pad=22)


def _draw_start(axes: Axes, plan: Plan, score: Evaluation) -> None:
    """The first rounds of the first group, where the alternation can be seen."""
    first = set(plan.groups()[0])
    early = [step.end_ms for step in score.steps if step.batch in first and step.round <= 7]
    begin = min(step.start_ms for step in score.steps)
    _bars(axes, score, _colours(len(plan.batch_size)))
    for step in score.steps:
        if step.batch in first and step.round <= 7 and step.end_ms > step.start_ms:
            middle = (step.start_ms + step.end_ms) / 2e3
            axes.text(
                middle,
                0.5 if step.stage == "verify" else 1.5,
                str(step.round),
                ha="center",
                va="center",
                fontsize=7,
            )
    axes.set(
        ylim=(-0.05, 2.0),
        xlim=(begin / 1e3, max(early) / 1e3),
        yticks=[0.5, 1.5],
        yticklabels=["verify node", "draft node"],
        xlabel="time [s]",
    )
    axes.set_title("first rounds (numbers: round of the batch)", fontsize=9)


def _bars(axes: Axes, score: Evaluation, colours: Any) -> None:
    for stage, low in (("verify", 0.1), ("draft", 1.1)):
        steps = [step for step in score.steps if step.stage == stage and step.end_ms > step.start_ms]
        spans = [(step.start_ms / 1e3, (step.end_ms - step.start_ms) / 1e3) for step in steps]
        axes.broken_barh(spans, (low, 0.8), color=[colours[step.batch] for step in steps], linewidth=0)
