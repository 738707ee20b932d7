"""Changes to an instance, as functions and as words: another band, one server more or fewer, other weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from uara.base.digits import rounded
from uara.base.errors import InputError, check_one_of
from uara.base.quantities import LARGEST, Floats
from uara.hardware import ACCELERATORS, NODES
from uara.p1.instance import Channel, Instance
from uara.p1.subset import LEAST_GAIN
from uara.scenarios.channel.pathloss import NEAREST_M, PathLoss

MOST_STEPS = 1000


@dataclass(frozen=True)
class Change:
    """A change to an instance."""

    option: str
    """What is changed: changes of one option exclude each other, but for servers."""
    value: str
    apply: Callable[[Instance], Instance]

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.option} {self.value}"


class Law(NamedTuple):
    """Loss of ``intercept_db + slope_db_per_decade log10(d / 1 m)``."""

    intercept_db: float
    slope_db_per_decade: float
    spread_db: float
    """Standard deviation of the pairs it was fitted to; 0 where it was not fitted."""


def distance_law(instance: Instance) -> Law:
    """The law of distance that fits the instance's own gains best, by least squares in dB.

    Where the usable pairs do not show that loss grows with distance, the usual law
    (:class:`uara.scenarios.channel.pathloss.PathLoss`). Pairs without a path are not in the fit.
    """
    usual = PathLoss()
    channel = instance.channel
    servers_m = np.asarray(instance.servers.position_m)[channel.pair_server]
    distance_m = _distances_m(np.asarray(instance.devices.position_m)[channel.pair_device], servers_m)
    decades, loss_db = np.log10(distance_m), -10 * np.log10(channel.power_gain)
    if len(decades) > 2 and np.ptp(decades) > 0.1:
        slope, intercept = np.polyfit(decades, loss_db, 1)
        if slope > 0:
            return Law(float(intercept), float(slope), float(np.std(loss_db - slope * decades - intercept)))
    return Law(usual.intercept_db, usual.slope_db_per_decade, 0.0)


def _distances_m(points_m: Any, others_m: Any) -> Floats:
    """(n,) Distances between points; nearer ones count as at the distance where laws begin."""
    return np.asarray(np.maximum(np.linalg.norm(np.asarray(points_m) - others_m, axis=1), NEAREST_M))


def add_server(instance: Instance, x_m: float, y_m: float, model: str) -> Instance:
    """One server more.

    Parameters
    ----------
    x_m, y_m
        Where it stands, as high as the median of the others.
    model
        Hardware of :mod:`uara.hardware`, or its speed in TFLOP/s.

    Returns
    -------
    Instance
        The band of the new server, and the seconds of work that wait at it, are the medians of the others. Its gains
        follow :func:`distance_law`, without shadowing; below -120 dB there is no path.

    Raises
    ------
    InputError
        If the instance holds no positions, or there is no such hardware.
    """
    servers = instance.servers
    if servers.position_m is None or instance.devices.position_m is None:
        raise InputError("holds no positions, so that no server can be put among them", source=instance.name)
    speed, title = _speed_flop_per_s(model)
    heights_m = np.asarray(servers.position_m)[:, 2]
    place_m = np.array([x_m, y_m, float(np.median(heights_m))])
    waiting_s = float(np.median(servers.backlog_flop / servers.compute_flop_per_s))
    name = next(each for k in range(len(servers) + 1) if (each := f"new{k}") not in servers.id)
    more: dict[str, Any] = {
        "id": (name,),
        "compute_flop_per_s": [speed],
        "bandwidth_hz": [float(np.median(servers.bandwidth_hz))],
        "backlog_flop": [waiting_s * speed],
        "model": (title,),
        "position_m": place_m[None],
    }
    columns = {key: _joined(column, more[key]) for key, column in servers.columns().items()}
    law = distance_law(instance)
    distance_m = _distances_m(instance.devices.position_m, place_m)
    gain = 10 ** (-(law.intercept_db + law.slope_db_per_decade * np.log10(distance_m)) / 10)
    gain[gain < LEAST_GAIN] = 0.0
    dense = np.hstack([instance.channel.dense(len(servers)), rounded(gain)[:, None]])
    return instance.replace(servers=type(servers)(**columns), channel=Channel.from_dense(dense))


def _joined(column: Any, more: Any) -> Any:
    return (*column, *more) if isinstance(column, tuple) else np.concatenate([column, more])


def _speed_flop_per_s(model: str) -> tuple[float, str]:
    known = {each.name: each for each in (*ACCELERATORS, *NODES)}
    if model in known:
        return known[model].compute_flop_per_s, known[model].model
    try:
        return _positive(model) * 1e12, f"{model} TFLOP/s"
    except ValueError:
        raise InputError(
            f"{model!r} is no hardware ({', '.join(known)}) and no speed in TFLOP/s", source="add-server"
        ) from None


def drop_server(instance: Instance, name: str) -> Instance:
    """One server fewer.

    Raises
    ------
    InputError
        If there is no server of this id, or devices reach no other.
    """
    servers = instance.servers
    if name not in servers.id:
        raise InputError(
            f"{name!r} is the id of no server; there are {', '.join(servers.id[:20])}", source="drop-server"
        )
    kept = [j for j, each in enumerate(servers.id) if each != name]
    gain = instance.channel.dense(len(servers))[:, kept]
    alone = np.flatnonzero(~(gain > 0).any(axis=1)) if kept else [0]
    if len(alone):
        device = instance.devices.id[int(alone[0])]
        raise InputError(f"device {device} reaches no server but {name}", source="drop-server")
    return instance.replace(servers=servers.take(kept), channel=Channel.from_dense(gain))


def parse(option: str, value: str) -> list[Change]:
    """The changes that words stand for, one for each value of a sweep.

    Parameters
    ----------
    option
        ``add-server`` (x,y,model), ``drop-server`` (id), ``band`` (2x, or MHz of each server), ``compute`` (2x, or
        TFLOP/s of each server), ``w`` (ms per J), ``lambda`` (per ms).
    value
        Numbers may be listed, ``20,50``, or swept, ``20:100:20`` (from, to, step).

    Raises
    ------
    InputError
        If they stand for nothing.
    """
    if option == "add-server":
        x_m, y_m, model = _place(value)
        return [Change(option, value, lambda instance: add_server(instance, x_m, y_m, model))]
    if option == "drop-server":
        return [Change(option, value, lambda instance: drop_server(instance, value))]
    check_one_of(option, ("add-server", "drop-server", *_NUMBERS), "change")
    return [_NUMBERS[option](option, word) for word in _words(option, value)]


def _place(value: str) -> tuple[float, float, str]:
    x, _, rest = value.partition(",")
    y, _, model = rest.partition(",")
    try:
        x_m, y_m = float(x), float(y)
    except ValueError:
        x_m = math.nan
    if not model or not (abs(x_m) <= LARGEST and abs(y_m) <= LARGEST):
        raise InputError(f"{value!r} is not of the form x,y,model (metres)", source="add-server")
    _speed_flop_per_s(model)
    return x_m, y_m, model


def _words(option: str, value: str) -> Sequence[str]:
    """The values that a list or a sweep names."""
    if ":" not in value:
        return value.split(",")
    try:
        first, last, step = map(float, value.split(":"))
        count = (last - first) / step
        if not 0 <= count < MOST_STEPS:
            raise ValueError
    except (ValueError, ZeroDivisionError):
        raise InputError(
            f"{value!r} is not of the form from:to:step, of less than {MOST_STEPS} steps", source=option
        ) from None
    return [f"{first + k * step:.12g}" for k in range(math.floor(count + 1e-9) + 1)]


def _positive(word: str) -> float:
    number = float(word)
    if not 0 < number <= LARGEST:
        raise ValueError
    return number


def _scaled(column: str, unit: float) -> Callable[[str, str], Change]:
    """Changes of a column of the servers: by a factor, ``2x``, or to a value in a unit."""

    def make(option: str, word: str) -> Change:
        try:
            number = _positive(word.removesuffix("x"))
        except ValueError:
            raise InputError(f"{word!r} is neither a factor such as 2x nor a number", source=option) from None

        def apply(instance: Instance) -> Instance:
            servers = instance.servers
            values = getattr(servers, column)
            new = values * number if word.endswith("x") else np.full(len(servers), number * unit)
            changed = {column: new}
            if column == "compute_flop_per_s":  # work that waits is served as long as before
                changed["backlog_flop"] = servers.backlog_flop * (new / values)
            return instance.replace(servers=servers.replace(**changed))

        return Change(option, word, apply)

    return make


def _weight(field: str) -> Callable[[str, str], Change]:
    """Changes of a weight of the objective."""

    def make(option: str, word: str) -> Change:
        try:
            number = float(word)
            if not 0 <= number <= LARGEST:
                raise ValueError
        except ValueError:
            raise InputError(f"{word!r} is no number of 0 to {LARGEST:g}", source=option) from None

        def apply(instance: Instance) -> Instance:
            parameters = instance.parameters.model_copy(update={field: number})
            return instance.replace(parameters=parameters)

        return Change(option, word, apply)

    return make


_NUMBERS: dict[str, Callable[[str, str], Change]] = {
    "band": _scaled("bandwidth_hz", 1e6),
    "compute": _scaled("compute_flop_per_s", 1e12),
    "w": _weight("energy_weight_ms_per_j"),
    "lambda": _weight("sync_weight_per_ms"),
}
