"""``uara import`` and ``uara export --to csv`` as a user meets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from uara import Instance, load


def test_an_instance_goes_out_and_comes_back(uara: Any, instance: Instance, instance_file: Path) -> None:
    folder = instance_file.parent
    out = uara("export", instance_file, "--to", "csv")
    assert out.code == 0
    assert out.out.count("wrote") == 3
    files = [folder / f"twelve_{name}.csv" for name in ("devices", "servers", "gains")]
    back = uara("import", *files, "-o", folder / "back.json")
    assert back.code == 0
    assert "12 devices" in back.out
    found = load(folder / "back.json")
    assert (found.digest, found.name) == (instance.digest, "back")
    assert found.provenance.command.startswith("uara import ")


def test_constants_and_the_law_are_options_and_stand_in_the_provenance(
    uara: Any, instance_file: Path
) -> None:
    folder = instance_file.parent
    uara("export", instance_file, "--to", "csv")
    files = [folder / f"twelve_{name}.csv" for name in ("devices", "servers")]
    words = ["--energy-weight-ms-per-j", "20", "--shadowing-db", "0", "--seed", "3", "--name", "mine"]
    assert uara("import", *files, *words, "-o", folder / "own.json").code == 0
    found = load(folder / "own.json")
    assert found.name == "mine"
    assert found.parameters.energy_weight_ms_per_j == 20.0
    assert found.provenance.settings["shadowing_db"] == 0.0
    for word in words[:6]:
        assert word in found.provenance.command.split()


def test_refusals_name_what_is_wrong(uara: Any, instance_file: Path) -> None:
    folder = instance_file.parent
    uara("export", instance_file, "--to", "csv")
    devices, servers = folder / "twelve_devices.csv", folder / "twelve_servers.csv"
    for words, text in (
        ([devices, "no.csv"], "no.csv: no such file"),
        ([devices, servers, "--slot-ms", "0"], "parameters.slot_ms"),
        ([devices, servers, "--shadowing-db", "-1"], "path loss.shadowing_db"),
        ([servers, devices], "column bandwidth_hz: is not known"),
        ([devices, servers, "-o", devices], "must end in .json"),
    ):
        found = uara("import", "-o", folder / "own.json", *words)
        assert (found.code, text in found.err) == (2, True), found.err
    assert not (folder / "own.json").exists()
    assert uara("export", instance_file, "--to", "csv", "--program", "milp").code == 2
    hetedge = Path(__file__).parents[2] / "instances" / "hetedge_k100.json"
    assert "have no tables" in uara("export", hetedge, "--to", "csv", "--output", folder / "h.csv").err
