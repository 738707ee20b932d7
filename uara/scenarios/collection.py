"""Collections of instances: a TOML file of recipes, made by one command."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from uara.base import files
from uara.base.errors import InputError, in_file
from uara.base.files import Record
from uara.base.quantities import Name
from uara.p1.coefficients import best_snr_db
from uara.p1.instance import Instance
from uara.scenarios.recipe import Recipe, generate
from uara.scenarios.twin import urban_micro_twin


class Entry(Record):
    """One instance of a collection."""

    name: Name
    """Name of the instance and of its file."""
    about: str = ""
    """What it is for."""
    twin_of: str | None = None
    """Another entry whose devices, servers and tasks it shares; its own channel is 38.901 UMi."""
    recipe: dict[str, Any] = {}
    """Fields of the recipe that differ from the defaults; with ``twin_of``, the seed alone."""


class Collection(Record):
    """Instances that are made together."""

    title: str
    introduction: str = ""
    entries: Annotated[list[Entry], Field(min_length=1)]

    @classmethod
    def load(cls, collection: str | Path) -> Collection:
        """A collection that comes with the package, by name, or a ``.toml`` file.

        Raises
        ------
        InputError
            If there is none, or a recipe in it is not valid.
        """
        folder = Path(str(resources.files("uara"))) / "data" / "collections"
        path = Path(collection)
        if path.suffix != ".toml":
            shipped = {file.stem: file for file in sorted(folder.glob("*.toml"))}
            if str(collection) not in shipped:
                known = ", ".join(shipped)
                raise InputError(
                    f"no collection {str(collection)!r}; shipped are {known}, or give a .toml file"
                )
            path = shipped[str(collection)]
        with in_file(path):
            loaded = files.validate(files.read_toml(path), cls)
            loaded._check()
            return loaded

    def _check(self) -> None:
        """Every entry's recipe, names and references, before anything is made."""
        before: set[str] = set()
        for number, entry in enumerate(self.entries):
            place = f"$.entries[{number}]"
            files.file_name(entry.name, path=f"{place}.name")
            if entry.name in before:
                raise InputError(f"a second entry {entry.name!r}", path=f"{place}.name")
            if entry.twin_of is None:
                files.validate(entry.recipe, Recipe, path=f"{place}.recipe")
            elif entry.twin_of not in before:
                raise InputError(f"no entry {entry.twin_of!r} before this one", path=f"{place}.twin_of")
            elif set(entry.recipe) - {"seed"}:
                raise InputError("a twin has a seed of its own and nothing else", path=f"{place}.recipe")
            before.add(entry.name)

    def make(self, entry: Entry, folder: Path) -> Path:
        """Generate one entry into a folder and return the file; a twin reads its original there."""
        if entry.twin_of is None:
            instance = generate(name=entry.name, **entry.recipe)
        else:
            original = Instance.load(folder / f"{entry.twin_of}.json")
            instance = urban_micro_twin(original, seed=entry.recipe.get("seed", 1), name=entry.name)
        path = folder / f"{entry.name}.json"
        instance.save(path)
        return path

    def check(self, folder: Path) -> None:
        """Refuse a folder where a file of the collection cannot be written or must not be; raises ``InputError``."""
        files.output_folder(folder)
        files.check_output(self.page(folder), suffixes=(".md",))
        for entry in self.entries:
            files.check_output(folder / f"{entry.name}.json", suffixes=(".json",), kind="p1")

    def page(self, folder: Path) -> Path:
        """Where :meth:`describe` writes.

        Raises
        ------
        InputError
            If there is a page of something else already.
        """
        path = folder / "README.md"
        if path.is_file() and not files.read_bytes(path).startswith(f"# {self.title}\n".encode()):
            raise InputError("is a page of something else; choose another folder", source=str(path))
        return path

    def describe(self, folder: Path) -> Path:
        """Write ``README.md`` beside the instances: what each is, and the command that made it."""
        rows, commands = [], []
        for entry in self.entries:
            instance = Instance.load(folder / f"{entry.name}.json")
            rows.append(_row(entry, instance))
            commands.append(instance.provenance.command)
        text = "\n".join([
            f"# {self.title}", "", self.introduction.strip(), "",
            "| instance | E | M | channel | usable pairs | best SNR, median [dB] | load per slot | acceptance | |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows, "", "## How each was made", "", "```sh", *commands, "```", "",
        ])  # fmt: skip
        path = self.page(folder)
        files.write_bytes(path, text.encode())
        return path


def _row(entry: Entry, instance: Instance) -> str:
    import numpy as np

    servers, devices, source = instance.servers, instance.devices, instance.provenance
    usable = len(instance.channel.power_gain) / (len(servers) * len(devices))
    best_db = float(np.median(best_snr_db(instance)))
    load = source.settings.get("server_load_per_slot", "")
    return (
        f"| {entry.name} | {len(servers)} | {len(devices)} | {source.channel_model} | {usable:.0%} | {best_db:.1f} "
        f"| {load} | {source.acceptance} | {entry.about} |"
    )
