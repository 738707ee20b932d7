"""``uara verify``: compute a stored answer again and refuse what does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from uara import check_page, solution
from uara.base.errors import InputError
from uara.cli.output import print_json
from uara.display import output_console
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
        output_console().print(_table(verdict))
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
    table = Table(box=None, show_header=True, header_style="bold")
    for column in ("", "value [ms]", "gap", "rests on"):
        table.add_column(column, justify="left" if column in ("", "rests on") else "right")
    table.add_row("objective", f"{verdict.objective_ms:.6f}", "", "computed again from the decision")
    rows = (
        (
            "certified bound",
            verdict.certified_bound_ms,
            verdict.certified_gap,
            "computed again from the certificate",
        ),
        ("claimed bound", verdict.claimed_bound_ms, verdict.claimed_gap, "the solver's word"),
    )
    for name, bound_ms, gap, ground in rows:
        shown = "none" if bound_ms is None else f"{bound_ms:.6f}"
        table.add_row(name, shown, "" if gap is None else f"{gap:.2e}", ground)
    table.add_row("verdict", "accepted" if verdict.accepted else "REFUSED")
    return table
