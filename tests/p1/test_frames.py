from __future__ import annotations

from pathlib import Path

import pytest
from cases import make_instance

from uara import InputError
from uara.p1.frames import NAMES, check_csv, columns, csv_files, to_frames, write_csv


def test_tables_hold_every_column_and_every_pair() -> None:
    instance = make_instance(6, 3, 2)
    found = columns(instance)
    assert tuple(found) == NAMES
    assert found["devices"]["tx_power_w"] == instance.devices.tx_power_w.tolist()
    assert instance.devices.position_m is not None
    assert found["devices"]["y_m"] == instance.devices.position_m[:, 1].tolist()
    assert "position_m" not in found["devices"]
    for name, server, gain in zip(*found["gains"].values(), strict=True):
        row, column = instance.devices.id.index(name), instance.servers.id.index(server)
        assert instance.channel.dense(3)[row, column] == gain > 0


def test_frames_are_the_tables() -> None:
    pytest.importorskip("pandas")
    instance = make_instance(4, 2, 1)
    frames = to_frames(instance)
    for name, frame in frames._asdict().items():
        assert {column: frame[column].tolist() for column in frame} == columns(instance)[name]


def test_files_have_names_of_their_own_and_replace_their_own_kind_alone(tmp_path: Path) -> None:
    instance = make_instance(4, 2, 1)
    path = tmp_path / "a.csv"
    check_csv(instance, path)
    assert write_csv(instance, path) == list(csv_files(path).values())
    check_csv(instance, path)
    (tmp_path / "a_gains.csv").write_text("my,own,table\n")
    with pytest.raises(InputError, match=r"a_gains\.csv: holds a table with other columns"):
        check_csv(instance, path)
    with pytest.raises(InputError, match="three files cannot go into one stream"):
        check_csv(instance, Path("/dev/stdout"))
    with pytest.raises(InputError, match="must end in"):
        check_csv(instance, tmp_path / "a.txt")
