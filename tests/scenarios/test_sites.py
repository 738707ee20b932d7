"""Places from tables: metres or the globe, errors by row and column, the middle of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base.errors import InputError
from uara.base.randomness import stream
from uara.scenarios.sites import Origin, Places, read_places


def _tables(folder: Path, sites: str, users: str) -> tuple[Path, Path]:
    paths = folder / "sites.csv", folder / "users.csv"
    for path, text in zip(paths, (sites, users), strict=True):
        path.write_text(text)
    return paths


def _ellipsoid(latitude: float, longitude: float) -> np.ndarray:
    """(3,) A point of WGS 84 in space, by its definition."""
    a, f = 6378137.0, 1 / 298.257223563
    e2, phi, lam = f * (2 - f), math.radians(latitude), math.radians(longitude)
    n = a / math.sqrt(1 - e2 * math.sin(phi) ** 2)
    return np.array([
        n * math.cos(phi) * math.cos(lam), n * math.cos(phi) * math.sin(lam), n * (1 - e2) * math.sin(phi),
    ])  # fmt: skip


@given(st.floats(-60, 60), st.floats(-180, 180), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_near_the_origin_the_plane_keeps_distances(
    latitude: float, longitude: float, north: float, east: float
) -> None:
    there = latitude + north, (longitude + east + 180) % 360 - 180
    plane = Origin(latitude, longitude).plane(np.array([there[0]]), np.array([there[1]]))[0]
    chord_m = np.linalg.norm(_ellipsoid(*there) - _ellipsoid(latitude, longitude))
    assert np.hypot(*plane) == pytest.approx(chord_m, rel=1e-3, abs=1e-3)
    assert abs(plane[1]) < 1e-6 or np.sign(plane[1]) == np.sign(there[0] - latitude)


def test_metres_names_and_heights(tmp_path: Path) -> None:
    paths = _tables(tmp_path, "id,x_m,y_m,z_m\nA,0,10,25\nB,5,5,30\n", "x_m,y_m\n1,2\n3,4\n")
    places = read_places(*paths, user_height_m=1.7)
    assert places.sites.id == ("A", "B")
    assert places.users.id == ("device0", "device1")
    assert places.sites.position_m.tolist() == [[0, 10, 25], [5, 5, 30]]
    assert places.users.position_m.tolist() == [[1, 2, 1.7], [3, 4, 1.7]]
    assert places.origin is None
    box = places.box(1.0)
    assert (box.x_min_m, box.x_max_m, box.y_min_m, box.y_max_m) == (-1, 6, 1, 11)


def test_the_edge_user_allocation_tables_are_read_as_they_are(tmp_path: Path) -> None:
    head = "SITE_ID,LATITUDE,LONGITUDE,NAME,STATE,LICENSING_AREA_ID,POSTCODE,SITE_PRECISION,ELEVATION,HCIS_L2"
    rest = "Somewhere,VIC,4,3000,Within 10 meters,12,KX3J"
    paths = _tables(
        tmp_path,
        f"{head}\n10,-37.81,144.96,{rest}\n11,-37.82,144.96,{rest}\n",
        "Latitude,Longitude\n-37.815,144.96\n",
    )
    places = read_places(*paths)
    assert places.sites.id == ("10", "11")
    assert places.origin == Origin(-37.815, 144.96)
    assert places.users.position_m[0, :2].tolist() == [0, 0]
    assert places.sites.position_m[:, 1] == pytest.approx([555, -555], rel=0.01)
    moved = read_places(*paths, origin="-37.82,144.96")
    assert moved.sites.position_m[1, :2].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("sites", "users", "says"),
    [
        ("x_m,y_m\n0,1\n", "latitude,longitude\n1,1\n", "users.csv: has latitude and longitude, but"),
        ("x_m\n0\n", "x_m,y_m\n0,1\n", "sites.csv: column y_m: is missing"),
        ("id\n0\n", "x_m,y_m\n0,1\n", "sites.csv: row 1: needs either x_m and y_m, or latitude"),
        ("x_m,y_m\n0,1\n", "x_m,y_m\n0,1\n0,far\n", "users.csv: row 3, column y_m: 'far' is no number"),
        ("x_m,y_m\n0,1\n", "x_m,y_m\n0,inf\n", "users.csv: row 2, column y_m: must be finite"),
        ("id,x_m,y_m\na,0,1\na,2,3\n", "x_m,y_m\n0,1\n", "sites.csv: row 3, column id: a second 'a'"),
        ("x_m,y_m,colour\n0,1,2\n", "x_m,y_m\n0,1\n", "sites.csv: column colour: is not known"),
        ("lat,lon\n95,1\n", "lat,lon\n1,1\n", "sites.csv: row 2, column latitude: 95 is no latitude"),
        ("lat,latitude,lon\n9,9,1\n", "lat,lon\n1,1\n", "sites.csv: column latitude: is a second latitude"),
        ("lat,lon\n9,1\n", "lat,lon\n9,1\n1,9\n", "users.csv: row 3, column latitude: lies 1"),
        ("lat,lon\n9,50\n", "lat,lon\n50,9\n", "are latitude and longitude swapped?"),
    ],
)  # fmt: skip
def test_errors_name_file_row_and_column(tmp_path: Path, sites: str, users: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        read_places(*_tables(tmp_path, sites, users))
    assert says in str(raised.value)


@pytest.mark.parametrize("origin", ["here", "1", "95,0", "0,200", "nan,0"])
def test_an_origin_that_is_no_place_is_refused(origin: str) -> None:
    with pytest.raises(InputError, match="origin"):
        Origin.read(origin)


def test_metres_have_no_origin(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no meaning"):
        read_places(*_tables(tmp_path, "x_m,y_m\n0,1\n", "x_m,y_m\n0,1\n"), origin="1,1")


def _many(folder: Path) -> Places:
    generator = np.random.default_rng(7)
    tables = [
        "\n".join(["x_m,y_m", *(f"{x},{y}" for x, y in generator.normal(0, 300, (n, 2)))]) for n in (30, 200)
    ]
    return read_places(*_tables(folder, *tables))


def test_the_middle_holds_the_nearest_sites_and_users_within_their_circle(tmp_path: Path) -> None:
    whole = _many(tmp_path)
    middle = whole.users.position_m[:, :2].mean(0)

    def away(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, :2] - middle, axis=1)

    some = whole.central(10, 20, stream(1, "users"))
    kept = away(some.sites.position_m)
    assert len(kept) == 10
    assert (np.sort(away(whole.sites.position_m))[:10] == np.sort(kept)).all()
    assert len(some.users.id) == 20
    assert away(some.users.position_m).max() <= kept.max()
    fewer = whole.central(10, 12, stream(1, "users"))
    assert set(fewer.users.id) < set(some.users.id)
    assert len(whole.central(None, None, stream(1, "users")).users.id) == 200


def test_too_few_in_the_middle_is_an_error_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    whole = _many(tmp_path)
    with pytest.raises(InputError, match="only 30 of 31 sites"):
        whole.central(31, None, stream(1, "users"))
    with pytest.raises(InputError, match="users around the middle"):
        whole.central(1, 200, stream(1, "users"))
    some = whole.central(3, 4, stream(1, "users"))
    row = some.users.sheet.number(3)
    assert whole.users.sheet.columns["x_m"][row - 2] == some.users.sheet.columns["x_m"][3]
    assert some.users.sheet.error("wrong", "x_m", 3).path == f"row {row}, column x_m"
