"""``uara doctor``."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    warm: Annotated[
        bool,
        typer.Option("--warm", help="Compile the kernels of every solver first, so that no later run waits."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say what is installed, what is missing, and the remedy.

    Ends with code 1 if something that is installed cannot work; a missing optional part is no fault.
    """
    import dataclasses

    from rich.console import Console
    from rich.markup import escape

    from uara.answers.display import compiling_shown, print_table
    from uara.base.cells import Cell, Column, Table, words
    from uara.base.files import pretty_json
    from uara.doctor import examine, warm_up

    console = Console()
    if warm:
        errors = Console(stderr=True)
        with errors.status("compiling, once") as status, compiling_shown(errors, update=status.update):
            warm_up(lambda name: status.update(f"compiling, once: {name}"))
    with console.status("trying the ray tracer's compiler"):
        checks = examine()
    if json:
        typer.echo(pretty_json([dataclasses.asdict(check) for check in checks]), nl=False)
    else:
        heads = [Column(name, numeric=False) for name in ("state", "part")]
        heads += [Column(name, numeric=False, prose=True) for name in ("found", "needed for")]
        inks = {"ok": "green", "missing": "yellow", "broken": "red"}
        rows = [
            [Cell(each.state, ink=inks[each.state]), *map(words, (each.name, each.detail, each.needed_for))]
            for each in checks
        ]
        print_table(Table(heads, rows))
        for check in checks:
            if check.remedy:
                console.print(f"{check.name}: {escape(check.remedy)}", soft_wrap=True, highlight=False)
    if any(check.state == "broken" for check in checks):
        raise typer.Exit(1)
