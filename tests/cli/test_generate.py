from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from uara.cli import main
from uara.p1.instance import Instance
from uara.scenarios.channel.mobility import MovingDrop, Walk
from uara.scenarios.recipe import generate
from uara.scenarios.trace import MobilityTrace

PLAIN = ["generate", "--channel", "path-loss", "--servers", "3", "--devices", "6"]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def fails(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(arguments) == 2
    printed = capsys.readouterr().err
    assert "Traceback" not in printed
    return printed


def test_file_equals_the_librarys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*PLAIN, "--seed", "7", "--battery", "low", "--energy-weight", "100", "-o", "out.json"]) == 0
    wanted = generate(
        channel="path-loss",
        servers=3,
        devices=6,
        seed=7,
        battery="low",
        energy_weight_ms_per_j=100.0,
        name="out",
    )
    wanted.save("wanted.json")
    assert Path("out.json").read_bytes() == Path("wanted.json").read_bytes()
    printed = capsys.readouterr().out
    assert "out.json: 3 servers, 6 devices, 18 of 18 pairs usable" in printed


def test_the_recorded_command_makes_the_same_file() -> None:
    assert run([*PLAIN, "--payload", "full-logits", "--bandwidth-mhz", "2.5", "-o", "first.json"]) == 0
    words = Instance.load("first.json").provenance.command.split()
    first = Path("first.json").read_bytes()
    Path("first.json").unlink()
    assert run(words[1:]) == 0
    assert Path("first.json").read_bytes() == first


def test_file_and_name_by_default() -> None:
    assert run(PLAIN) == 0
    assert Instance.load("e3_m6.json").name == "e3_m6"


def test_json_says_what_was_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*PLAIN, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["file"], data["servers"], data["devices"], data["usable_pairs"]) == ("e3_m6.json", 3, 6, 18)
    assert data["provenance"]["channel_model"] == "path-loss"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--devices", "0"], "recipe.devices"),
        (["--battery", "flat"], "recipe.battery"),
        (["--profile", "nobody"], "no profile 'nobody'"),
        (["--box-m", "1"], "no room on the streets"),
        (["-o", "/dev/null/x.json"], "cannot be written"),
        (["--speed", "2"], "--speed has no meaning without --slots"),
        (["--slots", "1", "--slot-s", "0.5"], "--slot-s has no meaning without --slots"),
        (["--wander-deg", "3"], "--wander-deg has no meaning without --slots"),
        (["--picture", "x.png"], "was not ray-traced"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = fails([*PLAIN, *arguments], capsys)
    assert message in printed
    assert printed.count("\n") == 1


def test_the_recorded_command_makes_the_same_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    def still(settings: object, walk: Walk, *, servers: int, devices: int, seed: int) -> MovingDrop:
        place, gain = np.zeros((walk.slots, devices, 3)), np.full((walk.slots, devices, servers), 1e-9)
        return MovingDrop(np.zeros((servers, 3)), place, gain, {"versions": {}})

    monkeypatch.setattr("uara.scenarios.channel.mobility.draw_umi", still)
    words = ["--channel", "sionna-umi", "--servers", "2", "--devices", "3", "--slots", "2", "--speed", "3"]
    assert run(["generate", *words, "--slot-s", "0.25", "--wander-deg", "4", "-o", "w.json"]) == 0
    trace, first = MobilityTrace.load("w.json"), Path("w.json").read_bytes()
    assert (trace.slot_s, trace.instance.parameters.slot_ms, trace.speed_m_per_s) == (0.25, 250.0, 3.0)
    Path("w.json").unlink()
    assert run(trace.instance.provenance.command.split()[1:]) == 0
    assert Path("w.json").read_bytes() == first


def test_a_twin_accepts_no_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    run(PLAIN)
    twin = ["generate", "--twin", "e3_m6.json"]
    assert "--channel sionna-umi" in fails(twin, capsys)
    arguments = [*twin, "--channel", "sionna-umi", "--devices", "9"]
    assert "--devices has no meaning beside --twin" in fails(arguments, capsys)


def test_a_collection_is_made_whole(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text(
        'title = "Mine"\n[[entries]]\nname = "a"\nrecipe = { channel = "path-loss", servers = 2, devices = 2 }\n'
    )
    assert "--seed has no meaning" in fails(["generate", "--collection", "mine.toml", "--seed", "3"], capsys)
    assert run(["generate", "--collection", "mine.toml", "-o", "all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"files": ["all/a.json"], "readme": "all/README.md"}
    assert Instance.load("all/a.json").name == "a"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-o", "other.json"], "holds 'solution', not 'p1'"),
        (["-o", "net.csv"], "must end in .json"),
        (["--picture", "x.gif"], "pictures are written as .png, .jpg or .webp"),
        (["--picture", "other.png"], "holds something else"),
        (["--slots", "3", "-o", "net.json"], "holds 'p1', not 'p1-trace'"),
    ],
)
def test_outputs_are_checked_before_anything_is_drawn(
    words: list[str], text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("drawn before the outputs were checked")

    Path("other.json").write_text('{"kind": "solution"}')
    Path("other.png").write_text("notes")
    assert run([*PLAIN, "-o", "net.json"]) == 0
    monkeypatch.setattr("uara.scenarios.recipe.generate", forbidden)
    monkeypatch.setattr("uara.scenarios.recipe.generate_trace", forbidden)
    assert text in fails([*PLAIN, *words], capsys)


def test_a_twin_does_not_replace_its_original(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*PLAIN, "-o", "net.json"]) == 0
    words = ["generate", "--channel", "sionna-umi", "--twin", "net.json"]
    assert "is an input" in fails([*words, "-o", "net.json"], capsys)
