"""One table, several inks: a terminal, Markdown, LaTeX, CSV; the page has its own in ``report/macros.html.j2``."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from uara.base import sheets
from uara.base.cells import INFINITE, NONE, Cell, Table
from uara.base.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

SAME = "The same in every row: "
_LEAST_PROSE = 24
"""Characters of a line of prose for which there must be room."""
_PLAIN = {NONE: "-", INFINITE: "inf", "…": ".."}
"""What stands for signs that not every terminal has."""
_TEX = {
    **{sign: "\\" + sign for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    NONE: "--",
    INFINITE: r"$\infty$",
    "…": r"\dots{}",
}


def to_markdown(table: Table) -> str:
    """A table as Markdown, for a README."""
    lines = [_markdown_row([column.name for column in table.columns])]
    lines.append("|" + "".join("---:|" if column.numeric else "---|" for column in table.columns))
    lines += [_markdown_row([cell.text for cell in row]) for row in table.rows]
    if table.same:
        lines += ["", SAME + printable(table.same) + "."]
    return "\n".join(lines)


def _markdown_row(texts: list[str]) -> str:
    return "| " + " | ".join(printable(text).replace("|", "\\|") for text in texts) + " |"


def to_latex(table: Table) -> str:
    """A table as a ``tabular`` of the package booktabs."""
    form = "".join("r" if column.numeric else "l" for column in table.columns)
    head = _latex_row([column.name for column in table.columns])
    rows = [_latex_row([cell.text for cell in row]) for row in table.rows]
    body = [r"\toprule", head, r"\midrule", *rows, r"\bottomrule"]
    return "\n".join([rf"\begin{{tabular}}{{{form}}}", *body, r"\end{tabular}"])


def to_html(table: Table) -> str:
    """A table for a notebook, in the notebook's own style."""
    cells = "".join(f"<th>{html.escape(printable(column.name))}</th>" for column in table.columns)
    rows = "".join(f"<tr>{_html_row(row)}</tr>" for row in table.rows)
    caption = f"<caption>{html.escape(printable(table.name))}</caption>" if table.name else ""
    below = f"<p>{html.escape(SAME + printable(table.same))}.</p>" if table.same else ""
    head = f"<thead><tr>{cells}</tr></thead>"
    return f"<table>{caption}{head}<tbody>{rows}</tbody></table>{below}"


def _html_row(row: Sequence[Cell]) -> str:
    return "".join(f"<td>{html.escape(printable(cell.text))}</td>" for cell in row)


def _latex_row(texts: list[str]) -> str:
    signs = re.compile("|".join(map(re.escape, _TEX)))
    return " & ".join(signs.sub(lambda found: _TEX[found[0]], printable(text)) for text in texts) + r" \\"


def to_csv(table: Table) -> str:
    """A table as CSV: numbers as they are, not as they are shown."""
    rows = ([cell.text if cell.value is None else cell.value for cell in row] for row in table.rows)
    return sheets.lines([column.name for column in table.columns], rows).rstrip("\n")


Form = Literal["markdown", "latex", "csv"]
TEXTS: Mapping[str, Callable[[Table], str]] = {"markdown": to_markdown, "latex": to_latex, "csv": to_csv}
"""The inks that are text, by their names on the command line."""


def show(table: Table, console: Console) -> None:
    """Print a table on a terminal: what is shown is whole; columns that it has no room for are named below.

    Where not even the columns of place 0 fit, each row becomes a block, a line for each of its cells.
    """
    shown = fitting(table, console.width)
    if _width(shown) > console.width:
        console.print(_blocks(table, console.width))
        names = []
    else:
        console.print(_rich(shown))
        names = [column.name for column in table.columns if column not in shown.columns]
    for text, said in ((SAME, table.same), ("No room for: ", ", ".join(names))):
        if said:
            console.print(_plain(f"{text}{said}."), highlight=False, markup=False)


def fitting(table: Table, width: int) -> Table:
    """A table without as many of its columns as keep it from fitting so many characters, the least ones first."""
    while _width(table) > width:
        place, last = max((column.place, k) for k, column in enumerate(table.columns))
        if place == 0:
            break
        table = table.without(last)
    return table


def _width(table: Table) -> int:
    """How wide a table is where nothing but prose is broken into lines."""
    from rich.console import Console

    return Console(width=100_000).measure(_rich(table, _LEAST_PROSE)).maximum


def _rich(table: Table, prose: int | None = None) -> RichTable:
    """A table for a terminal; of prose only so many characters a line where that is asked for."""
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Table as RichTable
    from rich.text import Text

    made = RichTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title_justify="left")
    made.title = Text(_plain(table.name)) if table.name else None
    for k, column in enumerate(table.columns):
        widest = max((cell_len(_plain(row[k].text)) for row in table.rows), default=1)
        made.add_column(
            Text(_headed(column.name, widest)),
            justify="right" if column.numeric else "left",
            overflow="fold",
            vertical="bottom" if column.numeric else "top",
            no_wrap=not column.prose,
            max_width=prose if column.prose else None,
        )
    for row in table.rows:
        made.add_row(*(Text(_plain(cell.text), style=cell.ink) for cell in row))
    return made


def _blocks(table: Table, width: int) -> RichTable:
    """A table whose rows stand below each other, a line for each cell; empty cells are left out."""
    from rich.cells import cell_len
    from rich.table import Table as RichTable
    from rich.text import Text

    names = [_plain(column.name) for column in table.columns]
    widest = min(max(map(cell_len, names), default=1), width // 2)
    made = RichTable(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False, title_justify="left")
    made.title = Text(_plain(table.name)) if table.name else None
    made.add_column(overflow="fold", width=widest)
    made.add_column(overflow="fold")
    for row in table.rows:
        for name, cell in zip(names, row, strict=True):
            if cell.text:
                made.add_row(Text(name), Text(_plain(cell.text), style=cell.ink))
        made.add_row("", "")
    return made


def _headed(name: str, width: int) -> str:
    """A heading in lines that are no wider than the column where its words allow that."""
    lines: list[str] = []
    for word in _plain(name).split():
        if lines and len(lines[-1]) + 1 + len(word) <= max(width, 8):
            lines[-1] += " " + word
        else:
            lines.append(word)
    return "\n".join(lines)


def _plain(text: str) -> str:
    for sign, plain in _PLAIN.items():
        text = text.replace(sign, plain)
    return printable(text)
