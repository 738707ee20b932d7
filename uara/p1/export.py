"""Writing an instance as a mathematical program for others' solvers (entry-point group ``uara.exporters``).

A program is a callable that takes an instance and returns a Pyomo model. The toolkit's own are ``milp``, the
perspective program with tangents, and ``minlp``, P1 as it is stated; an installed package can add others.

Beside an .nl file lie its .row and .col, which hold names. Beside an .mps file lies a .dec for codes that decompose
(GCG, SCIP, DIP), if the model says by a suffix ``block`` (numbers from 0) which rows belong together; rows without a
number link the blocks.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, get_args

from uara.base.errors import InputError, check_one_of, entry
from uara.base.files import check_output, is_stream, replacing, write_bytes
from uara.base.plugins import offered
from uara.problem import Problem

GROUP = "uara.exporters"
Format = Literal["mps", "lp", "nl", "gms"]
_BESIDE = {"nl": (".row", ".col"), "mps": (".dec",)}
"""Suffixes of the files that belong to one of a format."""
LINEAR_ONLY = ("mps", "lp")
"""Formats that cannot hold the products of a general non-linear program."""


def programs() -> list[str]:
    """Names of the programs that an instance can be written as."""
    return list(offered(GROUP))


def build(instance: Problem, program: str) -> Any:
    """The Pyomo model of an instance.

    Raises
    ------
    InputError
        If there is no such program.
    """
    return entry(offered(GROUP), program, "program", source="program").load()(instance)


def check(path: Path, format_: Format, inputs: Collection[Path] = ()) -> None:
    """Refuse, before any work, a program file that must not be written, or names beside it that would be lost.

    Raises
    ------
    InputError
        As :func:`uara.base.files.check_output`.
    """
    check_output(path, suffixes=(f".{format_}",), inputs=inputs)
    if is_stream(path):
        return
    for suffix in _BESIDE.get(format_, ()):
        beside = path.with_suffix(suffix)
        if beside.exists() and not path.exists():
            raise InputError(
                f"would be replaced, but belongs to no {path.name}: remove it", source=str(beside)
            )
        check_output(beside, suffixes=(suffix,), inputs=inputs)


def write(instance: Problem, path: str | Path, format_: Format, program: str | None = None) -> Path:
    """Write an instance as a program.

    Parameters
    ----------
    format_
        ``mps``, ``lp``, ``nl`` or ``gms``.
    program
        ``milp`` for the linear formats and ``minlp`` for the others by default.

    Raises
    ------
    InputError
        If the format cannot hold the program.
    """
    check_one_of(format_, get_args(Format), "format")
    chosen = program or ("milp" if format_ in LINEAR_ONLY else "minlp")
    if chosen == "minlp" and format_ in LINEAR_ONLY:
        raise InputError(f"{format_} cannot hold a non-linear program; use nl or gms", source="format")
    model = build(instance, chosen)
    path = Path(path)
    if not is_stream(path):
        path = path.with_suffix(f".{format_}")
    logging.getLogger("pyomo").setLevel(logging.ERROR)  # it doubts the suffix of a temporary file
    contents: dict[str, str] = {}
    with replacing(path) as temporary:
        if format_ == "nl":
            contents = _write_nl(model, temporary)
        else:
            writer = "gams" if format_ == "gms" else format_  # Pyomo's name of it
            labels = {"symbolic_solver_labels": True}
            _, symbols = model.write(str(temporary), format=writer, io_options=labels)
            if format_ == "mps" and hasattr(model, "block"):
                contents = {".dec": _decomposition(model, model.solutions.symbol_map[symbols], temporary)}
    if not is_stream(path):
        for suffix, text in contents.items():
            write_bytes(path.with_suffix(suffix), text.encode())
    return path


def _write_nl(model: Any, path: Path) -> dict[str, str]:
    """Write an .nl file, and return its names by suffix.

    Pyomo writes names only together with comments on every line, over which other readers stumble. In the header,
    where AMPL has comments too, all readers expect them.
    """
    from pyomo.repn.plugins.nl_writer import NLWriter

    with path.open("w", encoding="utf-8", newline="") as stream:
        info = NLWriter().write(
            model, stream, symbolic_solver_labels=False, linear_presolve=False, scale_model=False
        )
    rows = "".join(f"{each.name}\n" for each in (*info.constraints, *info.objectives))
    return {".row": rows, ".col": "".join(f"{each.name}\n" for each in info.variables)}


def _decomposition(model: Any, symbols: Any, path: Path) -> str:
    """The .dec text for a written .mps file: the rows of each block, by the names that they have there."""
    head = path.read_text(encoding="utf-8").partition("\nCOLUMNS")[0].partition("\nROWS\n")[2]
    blocks: dict[int | None, list[str]] = {}
    for line in head.splitlines():
        name = line.split()[1]
        label = re.fullmatch(r"c_[a-z]_(.*)_", name)  # Pyomo's label of a row with what it puts around it
        row = symbols.bySymbol.get(label[1]) if label else None
        if row is not None:
            blocks.setdefault(model.block.get(row), []).append(name)
    linking = blocks.pop(None, [])
    parts = ["PRESOLVED", "0", "NBLOCKS", str(len(blocks))]
    for number, key in enumerate(sorted(key for key in blocks if key is not None)):
        parts += [f"BLOCK {number + 1}", *blocks[key]]
    return "\n".join([*parts, "MASTERCONSS", *linking, ""])
