"""``uara what-if``: solve variants of an instance, and show what changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from uara.answers.display import print_table
from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.pictures import check_picture
from uara.cli.fields import options_from, taken
from uara.cli.output import FormOption, finish, print_json
from uara.cli.runs import Solving
from uara.p1.instance import Instance
from uara.problem import load
from uara.scenarios.what_if import check_folder, variants, what_if


class Changed(Record):
    """What is changed, by the names of the changes."""

    add_server: list[str] | None = None
    """x,y,model: a server more, in metres, of this hardware or TFLOP/s."""
    drop_server: list[str] | None = None
    """Id of a server that is taken away."""
    band: list[str] | None = None
    """2x, or MHz, of every server; 0.5x,2x and 1:4:1 are several variants."""
    compute: list[str] | None = None
    """2x, or TFLOP/s, of every server."""
    w: list[str] | None = None
    """Weight of energy, ms per J: 50, 20,80 or 20:100:20."""
    sync: list[str] | None = None
    """Weight of synchronisation, per ms."""

    def words(self) -> list[tuple[str, str]]:
        """Each change by its option."""
        given = self.model_dump(exclude_none=True)
        return [(FLAGS.get(name, name.replace("_", "-")), value) for name in given for value in given[name]]


FLAGS = {"sync": "lambda"}
"""Options that are not called as the fields are."""


@options_from(Changed, Solving, flags=FLAGS, without={"solver"})
def command(
    instance: Annotated[Path, typer.Argument(help="Instance file.")],
    together: Annotated[
        bool, typer.Option("--together", help="One change of every option at a time, in all combinations.")
    ] = False,
    solver: Annotated[str, typer.Option(help="Solver, or package.module:function, with options.")] = "auto",
    plot: Annotated[
        Path | None, typer.Option(help="Draw latency against energy, and the changes, to .png, .svg or .pdf.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for each variant and its answer, as files.")
    ] = None,
    form: FormOption = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per variant.")] = False,
    **fields: Any,
) -> None:
    """Solve an instance and variants of it, and show what changes; each may be given several times.

    A verdict is proven where the bound of one lies beyond the objective of the other. More band can make the optimum
    worse, since the noise fills the whole band (docs/model.md). An added server has the others' median band and
    queue, and gains by the distance law that fits the instance's own.
    """
    problem = load(instance)
    if not isinstance(problem, Instance):
        raise InputError(f"is for P1, not for instances of kind {problem.kind}", source="what-if")
    changes = taken(fields, Changed).words()
    if not changes:
        raise InputError("says nothing to change; give --band 2x, say", source="what-if")
    asked = taken({**fields, "solver": [solver]}, Solving)
    (spec,) = asked.specs(solver)
    planned = variants(problem, changes, together=together)
    if plot is not None:
        check_picture(plot, inputs=[instance])
    if output is not None:
        check_folder(planned, output, instance)
    with Console(stderr=True, quiet=json).status("solving") as status:
        found = what_if(
            problem,
            changes,
            spec.name,
            options=spec.options.model_dump(),
            together=together,
            seed=asked.seed,
            time_limit_s=asked.time_limit,
            on_variant=lambda variant: status.update(f"solving: {variant.name}"),
        )
    finish(
        lambda: found.save(output) if output else None,
        lambda: print_json(found.to_plain()) if json else print_table(found.table(), form),
        lambda: found.plot(plot) if plot else None,
    )
