"""docs/own-data.md: its example and its files work as they stand there, and its tables name every column."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from cases import make_instance
from commands import run

import uara
from uara.p1.answers import tables
from uara.p1.schema import DeviceColumns, ServerColumns
from uara.scenarios.channel.pathloss import PathLoss
from uara.scenarios.tables import AXES, DEFAULTS, GAINS

PAGE = (Path(__file__).parents[2] / "docs" / "own-data.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`(\w+\.csv)`[^\n]*\n\n```csv\n(.*?)```", PAGE, re.DOTALL))


def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pandas")
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(first, "docs/own-data.md", "exec"), names)
    assert names["result"].evaluation.feasible
    assert "mean" in capsys.readouterr().out
    exec(compile(second, "docs/own-data.md", "exec"), names)
    assert len(names["devices"]) == 3
    assert len(names["servers"]) == 2
    assert capsys.readouterr().out.startswith("Result: price on own")


def test_every_column_of_an_answer_stands_on_the_page() -> None:
    instance = make_instance(4, 2)
    found = tables(instance, uara.solve(instance, "max-sinr").allocation, uara.Certificate([1, 1], [1, 1]))
    part = PAGE.partition("## Answers")[2].partition("## Columns")[0]
    rows = {
        name
        for line in part.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")
    }
    assert rows == {column for table in found.values() for column in table}


def test_the_files_become_an_instance_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(FILES)[:3] == ["devices.csv", "servers.csv", "gains.csv"]
    for name, text in list(FILES.items())[:3]:
        Path(name).write_text(text, encoding="utf-8")
    block = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0]
    commands = [line.partition("#")[0].split()[1:] for line in block.splitlines()]
    assert len(commands) == 3
    assert run(*commands[0]) == 0
    given = uara.load("own.json")
    assert given.devices.id == ("ann", "bob")
    assert len(given.channel.power_gain) == 3
    assert run(*commands[1]) == 0
    assert len(uara.load("own.json").channel.power_gain) == 4
    assert run(*commands[2]) == 0
    assert sorted(path.name for path in Path().glob("own_*.csv")) == [
        "own_devices.csv",
        "own_gains.csv",
        "own_servers.csv",
    ]
    assert capsys.readouterr().err == "", "nothing of it is warned of"


def test_the_messages_are_those_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused, warned = re.findall(r"^    (uara: .*)$", PAGE, re.MULTILINE)
    Path("devices.csv").write_text(FILES["devices.csv"].replace(",0.1,", ",O.1,"), encoding="utf-8")
    Path("servers.csv").write_text(re.sub(r"\b(35.6|82.9)e12", "35", FILES["servers.csv"]), encoding="utf-8")
    assert run("import", "devices.csv", "servers.csv", "-o", "own.json") == 2
    assert capsys.readouterr().err.splitlines() == [refused]
    Path("devices.csv").write_text(FILES["devices.csv"], encoding="utf-8")
    assert run("import", "devices.csv", "servers.csv", "-o", "own.json") == 0
    assert warned in capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(("table", "schema"), [("devices", DeviceColumns), ("servers", ServerColumns)])
def test_every_column_stands_in_its_table(
    table: str, schema: type[DeviceColumns] | type[ServerColumns]
) -> None:
    part = PAGE.partition("## Columns")[2].partition(f"| {table} | unit")[2].partition("\n\n")[0]
    rows = (
        {name: row for row in part.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
        if part
        else {}
    )
    assert set(rows) == {*schema.model_fields, *AXES} - {"position_m"}
    for name, field in schema.model_fields.items():
        if name not in ("id", "position_m"):
            assert rows[name].endswith("| needed |") == (
                field.is_required() and name not in DEFAULTS[table]
            ), name
    height = PathLoss().device_height_m if table == "devices" else PathLoss().server_height_m
    assert f"`z_m` {height:g} |" in rows["z_m"]


def test_the_gains_and_the_law_are_those_of_the_code() -> None:
    law = PathLoss()
    assert f"{law.intercept_db:g} + {law.slope_db_per_decade:g} log10(d) dB" in PAGE
    assert f"{law.shadowing_db:g} dB of shadowing" in PAGE
    assert all(f"`{name}`" in PAGE for name in GAINS)
