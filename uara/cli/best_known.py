"""``uara best-known``: make or check the table of best-known answers of a folder of instances."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

from uara import solution
from uara.base import files
from uara.base.errors import InputError, in_file
from uara.base.files import Record
from uara.cli.fields import options_from, taken
from uara.cli.runs import Solving
from uara.p1.instance import Instance
from uara.scenarios import best_known
from uara.scenarios.best_known import Cut, Entry
from uara.solver import solve


class Chosen(Record):
    """The instances of a folder that solvers are run on."""

    only: list[str] | None = None
    """Name of an instance; may be repeated."""
    servers: str = ""
    """Cut smaller instances: their numbers of servers, such as 4,8,12."""
    devices: str = ""
    """Their numbers of devices, such as 30,60,90."""

    def instances(self, folder: Path) -> list[tuple[Path, Instance, Cut | None]]:
        """Every file's instance, or what is cut from it."""
        servers, devices = _sizes(self.servers, "--servers"), _sizes(self.devices, "--devices")
        if bool(servers) != bool(devices):
            raise InputError("a cut has both", source="--servers and --devices")
        paths = self._files(folder)
        if not servers:
            return [(path, Instance.load(path), None) for path in paths]
        cuts = [
            Cut(drop=path.stem, servers=e, devices=m) for path in paths for e, m in product(servers, devices)
        ]
        return [(folder / f"{cut.drop}.json", cut.instance(folder), cut) for cut in cuts]

    def _files(self, folder: Path) -> list[Path]:
        if self.only:
            return [folder / f"{files.file_name(name, source='--only')}.json" for name in self.only]
        paths = sorted(folder.glob("*.json"))
        found = [path for path in paths if files.read_plain_json(path).get("kind") == "p1"]
        if not found:
            raise InputError("holds no instances", source=str(folder))
        return found


@options_from(Chosen, Solving, without={"solver", "option", "time_limit"})
def command(
    folder: Annotated[Path, typer.Argument(help="Folder of instances.")] = Path("instances"),
    solver: Annotated[
        list[str] | None,
        typer.Option(help="Solver to run, with options as in `uara solve`; may be repeated."),
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Seconds for each run.")] = 60.0,
    gap: Annotated[
        float | None, typer.Option(min=0.0, help="Leave what is certified to this gap as it is.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Compute every entry again instead.")] = False,
    **fields: Any,
) -> None:
    """Run solvers on every instance of a folder and enter what improves on best_known.json.

    Ctrl-C ends the running solver; the best answer it has is entered, and the rest is left out.
    With --servers and --devices each file is a drop, and the instances are its first servers and devices.
    With --check nothing is run: every entry is computed again, and the exit code is 1 if one does not hold.
    """
    if check:
        problems = best_known.check(folder)
        for problem in problems:
            typer.echo(problem)
        typer.echo(f"{len(best_known.read(folder).instances)} entries, {len(problems)} problems")
        raise typer.Exit(1 if problems else 0)
    asked = taken({**fields, "solver": solver, "time_limit": time_limit}, Solving)
    specs, instances = asked.specs("exact"), taken(fields, Chosen).instances(folder)
    for path, instance, _ in instances:
        with in_file(path):
            best_known.check_writable(folder, instance)
    for path, instance, cut in instances:
        entry = best_known.lookup(instance, path)
        if _certified(entry, gap):
            continue
        start = None if entry is None else solution.open_for(instance, folder / entry.solution)[1]
        for spec in specs:
            how: dict[str, Any] = {"options": spec.options, "seed": asked.seed, "time_limit_s": time_limit}
            result = solve(instance, spec.name, start=start, **how)
            entry = best_known.record(folder, instance, result, cut)
            typer.echo(
                f"{instance.name:<20} {spec.name:<10} {result.runtime_s:7.2f} s  "
                f"controllable {entry.controllable_ms:.4f} ms  gap {entry.gap:.2e}  "
                f"certified {float('nan') if entry.certified_gap is None else entry.certified_gap:.2e}"
            )
            if result.ended == "interrupted":
                raise KeyboardInterrupt  # what it had is entered


def _certified(entry: Entry | None, gap: float | None) -> bool:
    known = None if entry is None else entry.certified_gap
    return gap is not None and known is not None and known <= gap


def _sizes(text: str, option: str) -> list[int]:
    """Numbers between commas; none for an empty text."""
    words = text.split(",") if text else []
    if not all(word.isdecimal() and 1 <= int(word) <= 1_000_000 for word in words):
        raise InputError(f"{text!r} is not a list of whole numbers from 1, such as 4,8,12", source=option)
    return [int(word) for word in words]
