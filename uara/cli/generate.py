"""``uara generate``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperOption

from uara.base.errors import InputError
from uara.base.files import Record, check_output, file_name, save_or_rescue
from uara.cli.fields import options_from, taken
from uara.cli.output import finish, print_json, sizes_of
from uara.p1.instance import Instance
from uara.scenarios import own as owns
from uara.scenarios import recipe as recipes
from uara.scenarios.channel.mobility import Walk
from uara.scenarios.own import Own
from uara.scenarios.recipe import FLAGS, Recipe
from uara.scenarios.trace import KIND as TRACE
from uara.scenarios.twin import urban_micro_twin

_TWIN_OPTIONS = {"twin", "channel", "seed", "output", "name", "picture", "json"}
_COLLECTION_OPTIONS = {"collection", "output", "json"}
_DRAWN = {"servers", "devices", "box_m"}
"""Options of what is drawn where no sites are given."""
_PLACED = {"most_sites", "most_users", "origin", "site_height_m", "user_height_m"}
_BETWEEN = {*_PLACED, "carrier_ghz", "shadowing_db"}
"""Options of what is between given sites and users."""


class Aim(Record):
    """What is made of the recipe."""

    name: str | None = None
    """Name of the instance; the file's by default."""
    twin: Path | None = None
    """Keep this instance and redraw its channel (--channel sionna-umi)."""
    collection: str | None = None
    """Make a whole collection: 'shipped', or a .toml file of recipes."""
    picture: Path | None = None
    """Also render the scene to this file (.png, .jpg, .webp)."""


@options_from(Aim, Recipe, Walk, Own, flags=FLAGS, without={"slots"})
def command(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; a folder with --collection.")
    ] = None,
    slots: Annotated[
        int, typer.Option(help="More than 1: a trace of this many slots of walking devices.")
    ] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
    **fields: Any,
) -> None:
    """Make an instance from Sionna channels and a task profile.

    Generating needs the extra 'sionna' (except --channel path-loss); solving does not.
    Own places, hardware and requests: --sites and --users, --hardware, --arrivals (docs/own-data.md).
    """
    aim = taken(fields, Aim)
    if aim.collection is not None:
        _reject_others(context, _COLLECTION_OPTIONS, "--collection")
        _make_collection(aim.collection, output or Path("instances"), json)
        return
    if aim.twin is not None:
        _reject_others(context, _TWIN_OPTIONS, "--twin")
        _make_twin(aim, aim.twin, fields, output, json)
        return
    wanted = Wanted(taken(fields, Recipe, "recipe"), _own(context, fields))
    if slots != 1:
        if aim.picture is not None:
            raise InputError("--picture has no meaning beside --slots")
        _make_trace(wanted, taken({**fields, "slots": slots}, Walk, "walk"), aim, output, json)
        return
    _reject(context, set(Walk.model_fields), "has no meaning without --slots of 2 or more")
    output = output or Path(f"{wanted.stem}.json")
    _check_outputs(output, aim.picture, wanted.inputs)
    memory_mb = recipes.drawing_bytes(wanted.recipe) / 1e6
    with _status(json, f"drawing {wanted}, about {memory_mb:.0f} MB"):
        instance = wanted.instance(aim.name or output.stem)
    _finish(instance, output, aim.picture, json)


@dataclass(frozen=True)
class Wanted:
    """A recipe, and what is one's own in it; ``own`` is None where nothing is."""

    recipe: Recipe
    own: Own | None

    @property
    def stem(self) -> str:
        """Name of the file where none is given, without its suffix."""
        return Path(self.own.sites).stem if self.own and self.own.sites else self.recipe.default_name

    def __str__(self) -> str:
        counts = f"{self.recipe.servers} servers and {self.recipe.devices} devices"
        drawn = f"{self.own.sites} and {self.own.users}" if self.own and self.own.sites else counts
        return f"{drawn} ({self.recipe.channel})"

    @property
    def inputs(self) -> list[Path]:
        """Files that are read."""
        return [Path(self.recipe.profile), Path(self.recipe.scene), *(self.own.files if self.own else [])]

    def instance(self, name: str) -> Instance:
        """Draw the instance."""
        if self.own is None:
            return recipes.generate(self.recipe, name=name)
        return owns.generate_own(self.recipe, self.own, name=name)

    def trace(self, walk: Walk, name: str) -> Any:
        """Draw the instance and a walk of its devices."""
        if self.own is None:
            return recipes.generate_trace(self.recipe, walk=walk, name=name)
        return owns.generate_own_trace(self.recipe, self.own, walk, name=name)


def _own(context: typer.Context, fields: dict[str, Any]) -> Own | None:
    """What is one's own; options that it leaves without a meaning are refused."""
    own, channel = taken(fields, Own, "own"), fields["channel"]
    if own.sites or own.users:
        _reject(context, _DRAWN, "has no meaning beside --sites")
        unused = "carrier_ghz" if channel == "path-loss" else "shadowing_db"
        _reject(context, {unused}, f"has no meaning beside --channel {channel}")
    else:
        _reject(context, _BETWEEN, "has no meaning without --sites and --users")
    if not own.files:
        _reject(context, {"credit"}, "has no meaning without data of one's own")
    if own.hardware:
        _reject(context, {"server_mix"}, "has no meaning beside --hardware")
    return own if own.files else None


def _make_twin(aim: Aim, twin: Path, fields: dict[str, Any], output: Path | None, json: bool) -> None:
    if fields["channel"] != "sionna-umi":
        raise InputError("--twin redraws a channel with --channel sionna-umi; say so")
    original = Instance.load(twin)
    output = output or Path(file_name(f"{original.name}_umi.json", source=str(twin), path="$.name"))
    _check_outputs(output, aim.picture, [twin])
    with _status(json, f"drawing a 38.901 channel for {original.name}"):
        instance = urban_micro_twin(original, seed=fields["seed"], name=aim.name or output.stem)
    _finish(instance, output, aim.picture, json)


def _make_trace(wanted: Wanted, walk: Walk, aim: Aim, output: Path | None, json: bool) -> None:
    output = output or Path(f"{wanted.stem}_t{walk.slots}.json")
    _check_outputs(output, None, wanted.inputs, kind=TRACE)
    with _status(json, f"{walk.slots} slots of {wanted}"):
        trace = wanted.trace(walk, aim.name or output.stem)
    save_or_rescue(trace.save, output)
    _report(trace.instance, output, None, json)


def _make_collection(collection: str, folder: Path, json: bool) -> None:
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
        print_json({"files": [str(path) for path in made], "readme": str(readme)})


def _check_outputs(output: Path, picture: Path | None, inputs: list[Path], *, kind: str = "p1") -> None:
    from uara.base.pictures import check_picture
    from uara.scenarios.channel.picture import KINDS

    check_output(output, suffixes=(".json",), inputs=inputs, kind=kind)
    if picture is not None:
        check_picture(picture, suffixes=[f".{each}" for each in KINDS], inputs=inputs)


def _status(quiet: bool, text: str) -> Any:
    from rich.console import Console

    return Console(stderr=True, quiet=quiet).status(text)


def _reject_others(context: typer.Context, allowed: set[str], option: str) -> None:
    """Refuse options that would be ignored."""
    others = {parameter.name or "" for parameter in context.command.params} - allowed
    _reject(context, others, f"has no meaning beside {option}")


def _reject(context: typer.Context, names: set[str], reason: str) -> None:
    """Refuse options of these names if they are given."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        if given and isinstance(parameter, TyperOption) and parameter.name in names:
            raise InputError(f"{parameter.opts[0]} {reason}")


def _finish(instance: Instance, output: Path, picture: Path | None, json: bool) -> None:
    """Save an instance, draw its scene, say what was made."""

    def draw() -> None:
        from uara.scenarios.channel.picture import render

        if picture is not None:
            with _status(json, f"rendering {picture}"):
                render(instance, picture)

    save = partial(save_or_rescue, instance.save, output)
    finish(save, draw, lambda: _report(instance, output, picture, json))


def _report(instance: Instance, output: Path, picture: Path | None, json: bool) -> None:
    made = instance.provenance
    if json:
        servers, devices = len(instance.servers), len(instance.devices)
        files = {"file": str(output), "picture": None if picture is None else str(picture)}
        counts = {"servers": servers, "devices": devices, "pairs": servers * devices}
        counts["usable_pairs"] = len(instance.channel.power_gain)
        print_json({**files, "name": instance.name, **counts, "provenance": made.model_dump()})
        return
    typer.echo(sizes_of(instance, output))
    if made.acceptance != "measured":
        typer.echo(f"acceptance rates of {made.task_profile}: {made.acceptance}")
    if picture is not None:
        typer.echo(f"{picture}")
