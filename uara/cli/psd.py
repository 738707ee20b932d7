"""``uara psd``: run parallel speculative decoding, and draw its figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from pydantic import Field

from uara.base.files import Record
from uara.cli.fields import options_from, taken
from uara.cli.output import FormOption, finish, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from uara.psd.hardware import Speeds
    from uara.psd.models import LanguageModel
    from uara.psd.request import Decoded, DecodingOptions
    from uara.psd.timeline import Timeline

app = typer.Typer(help="Parallel speculative decoding: run it, draw its figures.")

Profile = Annotated[str, typer.Option(help="Shipped profile by name, or a file.")]


class Edge(Record):
    """Where a decoding is timed."""

    uplink_mbps: float = 20.0
    """Uplink in Mbit/s."""
    downlink_mbps: float = 100.0
    """Downlink in Mbit/s."""
    latency_ms: float = 0.0
    """Latency of each message in ms, each way."""
    phone: str = "galaxy-s23"
    """galaxy-s23 or iphone-14."""
    server: str = "rtx-3090"
    """rtx-2080, rtx-3090 or rtx-4090."""

    def speeds(self) -> Speeds:
        """Of the phone, the server and the links."""
        from uara.psd.hardware import speeds

        rates_bit_per_s = self.uplink_mbps * 1e6, self.downlink_mbps * 1e6
        return speeds(self.phone, self.server, *rates_bit_per_s, self.latency_ms / 1e3)


class Models(Record):
    """A pair of models."""

    draft: str = "smollm2-int4"
    """Draft model: packaged name, folder, or hub name."""
    target: str = "smollm2"
    """Target model."""
    draft_device: str = "cpu"
    """Torch device of the draft model."""
    target_device: str = "cpu"
    """Torch device of the target model."""
    threads: int = 1
    """Threads of each PyTorch operation; 1 is best on a busy box."""

    def load(self) -> tuple[LanguageModel, LanguageModel]:
        """Both models, each on its device."""
        from uara.psd.models import load_model, set_threads

        set_threads(self.threads)
        return load_model(self.draft, self.draft_device), load_model(self.target, self.target_device)


class Decoding(Record):
    """How to decode."""

    max_new_tokens: int = 64
    """Longest output, in tokens."""
    temperature: float = 0.0
    """0 is greedy."""
    rule: str = "residual"
    """Correction when sampling: residual or target."""
    seed: int = 0
    """Seed of the sampling."""

    def options(self, method: str, gamma: int) -> DecodingOptions:
        """Checked decoding options."""
        from uara.psd.request import DecodingOptions

        return DecodingOptions(cast(Any, method), gamma, **self.model_dump())


@app.command()
@options_from(Models, Decoding, Edge)
def run(
    prompt: Annotated[str, typer.Option(help="The prompt.")],
    method: Annotated[str, typer.Option(help="psd, conventional or autoregressive.")] = "psd",
    gamma: Annotated[int | None, typer.Option(help="Draft length; left out, the speed ratio.")] = None,
    timed_as: Annotated[str | None, typer.Option(help="Sizes to time: own, or such as gpt2,gpt2-xl.")] = None,
    payload: Annotated[
        str | None, typer.Option(help="tokens, probabilities or full-logits; the rule's need.")
    ] = None,
    gantt: Annotated[Path | None, typer.Option(help="Draw the simulated timeline into this file.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")
    ] = False,
    **fields: Any,
) -> None:
    """Decode a prompt live: accepted, refused and corrected tokens, then where the time would go at the edge."""
    from rich.console import Console

    from uara.base.pictures import check_picture
    from uara.psd import live
    from uara.psd.engine import decode
    from uara.psd.hardware import speed_ratio
    from uara.psd.payload import needed_payload, payload_named

    if gantt is not None:
        check_picture(gantt)
    models, how, edge = taken(fields, Models), taken(fields, Decoding), taken(fields, Edge)
    options, at = how.options(method, gamma or 1), edge.speeds()
    sent = payload_named(payload) if payload else needed_payload(how.temperature, options.rule)
    pair = models.load()
    sizes = live.timed_pair(pair[0].architecture, pair[1].architecture, timed_as)
    if gamma is None:
        options = replace(options, gamma=max(1, round(speed_ratio(at, *sizes))))
    console = Console(highlight=False, quiet=as_json)
    if console.is_terminal:
        console.print(live.legend(), end="\n\n")
    stream = live.Stream(console, pair[1].tokenizer)
    decoded = decode(*pair, prompt, options, on_round=stream.show)
    lines = live.timelines(decoded, sizes, at, sent, how.max_new_tokens)
    title = (
        f"timed as {sizes[0].name} on {edge.phone}, {sizes[1].name} on {edge.server}, gamma {options.gamma}, "
        f"uplink {edge.uplink_mbps:g} Mbit/s, latency {edge.latency_ms:g} ms, sending {sent}"
    )
    biased = how.temperature > 0 and options.rule == "target" and method != "autoregressive"
    finish(
        lambda: _draw(lines, gantt) if gantt else None,
        lambda: (
            print_json(_as_data(decoded, lines)) if as_json else _show(console, decoded, lines, title, biased)
        ),
    )


def _draw(lines: dict[str, Timeline], path: Path) -> None:
    from uara.base import pictures
    from uara.psd.pictures import gantt

    pictures.save(gantt(lines), path)


def _show(console: Console, decoded: Decoded, lines: dict[str, Timeline], title: str, biased: bool) -> None:
    from uara.answers.display import print_table
    from uara.psd import live

    console.print("\n")
    for line in live.run_lines(decoded):
        console.print(line)
    if biased:
        console.print(live.BIAS)
    print_table(live.split_table(lines, title))


def _as_data(decoded: Any, lines: dict[str, Timeline]) -> dict[str, Any]:
    parts = ("completion_s", "mobile_s", "transmission_s", "server_s", "device_idle_s", "server_idle_s")
    return {
        "text": decoded.text,
        "tokens": decoded.tokens,
        "trace": decoded.trace.model_dump(mode="json"),
        "wall_s": decoded.wall_s,
        "overhead_share": decoded.overhead_share,
        "timelines": {
            method: {part: getattr(line, part) for part in parts} for method, line in lines.items()
        },
    }


@app.command()
@options_from(Edge, without={"latency_ms"})
def figure2(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures and their data.")],
    profile: Profile = "gpt2_gpt2-xl",
    task: Annotated[str, typer.Option(help="Task whose latency is split in three.")] = "code",
    latency_ms: Annotated[float, typer.Option(help="Latency of each message in ms, each way.")] = 1.0,
    **fields: Any,
) -> None:
    """Reproduce Fig. 2: latency over the draft length and over the data rate, pictures and CSV; and Fig. 1's chart."""
    from rich.console import Console

    from uara.cli import study
    from uara.psd.profile import TaskProfile

    at = taken({**fields, "latency_ms": latency_ms}, Edge).speeds()
    for line in study.script("figure2").draw_figures(TaskProfile.load(profile), at, task, output):
        Console(highlight=False).print(line, soft_wrap=True)


@app.command()
def compare(
    profile: Profile = "smollm2_int4",
    ratio: Annotated[
        list[float] | None,
        typer.Option(help="Speed ratio: drafted tokens per target pass, free links; repeatable."),
    ] = None,
    form: FormOption = None,
) -> None:
    """PSD against conventional and autoregressive decoding at gamma = speed ratio, for each task of a profile."""
    from uara.answers.display import print_table
    from uara.psd.comparison import comparison_table
    from uara.psd.profile import TaskProfile

    print_table(comparison_table(TaskProfile.load(profile), ratio or [2, 3, 4, 5, 6, 8]), form)


@app.command()
def transfer(
    output: Annotated[Path, typer.Option("--output", "-o", help="The new profile's file (.json).")],
    profile: Profile = "smollm2_int4",
    draft: Annotated[str, typer.Option(help="Architecture of the draft model.")] = "gpt2",
    target: Annotated[str, typer.Option(help="Architecture of the target model.")] = "gpt2-xl",
) -> None:
    """Take a measured profile's acceptance over to GPT-2 models: exact operations and prompt lengths, marked so."""
    import sys

    from uara.answers.display import print_table
    from uara.base.files import check_output
    from uara.psd.profile import TaskProfile
    from uara.psd.report import summary_table
    from uara.psd.transfer import gpt2_token_counter, transferred_profile

    check_output(output, suffixes=(".json",), inputs=[Path(profile)], kind="")

    command = "uara " + " ".join(sys.argv[1:])
    made = transferred_profile(TaskProfile.load(profile), gpt2_token_counter(), draft, target, command)
    made.save(output)
    print_table(summary_table(made))


class Counted(Record):
    """What recorded runs do not say of themselves."""

    draft: str = "llama-68m"
    """Architecture of the draft model."""
    target: str = "vicuna-7b-v1.3"
    """Architecture of the target model."""
    gamma: Annotated[int, Field(ge=1)] = 5
    """Draft length that tasks are drawn with."""
    prompt_tokens: Annotated[int, Field(ge=1)] = 128
    """Length that prompts are assumed to have."""
    credit: str = ""
    """Where the counts come from, and their licence."""


@app.command()
@options_from(Counted)
def counts(
    file: Annotated[Path, typer.Argument(help="CSV file of runs: tokens gained in each round.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The profile's file (.json).")],
    dataset: Annotated[str | None, typer.Option(help="Only the runs of this data set.")] = None,
    most: Annotated[int, typer.Option(min=0, help="Keep this many runs of each category; 0: all.")] = 0,
    **fields: Any,
) -> None:
    """Make a task profile of recorded runs of which only the tokens of each round are left."""
    from uara.answers.display import print_table
    from uara.base.files import check_output
    from uara.psd.counts import Source, profile_of_counts
    from uara.psd.report import summary_table

    check_output(output, suffixes=(".json",), inputs=[file])
    source = Source(output.stem, **taken(fields, Counted).model_dump())
    profile = profile_of_counts(file, source, dataset=dataset, most=most)
    profile.save(output)
    print_table(summary_table(profile))
    typer.echo(f"wrote {output}")
