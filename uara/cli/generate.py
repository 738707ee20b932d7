"""``uara generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperOption

from uara.cli.output import finish

_TWIN_OPTIONS = {"twin", "channel", "seed", "output", "name", "picture", "json"}
_WALK_OPTIONS = {"speed", "slot_s", "wander_deg"}
_COLLECTION_OPTIONS = {"collection", "output", "json"}


def command(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; a folder with --collection.")
    ] = None,
    servers: Annotated[int, typer.Option(help="Number of edge servers E.")] = 8,
    devices: Annotated[int, typer.Option(help="Number of mobile devices M.")] = 90,
    channel: Annotated[str, typer.Option(help="sionna-rt, sionna-umi or path-loss.")] = "sionna-rt",
    scene: Annotated[str, typer.Option(help="Scene of Sionna RT, or a Mitsuba .xml file.")] = "etoile",
    seed: Annotated[int, typer.Option(help="Root seed: same seed, same file.")] = 1,
    profile: Annotated[str, typer.Option(help="Task profile: shipped name or .json file.")] = "gpt2_gpt2-xl",
    payload: Annotated[
        str | None, typer.Option(help="Uplink per draft token: tokens, probabilities or full-logits.")
    ] = None,
    battery: Annotated[str, typer.Option(help="Remaining batteries: any, low or high.")] = "any",
    server_mix: Annotated[str, typer.Option(help="mixed or one-strong.")] = "mixed",
    bandwidth_mhz: Annotated[
        float, typer.Option(help="Uplink band W, shared equally by the servers.")
    ] = 10.0,
    energy_weight: Annotated[float, typer.Option(help="w of P1, milliseconds per joule.")] = 50.0,
    box_m: Annotated[float, typer.Option(help="Side of the square to stand in, metres.")] = 400.0,
    rays: Annotated[int, typer.Option(help="Rays per server of ray tracing.")] = 10_000,
    max_depth: Annotated[int, typer.Option(help="Most interactions of a traced path.")] = 3,
    slots: Annotated[
        int, typer.Option(help="More than 1: a trace of this many slots of walking devices.")
    ] = 1,
    speed: Annotated[float, typer.Option(help="Speed of walking devices, m/s.")] = 1.5,
    slot_s: Annotated[float, typer.Option(help="Time from one slot of a trace to the next, seconds.")] = 1.0,
    wander_deg: Annotated[
        float, typer.Option(help="Standard deviation of a walker's change of heading from slot to slot.")
    ] = 10.0,
    name: Annotated[str | None, typer.Option(help="Name of the instance; the file's by default.")] = None,
    twin: Annotated[
        Path | None, typer.Option(help="Keep this instance and redraw its channel (--channel sionna-umi).")
    ] = None,
    collection: Annotated[
        str | None, typer.Option(help="Make a whole collection: 'shipped', or a .toml file of recipes.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Also render the scene to this file (.png, .jpg, .webp).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Make an instance from Sionna channels and a task profile.

    Generating needs the extra 'sionna' (except --channel path-loss); solving does not.
    """
    from uara.base.errors import InputError
    from uara.base.files import file_name, save_or_rescue
    from uara.scenarios.recipe import generate, urban_micro_twin

    if collection is not None:
        _reject_others(context, _COLLECTION_OPTIONS, "--collection")
        _make_collection(collection, output or Path("instances"), json)
        return
    if twin is not None:
        from uara.p1.instance import Instance

        _reject_others(context, _TWIN_OPTIONS, "--twin")
        if channel != "sionna-umi":
            raise InputError("--twin redraws a channel with --channel sionna-umi; say so")
        original = Instance.load(twin)
        output = output or Path(file_name(f"{original.name}_umi.json", source=str(twin), path="$.name"))
        _check_outputs(output, "p1", picture, [twin])
        with _status(json, f"drawing a 38.901 channel for {original.name}"):
            instance = urban_micro_twin(original, seed=seed, name=name or output.stem)
    else:
        options = {key: value for key, value in context.params.items() if key in _RECIPE_FIELDS}
        options["energy_weight_ms_per_j"] = energy_weight
        options["rays_per_server"] = rays
        if slots != 1:
            if picture is not None:
                raise InputError("--picture has no meaning beside --slots")
            walk = {"slots": slots, "speed_m_per_s": speed, "slot_s": slot_s, "wander_deg": wander_deg}
            _make_trace(options, walk, output, name, json)
            return
        _reject(context, _WALK_OPTIONS, "has no meaning without --slots of 2 or more")
        output = output or Path(f"e{servers}_m{devices}.json")
        _check_outputs(output, "p1", picture, [Path(profile), Path(scene)])
        with _status(json, f"drawing {servers} servers and {devices} devices ({channel})"):
            instance = generate(name=name or output.stem, **options)

    def draw() -> None:
        from uara.scenarios.channel.picture import render

        if picture is not None:
            with _status(json, f"rendering {picture}"):
                render(instance, picture)

    finish(
        lambda: save_or_rescue(instance.save, output), draw, lambda: _report(instance, output, picture, json)
    )


def _check_outputs(output: Path, kind: str, picture: Path | None, inputs: list[Path]) -> None:
    from uara.base.files import check_output
    from uara.base.pictures import check_picture
    from uara.scenarios.channel.picture import KINDS

    check_output(output, suffixes=(".json",), inputs=inputs, kind=kind)
    if picture is not None:
        check_picture(picture, suffixes=[f".{each}" for each in KINDS], inputs=inputs)


def _make_trace(
    options: dict[str, Any], walking: dict[str, float], output: Path | None, name: str | None, json: bool
) -> None:
    from uara.base.files import save_or_rescue, validate
    from uara.scenarios.channel.mobility import Walk
    from uara.scenarios.recipe import generate_trace
    from uara.scenarios.trace import KIND

    walk = validate(walking, Walk, path="walk")
    output = output or Path(f"e{options['servers']}_m{options['devices']}_t{walk.slots}.json")
    _check_outputs(output, KIND, None, [Path(options["profile"]), Path(options["scene"])])
    with _status(json, f"{walk.slots} slots of {options['devices']} walking devices ({options['channel']})"):
        trace = generate_trace(walk=walk, name=name or output.stem, **options)
    save_or_rescue(trace.save, output)
    _report(trace.instance, output, None, json)


_RECIPE_FIELDS = {
    "servers", "devices", "channel", "scene", "seed", "profile", "payload", "battery", "server_mix",
    "bandwidth_mhz", "box_m", "max_depth",
}  # fmt: skip


def _status(quiet: bool, text: str) -> Any:
    from rich.console import Console

    return Console(stderr=True, quiet=quiet).status(text)


def _reject_others(context: typer.Context, allowed: set[str], option: str) -> None:
    """Refuse options that would be ignored."""
    _reject(
        context,
        {parameter.name for parameter in context.command.params} - allowed,
        f"has no meaning beside {option}",
    )


def _reject(context: typer.Context, names: set[str], reason: str) -> None:
    """Refuse options of these names if they are given."""
    from uara.base.errors import InputError

    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        if given and isinstance(parameter, TyperOption) and parameter.name in names:
            raise InputError(f"{parameter.opts[0]} {reason}")


def _make_collection(collection: str, folder: Path, json: bool) -> None:
    from uara.base.files import pretty_json
    from uara.scenarios.collection import Collection

    chosen = Collection.load(collection)
    chosen.check(folder)
    made = []
    for entry in chosen.entries:
        with _status(json, f"{entry.name}"):
            made.append(chosen.make(entry, folder))
        if not json:
            typer.echo(f"{made[-1]}")
    readme = chosen.describe(folder)
    if json:
        typer.echo(pretty_json({"files": [str(path) for path in made], "readme": str(readme)}), nl=False)


def _report(instance: Any, output: Path, picture: Path | None, json: bool) -> None:
    from uara.base.files import pretty_json

    pairs = len(instance.devices) * len(instance.servers)
    facts = {
        "file": str(output),
        "picture": None if picture is None else str(picture),
        "name": instance.name,
        "servers": len(instance.servers),
        "devices": len(instance.devices),
        "usable_pairs": len(instance.channel.power_gain),
        "pairs": pairs,
        "provenance": instance.provenance.model_dump(),
    }
    if json:
        typer.echo(pretty_json(facts), nl=False)
        return
    usable = facts["usable_pairs"]
    typer.echo(
        f"{output}: {facts['servers']} servers, {facts['devices']} devices, {usable} of {pairs} pairs usable"
    )
    if instance.provenance.acceptance != "measured":
        typer.echo(
            f"acceptance rates of {instance.provenance.task_profile}: {instance.provenance.acceptance}"
        )
    if picture is not None:
        typer.echo(f"{picture}")
