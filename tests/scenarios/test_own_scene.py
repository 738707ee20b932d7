"""Ray tracing over a Mitsuba scene of one's own: a few boxes on a floor, as PLY files and XML."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.cli import main
from uara.p1.instance import Instance
from uara.scenarios.own import Own, generate_own
from uara.scenarios.recipe import Recipe, generate

traced = pytest.mark.skipif(importlib.util.find_spec("sionna") is None, reason="needs Sionna")
CARRIER_HZ = 3.5e9
_FACES = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))


def _box(path: Path, low: tuple[float, ...], high: tuple[float, ...]) -> None:
    """A box as a PLY file of triangles that face outwards."""
    corners = [[(low, high)[k >> axis & 1][axis] for axis in range(3)] for k in range(8)]
    triangles = [(a, b, c) for a, b, c, d in _FACES] + [(a, c, d) for a, b, c, d in _FACES]
    head = [
        "ply", "format ascii 1.0", "element vertex 8", *(f"property float {axis}" for axis in "xyz"),
        f"element face {len(triangles)}", "property list uchar int vertex_index", "end_header",
    ]  # fmt: skip
    rows = [" ".join(map(str, corner)) for corner in corners]
    rows += [f"3 {a} {b} {c}" for a, b, c in triangles]
    path.write_text("\n".join([*head, *rows]) + "\n")


def _floor(path: Path, half_m: float) -> None:
    """A square without thickness at the height 0."""
    head = [
        "ply", "format ascii 1.0", "element vertex 4", *(f"property float {axis}" for axis in "xyz"),
        "element face 2", "property list uchar int vertex_index", "end_header",
    ]  # fmt: skip
    rows = [f"{x * half_m} {y * half_m} 0" for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    path.write_text("\n".join([*head, *rows, "3 0 1 2", "3 0 2 3"]) + "\n")


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A floor of 200 m by 200 m, and a house of 20 m by 40 m, 20 m high, east of the middle."""
    folder = tmp_path / "town"
    folder.mkdir()
    _floor(folder / "floor.ply", 100.0)
    _box(folder / "house.ply", (10.0, -20.0, 0.0), (30.0, 20.0, 20.0))
    shapes = []
    for name in ("floor", "house"):
        shapes.append(
            f'<shape type="ply" id="mesh-{name}"><string name="filename" value="{name}.ply"/>'
            '<boolean name="face_normals" value="true"/><ref id="concrete" name="bsdf"/></shape>'
        )
    material = (
        '<bsdf type="itu-radio-material" id="concrete"><string name="type" value="concrete"/>'
        '<float name="thickness" value="0.3"/></bsdf>'
    )
    path = folder / "town.xml"
    path.write_text(f'<scene version="2.1.0">{material}{"".join(shapes)}</scene>')
    return path


def _file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


@pytest.mark.integration
@traced
def test_walls_of_the_own_scene_shadow(scene: Path, tmp_path: Path) -> None:
    own = Own(
        sites=_file(tmp_path, "sites.csv", "id,x_m,y_m\nwest,-40,0\neast,60,0\n"),
        users=_file(tmp_path, "users.csv", "id,x_m,y_m\nnear,-10,0\nbehind,35,0\n"),
    )
    recipe = Recipe(scene=str(scene), rays_per_server=2000, seed=2)
    made = generate_own(recipe, own)
    gain_db = 10 * np.log10(np.maximum(made.channel.dense(2), 1e-30))
    apart_m = float(np.hypot(30.0, 8.5))
    free_db = -20 * np.log10(4 * np.pi * apart_m * CARRIER_HZ / 299_792_458.0)
    assert abs(gain_db[0, 0] - free_db) < 4, "free sight, but for what the floor reflects"
    assert gain_db[1, 0] < gain_db[1, 1] - 20, "a house stands in between"
    assert made.provenance.scene == str(scene)
    assert made.provenance.credits == []
    assert made.digest == generate_own(recipe, own).digest


@pytest.mark.integration
@traced
def test_phones_and_servers_stand_on_its_streets(scene: Path, tmp_path: Path) -> None:
    path = tmp_path / "drawn.json"
    words = ["generate", "--servers", "2", "--devices", "5", "--scene", str(scene), "--rays", "1000"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--box-m", "150", "-o", str(path)])
    assert ended.value.code == 0
    made = Instance.load(path)
    assert "OpenStreetMap" not in json.dumps(made.provenance.model_dump())
    for table in (made.servers, made.devices):
        assert table.position_m is not None
        east, north = table.position_m[:, 0], table.position_m[:, 1]
        assert not ((east > 10) & (east < 30) & (np.abs(north) < 20)).any(), "nobody stands in the house"
        assert (np.abs(table.position_m[:, :2]) <= 100).all()


@pytest.mark.integration
@traced
def test_a_floor_with_an_underside_has_no_streets_and_is_explained(scene: Path) -> None:
    _box(scene.with_name("floor.ply"), (-100.0, -100.0, -1.0), (100.0, 100.0, 0.0))
    with pytest.raises(InputError, match=r"town\.xml.*streets.*a floor without thickness"):
        generate(servers=2, devices=2, scene=str(scene), rays_per_server=100)


def test_a_scene_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.xml: no such scene file"):
        generate(servers=1, devices=1, scene=str(tmp_path / "missing.xml"))


@pytest.mark.integration
@traced
@pytest.mark.parametrize("text", ["<scene", '<scene version="2.1.0"></scene>', "{}"])
def test_what_is_no_scene_is_one_error(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = _file(tmp_path, "broken.xml", text)
    with pytest.raises(SystemExit) as ended:
        main(
            ["generate", "--servers", "1", "--devices", "2", "--scene", path, "-o", str(tmp_path / "x.json")]
        )
    assert ended.value.code not in (0, 1, None)
    assert capsys.readouterr().err.count("uara: ") == 1
    assert not (tmp_path / "x.json").exists()
