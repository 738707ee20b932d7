"""Make instances of P1: a recipe says what is wanted, :func:`generate` draws it from one seed."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field

import uara
from uara.base.digits import rounded
from uara.base.errors import InputError
from uara.base.files import Record, pretty_json, sha256, validate
from uara.base.memory import require_memory
from uara.base.provenance import Provenance
from uara.base.quantities import Floats, NonNegative, Positive
from uara.base.randomness import stream
from uara.hardware import (
    ACCELERATORS,
    BATTERY_FRACTION,
    OWN_WORK_S,
    PHONES,
    RTX_2080,
    RTX_4090,
    TX_POWER_DBM,
    UPLINK_BAND_HZ,
    Hardware,
)
from uara.p1.instance import Channel, Devices, Instance, Servers
from uara.p1.schema import Parameters
from uara.psd.payload import Payload, needed_payload
from uara.psd.profile import TaskProfile
from uara.scenarios.channel import models, pathloss, raytrace
from uara.scenarios.channel.drop import Drop
from uara.scenarios.channel.mobility import MovingDrop, Walk
from uara.scenarios.channel.nearest import ListedDrop, nearest_servers, needed_bytes

if TYPE_CHECKING:
    from uara.scenarios.trace import MobilityTrace

Item = TypeVar("Item")

MOST_PAIRS = 10_000_000
"""Largest number of pairs where gains are drawn for all of them at once: everywhere but with ``candidates``."""
BATTERY = {"any": BATTERY_FRACTION, "low": (0.05, 0.2), "high": (0.8, 1.0)}
"""Ranges of the remaining battery fraction B_i; low and high as in Fig. 6."""


class Recipe(Record):
    """What an instance is made of; the defaults are Table I's, and the shipped instances'."""

    servers: Annotated[int, Field(ge=1, le=100_000)] = 8
    """Number of edge servers E."""
    devices: Annotated[int, Field(ge=1, le=1_000_000)] = 90
    """Number of mobile devices M."""
    channel: models.ChannelModel = "sionna-rt"
    """Ray tracing; the stochastic 3GPP 38.901 UMi model; or a distance law that needs no Sionna."""
    scene: str = "etoile"
    """Scene of ray tracing: a name known to Sionna RT, or the path of a Mitsuba .xml file."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Root seed of everything drawn."""
    profile: str = "gpt2_gpt2-xl"
    """Task profile: a shipped one by name, or a .json file."""
    payload: Payload | None = None
    """What each draft token puts on the uplink; the profile's need where left out."""
    battery: Literal["any", "low", "high"] = "any"
    """Range of the remaining batteries: 0.05 to 1, at most 0.2, or at least 0.8."""
    server_mix: Literal["mixed", "one-strong"] = "mixed"
    """RTX 2080, 3090 and 4090 in turn (shuffled in threes), or one RTX 4090 among RTX 2080."""
    bandwidth_mhz: Positive = UPLINK_BAND_HZ / 1e6
    """Uplink band W, divided equally among the servers."""
    energy_weight_ms_per_j: NonNegative = 50.0
    """w of P1."""
    box_m: Positive = 400.0
    """Side of the square in which servers and devices stand."""
    rays_per_server: Annotated[int, Field(ge=1, le=10**8)] = 10_000
    """Rays of ray tracing; the gains far from line of sight depend on it."""
    max_depth: Annotated[int, Field(ge=0, le=20)] = 3
    """Most interactions of a traced path with the scene."""
    candidates: Annotated[int, Field(ge=1)] | None = None
    """Only so many nearest servers of each device are listed (path-loss, sionna-umi); all by default."""

    @property
    def default_name(self) -> str:
        """Name of the instance where none is given."""
        return f"e{self.servers}_m{self.devices}"

    @property
    def counts(self) -> dict[str, int]:
        """Servers and devices, and the seed that they are drawn by."""
        return {"servers": self.servers, "devices": self.devices, "seed": self.seed}

    def settings(self) -> models.ChannelSettings:
        """Settings of the channel model."""
        traced = self.model_dump(include={"scene", "rays_per_server", "max_depth"})
        return models.settings_of(self.channel, self.box_m, **traced)

    def command(self, name: str) -> str:
        """The command that makes this instance."""
        traced = self.channel == "sionna-rt"
        always = ("servers", "devices", "channel", "seed", *(("scene",) if traced else ()))
        words = option_words(self, always, () if traced else ("scene",))
        return f"uara generate {words} -o {shlex.quote(f'{name}.json')}"


FLAGS = {"energy_weight_ms_per_j": "energy-weight", "rays_per_server": "rays", "speed_m_per_s": "speed"}
"""Options of ``uara generate`` that are not called as the fields of :class:`Recipe` and of a walk are."""


def option_words(record: Record, always: Collection[str] = (), never: Collection[str] = ()) -> str:
    """The options of a command that make a record: some always or never, the others where they differ from defaults."""
    words = []
    for name, field in type(record).model_fields.items():
        value = getattr(record, name)
        if name in always or (name not in never and value != field.default):
            flag = FLAGS.get(name, name.replace("_", "-"))
            words.append(f"--{flag} {shlex.quote(f'{value:g}' if isinstance(value, float) else str(value))}")
    return " ".join(words)


def generate(recipe: Recipe | None = None, *, name: str | None = None, **options: Any) -> Instance:
    """Draw an instance.

    Parameters
    ----------
    recipe
        What to draw; the defaults where left out.
    name
        Name of the instance, ``e8_m90`` and the like where left out.
    options
        Fields of :class:`Recipe` that differ from ``recipe``.

    Returns
    -------
    Instance
        The same for the same recipe, bit by bit on the same library versions.

    Raises
    ------
    InputError
        For an unknown option, scene or profile, or a box that cannot hold what is wanted.
    MissingExtra
        If the channel needs the extra ``sionna``.
    ChannelError
        If the ray tracer's compiler is missing, or the simulator failed.
    """
    recipe = merged(recipe, options)
    name = name or recipe.default_name
    profile = TaskProfile.load(recipe.profile)
    return assembled(recipe, profile, _drop(recipe), name, recipe.command(name), {})


def generate_trace(
    recipe: Recipe | None = None, *, walk: Walk | None = None, name: str | None = None, **options: Any
) -> MobilityTrace:
    """Draw an instance whose devices walk, and the channel on their way.

    Parameters
    ----------
    recipe, name, options
        As for :func:`generate`; slot 0 is an instance of this recipe.
    walk
        Slots, speed and wandering; the defaults where left out.

    Raises
    ------
    InputError, MissingExtra, ChannelError
        As :func:`generate`.
    """

    recipe, walk = merged(recipe, options), walk or Walk()
    if recipe.candidates is not None:
        raise InputError("has no meaning for a walk, whose nearest servers change", path="recipe.candidates")
    check_size(recipe)
    name = name or f"{recipe.default_name}_t{walk.slots}"
    profile = TaskProfile.load(recipe.profile)
    moving = models.walk(recipe.settings(), walk, **recipe.counts)
    start = Drop(moving.server_position_m, moving.device_position_m[0], moving.power_gain[0], moving.facts)
    command = recipe.command(name).replace(" -o ", f" {walk_words(walk)} -o ")
    instance = assembled(recipe, profile, start, name, command, walk.model_dump(), walk.slot_s * 1e3)
    return walked(instance, moving, walk)


def walked(instance: Instance, moving: MovingDrop, walk: Walk) -> MobilityTrace:
    """The trace of an instance whose devices walk."""
    from uara.scenarios.trace import MobilityTrace

    return MobilityTrace(
        instance,
        moving.power_gain.astype(np.float32),
        moving.device_position_m.astype(np.float32),
        walk.slot_s,
        walk.speed_m_per_s,
    )


def walk_words(walk: Walk) -> str:
    """The options of ``uara generate`` that make this walk."""
    return option_words(walk, ("slots", "speed_m_per_s"))


def merged(recipe: Recipe | None, options: dict[str, Any]) -> Recipe:
    """A recipe with other values of some fields."""
    return validate({**(recipe or Recipe()).model_dump(), **options}, Recipe, path="recipe")


def assembled(
    recipe: Recipe,
    profile: TaskProfile,
    drop: Drop | ListedDrop,
    name: str,
    command: str,
    more: dict[str, Any],
    slot_ms: float = Parameters().slot_ms,
) -> Instance:
    """Everything but the channel, drawn and put around it."""
    parameters = Parameters(energy_weight_ms_per_j=recipe.energy_weight_ms_per_j, slot_ms=slot_ms)
    servers = _servers(recipe, drop.server_position_m)
    devices = _devices(recipe, profile, drop.device_position_m)
    load = devices.server_flop.sum() / (servers.compute_flop_per_s.sum() * parameters.slot_ms / 1e3)
    settings = {**_settings(recipe, profile), **more, "server_load_per_slot": float(f"{load:.4g}")}
    provenance = drawn_provenance(recipe, profile, drop, command=command, settings=settings)
    return Instance(name, servers, devices, _channel(recipe, drop), parameters, provenance)


def drawn_provenance(recipe: Any, profile: TaskProfile, drop: Drop | ListedDrop, **more: Any) -> Provenance:
    """The provenance of what a recipe with channel, scene and seed has drawn; ``more`` are further fields."""
    return Provenance(
        seed=recipe.seed,
        channel_model=recipe.channel,
        scene=recipe.scene if recipe.channel == "sionna-rt" else "",
        task_profile=profile.name,
        task_profile_sha256=profile_sha256(profile),
        versions={"uara": uara.__version__, "numpy": np.__version__, **drop.facts["versions"]},
        credits=raytrace.map_credits(recipe.channel, recipe.scene),
        **{"acceptance": profile.provenance.acceptance, **more},
    )


def _channel(recipe: Recipe, drop: Drop | ListedDrop) -> Channel:
    gain = rounded(drop.power_gain)
    if isinstance(drop, ListedDrop):
        return Channel(np.arange(0, gain.size + 1, gain.shape[1]), drop.server.ravel(), gain.ravel())
    if recipe.candidates is not None:
        near, _ = nearest_servers(drop.server_position_m, drop.device_position_m, recipe.candidates)
        listed = np.zeros_like(gain)
        np.put_along_axis(listed, near, np.take_along_axis(gain, near, 1), 1)
        gain = listed
    return Channel.from_dense(gain)


def _settings(recipe: Recipe, profile: TaskProfile) -> dict[str, Any]:
    """The chosen options and the constants they stand on, for the provenance."""
    own = recipe.model_dump(include={"battery", "server_mix", "bandwidth_mhz"})
    decoding = profile.decoding
    payload = recipe.payload or needed_payload(decoding.temperature, decoding.rule)
    listed = {} if recipe.candidates is None else {"candidates": recipe.candidates}
    return {**recipe.settings().model_dump(exclude={"scene"}), **own, **listed, "payload": payload}


def drawing_bytes(recipe: Recipe) -> float:
    """Memory that drawing an instance and writing it takes, about."""
    each = recipe.servers if recipe.candidates is None else recipe.candidates
    return needed_bytes(recipe.servers, recipe.devices, each)


def check_size(recipe: Recipe) -> None:
    """Refuse more pairs than are drawn."""
    pairs = recipe.servers * recipe.devices
    if pairs > MOST_PAIRS and not (recipe.channel == "path-loss" and recipe.candidates is not None):
        remedy = "; list the nearest servers alone (candidates)" if recipe.channel == "path-loss" else ""
        raise InputError(
            f"{pairs} pairs of a device and a server, more than the {MOST_PAIRS} that are drawn{remedy}",
            path="recipe",
        )
    require_memory(drawing_bytes(recipe), "drawing it", path="recipe")


def _drop(recipe: Recipe) -> Drop | ListedDrop:
    check_size(recipe)
    settings = recipe.settings()
    if recipe.candidates is not None and isinstance(settings, raytrace.RayTracing):
        raise InputError(
            "a traced device may have no path to its nearest servers: leave it out, or take another channel",
            path="recipe.candidates",
        )
    if recipe.candidates is not None and isinstance(settings, pathloss.PathLoss):
        return pathloss.draw_nearest(settings, candidates=recipe.candidates, **recipe.counts)
    return models.draw(settings, **recipe.counts)


def _servers(recipe: Recipe, position_m: Floats) -> Servers:
    count = recipe.servers
    if recipe.server_mix == "one-strong":
        models: list[Hardware] = [RTX_4090, *[RTX_2080] * (count - 1)]
    else:
        models = in_turn(ACCELERATORS, count, stream(recipe.seed, "server models"))
    speed = np.array([each.compute_flop_per_s for each in models])
    waiting_s = stream(recipe.seed, "server backlogs").uniform(0, OWN_WORK_S, count)
    return Servers(
        id=tuple(f"server{j}" for j in range(count)),
        compute_flop_per_s=speed,
        bandwidth_hz=np.full(count, recipe.bandwidth_mhz * 1e6 / count),
        backlog_flop=rounded(waiting_s * speed),
        model=tuple(each.model for each in models),
        position_m=position_m,
    )


def _devices(recipe: Recipe, profile: TaskProfile, position_m: Floats) -> Devices:
    count, seed = recipe.devices, recipe.seed
    phones = in_turn(PHONES, count, stream(seed, "device models"))
    power_dbm = stream(seed, "transmission powers").uniform(*TX_POWER_DBM, count)
    tasks = profile.draw_tasks(count, stream(seed, "tasks"), payload=recipe.payload)
    return Devices(
        id=tuple(f"device{i}" for i in range(count)),
        compute_flop_per_s=np.array([phone.compute_flop_per_s for phone in phones]),
        tx_power_w=rounded(10 ** ((power_dbm - 30) / 10)),
        battery_fraction=rounded(stream(seed, "batteries").uniform(*BATTERY[recipe.battery], count), 4),
        model=tuple(phone.model for phone in phones),
        position_m=position_m,
        battery_capacity_j=np.array([phone.battery_capacity_j for phone in phones], dtype=float),
        **tasks,
    )


def in_turn(items: tuple[Item, ...], count: int, generator: np.random.Generator) -> list[Item]:
    """Items in shuffled rounds: each as often as the others, and more of them begin with the same ones."""
    rounds = -(-count // len(items))
    order = np.concatenate([generator.permutation(len(items)) for _ in range(rounds)])
    return [items[index] for index in order[:count]]


def profile_sha256(profile: TaskProfile) -> str:
    """Hash of a task profile's content, however its file is laid out and whichever defaults it spells out."""
    return sha256(pretty_json(profile.model_dump(mode="json", exclude_defaults=True)).encode())
