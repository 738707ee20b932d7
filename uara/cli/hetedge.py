"""``uara hetedge``: instances and figures of the batched, pipelined system; it is solved with ``uara solve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from uara.problem import describe

app = typer.Typer(help="Batched, pipelined speculative decoding: make instances, draw the figures.")


@app.command()
def generate(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    requests: Annotated[int, typer.Option(help="Number of requests K.")] = 100,
    channel: Annotated[str, typer.Option(help="sionna-rt, sionna-umi or path-loss.")] = "sionna-rt",
    scene: Annotated[str, typer.Option(help="Scene of Sionna RT.")] = "etoile",
    seed: Annotated[int, typer.Option(help="Root seed: same seed, same file.")] = 1,
    profile: Annotated[str, typer.Option(help="Task profile: shipped name or .json file.")] = "gpt2_gpt2-xl",
    acceptance: Annotated[
        float | None, typer.Option(help="One acceptance rate for all, in the place of the profile's.")
    ] = None,
    bandwidth_mhz: Annotated[float, typer.Option(help="Uplink band B.")] = 1.0,
    bits_per_prompt_token: Annotated[float, typer.Option(help="Bits of prompt text per token.")] = 32.0,
    largest_batch: Annotated[int, typer.Option(help="Most requests in a batch.")] = 16,
    draft_node: Annotated[str, typer.Option(help="GPU of the weak node.")] = "rtx-3080",
    draft_model: Annotated[str, typer.Option(help="Model that drafts.")] = "tinyllama-1.1b",
    target_node: Annotated[str, typer.Option(help="GPU of the strong node.")] = "rtx-4500-ada",
    target_model: Annotated[str, typer.Option(help="Model that verifies.")] = "llama-7b",
    box_m: Annotated[float, typer.Option(help="Side of the square to stand in, metres.")] = 400.0,
) -> None:
    """Make an instance from Sionna channels and a task profile."""
    from uara.base.files import check_output, save_or_rescue
    from uara.hetedge.generate import generate as draw

    inputs = [Path(profile), Path(scene)]
    check_output(output, suffixes=(".json",), inputs=inputs, kind="hetedge")

    instance = draw(
        name=output.stem,
        requests=requests,
        channel=channel,
        scene=scene,
        seed=seed,
        profile=profile,
        acceptance=acceptance,
        bandwidth_mhz=bandwidth_mhz,
        bits_per_prompt_token=bits_per_prompt_token,
        largest_batch=largest_batch,
        draft_node=draft_node,
        draft_model=draft_model,
        target_node=target_node,
        target_model=target_model,
        box_m=box_m,
    )
    save_or_rescue(instance.save, output)
    for line in describe(instance):
        typer.echo(line)


@app.command()
def figures(
    instance: Annotated[Path, typer.Argument(help="Instance that the sweeps vary.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for CSV and pictures.")],
) -> None:
    """Sweep requests, band and acceptance rate; write tables and pictures beside each other."""
    from uara.base.errors import InputError
    from uara.cli import study
    from uara.hetedge.instance import HetEdge
    from uara.problem import load

    problem = load(instance)
    if not isinstance(problem, HetEdge):
        raise InputError(f"holds {problem.kind}, not hetedge", source=str(instance))
    console = Console(stderr=True)
    with console.status("solving") as status:
        written = study.script("hetedge_sweeps").write_study(
            problem, output, lambda text: status.update(text)
        )
    for path in written:
        typer.echo(str(path))
