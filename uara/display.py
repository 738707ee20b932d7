"""Results on a terminal: the ranking table, the score of one answer, the list of solvers, live progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from uara.base.errors import printable
from uara.problem import Columns, Score
from uara.registry import Method
from uara.solver import Progress, Result


def ranked(results: Sequence[Result]) -> list[Result]:
    """Feasible answers first, then by objective, then by runtime."""
    return sorted(
        results,
        key=lambda result: (
            not result.evaluation.feasible,
            result.evaluation.objective_ms,
            result.runtime_s,
        ),
    )


def label(result: Result) -> str:
    """The solver's name, with those options that are not its defaults."""
    changed = result.options.model_dump(exclude_defaults=True)
    return " ".join([result.solver, *(f"{key}={value}" for key, value in changed.items())])


def shown(name: str) -> Text:
    """A name in a table: no markup, and nothing that cannot be printed."""
    return Text(printable(name))


def output_console() -> Console:
    """Standard output; where it is no terminal, wide enough that tables do not break."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


def ranking_table(results: Sequence[Result], best_known_ms: float | None = None) -> Table:
    """Solvers by objective, with what is proven of each answer; times in ms, energy in J.

    Parameters
    ----------
    best_known_ms
        Best objective known of the instance; each answer's distance to it is shown, relative to the
        controllable part.
    """
    proven = any(result.bound_ms is not None for result in results)
    table = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=shown(results[0].instance.name), title_justify="left"
    )
    table.add_column("solver", overflow="fold")
    table.add_column("status")
    for name in ("objective\nms", "controll.\nms", "latency ms\nmean/p95", "energy\nJ"):
        table.add_column(name, justify="right", no_wrap=True)
    more = ["bound\nms", "gap\n%"] if proven else []
    more += ["over best\nknown %"] if best_known_ms is not None else []
    for name in [*more, "runtime\ns"]:
        table.add_column(name, justify="right", no_wrap=True)
    for result in ranked(results):
        score, latency = result.evaluation, result.evaluation.latency_ms
        gap = None if result.gap is None else 100 * result.gap
        table.add_row(
            shown(label(result)),
            "\n".join(_standing(result)),
            number(score.objective_ms, 0),
            number(score.controllable_ms),
            f"{number(latency['mean'], 0)}/{number(latency['p95'], 0)}",
            number(score.energy_j, 0),
            *([number(result.bound_ms, 0), number(gap, 4)] if proven else []),
            *([number(_over(score, best_known_ms), 4)] if best_known_ms is not None else []),
            f"{result.runtime_s:.3f}",
        )
    return table


def _standing(result: Result) -> list[str]:
    """What is proven, how the run ended if not by itself, and whether a guard replaced what was learned."""
    ended = [] if result.ended == "completed" else [str(result.ended)]
    return [result.status, *ended, *(["guarded"] if result.details.get("guarded") else [])]


def _over(score: Score, best_known_ms: float) -> float:
    """By how many percent of the best known controllable part an answer is worse."""
    distance_ms = score.objective_ms - best_known_ms
    if abs(distance_ms) <= 1e-9 * score.objective_ms:
        return 0.0
    return 100 * distance_ms / (score.controllable_ms - distance_ms)


def number(value: float | None, digits: int = 1) -> str:
    """A number with thousands separators; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "-" if value is None else "infinite"
    return f"{value:,.{digits}f}"


def score_table(score: Score) -> Table:
    """One answer's terms, latency, energy and violations."""
    table = Table(show_header=False, box=None)
    table.add_column("what")
    table.add_column("value", justify="right")
    for key, value in score.to_plain().items():
        if key == "violations":
            continue
        if isinstance(value, dict):
            for inner, part in value.items():
                table.add_row(f"  {key}: {inner}", number(part, 3))
        elif isinstance(value, bool):
            table.add_row(key, "yes" if value else "no")
        else:
            table.add_row(key, number(value, 3))
    for item in score.to_plain()["violations"]:
        table.add_row(shown(f"[violated] {item['constraint']} at {item['where']}"), number(item["amount"], 6))
    return table


_SCALES = (
    ("_bit_per_s", "\nMbit/s", 1e-6),
    ("_per_root_flop", "\nper root FLOP", 1.0),
    ("_flop", "\nTFLOP", 1e-12),
    ("_ms", "\nms", 1.0),
    ("_db", "\ndB", 1.0),
    ("_j", "\nJ", 1.0),
    ("_share", "\nshare", 1.0),
    ("_used", "\nused", 1.0),
)
"""Ends of names of columns, what stands for them in a head, and what values are multiplied by."""


def answer_table(name: str, columns: Columns) -> Table:
    """A table of an answer: numbers to four digits, rates in Mbit/s and work in TFLOP."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=name, title_justify="left")
    cells: list[list[str | Text]] = []
    for title, values in columns.items():
        numeric = not any(isinstance(value, str) for value in values)
        end, head, factor = next((each for each in _SCALES if title.endswith(each[0])), ("", "", 1.0))
        label = title.removesuffix(end).replace("_", "\n") + head
        table.add_column(label, justify="right" if numeric else "left", overflow="fold", vertical="bottom")
        cells.append([f"{value * factor:.4g}" if numeric else shown(value) for value in values])
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    return table


def solvers_table(methods: Sequence[Method]) -> Table:
    """Every solver with its options, and the reason where it cannot be used."""
    table = Table(box=SIMPLE_HEAD, show_lines=True)
    for name in ("solver", "what it does", "options (default)"):
        table.add_column(name, overflow="fold")
    for method in methods:
        text = escape(printable(method.summary))
        if method.traits.warm_start:
            text += "\ntakes a start"
        if method.reason:
            text += f"\n[red]not available: {escape(printable(method.reason))}[/red]"
        options = "\n".join(
            f"[bold]{item['name']}[/bold] {escape(item['type'])} ({escape(str(item['default']))}): "
            f"{escape(item['description'])}"
            for item in options_of(method)
        )
        table.add_row(shown(method.name), text, options)
    return table


def options_of(method: Method) -> list[dict[str, Any]]:
    """Name, type, default and meaning of each option of a solver, as plain data."""
    return [
        {
            "name": name,
            "type": type_name(field.annotation),
            "default": None if field.is_required() else to_jsonable_python(default_of(field), fallback=str),
            "description": field.description or "",
        }
        for name, field in method.traits.options.model_fields.items()
    ]


def default_of(field: FieldInfo) -> Any:
    """An option's default, made if it is made afresh for each run."""
    return field.get_default(call_default_factory=True, validated_data={})


def type_name(annotation: Any) -> str:
    """A type as users write its values."""
    if get_origin(annotation) is None:
        return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))
    parts = get_args(annotation)
    if all(isinstance(part, str) for part in parts):
        return "|".join(parts)
    return "|".join(type_name(part) for part in parts if not hasattr(part, "metadata"))


@contextmanager
def progress_line(console: Console, solver: str) -> Iterator[Callable[[Progress], None] | None]:
    """A line that follows a run on a terminal; nothing elsewhere."""
    if not console.is_terminal:
        yield None
        return
    with console.status(f"{solver} ...") as status:

        def show(point: Progress) -> None:
            parts = [f"[bold]{escape(solver)}[/bold] {point.elapsed_s:.1f} s"]
            if math.isfinite(point.controllable_ms):
                parts.append(f"incumbent {point.controllable_ms:,.1f} ms")
            if math.isfinite(point.gap):
                parts.append(f"gap {100 * point.gap:.4f} %")
            parts += [f"{key} {value:g}" for key, value in point.details.items()]
            if point.message:
                parts.append(escape(printable(point.message)))
            status.update(" | ".join(parts))

        yield show
