"""What a suite sets beside a publication: its figures and its claims."""

from __future__ import annotations

from typing import Any

from uara.base.cells import Cell, Column, Table, heading, percent, significant, words
from uara.bench.claims import measured
from uara.bench.report.section import Facts
from uara.bench.report.sweeps import growth, suite_drawing


def figures(facts: Facts) -> list[dict[str, Any]]:
    """The suite's figures, each with its numbers and the claim that belongs to it."""
    runs, found = facts.runs, []
    for figure in facts.results.suite.get("figures", []):
        missing = [
            name
            for name in (figure["x"], figure["y"], figure.get("along"))
            if name and not (name in runs and runs[name].dtype.kind in "fi" and runs[name].notna().any())
        ]
        if missing:
            found.append({**figure, "missing": missing})
            continue
        drawing, records = suite_drawing(figure, runs, dict(facts.places))
        shown = {**figure, "drawing": drawing, "table": _numbers(figure, records)}
        if figure.get("growth") and figure["kind"] == "lines":
            shown["powers"] = _powers(figure, growth(records))
        found.append(shown)
    return found


def _numbers(figure: dict[str, Any], records: list[dict[str, Any]]) -> Table:
    names = list(records[0]) if records else []
    heads = {"label": "solver", "x": heading(figure["x"]), "y": heading(figure["y"])}
    columns = [Column(heads.get(name, name), numeric=name != "label") for name in names]
    return Table(columns, [[_cell(record[name]) for name in names] for record in records])


def _powers(figure: dict[str, Any], found: list[dict[str, Any]]) -> Table:
    x, y = heading(figure["x"]), heading(figure["y"])
    power = Column(f"{y} grows as", f"power of {x}: slope of the logarithms, by least squares")
    columns = [Column("solver", numeric=False), Column(f"{x} from"), Column("to"), power]
    shape = significant(5)
    return Table(
        columns,
        [[words(r["label"]), shape(r["from"]), shape(r["to"]), significant(3)(r["power"])] for r in found],
    )


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    return words(value) if isinstance(value, str) else significant(5)(value)


def claims(facts: Facts) -> list[dict[str, Any]]:
    """Published reductions beside those measured."""
    found = []
    for claim in facts.results.suite.get("claims", []):
        outcome = measured(claim, facts.runs)
        figures = [
            ("mean reduction", claim.get("mean_reduction"), outcome.mean),
            ("largest reduction", claim.get("largest_reduction"), outcome.largest),
            ("smallest reduction", None, outcome.smallest),
            *((f"mean against {name}", None, value) for name, value in outcome.each.items()),
        ]
        columns = [Column("what", numeric=False), Column("published %"), Column("measured %")]
        rows = [[words(what), percent(1)(said), percent(1)(seen)] for what, said, seen in figures]
        counts = {"instances": outcome.instances, "failed": outcome.failed}
        found.append({**claim, **counts, "table": Table(columns, rows)})
    return found
