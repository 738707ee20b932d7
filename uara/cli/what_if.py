"""``uara what-if``: solve variants of an instance, and show what changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from uara.answers.display import print_table
from uara.base.errors import InputError
from uara.base.pictures import check_picture
from uara.cli.output import FormOption, finish, print_json
from uara.cli.runs import attach_options, parse_solver
from uara.p1.instance import Instance
from uara.problem import load
from uara.scenarios.what_if import Variant, check_folder, variants, what_if

Words = list[str] | None


def command(
    instance: Annotated[Path, typer.Argument(help="Instance file.")],
    add_server: Annotated[
        Words, typer.Option(help="x,y,model: a server more, in metres, of this hardware or TFLOP/s.")
    ] = None,
    drop_server: Annotated[Words, typer.Option(help="Id of a server that is taken away.")] = None,
    band: Annotated[
        Words, typer.Option(help="2x, or MHz, of every server; 0.5x,2x and 1:4:1 are several variants.")
    ] = None,
    compute: Annotated[Words, typer.Option(help="2x, or TFLOP/s, of every server.")] = None,
    w: Annotated[
        Words, typer.Option("--w", help="Weight of energy, ms per J: 50, 20,80 or 20:100:20.")
    ] = None,
    sync: Annotated[Words, typer.Option("--lambda", help="Weight of synchronisation, per ms.")] = None,
    together: Annotated[
        bool, typer.Option("--together", help="One change of every option at a time, in all combinations.")
    ] = False,
    solver: Annotated[str, typer.Option(help="Solver, or package.module:function, with options.")] = "auto",
    option: Annotated[Words, typer.Option(help="key=value for the solver; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root seed.")] = 0,
    time_limit: Annotated[float | None, typer.Option(help="Seconds for each variant.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw latency against energy, and the changes, to .png, .svg or .pdf.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for each variant and its answer, as files.")
    ] = None,
    form: FormOption = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per variant.")] = False,
) -> None:
    """Solve an instance and variants of it, and show what changes; each may be given several times.

    A verdict is proven where the bound of one lies beyond the objective of the other. More band can make the optimum
    worse, since the noise fills the whole band (docs/model.md). An added server has the others' median band and
    queue, and gains by the distance law that fits the instance's own.
    """
    problem = load(instance)
    if not isinstance(problem, Instance):
        raise InputError(f"is for P1, not for instances of kind {problem.kind}", source="what-if")
    given = {
        "add-server": add_server, "drop-server": drop_server, "band": band,
        "compute": compute, "w": w, "lambda": sync,
    }  # fmt: skip
    changes = [(name, value) for name, values in given.items() for value in values or []]
    if not changes:
        raise InputError("says nothing to change; give --band 2x, say", source="what-if")
    (spec,) = attach_options([parse_solver(solver)], option or [])
    planned = variants(problem, changes, together=together)
    _check_outputs(planned, instance, plot, output)
    with Console(stderr=True, quiet=json).status("solving") as status:

        def follow(variant: Variant) -> None:
            status.update(f"solving: {variant.name}")

        found = what_if(
            problem,
            changes,
            spec.name,
            options=spec.options.model_dump(),
            together=together,
            seed=seed,
            time_limit_s=time_limit,
            on_variant=follow,
        )

    def show() -> None:
        if json:
            print_json(found.to_plain())
        else:
            print_table(found.table(), form)

    finish(
        lambda: found.save(output) if output else None,
        show,
        lambda: found.plot(plot) if plot else None,
    )


def _check_outputs(planned: list[Variant], source: Path, plot: Path | None, output: Path | None) -> None:
    """Refuse, before any work, what must not be written."""
    if plot is not None:
        check_picture(plot, inputs=[source])
    if output is not None:
        check_folder(planned, output, source)
