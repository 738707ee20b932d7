"""``uara generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperOption

from uara.cli.fields import options_from
from uara.cli.output import finish
from uara.scenarios.channel.mobility import Walk
from uara.scenarios.own import Own
from uara.scenarios.recipe import FLAGS, Recipe

_TWIN_OPTIONS = {"twin", "channel", "seed", "output", "name", "picture", "json"}
_COLLECTION_OPTIONS = {"collection", "output", "json"}
_DRAWN = {"servers", "devices", "box_m"}
"""Options of what is drawn where no sites are given."""
_BETWEEN = {
    "most_sites",
    "most_users",
    "origin",
    "site_height_m",
    "user_height_m",
    "carrier_ghz",
    "shadowing_db",
}
"""Options of what is between given sites and users."""


@options_from(Recipe, Walk, Own, flags=FLAGS, without={"slots"})
def command(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; a folder with --collection.")
    ] = None,
    slots: Annotated[
        int, typer.Option(help="More than 1: a trace of this many slots of walking devices.")
    ] = 1,
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
    **fields: Any,
) -> None:
    """Make an instance from Sionna channels and a task profile.

    Generating needs the extra 'sionna' (except --channel path-loss); solving does not.
    Own places, hardware and requests: --sites and --users, --hardware, --arrivals (docs/own-data.md).
    """
    from uara.base.errors import InputError
    from uara.base.files import file_name, save_or_rescue, validate
    from uara.scenarios.recipe import drawing_bytes
    from uara.scenarios.twin import urban_micro_twin

    if collection is not None:
        _reject_others(context, _COLLECTION_OPTIONS, "--collection")
        _make_collection(collection, output or Path("instances"), json)
        return
    if twin is not None:
        from uara.p1.instance import Instance

        _reject_others(context, _TWIN_OPTIONS, "--twin")
        if fields["channel"] != "sionna-umi":
            raise InputError("--twin redraws a channel with --channel sionna-umi; say so")
        original = Instance.load(twin)
        output = output or Path(file_name(f"{original.name}_umi.json", source=str(twin), path="$.name"))
        _check_outputs(output, "p1", picture, [twin])
        with _status(json, f"drawing a 38.901 channel for {original.name}"):
            instance = urban_micro_twin(original, seed=fields["seed"], name=name or output.stem)
    else:
        options = {key: fields[key] for key in Recipe.model_fields}
        walk = {key: fields[key] for key in Walk.model_fields if key != "slots"}
        own = _own(context, fields)
        if slots != 1:
            if picture is not None:
                raise InputError("--picture has no meaning beside --slots")
            _make_trace(options, {"slots": slots, **walk}, own, output, name, json)
            return
        _reject(context, set(walk), "has no meaning without --slots of 2 or more")
        output = output or Path(_stem(options, own) + ".json")
        _check_outputs(output, "p1", picture, _inputs(options, own))
        memory_mb = drawing_bytes(validate(options, Recipe, path="recipe")) / 1e6
        with _status(json, f"drawing {_words(options, own)}, about {memory_mb:.0f} MB"):
            instance = _made(options, own, name or output.stem)

    def draw() -> None:
        from uara.scenarios.channel.picture import render

        if picture is not None:
            with _status(json, f"rendering {picture}"):
                render(instance, picture)

    finish(
        lambda: save_or_rescue(instance.save, output), draw, lambda: _report(instance, output, picture, json)
    )


def _own(context: typer.Context, fields: dict[str, Any]) -> Own | None:
    """What is one's own; None where nothing is."""
    from uara.base.files import validate

    own = validate({key: fields[key] for key in Own.model_fields}, Own, path="own")
    if own.sites or own.users:
        _reject(context, _DRAWN, "has no meaning beside --sites")
        unused = "carrier_ghz" if fields["channel"] == "path-loss" else "shadowing_db"
        _reject(context, {unused}, f"has no meaning beside --channel {fields['channel']}")
    else:
        _reject(context, _BETWEEN, "has no meaning without --sites and --users")
    if not own.files:
        _reject(context, {"credit"}, "has no meaning without data of one's own")
    if own.hardware:
        _reject(context, {"server_mix"}, "has no meaning beside --hardware")
    return own if own.files else None


def _stem(options: dict[str, Any], own: Own | None) -> str:
    return Path(own.sites).stem if own and own.sites else f"e{options['servers']}_m{options['devices']}"


def _words(options: dict[str, Any], own: Own | None) -> str:
    counts = f"{options['servers']} servers and {options['devices']} devices"
    drawn = f"{own.sites} and {own.users}" if own and own.sites else counts
    return f"{drawn} ({options['channel']})"


def _inputs(options: dict[str, Any], own: Own | None) -> list[Path]:
    return [Path(options["profile"]), Path(options["scene"]), *(own.files if own else [])]


def _made(options: dict[str, Any], own: Own | None, name: str) -> Any:
    from uara.base.files import validate
    from uara.scenarios.own import generate_own
    from uara.scenarios.recipe import generate

    if own is None:
        return generate(name=name, **options)
    return generate_own(validate(options, Recipe, path="recipe"), own, name=name)


def _check_outputs(output: Path, kind: str, picture: Path | None, inputs: list[Path]) -> None:
    from uara.base.files import check_output
    from uara.base.pictures import check_picture
    from uara.scenarios.channel.picture import KINDS

    check_output(output, suffixes=(".json",), inputs=inputs, kind=kind)
    if picture is not None:
        check_picture(picture, suffixes=[f".{each}" for each in KINDS], inputs=inputs)


def _make_trace(
    options: dict[str, Any],
    walking: dict[str, float],
    own: Own | None,
    output: Path | None,
    name: str | None,
    json: bool,
) -> None:
    from uara.base.files import save_or_rescue, validate
    from uara.scenarios.own import generate_own_trace
    from uara.scenarios.recipe import generate_trace
    from uara.scenarios.trace import KIND

    walk = validate(walking, Walk, path="walk")
    output = output or Path(f"{_stem(options, own)}_t{walk.slots}.json")
    _check_outputs(output, KIND, None, _inputs(options, own))
    name = name or output.stem
    with _status(json, f"{walk.slots} slots of {_words(options, own)}"):
        if own is None:
            trace = generate_trace(walk=walk, name=name, **options)
        else:
            recipe = validate(options, Recipe, path="recipe")
            trace = generate_own_trace(recipe, own, walk, name=name)
    save_or_rescue(trace.save, output)
    _report(trace.instance, output, None, json)


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
