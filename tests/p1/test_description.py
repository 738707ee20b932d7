from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import given, settings

from uara import InputError, Instance, Provenance, allocate
from uara.p1.description import answer_pictures, describe, draw_map, server_colours
from uara.problem import evaluate

INSTANCE = make_instance(12, 3, seed=1)


def size_of(path: Path) -> tuple[int, int]:
    from matplotlib.image import imread

    image = imread(path)
    assert image.std() > 0.01  # something was drawn
    return image.shape[1], image.shape[0]


def test_the_words_say_the_numbers() -> None:
    text = "\n".join(describe(INSTANCE))
    assert "synthetic: 12 devices, 3 edge servers" in text
    usable = len(INSTANCE.channel.pair_server)
    assert f"usable pairs: {usable} of 36 ({100 * usable / 36:.0f} %)" in text
    assert "lambda 0.01 per ms, w 50 ms per J" in text
    constant = evaluate(INSTANCE, allocate(INSTANCE, random_association(INSTANCE))).constant_ms
    assert f"constant part of the objective: {constant:,.1f} ms" in text
    low, high = INSTANCE.devices.battery_fraction.min() * 100, INSTANCE.devices.battery_fraction.max() * 100
    assert f"battery {low:.4g} / " in text
    assert f" / {high:.4g} %" in text


def test_where_it_comes_from_is_said() -> None:
    made = Provenance(
        channel_model="sionna-rt",
        scene="etoile",
        task_profile="gpt2",
        acceptance="assumed",
        command="uara generate",
        credits=["somebody"],
    )
    text = "\n".join(describe(INSTANCE.replace(provenance=made)))
    assert "(sionna-rt, etoile)" in text
    assert "task profile: gpt2 (acceptance assumed)" in text
    assert "made by: uara generate" in text
    assert "credit: somebody" in text


def test_kinds_are_counted() -> None:
    devices = INSTANCE.devices.replace(model=["phone"] * 7 + ["tablet"] * 5, task=None)
    text = "\n".join(describe(INSTANCE.replace(devices=devices)))
    assert "devices: 7 x phone, 5 x tablet" in text
    assert "tasks: unnamed" in text


@settings(max_examples=50, deadline=None)
@given(instances())
def test_every_instance_can_be_described(instance: Instance) -> None:
    lines = describe(instance)
    assert len(lines) >= 9
    assert not any("nan" in line or "inf" in line.lower().split() for line in lines)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".svg", ".pdf"])
def test_maps_are_pictures_of_the_kind_asked_for(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"map{suffix}"
    draw_map(INSTANCE, path)
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix.lower()]
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_an_allocation_adds_lines_and_loads(tmp_path: Path) -> None:
    draw_map(INSTANCE, tmp_path / "a.png")
    draw_map(INSTANCE, tmp_path / "b.png", allocate(INSTANCE, random_association(INSTANCE)))
    alone, both = size_of(tmp_path / "a.png"), size_of(tmp_path / "b.png")
    assert both[0] > alone[0]
    assert both[1] == alone[1]


@pytest.mark.integration
def test_the_map_names_every_server_and_the_load_panels(tmp_path: Path) -> None:
    draw_map(INSTANCE, tmp_path / "a.svg", allocate(INSTANCE, random_association(INSTANCE)))
    text = (tmp_path / "a.svg").read_text()
    for word in (*INSTANCE.servers.id, "synthetic", "band used", "mean latency", "compute asked"):
        assert f">{word}" in text, word


@pytest.mark.integration
@pytest.mark.parametrize("name", ["$\\frac$", "a $ b", "$$", "$x_1$", "100 %", "_^{"])
def test_names_are_drawn_as_they_are(tmp_path: Path, name: str) -> None:
    ids = [name + str(index) for index in range(3)]
    instance = INSTANCE.replace(name=name, servers=INSTANCE.servers.replace(id=ids))
    draw_map(instance, tmp_path / "a.png", allocate(instance, random_association(instance)))
    assert size_of(tmp_path / "a.png")


def test_idle_servers_and_a_single_device_are_drawn(tmp_path: Path) -> None:
    instance = make_instance(1, 25, missing=0.0)
    draw_map(instance, tmp_path / "a.png", allocate(instance, [3]))
    assert size_of(tmp_path / "a.png")


def test_other_kinds_of_picture_are_refused_before_drawing(tmp_path: Path) -> None:
    for name in ("a.bmp", "a", "a.json"):
        with pytest.raises(InputError, match=r"written as \.png, \.svg or \.pdf"):
            draw_map(INSTANCE, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_instance_without_positions_has_no_map(tmp_path: Path) -> None:
    for table in ("devices", "servers"):
        instance = INSTANCE.replace(**{table: getattr(INSTANCE, table).replace(position_m=None)})
        with pytest.raises(InputError, match="no positions") as caught:
            draw_map(instance, tmp_path / "a.png")
        assert caught.value.path == "$.devices.position_m"


def test_without_matplotlib_the_remedy_is_named() -> None:
    script = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from uara.p1.description import draw_map\n"
        "from uara import MissingExtra\n"
        "try: draw_map(None, None)\n"
        "except MissingExtra as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "pip install 'uara[plot]'" in run.stdout


@pytest.mark.parametrize("count", [1, 8, 20, 21, 100])
def test_every_server_has_a_colour_of_its_own(count: int) -> None:
    colours = server_colours(count)
    assert colours.shape == (count, 4)
    assert len(np.unique(colours.round(3), axis=0)) == count


@pytest.mark.integration
def test_a_report_has_a_line_for_each_device_and_a_bar_for_each_server() -> None:
    instance = make_instance(20, 4)
    allocation = allocate(instance, random_association(instance))
    chosen = allocation.association
    draw = answer_pictures(instance)
    places = draw["Map: devices, servers, association"](instance, allocation)
    links = [line.get_xydata() for line in places.axes[0].lines if len(line.get_xydata()) % 3 == 0]
    ends = [tuple(point) for link in links for point in link[::3] if np.isfinite(point).all()]
    assert instance.devices.position_m is not None
    assert {tuple(point) for point in instance.devices.position_m[:, :2]} <= set(ends)
    counts, *_ = draw["Load of each server"](instance, allocation).axes[0].child_axes
    assert [bar.get_height() for bar in counts.patches] == np.bincount(chosen, minlength=4).tolist()


def test_without_positions_a_report_has_loads_alone() -> None:
    bare = INSTANCE.replace(devices=INSTANCE.devices.replace(position_m=None))
    assert set(answer_pictures(bare)) == {"Load of each server"}


def test_axes_are_drawn_into_and_returned(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    allocation = allocate(INSTANCE, random_association(INSTANCE))
    assert draw_map(INSTANCE, allocation=allocation, ax=axes) is axes
    assert axes.lines
    with pytest.raises(InputError, match="a file or give axes"):
        draw_map(INSTANCE, tmp_path / "a.png", ax=axes)
    drawn = draw_map(INSTANCE, str(tmp_path / "a.png"))
    assert drawn.get_title() == INSTANCE.name
    assert (tmp_path / "a.png").exists()


def test_a_notebook_shows_a_picture_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pyplot holds is shown at the end of a cell."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    import uara

    axes = uara.plot(INSTANCE)
    assert pyplot.fignum_exists(axes.figure.number)
    pyplot.close("all")
    result = uara.solve(INSTANCE, "max-sinr")
    assert result.plot().figure.axes[0].get_title() == INSTANCE.name
    pyplot.close("all")
