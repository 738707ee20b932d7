"""What people see of an answer: its tables, also as data frames and files, and its summary."""

from __future__ import annotations

import html
import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from uara.base import sheets
from uara.base.errors import InputError, printable
from uara.base.extras import needs
from uara.base.files import check_output, replacing
from uara.problem import Columns, kind_of

if TYPE_CHECKING:
    import pandas as pd

    from uara.solver import Result

SUFFIXES = (".csv", ".parquet")
"""Files that a table can be written into."""


def tables(result: Result) -> dict[str, Columns]:
    """The tables of an answer, by their names; :class:`InputError` if answers of this kind have none."""
    make = kind_of(result.instance.kind).tables
    if make is None:
        raise InputError(
            f"answers of kind {result.instance.kind} have no tables", source=result.instance.name
        )
    return make(result.instance, result.decision, result.certificate)


def frame(result: Result, table: str | None = None) -> pd.DataFrame:
    """A table of an answer as a data frame; see :meth:`uara.Result.to_frame`."""
    pandas = needs("pandas", extra="bench")
    found = tables(result)
    name = next(iter(found)) if table is None else table
    if name not in found:
        raise InputError(f"{name!r} is not one of {', '.join(found)}", source="table")
    made: pd.DataFrame = pandas.DataFrame(found[name])
    return made


def check(path: Path, kind: str, inputs: Collection[Path] = ()) -> None:
    """Refuse, before any work, a file that an answer's first table cannot or must not be written into.

    Raises
    ------
    InputError
        As :func:`uara.base.files.check_output`, and where answers of this kind have no tables.
    MissingExtra
        If a .parquet file is wanted and its libraries are not installed.
    """
    if kind_of(kind).tables is None:
        raise InputError(f"answers of kind {kind} have no tables; name a .json file", source=str(path))
    if path.suffix.lower() == ".parquet":
        for library in ("pandas", "pyarrow"):
            needs(library, extra="bench")
    head = ",".join(kind_of(kind).file_columns()) if path.suffix.lower() == ".csv" else None
    check_output(path, suffixes=SUFFIXES, inputs=inputs, kind=head)


def save(result: Result, path: Path) -> None:
    """Write the first table of an answer into a .csv or .parquet file."""
    if path.suffix.lower() == ".parquet":
        with replacing(path) as temporary:
            frame(result).to_parquet(temporary)
        return
    table = next(iter(tables(result).values()))
    sheets.write(path, list(table), zip(*table.values(), strict=True))


def summary(result: Result) -> list[tuple[str, str]]:
    """An answer in five lines, each with its title."""
    score, proven = result.evaluation, ""
    if result.bound_ms is not None:
        proven = f", bound {_number(result.bound_ms)} ms"
        proven += "" if result.gap is None else f", gap {100 * result.gap:.4f} %"
    latency = score.latency_ms
    return [
        ("Result", f"{result.solver} on {result.instance.name}, seed {result.seed}"),
        ("status", f"{result.status}, {result.ended} in {result.runtime_s:.3g} s"),
        (
            "objective",
            f"{_number(score.objective_ms)} ms, controllable {_number(score.controllable_ms)} ms{proven}",
        ),
        ("latency", f"mean {_number(latency['mean'])} ms, 95th percentile {_number(latency['p95'])} ms"),
        ("energy", f"{_number(score.energy_j)} J"),
    ]


def summary_text(result: Result) -> str:
    """An answer in five lines."""
    return text(summary(result))


def summary_page(result: Result) -> str:
    """An answer as a table of a notebook."""
    return page(summary(result))


def text(rows: Sequence[tuple[str, str]]) -> str:
    """Titled lines as text."""
    (head, name), *others = rows
    width = max(len(title) for title, _ in others)
    return "\n".join(
        [f"{head}: {printable(name)}", *(f"  {title:<{width}}  {printable(what)}" for title, what in others)]
    )


def page(rows: Sequence[tuple[str, str]]) -> str:
    """Titled lines as a table of a notebook."""
    cells = (
        f"<tr><th>{html.escape(title)}</th><td>{html.escape(printable(what))}</td></tr>"
        for title, what in rows
    )
    return f"<table>{''.join(cells)}</table>"


def _number(value: float) -> str:
    return f"{value:,.1f}" if math.isfinite(value) else "infinite"
