"""``uara check-solver``: does a solver keep the contract that plug-ins sign?"""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(help="Installed solver, or package.module:function.")],
    option: Annotated[list[str] | None, typer.Option(help="key=value; may be repeated.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try a solver on small instances of every regime, and name what it does wrong.

    The exit code is 1 if it breaks the contract. Needs the extra 'bench'.
    """
    from rich.console import Console
    from rich.markup import escape

    from uara.cli.output import print_json
    from uara.cli.runs import parse_option
    from uara.conformance.check import CHECKS, check_solver

    values = dict(map(parse_option, option or []))
    with Console(stderr=True).status("starting") as status:
        verdict = check_solver(
            name, options=values, on_trial=lambda trial: status.update(f"{name} on {trial}")
        )
    if json:
        print_json(verdict.to_plain())
    else:
        console = Console(soft_wrap=True, highlight=False)
        for check, meaning in CHECKS.items():
            wrong = verdict.of(check)
            console.print(f"{'[red]FAILED[/red]' if wrong else '[green]ok[/green]    '} {check}: {meaning}")
            for breach in wrong:
                console.print(escape(f"         {breach.instance or name}: {breach.problem}"))
        for note in verdict.notes:
            console.print(escape(f"note: {note}"))
        console.print(escape(f"{name} {'conforms' if verdict.conforms else 'breaks the contract'}"))
    if not verdict.conforms:
        raise typer.Exit(1)
