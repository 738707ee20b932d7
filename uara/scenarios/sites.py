"""Places of one's own: tables of sites and users, in metres or by latitude and longitude."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uara.base import files
from uara.base.errors import InputError
from uara.base.quantities import Floats
from uara.scenarios.channel.positions import Box
from uara.scenarios.sheet import Sheet

METRES, DEGREES, HEIGHT = ("x_m", "y_m"), ("latitude", "longitude"), "z_m"
"""Columns of a place: in the plane, or on the globe; and its height above the ground."""
OWN = {"sites": ("id", "model", "bandwidth_hz"), "users": ("id", "model", "tx_power_w", "battery_fraction")}
"""Columns that say more of who stands there."""
EUA = ("name", "state", "licensing_area_id", "postcode", "site_precision", "elevation", "hcis_l2")
"""Columns of the edge-user-allocation data set (P. Lai et al., ICSOC 2018) that say nothing of the radio."""
_ALIASES = {"site_id": "id", "lat": "latitude", "lon": "longitude", "lng": "longitude"}
_SEMI_MAJOR_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563
_FARTHEST_M = 100_000.0
_DECIMALS = 3


@dataclass(frozen=True)
class Origin:
    """A point of the globe that is the plane's (0, 0).

    The plane touches the WGS 84 ellipsoid there, x to the east and y to the north: metres along the parallel and
    the meridian of the origin (D. Maling, Coordinate Systems and Map Projections, ch. 3). Ten kilometres away
    distances are wrong by less than one in a thousand.
    """

    latitude: float
    longitude: float

    @classmethod
    def read(cls, text: str) -> Origin:
        """From ``LATITUDE,LONGITUDE`` in degrees; raises ``InputError``."""
        try:
            latitude, longitude = (float(word) for word in text.split(","))
        except ValueError:
            raise InputError(f"{text!r} is no LATITUDE,LONGITUDE in degrees", source="origin") from None
        if not (abs(latitude) < 90 and abs(longitude) <= 180):
            raise InputError(f"{text!r} lies on no map: latitude first, then longitude", source="origin")
        return cls(latitude, longitude)

    def plane(self, latitude: Floats, longitude: Floats) -> Floats:
        """(n, 2) Metres to the east and to the north of points of the globe (n,) [degrees]."""
        eccentricity = _FLATTENING * (2 - _FLATTENING)
        rest = 1 - eccentricity * math.sin(math.radians(self.latitude)) ** 2
        meridian_m = _SEMI_MAJOR_M * (1 - eccentricity) / rest**1.5
        parallel_m = _SEMI_MAJOR_M / math.sqrt(rest) * math.cos(math.radians(self.latitude))
        east = (longitude - self.longitude + 180) % 360 - 180  # across the date line, too
        return np.column_stack(
            [parallel_m * np.radians(east), meridian_m * np.radians(latitude - self.latitude)]
        )


@dataclass(frozen=True, eq=False)
class Points:
    """A table of places.

    Attributes
    ----------
    sheet
        The table, by the names that this module knows.
    id
        (n,) Names.
    position_m : (n, 3)
    sha256
        Hash of the file.
    """

    sheet: Sheet
    id: tuple[str, ...]
    position_m: Floats
    sha256: str

    def take(self, rows: Sequence[int]) -> Points:
        """Some of the places."""
        ids = tuple(self.id[row] for row in rows)
        return Points(self.sheet.take(rows), ids, self.position_m[list(rows)], self.sha256)


@dataclass(frozen=True, eq=False)
class Places:
    """Sites and users in one plane; the origin where they were given by latitude and longitude."""

    sites: Points
    users: Points
    origin: Origin | None

    def box(self, margin_m: float = 0.0) -> Box:
        """The least rectangle that holds all of them, and a margin around it."""
        both = np.concatenate([self.sites.position_m, self.users.position_m])[:, :2]
        low, high = both.min(0) - margin_m, both.max(0) + margin_m
        return Box(float(low[0]), float(high[0]), float(low[1]), float(high[1]))

    def central(self, sites: int | None, users: int | None, generator: np.random.Generator) -> Places:
        """At most so many sites around the middle of the users, and users drawn among those within their circle.

        Sites are those nearest to the users' mean; the circle around it goes through the outermost of them. Both
        keep the order of their tables, and more of one keep those of fewer.

        Raises
        ------
        InputError
            If there are fewer sites, or fewer users in the circle.
        """
        middle = self.users.position_m[:, :2].mean(0)
        away_m = [
            np.linalg.norm(each.position_m[:, :2] - middle, axis=1) for each in (self.sites, self.users)
        ]
        order = np.argsort(away_m[0], kind="stable")[: sites or None]
        inside = np.arange(len(self.users.id))
        if sites is not None:
            inside = np.flatnonzero(away_m[1] <= away_m[0][order[-1]])
        drawn = generator.permutation(len(self.users.id))
        chosen = drawn[np.isin(drawn, inside)][: users or None].tolist()
        for points, found, wanted in ((self.sites, order, sites), (self.users, chosen, users)):
            if len(found) < (wanted or 1):
                problem = (
                    f"only {len(found)} of {wanted or 1} {points.sheet.name} around the middle of the users"
                )
                raise InputError(problem, source=points.sheet.source)
        return Places(self.sites.take(sorted(order.tolist())), self.users.take(sorted(chosen)), self.origin)


def read_places(
    sites: str | Path,
    users: str | Path,
    *,
    origin: str | None = None,
    site_height_m: float = 10.0,
    user_height_m: float = 1.5,
) -> Places:
    """Read the places of sites and users: CSV files with ``x_m, y_m``, or with ``latitude, longitude``.

    The tables of the edge-user-allocation data set are read as they are.

    Parameters
    ----------
    origin
        ``LATITUDE,LONGITUDE`` of the plane's (0, 0); the middle of the sites where left out.
    site_height_m, user_height_m
        Heights above the ground of rows without ``z_m``.

    Raises
    ------
    InputError
        Names file, row and column of what cannot be read; also for places more than 100 km from the origin.
    """
    tables = _sheet("sites", sites), _sheet("users", users)
    globe = [_on_globe(each) for each in tables]
    if globe[0] != globe[1]:
        ways = ["latitude and longitude" if each else "metres" for each in globe]
        raise InputError(f"has {ways[1]}, but {tables[0].source} has {ways[0]}", source=tables[1].source)
    where: Origin | None = None
    if globe[0]:
        where = Origin.read(origin) if origin else _middle(tables[0])
    elif origin:
        raise InputError("has no meaning beside places in metres", source="origin")
    heights = site_height_m, user_height_m
    made = [_points(sheet, where, height) for sheet, height in zip(tables, heights, strict=True)]
    return Places(made[0], made[1], where)


def _sheet(name: str, path: str | Path) -> Sheet:
    given = Sheet.of_file(name, path)
    columns = {}
    for column, cells in given.columns.items():
        plain = _ALIASES.get(column.lower(), column.lower())
        if plain in columns:
            raise given.error(f"is a second {plain}", column)
        columns[plain] = cells
    sheet = Sheet(name, columns, given.source, given.first)
    sheet.refuse_others([*METRES, *DEGREES, HEIGHT, *OWN[name], *EUA])
    return sheet


def _on_globe(sheet: Sheet) -> bool:
    """Whether a table gives latitude and longitude."""
    wanted = [axes for axes in (METRES, DEGREES) if set(axes) & set(sheet.columns)]
    if len(wanted) != 1:
        problem = "needs either x_m and y_m, or latitude and longitude"
        raise InputError(problem, source=sheet.source, path="row 1")
    sheet.need(wanted[0])
    return wanted[0] is DEGREES


def _degrees(sheet: Sheet) -> tuple[Floats, Floats]:
    """(n,) Latitudes and longitudes."""
    latitude, longitude = DEGREES
    return (
        sheet.numbers_that(
            latitude, lambda found: np.abs(found) <= 89.9, "{value} is no latitude in degrees"
        ),
        sheet.numbers_that(
            longitude, lambda found: np.abs(found) <= 180, "{value} is no longitude in degrees"
        ),
    )


def _middle(sheet: Sheet) -> Origin:
    latitude, longitude = _degrees(sheet)
    turned = np.exp(1j * np.radians(longitude)).mean()  # across the date line, too
    return Origin(
        round(float(latitude.mean()), 6), round(math.degrees(math.atan2(turned.imag, turned.real)), 6)
    )


def _points(sheet: Sheet, origin: Origin | None, height_m: float) -> Points:
    if origin is not None:
        plane = origin.plane(*_degrees(sheet))
        far = np.flatnonzero(np.hypot(plane[:, 0], plane[:, 1]) > _FARTHEST_M)
        if len(far):
            row = int(far[0])
            away_km = math.hypot(*plane[row]) / 1e3
            hint = "" if len(far) < len(plane) else "; are latitude and longitude swapped?"
            raise sheet.error(f"lies {away_km:.0f} km from the origin{hint}", "latitude", row)
    else:
        plane = np.column_stack([sheet.numbers_that(axis, np.isfinite) for axis in METRES])
    count = len(plane)
    height = sheet.numbers_that(HEIGHT, np.isfinite) if HEIGHT in sheet.columns else np.full(count, height_m)
    kind = {"sites": "server", "users": "device"}[sheet.name]
    numbered = [f"{kind}{row}" for row in range(count)]
    names = sheet.texts("id", count) if "id" in sheet.columns else numbered
    seen: set[str] = set()
    for row, name in enumerate(names):
        if not name.strip() or name in seen:
            raise sheet.error(f"a second {name!r}" if name.strip() else "is empty", "id", row)
        seen.add(name)
    digest = files.sha256(files.read_bytes(Path(sheet.source)))
    position_m: Floats = np.column_stack([plane, height]).round(_DECIMALS)
    return Points(sheet, tuple(names), position_m, digest)
