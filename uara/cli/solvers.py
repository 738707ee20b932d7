"""``uara solvers``: list the solvers and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from uara.answers.display import options_of, print_table, solvers_table
from uara.cli.output import FormOption, print_json
from uara.registry import available_solvers, find


def command(
    name: Annotated[str | None, typer.Argument(help="One solver; all by default.")] = None,
    form: FormOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the solvers, what they do, their options, and why one cannot be used here."""
    methods = [find(name)] if name else list(available_solvers().values())
    if not json:
        print_table(solvers_table(methods), form)
        return
    print_json(
        [
            {
                "solver": method.name,
                "problem": method.traits.kind,
                "warm_start": method.traits.warm_start,
                "available": method.reason is None,
                "reason": method.reason,
                "summary": method.summary,
                "package": method.origin,
                "options": options_of(method),
            }
            for method in methods
        ]
    )
