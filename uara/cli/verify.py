"""``uara verify``: compute a stored answer again and refuse what does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uara import solution
from uara.answers.display import print_table
from uara.base.cells import Cell, Column, Table, words
from uara.base.errors import InputError
from uara.cli.output import print_json
from uara.pages import check_page
from uara.problem import load
from uara.shipped import located
from uara.verify import Verdict, verify, verify_files


def command(
    instance: Annotated[Path | None, typer.Argument(help="Instance file, or name of a shipped one.")] = None,
    solution_file: Annotated[
        Path | None, typer.Argument(help="Solution file, as `uara solve --output` writes it.")
    ] = None,
    gap: Annotated[
        float | None, typer.Option(min=0.0, help="Refuse unless the certificate proves this gap.")
    ] = None,
    double: Annotated[
        bool, typer.Option("--float", help="Compute in double precision with NumPy: quicker, and not exact.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    page: Annotated[
        Path | None,
        typer.Option(
            help="Write a page (.html) that checks the proof in any browser, exactly; empty without files."
        ),
    ] = None,
) -> None:
    """Score a stored answer again, compute its bound again from the certificate, and compare with its claims.

    Uses exact arithmetic where the problem kind has a checker for it, and no solver. The exit code is 1 if any claim
    does not hold.
    """
    instance = located(instance) if instance else None
    if page is not None:
        check_page.check(page, [path for path in (instance, solution_file) if path])
    if instance is None or solution_file is None:
        if page is None or instance is not None:
            raise InputError("an instance and a solution are needed", source="verify")
        check_page.write(page)
        return
    problem = load(instance)
    record, decision, certificate = solution.open_for(problem, solution_file)
    if page is not None:
        check_page.write(page, problem, instance, solution_file)
    verdict = None if double else verify_files(problem.kind, instance, solution_file)
    if verdict is None:
        verdict = verify(problem, decision, record.claims, certificate)
    proven = verdict.certified_gap
    missed = gap is not None and (proven is None or not proven <= gap)
    if json:
        print_json({"instance": problem.name, "solver": record.solver, **verdict.to_plain()})
    else:
        print_table(_table(verdict))
        typer.echo(f"checked in {_arithmetic(verdict)} in {verdict.check_s:.2f} s of processor time")
        for refusal in verdict.refusals:
            typer.echo(f"refused: {refusal}")
        if missed:
            shown = "no gap at all" if proven is None else f"a gap of {proven:.3g}"
            typer.echo(f"refused: a gap of {gap:g} is wanted, but the certificate proves {shown}")
    if missed or not verdict.accepted:
        raise typer.Exit(1)


def _arithmetic(verdict: Verdict) -> str:
    return "exact arithmetic" if verdict.arithmetic == "exact" else verdict.arithmetic


def _table(verdict: Verdict) -> Table:
    heads = [
        Column("what", numeric=False),
        Column("value ms"),
        Column("gap"),
        Column("rests on", numeric=False, prose=True),
    ]
    rows = [
        _row("objective", verdict.objective_ms, None, "computed again from the decision"),
        _row(
            "certified bound",
            verdict.certified_bound_ms,
            verdict.certified_gap,
            "computed again from the certificate",
        ),
        _row("claimed bound", verdict.claimed_bound_ms, verdict.claimed_gap, "the solver's word"),
        [words("verdict"), words("accepted" if verdict.accepted else "REFUSED"), words(""), words("")],
    ]
    return Table(heads, rows)


def _row(name: str, value_ms: float | None, gap: float | None, ground: str) -> list[Cell]:
    return [
        words(name),
        Cell("none") if value_ms is None else Cell(f"{value_ms:.6f}", value_ms),
        Cell("") if gap is None else Cell(f"{gap:.2e}", gap),
        words(ground),
    ]
