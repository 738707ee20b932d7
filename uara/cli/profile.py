"""``uara profile``: measure a task profile on a real pair of models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from uara.cli.fields import options_from, taken
from uara.cli.psd import Decoding, Models


@options_from(Models, Decoding)
def command(
    output: Annotated[Path, typer.Option("--output", "-o", help="The profile's file (.json).")],
    tasks: Annotated[str, typer.Option(help="Packaged tasks, separated by commas.")] = "code,summary,chat",
    prompts: Annotated[
        Path | None, typer.Option(help='Own prompts instead: a file with {"task", "prompt"} on each line.')
    ] = None,
    prompts_per_task: Annotated[int, typer.Option(help="Prompts of each packaged task.")] = 8,
    method: Annotated[str, typer.Option(help="psd or conventional: what tasks are drawn with.")] = "psd",
    gamma: Annotated[int, typer.Option(help="Draft length.")] = 5,
    **fields: Any,
) -> None:
    """Measure acceptance, tokens, bits and operations of a pair of models on real prompts.

    Stopped half-way, the same command goes on where it was.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from uara.answers.display import print_table
    from uara.psd.profiler import check_place, measure_profile
    from uara.psd.prompts import Prompt, packaged_prompts, read_prompts
    from uara.psd.report import summary_table

    check_place(output, inputs=[prompts] if prompts else [])
    options = taken(fields, Decoding).options(method, gamma)
    chosen = read_prompts(prompts) if prompts else packaged_prompts(tasks.split(","), prompts_per_task)
    pair = taken(fields, Models).load()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("measuring", total=len(chosen))

        def advance(done: int, prompt: Prompt) -> None:
            progress.update(bar, completed=done, description=f"{prompt.task} {prompt.name}")

        command = "uara " + " ".join(sys.argv[1:])
        profile = measure_profile(*pair, chosen, options, output, command=command, on_prompt=advance)
    print_table(summary_table(profile))
    typer.echo(f"wrote {output}")
