"""Answers to several instances ranked over all of them; ``uara bench`` does it with intervals, noise and a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from uara.answers.display import label
from uara.base.cells import Column, Table, number, percent, significant, words
from uara.solver import Result, counts

Answers = Mapping[str, Sequence[Result]]
"""The answers to each instance."""


def overall_table(answers: Answers, solvers: Sequence[str], best_ms: Mapping[str, float | None]) -> Table:
    """A row for each solver, the best first.

    Parameters
    ----------
    solvers
        Labels of those that were to answer (:func:`uara.answers.display.label`): who lacks an answer has no mean.
    best_ms
        Best known objective of each instance, where one is known; otherwise the best of these answers is it.

    Notes
    -----
    The primal gap is the geometric mean of controllable part / best, less 1, as in ``uara bench``.
    """
    logs: dict[str, list[float]] = {name: [] for name in solvers}
    gaps: dict[str, list[float]] = {name: [] for name in solvers}
    wins, seconds = dict.fromkeys(solvers, 0), dict.fromkeys(solvers, 0.0)
    for instance, results in answers.items():
        usable = [each for each in results if counts(each.evaluation)]
        for each in results:
            seconds[label(each)] += each.runtime_s
        if not usable:
            continue
        score = usable[0].evaluation
        known_ms = best_ms.get(instance)
        least_ms = min(each.evaluation.objective_ms for each in usable)
        reference_ms = least_ms if known_ms is None else min(least_ms, known_ms)
        scale_ms = reference_ms - (score.objective_ms - score.controllable_ms)
        for each in usable:
            above = (each.evaluation.objective_ms - reference_ms) / scale_ms if scale_ms > 0 else 0.0
            logs[label(each)].append(math.log1p(max(0.0, above)))
            wins[label(each)] += above <= 1e-9
            if each.gap is not None:
                gaps[label(each)].append(each.gap)
    rows = []
    for name in solvers:
        every = len(logs[name]) == len(answers)
        excess = math.expm1(sum(logs[name]) / len(answers)) if every else math.inf
        proven = sum(gaps[name]) / len(answers) if len(gaps[name]) == len(answers) else None
        figures = [number(0)(len(logs[name])), number(0)(wins[name]), percent(4)(excess)]
        rows.append([words(name), *figures, percent(4)(proven), significant(3)(seconds[name])])
    rows.sort(key=lambda row: (row[3].value or 0.0, -(row[1].value or 0.0), row[5].value or 0.0))
    heads = [
        Column("solver", numeric=False),
        Column("answered", place=2),
        Column("best of all", place=2),
        Column("mean primal gap %"),
        Column("mean optimality gap %", place=1),
        Column("runtime s", place=1),
    ]
    return Table(heads, rows, f"over {len(answers)} instances")
