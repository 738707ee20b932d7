"""``uara list``: what comes with the toolkit, by the names that commands take."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from uara.answers.display import print_table
from uara.base import files
from uara.base.cells import figure, tabled, words
from uara.cli.output import FormOption, print_json
from uara.psd.profile import shipped_profiles
from uara.shipped import Shipped, shipped


def command(
    form: FormOption = None, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the instances, drops, traces and task profiles that come with the toolkit.

    A name stands for its file wherever a command takes an instance, in any folder; a file of that name comes first.
    """
    rows = [_row(each) for each in shipped().values()]
    rows += [
        {"name": name, "group": "profiles", "holds": "task profile", "path": str(path)}
        for name, path in shipped_profiles().items()
    ]
    if json:
        print_json(rows)
        return
    print_table(tabled([figure(key, key, words) for key in ("name", "group", "holds")], rows), form)


def _row(each: Shipped) -> dict[str, Any]:
    return {"name": each.name, "group": each.group, "holds": _holds(each), "path": str(each.path)}


def _holds(each: Shipped) -> str:
    """What a file holds, in a few words."""
    plain = files.read_plain_json(each.path)
    inner = plain.get("instance", plain)
    sizes = [
        f"{len(inner[key]['id'])} {key}"
        for key in ("servers", "devices", "requests")
        if isinstance(inner.get(key), dict) and isinstance(inner[key].get("id"), list)
    ]
    slots = [f"{plain['slots']} slots"] if "slots" in plain else []
    origin = inner.get("provenance", {}).get("channel_model")
    return ", ".join([str(plain.get("kind")), *sizes, *slots, *([str(origin)] if origin else [])])
