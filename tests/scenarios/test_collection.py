from __future__ import annotations

from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.p1.instance import Instance
from uara.scenarios.collection import Collection, Entry
from uara.scenarios.recipe import Recipe, generate

SMALL = """
title = "Two"
introduction = "Words before."

[[entries]]
name = "near"
about = "a first one"
recipe = { channel = "path-loss", servers = 2, devices = 3 }

[[entries]]
name = "far"
recipe = { channel = "path-loss", servers = 3, devices = 5, seed = 9, battery = "low" }
"""


def collection(folder: Path, text: str) -> Collection:
    path = folder / "mine.toml"
    path.write_text(text)
    return Collection.load(path)


def test_entries_become_files_and_a_page(tmp_path: Path) -> None:
    chosen = collection(tmp_path, SMALL)
    out = tmp_path / "out"
    files = [chosen.make(entry, out) for entry in chosen.entries]
    assert [file.name for file in files] == ["near.json", "far.json"]
    near, far = (Instance.load(file) for file in files)
    assert (near.name, len(near.servers), len(near.devices)) == ("near", 2, 3)
    assert far.devices.battery_fraction.max() <= 0.2
    page = chosen.describe(out).read_text()
    assert page.startswith("# Two\n\nWords before.\n")
    assert "| near | 2 | 3 | path-loss | 100% |" in page
    assert "a first one" in page
    assert far.provenance.command in page


def test_a_page_of_something_else_is_left_alone(tmp_path: Path) -> None:
    chosen = collection(tmp_path, SMALL)
    (tmp_path / "README.md").write_text("# My thesis\n")
    with pytest.raises(InputError, match="page of something else"):
        chosen.page(tmp_path)
    for entry in chosen.entries:
        chosen.make(entry, tmp_path)
    with pytest.raises(InputError, match="page of something else"):
        chosen.describe(tmp_path)
    assert (tmp_path / "README.md").read_text() == "# My thesis\n"


def test_making_again_gives_the_same_bytes(tmp_path: Path) -> None:
    chosen = collection(tmp_path, SMALL)
    first = chosen.make(chosen.entries[0], tmp_path / "a").read_bytes()
    assert chosen.make(chosen.entries[0], tmp_path / "b").read_bytes() == first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 'x'\nentries = []", r"\$\.entries"),
        ("title = 'x'", r"\$\.entries"),
        ("title = [", "not valid TOML"),
        (SMALL.replace('"far"', '"near"'), r"\$\.entries\[1\]\.name: a second entry 'near'"),
        (SMALL.replace("servers = 2", "servers = 0"), r"\$\.entries\[0\]\.recipe\.servers"),
        (SMALL.replace("servers = 2", "severs = 2"), r"\$\.entries\[0\]\.recipe\.severs"),
        (
            SMALL + "[[entries]]\nname = 't'\ntwin_of = 'nobody'",
            r"\$\.entries\[2\]\.twin_of: no entry 'nobody'",
        ),
        (SMALL + "[[entries]]\nname = 't'\ntwin_of = 'far'\nrecipe = { devices = 4 }", r"a twin has a seed"),
        (SMALL.replace("about", "abuot"), r"\$\.entries\[0\]\.abuot"),
    ],
)
def test_mistakes_are_named_before_anything_is_made(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        collection(tmp_path, text)
    assert caught.value.source == str(tmp_path / "mine.toml")


def test_unknown_collection_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no collection 'rare'; shipped are shipped"):
        Collection.load("rare")


def test_the_shipped_collection_covers_table_i() -> None:
    entries = {entry.name: entry for entry in Collection.load("shipped").entries}
    sizes = {
        (recipe.servers, recipe.devices)
        for entry in entries.values()
        if entry.twin_of is None
        for recipe in [Recipe(**entry.recipe)]
        if recipe.channel == "sionna-rt"
    }
    assert {(8, m) for m in (30, 60, 90, 120, 150, 180)} <= sizes
    assert {(e, 90) for e in (4, 8, 12, 16, 20)} <= sizes
    assert {(4, 30), (20, 180)} <= sizes
    assert sum(entry.twin_of is not None for entry in entries.values()) == 3
    assert sum(name.startswith("hard_") for name in entries) == 4


def shipped_folder() -> Path:
    folder = Path(__file__).parents[2] / "instances"
    if not folder.is_dir():
        pytest.skip("only in the repository")
    return folder


@pytest.mark.parametrize("entry", Collection.load("shipped").entries, ids=lambda entry: entry.name)
def test_shipped_files_are_what_their_recipes_say(entry: Entry) -> None:
    path = shipped_folder() / f"{entry.name}.json"
    assert path.stat().st_size < 500_000
    instance = Instance.load(path)
    assert instance.name == entry.name
    gain = instance.channel.dense(len(instance.servers))
    assert gain.max(1).min() >= 1e-12
    if entry.twin_of is not None:
        original = Instance.load(shipped_folder() / f"{entry.twin_of}.json")
        assert instance.devices.server_flop.tolist() == original.devices.server_flop.tolist()
        assert instance.provenance.settings["twin_of_sha256"] == original.digest
        return
    recipe = Recipe(**entry.recipe)
    assert (len(instance.servers), len(instance.devices)) == (recipe.servers, recipe.devices)
    assert instance.provenance.command == recipe.command(entry.name)
    assert instance.provenance.settings["server_load_per_slot"] < 1
    assert instance.provenance.credits
    # Everything but the channel can be drawn again without Sionna.
    again = recipe.model_copy(update={"channel": "path-loss"})
    twin = generate(again, name=entry.name)
    assert twin.devices.server_flop.tolist() == instance.devices.server_flop.tolist()
    assert twin.devices.tx_power_w.tolist() == instance.devices.tx_power_w.tolist()
    assert twin.servers.model == instance.servers.model
    assert twin.parameters == instance.parameters


def test_the_shipped_page_lists_every_file() -> None:
    folder = shipped_folder()
    page = (folder / "README.md").read_text()
    for entry in Collection.load("shipped").entries:
        instance = Instance.load(folder / f"{entry.name}.json")
        assert f"| {entry.name} | {len(instance.servers)} | {len(instance.devices)} |" in page
        assert instance.provenance.command in page
    assert "OpenStreetMap" in page


@pytest.mark.parametrize("name", ["../../escape", "/abs", "a/b", "..", "nul", "a\\\\b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        InputError, match=r"mine\.toml: \$\.entries\[1\]\.name: .* cannot be the name of a file"
    ):
        collection(tmp_path, SMALL.replace('"far"', f'"{name}"'))
    with pytest.raises(InputError, match="no collection"):
        Collection.load("../collections/shipped")


def test_other_files_in_the_folder_are_found_before_anything_is_made(tmp_path: Path) -> None:
    chosen = collection(tmp_path, SMALL)
    (tmp_path / "far.json").write_text('{"kind": "solution"}')
    with pytest.raises(InputError, match=r"far\.json: holds 'solution', not 'p1'"):
        chosen.check(tmp_path)
    (tmp_path / "far.json").unlink()
    chosen.check(tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["mine.toml"]
