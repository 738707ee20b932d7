"""Instances of own places, hardware and requests: what the files say is what the instance has."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest

from uara.base.errors import InputError, UaraWarning
from uara.cli import main
from uara.hardware import ACCELERATORS
from uara.p1.instance import Instance
from uara.psd.profile import TaskProfile
from uara.scenarios.arrivals import read_arrivals
from uara.scenarios.channel.mobility import Walk
from uara.scenarios.kit import read_kit
from uara.scenarios.own import Own, generate_own, generate_own_trace
from uara.scenarios.recipe import Recipe, generate
from uara.scenarios.requests import fitted
from uara.scenarios.trace import MobilityTrace

PUBLIC = Path(__file__).parents[2].parent / "shared" / "data"
PATH_LOSS = Recipe(channel="path-loss", seed=3)


def _file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    sites = (
        "id,latitude,longitude,model,bandwidth_hz\nn,-37.81,144.96,rtx-4090,2e6\ns,-37.812,144.96,box,3e6\n"
    )
    users = "id,lat,lon,tx_power_w\na,-37.811,144.961,0.1\nb,-37.8105,144.959,0.2\nc,-37.8115,144.96,0.15\n"
    hardware = "kind,model,compute_flop_per_s,battery_capacity_j\nserver,box,5e13,\ndevice,mine,3e12,50000\n"
    return {
        "sites": _file(tmp_path, "sites.csv", sites),
        "users": _file(tmp_path, "users.csv", users),
        "hardware": _file(tmp_path, "hardware.csv", hardware),
    }


def _requests(folder: Path, rows: int = 12) -> str:
    lines = "\n".join(f"{row},{10 + row},{5 + row}" for row in range(rows))
    return _file(folder, "arrivals.csv", f"arrival_s,prompt_tokens,new_tokens\n{lines}\n")


def test_the_instance_has_what_the_tables_say(places: dict[str, str]) -> None:
    made = generate_own(PATH_LOSS, Own(shadowing_db=0.0, **places))
    assert made.servers.id == ("n", "s")
    assert made.servers.model == (ACCELERATORS[2].model, "box")
    assert made.servers.compute_flop_per_s.tolist() == [ACCELERATORS[2].compute_flop_per_s, 5e13]
    assert made.servers.bandwidth_hz.tolist() == [2e6, 3e6]
    assert made.devices.id == ("a", "b", "c")
    assert set(made.devices.model or ()) == {"mine"}
    assert made.devices.tx_power_w.tolist() == [0.1, 0.2, 0.15]
    apart_m = np.linalg.norm(made.devices.position_m[:, None] - made.servers.position_m[None], axis=-1)
    gain_db = 10 * np.log10(made.channel.dense(2))
    assert gain_db == pytest.approx(-41 - 28 * np.log10(apart_m), abs=1e-4)
    source = made.provenance
    assert "--sites" in source.command
    assert "--servers" not in source.command
    assert {"sites_sha256", "users_sha256", "hardware_sha256", "origin"} <= set(source.settings)


def test_the_same_files_make_the_same_instance(places: dict[str, str]) -> None:
    one, two = (generate_own(PATH_LOSS, Own(**places)) for _ in range(2))
    assert one.digest == two.digest


def test_a_walk_between_own_sites(places: dict[str, str], tmp_path: Path) -> None:
    trace = generate_own_trace(PATH_LOSS, Own(**places), Walk(slots=3, speed_m_per_s=2.0))
    still = generate_own(PATH_LOSS, Own(**places), name=trace.name)
    assert trace.instance.channel.power_gain.tolist() == still.channel.power_gain.tolist()
    assert trace.power_gain.shape == (3, 3, 2)
    trace.save(tmp_path / "walk.json")
    assert len(MobilityTrace.load(tmp_path / "walk.json")) == 3
    with pytest.raises(InputError, match="need path-loss"):
        generate_own_trace(Recipe(channel="sionna-umi"), Own(**places), Walk(slots=3))


def test_what_the_tables_get_wrong_is_named(places: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sites and users go together"):
        generate_own(PATH_LOSS, Own(sites=places["sites"]))
    with pytest.raises(InputError, match=r"row 3, column model: no hardware 'box'"):
        generate_own(PATH_LOSS, Own(sites=places["sites"], users=places["users"]))
    users = _file(tmp_path, "bad.csv", "lat,lon,tx_power_w\n-37.811,144.961,0.1\n-37.81,144.961,-1\n")
    with pytest.raises(InputError, match=r"bad.csv: row 3, column tx_power_w"):
        generate_own(PATH_LOSS, Own(**{**places, "users": users}))
    users = _file(tmp_path, "dbm.csv", "lat,lon,tx_power_w\n-37.811,144.961,20\n")
    with pytest.warns(UaraWarning, match=r"row 2, column tx_power_w: 20 W .* in dBm it would be 0.1 W"):
        generate_own(PATH_LOSS, Own(**{**places, "users": users}))
    with pytest.raises(InputError, match="users around the middle"):
        generate_own(PATH_LOSS, Own(most_users=9, **places))


def test_lengths_are_those_of_a_burst(tmp_path: Path) -> None:
    path = _requests(tmp_path)
    recipe = PATH_LOSS.model_copy(update={"servers": 2, "devices": 4})
    made = generate_own(recipe, Own(arrivals=path))
    drawn = generate(recipe)
    assert made.channel.power_gain.tolist() == drawn.channel.power_gain.tolist()
    profile = TaskProfile.load(recipe.profile)
    requests = read_arrivals(path)
    # a prompt's tokens alone are less than what is sent; PSD sends at most gamma tokens more for each round
    least = requests.prompt_tokens * 16
    first = next(place for place in range(9) if (made.devices.upload_bits >= least[place : place + 4]).all())
    assert first >= 0
    bits = made.devices.upload_bits
    assert (bits <= (requests.prompt_tokens.max() + 16 * (1 + profile.decoding.gamma)) * 16).all()
    assert made.provenance.settings["burst_s"] == 3.0
    with pytest.raises(InputError, match="12 requests, and 13"):
        generate_own(recipe.model_copy(update={"devices": 13}), Own(arrivals=path))


def test_requests_longer_than_the_context_are_cut(tmp_path: Path) -> None:
    path = _file(tmp_path, "long.csv", "arrival_s,prompt_tokens,new_tokens\n0,5000,10\n1,5,5000\n2,3,4\n")
    found = fitted(read_arrivals(path), 1024)
    assert found.prompt_tokens.tolist() == [1014, 1, 3]
    assert found.new_tokens.tolist() == [10, 1023, 4]
    assert found.cut == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind,model\nserver,a\n", "column compute_flop_per_s: is missing"),
        ("kind,model,compute_flop_per_s\nphone,a,1e12\n", "row 2, column kind: 'phone' is neither"),
        ("kind,model,compute_flop_per_s\nserver,a,35\n", None),
        ("kind,model,compute_flop_per_s\nserver,a,-1\n", "row 2, column compute_flop_per_s: must be above 0"),
        (
            "kind,model,compute_flop_per_s\nserver,a,1e13\nserver,a,1e13\n",
            "row 3, column model: a second 'a'",
        ),
        ("kind,model,compute_flop_per_s\ndevice,a,1e12\n", "column battery_capacity_j: is missing"),
        ("kind,model,compute_flop_per_s,battery_capacity_j\ndevice,a,1e12,\n", "row 2, column battery"),
    ],
)
def test_hardware_tables(tmp_path: Path, text: str, says: str | None) -> None:
    path = _file(tmp_path, "hardware.csv", text)
    if says is None:
        with pytest.warns(UaraWarning, match="row 2, column compute_flop_per_s.*in TFLOP/s"):
            assert read_kit(path).servers[0].compute_flop_per_s == 35
        return
    with pytest.raises(InputError) as raised:
        read_kit(path)
    assert says in str(raised.value)


def _main(*words: object) -> int:
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_command_makes_and_refuses(
    places: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"--{key}={value}" for key, value in places.items()]
    path = tmp_path / "own.json"
    assert (
        _main("generate", "--channel", "path-loss", *words, "--arrivals", _requests(tmp_path), "-o", path)
        == 0
    )
    assert Instance.load(path).servers.id == ("n", "s")
    capsys.readouterr()
    for more, says in (
        (("--servers", 3), "--servers has no meaning beside --sites"),
        (("--carrier-ghz", 2), "--carrier-ghz has no meaning beside --channel path-loss"),
        (("--server-mix", "mixed"), "--server-mix has no meaning beside --hardware"),
    ):
        assert _main("generate", "--channel", "path-loss", *words, *more, "-o", path) != 0
        assert says in " ".join(capsys.readouterr().err.split())
    assert _main("generate", "--channel", "path-loss", "--origin", "1,1", "-o", path) != 0


@pytest.mark.skipif(
    not (PUBLIC / "eua_sites_melbourne_cbd.csv").is_file(), reason="the public set is not here"
)
def test_melbourne() -> None:
    files = {key: str(PUBLIC / f"eua_{key}_melbourne_cbd.csv") for key in ("sites", "users")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = generate_own(Recipe(channel="path-loss"), Own(most_sites=8, most_users=60, **files))
    shipped = Instance.load(Path(__file__).parents[2] / "instances" / "melbourne_e8_m60.json")
    assert made.channel.power_gain.tolist() == shipped.channel.power_gain.tolist()


@pytest.mark.integration
@pytest.mark.skipif(importlib.util.find_spec("sionna") is None, reason="needs Sionna")
def test_umi_and_ray_tracing_between_own_sites(tmp_path: Path) -> None:
    files = {
        "sites": _file(tmp_path, "sites.csv", "x_m,y_m\n-40,0\n40,0\n"),
        "users": _file(tmp_path, "users.csv", "x_m,y_m\n0,2\n12,-2\n"),
    }
    urban = generate_own(Recipe(channel="sionna-umi"), Own(carrier_ghz=2.6, **files))
    assert urban.provenance.settings["carrier_hz"] == 2.6e9
    assert urban.channel.dense(2).shape == (2, 2)
    traced = generate_own(
        Recipe(scene="simple_street_canyon", rays_per_server=500), Own(carrier_ghz=2.6, **files)
    )
    assert traced.provenance.scene == "simple_street_canyon"
    higher = generate_own(
        Recipe(scene="simple_street_canyon", rays_per_server=500), Own(carrier_ghz=5.2, **files)
    )
    # free space loses 6 dB for twice the carrier, and reflections hardly change
    loss_db = 10 * np.log10(traced.channel.power_gain.max() / higher.channel.power_gain.max())
    assert 3 < loss_db < 9
