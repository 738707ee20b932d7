"""Instances and walks of one's own places, hardware and requests, with any channel model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from uara.base.errors import InputError, in_file
from uara.base.files import Record, sha256
from uara.base.files import read_bytes as content
from uara.base.quantities import NonNegative, Positive
from uara.base.randomness import stream
from uara.hardware import ACCELERATORS, PHONES
from uara.p1.instance import Instance
from uara.p1.schema import Parameters
from uara.psd.profile import TaskProfile
from uara.scenarios import plausible
from uara.scenarios import recipe as recipes
from uara.scenarios.arrivals import read_arrivals
from uara.scenarios.channel import models, pathloss_walk
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.mobility import Walk
from uara.scenarios.channel.pathloss import PathLoss
from uara.scenarios.channel.raytrace import RayTracing
from uara.scenarios.channel.umi import UrbanMicro
from uara.scenarios.kit import Kit, equipped, named, read_kit
from uara.scenarios.recipe import Recipe, option_words
from uara.scenarios.requests import with_requests
from uara.scenarios.sheet import Sheet
from uara.scenarios.sites import Places, read_places
from uara.scenarios.tables import placed

if TYPE_CHECKING:
    from uara.scenarios.trace import MobilityTrace

_PLACING = {"scene", "box_m", "min_best_gain_db", "min_distance_m", "server_spacing_m"}
_MARGIN_M = 50.0
"""How far walkers go beyond the outermost place."""


class Own(Record):
    """What is one's own; the rest is drawn as the recipe says."""

    sites: str | None = None
    """CSV file of servers: x_m and y_m, or latitude and longitude; also id, z_m, model, bandwidth_hz."""
    users: str | None = None
    """CSV file of devices: places likewise; also id, z_m, model, tx_power_w, battery_fraction."""
    most_sites: Annotated[int, Field(ge=1)] | None = None
    """Keep this many sites, those nearest to the middle of the users; all where left out."""
    most_users: Annotated[int, Field(ge=1)] | None = None
    """Keep this many users, drawn among those no farther from the middle than the sites; all where left out."""
    origin: str | None = None
    """LATITUDE,LONGITUDE of the plane's (0, 0), as of a scene; the middle of the sites where left out."""
    site_height_m: Positive = 10.0
    """Height of sites without z_m."""
    user_height_m: Positive = 1.5
    """Height of users without z_m."""
    carrier_ghz: Positive = 3.5
    """Carrier between sites and users; ray tracing and UMi."""
    shadowing_db: NonNegative = 5.0
    """Standard deviation of the shadowing between sites and users; path loss."""
    hardware: str | None = None
    """CSV file of hardware: kind (device or server), model, compute_flop_per_s, battery_capacity_j."""
    arrivals: str | None = None
    """CSV file of requests whose lengths the tasks have: arrival_s, prompt_tokens, new_tokens, or Azure's names."""

    credit: str | None = None
    """Whom the data must be credited to, for the provenance."""

    @property
    def files(self) -> list[Path]:
        """Files that are read."""
        return [Path(each) for each in (self.sites, self.users, self.hardware, self.arrivals) if each]


@dataclass(frozen=True)
class _Order:
    """A recipe with what is one's own, read."""

    recipe: Recipe
    own: Own
    name: str
    profile: TaskProfile
    kit: Kit
    places: Places | None

    @classmethod
    def of(cls, recipe: Recipe, own: Own, name: str | None) -> _Order:
        if (own.sites is None) != (own.users is None):
            raise InputError("sites and users go together", source="sites" if own.sites else "users")
        places = None
        if own.sites is not None and own.users is not None:
            places = read_places(
                own.sites,
                own.users,
                origin=own.origin,
                site_height_m=own.site_height_m,
                user_height_m=own.user_height_m,
            )
            if own.most_sites or own.most_users:
                places = places.central(own.most_sites, own.most_users, stream(recipe.seed, "users"))
            counts = {"servers": len(places.sites.id), "devices": len(places.users.id)}
            recipe = recipes.merged(recipe, counts)
        kit = read_kit(own.hardware) if own.hardware else Kit()
        return cls(recipe, own, name or recipe.default_name, TaskProfile.load(recipe.profile), kit, places)

    def settings(self) -> models.ChannelSettings:
        """The channel model between sites and users."""
        settings, carrier_hz = self.recipe.settings(), self.own.carrier_ghz * 1e9
        if isinstance(settings, RayTracing):
            return settings.model_copy(update={"carrier_hz": carrier_hz})
        if isinstance(settings, UrbanMicro):
            return UrbanMicro(carrier_hz=carrier_hz)
        return PathLoss(shadowing_db=self.own.shadowing_db)

    def command(self, walk: Walk | None) -> str:
        """The command that makes it."""
        text = self.recipe.command(self.name)
        if self.places is not None:
            counts = f"--servers {self.recipe.servers} --devices {self.recipe.devices} "
            text = text.replace(counts, "", 1)
        more = " ".join([option_words(self.own), *([recipes.walk_words(walk)] if walk else [])])
        head, output = text.rsplit(" -o ", 1)
        return f"{head} {more} -o {output}"


def generate_own(recipe: Recipe, own: Own, *, name: str | None = None) -> Instance:
    """Make an instance of places, hardware and requests of one's own; the same for the same files.

    Raises
    ------
    InputError
        For files that cannot be used, with row and column, and as :func:`uara.scenarios.recipe.generate`.
    MissingExtra, ChannelError
        As there.
    """
    order = _Order.of(recipe, own, name)
    if order.places is None:
        made = recipes.generate(order.recipe, name=order.name)
    else:
        made = _placed(order, order.places, _drop(order, order.places), None)
    return _finished(order, made, None)


def generate_own_trace(recipe: Recipe, own: Own, walk: Walk, *, name: str | None = None) -> MobilityTrace:
    """Make a walk of users of one's own; between given places by path loss only.

    Raises
    ------
    InputError, MissingExtra, ChannelError
        As :func:`generate_own`.
    """
    order = _Order.of(recipe, own, name)
    if order.places is None:
        trace = recipes.generate_trace(order.recipe, walk=walk, name=order.name)
        return replace(trace, instance=_finished(order, trace.instance, walk))
    law = order.settings()
    if not isinstance(law, PathLoss):
        raise InputError("walks between given sites need path-loss", path="recipe.channel")
    start = _drop(order, order.places)
    moving = pathloss_walk.follow(law, walk, start, order.places.box(_MARGIN_M), seed=order.recipe.seed)
    made = _finished(order, _placed(order, order.places, start, walk), walk)
    return recipes.walked(made, moving, walk)


def _drop(order: _Order, places: Places) -> Drop:
    """The channel between sites and users."""
    recipes.check_size(order.recipe)
    where = places.sites.position_m, places.users.position_m
    with in_file(places.users.sheet.source):
        drop = models.gains(order.settings(), *where, seed=order.recipe.seed)
    lost = np.flatnonzero(drop.power_gain.max(1) <= 0)
    if len(lost):
        row = int(lost[0])
        rest = f", nor do {len(lost) - 1} others" if len(lost) > 1 else ""
        problem = f"{places.users.id[row]} reaches no site{rest}; leave it out, or trace with more --rays"
        sheet = places.users.sheet
        raise InputError(problem, source=sheet.source, path=f"row {sheet.number(row)}")
    return replace(drop, facts={"versions": {}, **drop.facts})


def _placed(order: _Order, places: Places, drop: Drop, walk: Walk | None) -> Instance:
    """The instance of a drop, with what the tables say of sites and users."""
    slot_ms = walk.slot_s * 1e3 if walk else Parameters().slot_ms
    made = recipes.assembled(order.recipe, order.profile, drop, order.name, "", {}, slot_ms)
    servers = _updated(made.servers, "servers", places.sites.sheet, places.sites.id)
    devices = _updated(made.devices, "devices", places.users.sheet, places.users.id)
    kept = ("battery", "bandwidth_mhz", "server_mix", "payload")
    said = {key: value for key, value in made.provenance.settings.items() if key in kept}
    said |= order.settings().model_dump(exclude=_PLACING)
    said |= {"sites_sha256": places.sites.sha256, "users_sha256": places.users.sha256}
    if places.origin is not None:
        said |= {"origin": f"{places.origin.latitude!r},{places.origin.longitude!r}"}
    provenance = made.provenance.model_copy(update={"settings": said})
    return made.replace(servers=servers, devices=devices, provenance=provenance)


def _updated(table: Any, name: str, sheet: Sheet, ids: tuple[str, ...]) -> Any:
    """A table with the columns that a sheet has of it."""
    given = {
        column: sheet.numbers(column)
        for column in ("bandwidth_hz", "tx_power_w", "battery_fraction")
        if column in sheet.columns
    }
    try:
        made = table.replace(id=ids, **given)
    except InputError as error:
        raise placed(error, Sheet(name, sheet.columns, sheet.source, sheet.first), given) from None
    for column, values in given.items():
        plausible.warn(name, column, values, sheet.place(column))
    return made


def _finished(order: _Order, made: Instance, walk: Walk | None) -> Instance:
    """With own hardware and requests, and what the provenance says of all."""
    own, places, seed = order.own, order.places, order.recipe.seed
    given: dict[str, Any] = {}
    if places is not None:
        given = {
            "devices": named([*order.kit.devices, *PHONES], places.users.sheet),
            "servers": named([*order.kit.servers, *ACCELERATORS], places.sites.sheet),
        }
    if own.hardware or any(given.values()):
        made = equipped(made, order.kit, seed=seed, **given)
    if own.arrivals:
        requests = read_arrivals(own.arrivals)
        made = with_requests(made, requests, order.profile, seed=seed, payload=order.recipe.payload)
    settings = dict(made.provenance.settings)
    settings.pop("server_load_per_slot", None)
    if own.hardware:
        settings.pop("server_mix", None)
        settings["hardware_sha256"] = sha256(content(Path(own.hardware)))
    slot_s = made.parameters.slot_ms / 1e3
    load = made.devices.server_flop.sum() / (made.servers.compute_flop_per_s.sum() * slot_s)
    settings["server_load_per_slot"] = float(f"{load:.4g}")
    credits = [*made.provenance.credits, *([own.credit] if own.credit else [])]
    update = {"command": order.command(walk), "settings": settings, "credits": credits}
    return made.replace(provenance=made.provenance.model_copy(update=update))
