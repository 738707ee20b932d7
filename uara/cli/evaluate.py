"""``uara evaluate``: score a stored solution."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uara import solution
from uara.answers.display import print_table, score_table
from uara.cli.output import FormOption, print_json
from uara.problem import evaluate, load


def command(
    instance: Annotated[Path, typer.Argument(help="Instance file, or name of a shipped one.")],
    solution_file: Annotated[Path, typer.Argument(help="Solution file, as `uara solve --output` writes it.")],
    form: FormOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a stored solution: objective and its terms, latency, energy, every violated constraint.

    The exit code is 1 if the solution is not feasible.
    """
    problem = load(instance)
    record, decision, _ = solution.open_for(problem, solution_file)
    score = evaluate(problem, decision)
    if json:
        print_json({"instance": problem.name, "solver": record.solver, **score.to_plain()})
    else:
        print_table(score_table(score), form)
    if not score.feasible:
        raise typer.Exit(1)
