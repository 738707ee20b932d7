"""``uara best-known``: make or check the table of best-known answers of a folder of instances."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uara import solution
from uara.base import files
from uara.base.errors import InputError, in_file
from uara.p1 import best_known
from uara.p1.instance import Instance
from uara.solver import solve


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of instances.")] = Path("instances"),
    only: Annotated[list[str] | None, typer.Option(help="Name of an instance; may be repeated.")] = None,
    solver: Annotated[list[str] | None, typer.Option(help="Solver to run; may be repeated.")] = None,
    time_limit: Annotated[float, typer.Option(help="Seconds for each run.")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Root seed.")] = 0,
    check: Annotated[bool, typer.Option("--check", help="Compute every entry again instead.")] = False,
) -> None:
    """Run solvers on every instance of a folder and enter what improves on best_known.json.

    Ctrl-C ends the running solver; the best answer it has is entered, and the rest is left out.
    With --check nothing is run: every entry is computed again, and the exit code is 1 if one does not hold.
    """
    if check:
        problems = best_known.check(folder)
        for problem in problems:
            typer.echo(problem)
        typer.echo(f"{len(best_known.read(folder).instances)} entries, {len(problems)} problems")
        raise typer.Exit(1 if problems else 0)
    instances = {path: Instance.load(path) for path in _instances(folder, only)}
    for path, instance in instances.items():
        with in_file(path):
            best_known.check_writable(folder, instance)
    for path, instance in instances.items():
        entry = best_known.lookup(instance, path)
        start = None
        if entry is not None:
            start = solution.open_for(instance, folder / entry.solution)[1]
        for name in solver or ["exact"]:
            result = solve(instance, name, seed=seed, time_limit_s=time_limit, start=start)
            entry = best_known.record(folder, instance, result)
            typer.echo(
                f"{instance.name:<20} {name:<10} {result.runtime_s:7.2f} s  "
                f"controllable {entry.controllable_ms:.4f} ms  gap {entry.gap:.2e}  "
                f"certified {float('nan') if entry.certified_gap is None else entry.certified_gap:.2e}"
            )
            if result.ended == "interrupted":
                raise KeyboardInterrupt  # what it had is entered


def _instances(folder: Path, only: list[str] | None) -> list[Path]:
    """The instance files of a folder."""
    if only:
        return [folder / f"{files.file_name(name, source='--only')}.json" for name in only]
    found = [
        path for path in sorted(folder.glob("*.json")) if files.read_plain_json(path).get("kind") == "p1"
    ]
    if not found:
        raise InputError("holds no instances", source=str(folder))
    return found
