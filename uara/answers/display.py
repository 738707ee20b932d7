"""Results on a terminal: the ranking table, the score of one answer, the list of solvers, live progress."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.markup import escape

from uara.base import compiling, inks
from uara.base.cells import Cell, Column, Table, number, quantity, words
from uara.base.errors import printable
from uara.base.files import Record
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
    return label_of(result.solver, result.options)


def label_of(solver: str, options: Record) -> str:
    """As :func:`label`, of a solver that has not run."""
    changed = options.model_dump(exclude_defaults=True)
    return " ".join([solver, *(f"{key}={value}" for key, value in changed.items())])


def output_console() -> Console:
    """Standard output; where it is no terminal, wide enough that tables do not break."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


def print_table(table: Any, form: inks.Form | None = None) -> None:
    """Print a table on standard output: for people, or in the form of a file.

    Parameters
    ----------
    table
        A :class:`uara.base.cells.Table`; or whatever a third party's problem kind made for the library rich.
    """
    if not isinstance(table, Table):
        output_console().print(table)
    elif form is None:
        inks.show(table, output_console())
    else:
        print(inks.TEXTS[form](table))


def ranking_table(results: Sequence[Result], best_known_ms: float | None = None) -> Table:
    """Solvers by objective, with what is proven of each answer.

    Parameters
    ----------
    best_known_ms
        Best objective known of the instance; each answer's distance to it is shown, relative to the
        controllable part.
    """
    order = ranked(results)
    columns: list[tuple[Column, list[Cell]]] = [
        (Column("solver", numeric=False), [words(label(each)) for each in order]),
        (Column("status", numeric=False), [words(_standing(each)) for each in order]),
    ]

    def add(name: str, place: int, digits: int, values: Sequence[float | None]) -> None:
        columns.append((Column(name, place=place), list(map(number(digits), values))))

    if any(each.ended != "completed" for each in order):
        columns.append((Column("ended", numeric=False), [words(each.ended) for each in order]))
    scores = [each.evaluation for each in order]
    add("objective ms", 3, 0, [score.objective_ms for score in scores])
    add("controllable ms", 0, 1, [score.controllable_ms for score in scores])
    add("mean latency ms", 2, 0, [score.latency_ms["mean"] for score in scores])
    add("95th percentile ms", 4, 0, [score.latency_ms["p95"] for score in scores])
    add("energy J", 4, 0, [score.energy_j for score in scores])
    if any(each.bound_ms is not None for each in order):
        add("bound ms", 5, 0, [each.bound_ms for each in order])
        add("optimality gap %", 1, 4, [None if each.gap is None else 100 * each.gap for each in order])
    if best_known_ms is not None:
        add("primal gap %", 1, 4, [_over(score, best_known_ms) for score in scores])
    add("runtime s", 1, 3, [each.runtime_s for each in order])
    rows = list(zip(*(cells for _, cells in columns), strict=True))
    return Table([column for column, _ in columns], rows, printable(results[0].instance.name))


def _standing(result: Result) -> str:
    """What is proven, and whether a guard replaced what was learned."""
    return f"{result.status}, guarded" if result.details.get("guarded") else str(result.status)


def _over(score: Score, best_known_ms: float) -> float:
    """By how many percent of the best known controllable part an answer is worse."""
    distance_ms = score.objective_ms - best_known_ms
    if abs(distance_ms) <= 1e-9 * score.objective_ms:
        return 0.0
    return 100 * distance_ms / (score.controllable_ms - distance_ms)


_SCORES = {"objective": "ms", "controllable": "ms", "constant": "ms", "amount": ""}
"""Units of figures whose names have none."""
_THOUSANDTHS = number(3)


def score_table(score: Score) -> Table:
    """One answer's terms, latency, energy and violations."""
    rows: list[list[Cell]] = []

    def add(name: str, unit: str, value: Any) -> None:
        shown = words("yes" if value else "no") if isinstance(value, bool) else _THOUSANDTHS(value)
        rows.append([words(name), shown, words(unit)])

    plain = score.to_plain()
    for key, value in plain.items():
        name, unit = quantity(key)
        if isinstance(value, dict):
            for inner, part in value.items():
                add(f"{name}: {inner.replace('_', ' ')}", unit, part)
        elif key != "violations":
            add(name, unit or _SCORES.get(key, ""), value)
    for item in plain["violations"]:
        where = f"violated: {item['constraint']} at {item['where']}"
        rows.append([Cell(printable(where), ink="red"), number(6)(item["amount"]), words("")])
    return Table([Column("what", numeric=False), Column("value"), Column("unit", numeric=False)], rows)


_SCALES: Sequence[tuple[str, str, float]] = (
    ("_bit_per_s", "Mbit/s", 1e-6),
    ("_per_root_flop", "per root FLOP", 1.0),
    ("_flop", "TFLOP", 1e-12),
    ("_ms", "ms", 1.0),
    ("_db", "dB", 1.0),
    ("_j", "J", 1.0),
)
"""Ends of names of columns, the units that stand for them in a heading, and what values are multiplied by."""
_FIRST = ("devices", "latency_ms", "mean_latency_ms", "energy_j", "saved_by_")
_LESS = (
    "snr_db",
    "queue_ms",
    "local_ms",
    "uplink_ms",
    "server_ms",
    "compute_price",
    "band_price",
    "work_flop",
)
"""Beginnings of columns that a narrow terminal keeps the longest, and of those that it goes without first."""


def answer_table(name: str, columns: Columns) -> Table:
    """A table of an answer: numbers to four digits, rates in Mbit/s and work in TFLOP."""
    heads: list[Column] = []
    cells: list[list[Cell]] = []
    for index, (title, values) in enumerate(columns.items()):
        numeric = not any(isinstance(value, str) for value in values)
        end, unit, factor = next((each for each in _SCALES if title.endswith(each[0])), ("", "", 1.0))
        place = (
            0 if index == 0 or title == "server" else 2 + title.startswith(_LESS) - title.startswith(_FIRST)
        )
        heads.append(
            Column(f"{_title(title.removesuffix(end))} {unit}".strip(), numeric=numeric, place=place)
        )
        cells.append([_four(value, factor) if numeric else words(value) for value in values])
    return Table(heads, list(zip(*cells, strict=True)), name)


def _title(name: str) -> str:
    """The name of a column, units apart, as people read it."""
    for end, plain in (("_by_1_mhz", " by 1 MHz"), ("_by_1_tflop_per_s", " by 1 TFLOP/s")):
        name = name.replace(end, plain)
    return name.replace("_", " ")


def _four(value: float | None, factor: float) -> Cell:
    return Cell("-", math.inf) if value is None else Cell(f"{value * factor:.4g}", value * factor)


def solvers_table(methods: Sequence[Method]) -> Table:
    """Every solver with its options, and the reason where it cannot be used: a row for each of them."""
    heads = ("solver", "what it does, with which options (default)")
    rows: list[list[Cell]] = []
    for method in methods:
        start = ". Takes a start" if method.traits.warm_start else ""
        rows.append([words(method.name), words(f"{method.summary.rstrip('.')}{start}.")])
        if method.reason:
            rows.append([words(""), Cell(f"not available: {method.reason}", ink="red")])
        for item in options_of(method):
            text = f"{item['name']} {item['type']} ({item['default']}): {item['description']}"
            rows.append([words(""), words(f"  {text}")])
    return Table([Column(heads[0], numeric=False), Column(heads[1], numeric=False, prose=True)], rows)


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
    """A line that follows a run on a terminal; elsewhere nothing, but where a first run compiles."""
    if not console.is_terminal:
        with compiling_shown(console, solver):
            yield None
        return
    with console.status(f"{solver} ...") as status, compiling_shown(console, solver, status.update):

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


@contextmanager
def compiling_shown(
    console: Console, solver: str = "", update: Callable[[str], None] | None = None
) -> Iterator[None]:
    """While it lasts, tell of kernels that are compiled: in the status line of a terminal, else in one line.

    Parameters
    ----------
    console
        Of standard error; a quiet one says nothing on a terminal.
    solver
        Whose kernels they are; empty where there are several.
    update
        Changes the status line.
    """
    count = 0

    def hear(kernel: str) -> None:
        nonlocal count
        count += 1
        if console.is_terminal and update:
            update(f"{escape(compiling.said(solver))}: {count} kernels")
        elif count == 1:
            with suppress(OSError, ValueError):
                sys.stderr.write(f"uara: {compiling.said(solver)}\n")
                sys.stderr.flush()

    with compiling.hearing(hear):
        yield
