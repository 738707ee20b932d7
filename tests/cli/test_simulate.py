"""``uara simulate`` from the command line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from cases import make_instance
from mec.worlds import profile_file, random_gains

from uara.cli import main
from uara.cli.simulate import open_trace
from uara.mec import simulate as module
from uara.scenarios.trace import MobilityTrace


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "walk.json"
    MobilityTrace(make_instance(9, 3), random_gains(3), np.zeros((3, 9, 3)), 1.0, 1.5).save(path)
    return path


def run(capsys, *words):
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        code = stop.code or 0
    return code, *capsys.readouterr()


def test_a_table_a_csv_and_a_plot(trace, tmp_path, capsys):
    words = ["simulate", trace, "--solver", "max-sinr:allocation=uniform", "--solver", "tma-masac"]
    words += [
        "--profile",
        profile_file(str(tmp_path)),
        "-o",
        tmp_path / "run.csv",
        "--plot",
        tmp_path / "run.svg",
    ]
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "tma-masac" in out
    assert out.index("tma-masac") < out.index("max-sinr"), "the lowest objective comes first"
    with (tmp_path / "run.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 6
    assert (tmp_path / "run.svg").read_text().startswith("<?xml")


def test_json_holds_every_slot(trace, tmp_path, capsys):
    profile = profile_file(str(tmp_path))
    words = ["simulate", trace, "--solver", "random", "--slots", 5, "--profile", profile, "--json"]
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert [row["slot"] for row in json.loads(out)] == list(range(5))


def test_an_instance_is_a_trace_of_one_slot(tmp_path):
    instance = make_instance(7, 2)
    instance.save(tmp_path / "still.json")
    still = open_trace(tmp_path / "still.json")
    assert len(still) == 1
    np.testing.assert_array_equal(still.power_gain[0], instance.channel.dense(2))


def test_errors_are_one_line(trace, tmp_path, capsys):
    code, _, err = run(capsys, "simulate", trace, "--solver", "nobody")
    assert code == 2
    assert "no solver 'nobody'" in err
    code, _, err = run(capsys, "simulate", tmp_path / "none.json")
    assert code == 2
    assert "no such file" in err


def test_outputs_are_checked_before_anything_is_simulated(trace, tmp_path, capsys, monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("simulated before the outputs were checked")

    monkeypatch.setattr("uara.mec.simulate.simulate", forbidden)
    (tmp_path / "link.csv").symlink_to(trace)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    before = trace.read_bytes()
    for words, text in (
        (["-o", trace], "must end in .csv"),
        (["-o", tmp_path / "link.csv"], "is an input"),
        (["-o", tmp_path / "other.csv"], "holds a table with other columns"),
        (["--plot", tmp_path / "a.gif"], "pictures are written as"),
        (["--plot", trace], "pictures are written as"),
    ):
        code, out, err = run(capsys, "simulate", trace, *words)
        assert (code, out) == (2, "")
        assert text in err
    assert trace.read_bytes() == before


def test_after_ctrl_c_the_slots_that_are_done_are_saved_and_shown(trace, tmp_path, capsys, monkeypatch):
    words = ["simulate", trace, "--solver", "max-sinr", "--solver", "random", "--slots", 3]
    words += ["--profile", profile_file(str(tmp_path)), "-o", tmp_path / "run.csv"]
    decide, calls = module._Standing.decide, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return decide(*arguments)

    monkeypatch.setattr(module._Standing, "decide", interrupted)
    code, out, err = run(capsys, *words)
    assert (code, err.splitlines()[-1]) == (130, "uara: interrupted")
    assert "max-sinr" in out
    assert "random" not in out, "two slots of three cannot be compared"
    with (tmp_path / "run.csv").open() as file:
        assert [row["solver"] for row in csv.DictReader(file)] == ["max-sinr"] * 3 + ["random"]


@pytest.mark.integration
def test_a_picture_that_fails_hides_no_numbers(trace, tmp_path, capsys):
    words = ["simulate", trace, "--solver", "max-sinr", "--profile", profile_file(str(tmp_path))]
    code, out, err = run(capsys, *words, "-o", tmp_path / "run.csv", "--plot", "/dev/full")
    assert code == 2
    assert "max-sinr" in out
    assert err == "uara: /dev/full: cannot be written: No space left on device\n"
    assert (tmp_path / "run.csv").exists()
    assert run(capsys, *words, "-o", tmp_path / "run.csv")[0] == 0, "its own table may be replaced"


@pytest.mark.integration
def test_a_walk_by_path_loss_is_made_and_simulated(tmp_path, capsys):
    path = tmp_path / "walk.json"
    made = ("generate", "--channel", "path-loss", "--servers", 2, "--devices", 5, "--slots", 3, "-o", path)
    assert run(capsys, *made)[0] == 0
    code, text = run(capsys, "simulate", path, "--solver", "max-sinr")[:2]
    assert code == 0
    assert "max-sinr" in text
