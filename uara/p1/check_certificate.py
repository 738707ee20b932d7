"""Checks an answer to P1 in exact arithmetic: ``python check_certificate.py INSTANCE SOLUTION [--gap G]``.

It needs nothing but this file and Python's standard library. It reads an instance file and a solution file, scores
the decision again (from above), computes the lower bound again that the certificate proves (from below), and holds
every claim of the file against both. The last line says ``accepted`` (exit code 0) or why not (exit code 1).

No floating-point number decides anything here. Every double of the files is an exact rational. Irrational are only
square roots (``isqrt``, rounded down), and logarithms and powers of ten (``decimal``, 60 digits, widened by 1e-40).
Sums run over integers: multiples of 2^-R ms and of 2^-A square roots of a FLOP. Doubles only choose where a tangent
touches or how a search begins, where any choice is valid. What each part proves is said at its place; more words
are in ``docs/proofs.md``.

Sections: reading JSON, files, numbers of the instance, objective, band costs, least cost of a set, certificates,
verdict.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise
from math import isqrt
from operator import add
from pathlib import Path
from struct import pack
from typing import Any, NamedTuple, NoReturn, TypeVar

T = TypeVar("T")

MOST_BYTES, MOST_VALUES, MOST_DEPTH = 64 * 2**20, 8_000_000, 100
"""Limits of a file."""
MOST_STEPS = 2 * 10**9
"""Limit of the work for one certificate, in band costs, pairs and labels: hours."""
MOST_HELD = 20_000_000
"""Limit of what one certificate may keep in memory, in band costs and pairs: a few gigabytes."""
SHARE_TOLERANCE = TOLERANCE = Fraction(1, 10**9)
"""Excess over a budget of shares, and difference of a claim as a part of the controllable cost, that is rounding."""
OPTIMAL_GAP = Fraction(1_000_001, 10**10)
"""Gap up to which an answer may be called optimal: 1e-4, and 1e-6 of it for rounding."""


class Refused(Exception):
    """Why an answer is not accepted, in one line."""


# ------------------------------------------------------------------------------------------------ reading JSON


def parse(content: bytes, what: str) -> Any:
    """Decode JSON that says one thing only: no repeated keys, no numbers beyond doubles or 64 bits, bounded depth."""

    def refuse(problem: str) -> NoReturn:
        raise Refused(f"{what}: {problem}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        return found if len(found) == len(pairs) else refuse("a key is given twice")

    def real(text: str) -> float:
        value = float(text)
        return value if math.isfinite(value) else refuse(f"{text[:30]} is no finite number")

    def whole(text: str) -> int:
        value = int(text) if len(text) <= 20 else 2**64
        return value if -(2**63) <= value < 2**63 else refuse("an integer has more than 64 bits")

    if len(content) > MOST_BYTES or content.count(b",") > MOST_VALUES:
        refuse("larger than what is read")
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode()
        data = json.loads(
            text, object_pairs_hook=unique, parse_float=real, parse_int=whole,
            parse_constant=lambda name: refuse(f"{name} is no number"),
        )  # fmt: skip
        if "\\" in text:
            json.dumps(data, ensure_ascii=False).encode()  # fails for half a character
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what}: not valid JSON: {str(error)[:100]}") from None
    level = [data]
    for _ in range(MOST_DEPTH + 1):
        held = [
            value.values() if type(value) is dict else value for value in level if type(value) in (dict, list)
        ]
        level = [inner for values in held for inner in values]
    return refuse("nested too deeply") if level else data


def _object(value: Any, path: str, needed: str, optional: str = "") -> dict[str, Any]:
    """An object with these keys and no others; keys are separated by blanks."""
    if type(value) is not dict:
        raise Refused(f"{path}: must be an object")
    for key in needed.split():
        if key not in value:
            raise Refused(f"{path}.{key}: is missing")
    for key in value:
        if key not in needed.split() + optional.split():
            raise Refused(f"{path}.{key[:60]!r}: is not known")
    return value


def _list(
    value: Any, path: str, each: Callable[[Any, str], T], length: int | None = None, least: int = 0
) -> list[T]:
    if type(value) is not list or len(value) < least or (length is not None and len(value) != length):
        raise Refused(f"{path}: must be a list of {f'at least {least}' if length is None else length}")
    return [each(item, f"{path}[{n}]") for n, item in enumerate(value)]


def _text(value: Any, path: str) -> str:
    if type(value) is not str:
        raise Refused(f"{path}: must be a text")
    return value


def _name(value: Any, path: str) -> str:
    if not 0 < len(_text(value, path)) <= 200:
        raise Refused(f"{path}: must have 1 to 200 characters")
    return str(value)


def _number(low: float = -math.inf, high: float = math.inf) -> Callable[[Any, str], float]:
    def check(value: Any, path: str) -> float:
        if type(value) not in (int, float) or not low <= float(value) <= high:
            raise Refused(
                f"{path}: must be a number" + (f" from {low:g} to {high:g}" if low > -math.inf else "")
            )
        return float(value)

    return check


def _whole(low: int = 0, high: int = 2**31 - 1) -> Callable[[Any, str], int]:
    def check(value: Any, path: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Refused(f"{path}: must be a whole number from {low} to {high}")
        return value

    return check


# ------------------------------------------------------------------------------------------------ files

LARGE, SMALL = 1e30, 1e-30
POSITIVE, NON_NEGATIVE = _number(SMALL, LARGE), _number(0.0, LARGE)
PARAMETERS = {
    "sync_weight_per_ms": (1e-2, NON_NEGATIVE),
    "energy_weight_ms_per_j": (50.0, NON_NEGATIVE),
    "device_efficiency_flop_per_j": (1e9, POSITIVE),
    "uplink_energy_j_per_mhz_w": (2.6, NON_NEGATIVE),
    "noise_psd_dbm_per_hz": (-174.0, _number(-400.0, 200.0)),
    "queue_slot_ms": (10.0, POSITIVE),
    "slot_ms": (1000.0, POSITIVE),
}
"""Default and range of each constant."""
SERVERS = ("id", "compute_flop_per_s", "bandwidth_hz", "backlog_flop", "model?", "position_m?")
DEVICES = (
    *(
        "id",
        "compute_flop_per_s",
        "tx_power_w",
        "battery_fraction",
        "upload_bits",
        "device_flop",
        "server_flop",
    ),
    *("task?", "model?", "position_m?", "battery_capacity_j?"),
)
"""Columns in the order of the digest; ``?``: may be left out. All but the following hold positive numbers."""
TEXTS = ("id", "task", "model")
CELLS: dict[str, Callable[[Any, str], Any]] = {
    "id": _name,
    "task": _text,
    "model": _text,
    "position_m": lambda value, path: _list(value, path, _number(-LARGE, LARGE), 3),
    "backlog_flop": NON_NEGATIVE,
    "battery_fraction": _number(SMALL, 1.0),
}


class Instance(NamedTuple):
    """The data of an instance file; pairs in the order of devices, then servers."""

    parameters: dict[str, float]
    servers: dict[str, list[Any]]
    devices: dict[str, list[Any]]
    pairs: list[tuple[int, int]]
    gain: list[float]
    digest: str
    """SHA-256 of everything but name and provenance, as solution files name it."""


def read_instance(data: Any) -> Instance:
    """Check the content of an instance file."""
    parts = "schema_version kind name parameters servers devices channel"
    top = _object(data, "instance", parts, "provenance side_file")
    if top["kind"] != "p1" or _whole()(top["schema_version"], "schema_version") != 1:
        raise Refused("instance: is not version 1 of kind p1")
    _name(top["name"], "name")
    if type(top.get("provenance", {})) is not dict:
        raise Refused("provenance: must be an object")
    given = _object(top["parameters"], "parameters", "", " ".join(PARAMETERS))
    parameters = {name: check(given.get(name, usual), name) for name, (usual, check) in PARAMETERS.items()}
    servers, devices = _table(top["servers"], "servers", SERVERS), _table(top["devices"], "devices", DEVICES)
    start, server, gain = _channel(top["channel"], len(devices["id"]), len(servers["id"]))
    lines = ",\n".join(f'  "{name}": {value!r}' for name, value in parameters.items())
    digest = hashlib.sha256(f"{{\n{lines}\n}}\n".encode())
    for name, column in (*servers.items(), *devices.items()):
        digest.update(name.encode())
        if name in TEXTS:
            digest.update("\0".join(column).encode())
        else:
            flat = [part for point in column for part in point] if name == "position_m" else column
            digest.update(pack(f"<{len(flat)}d", *flat))
    digest.update(pack(f"<{len(start) + len(server)}q{len(gain)}d", *start, *server, *gain))
    pairs = [(i, j) for i, (a, b) in enumerate(pairwise(start)) for j in server[a:b]]
    return Instance(parameters, servers, devices, pairs, gain, digest.hexdigest())


def _table(data: Any, path: str, columns: tuple[str, ...]) -> dict[str, list[Any]]:
    optional = [name.removesuffix("?") for name in columns if name.endswith("?")]
    given = _object(data, path, " ".join(name for name in columns if name[-1] != "?"), " ".join(optional))
    if any(type(column) is str and column.startswith("npz:") for column in given.values()):
        raise Refused(f"{path}: columns in a side file are read by `uara verify` alone")
    count = len(_list(given["id"], f"{path}.id", _name, least=1))
    table = {
        name: _list(given[name], f"{path}.{name}", CELLS.get(name, POSITIVE), count)
        for name in (name.removesuffix("?") for name in columns)
        if name not in optional or given.get(name) is not None
    }
    if len(set(table["id"])) != count:
        raise Refused(f"{path}.id: an id is given twice")
    return table


def _channel(data: Any, devices: int, servers: int) -> tuple[list[int], list[int], list[float]]:
    """Compressed rows: where each device's pairs begin, and server and gain of each pair."""
    layout = data.get("layout") if type(data) is dict else None
    if layout == "dense":
        given, path = _object(data, "channel", "layout power_gain")["power_gain"], "channel.power_gain"
        rows = _list(given, path, lambda row, path: _list(row, path, NON_NEGATIVE, servers), devices)
        start = [0]
        for row in rows:
            start.append(start[-1] + sum(value > 0 for value in row))
        server = [j for row in rows for j, value in enumerate(row) if value > 0]
        gain = [value for row in rows for value in row if value > 0]
    elif layout == "sparse":
        parts = _object(data, "channel", "layout pair_start pair_server power_gain")
        start = _list(parts["pair_start"], "channel.pair_start", _whole(), devices + 1)
        server = _list(parts["pair_server"], "channel.pair_server", _whole(0, servers - 1))
        gain = _list(parts["power_gain"], "channel.power_gain", _number(), len(server))
    else:
        raise Refused("channel.layout: must be dense or sparse")
    if start[0] != 0 or start[-1] != len(server) or any(b <= a for a, b in pairwise(start)):
        raise Refused("channel: a device has no usable server, or the pairs do not follow each other")
    if any(j <= i for a, b in pairwise(start) for i, j in pairwise(server[a:b])):
        raise Refused("channel.pair_server: must increase within a device")
    return start, server, _list(gain, "channel.power_gain", POSITIVE)


class Solution(NamedTuple):
    """The content of a solution file."""

    digest: str
    association: list[int]
    bandwidth: list[float]
    compute: list[float]
    claims: dict[str, Any]
    certificate: dict[str, Any] | None


def read_solution(data: Any, devices: int) -> Solution:
    """Check the content of a solution file for an instance of so many devices."""
    extra = "solver options seed claims certificate"
    top = _object(data, "solution", "schema_version kind problem instance decision", extra)
    version = _whole()(top["schema_version"], "schema_version")
    if (version, top["kind"], top["problem"]) != (1, "solution", "p1"):
        raise Refused("solution: is not version 1 of a solution of problem p1")
    reference = _object(top["instance"], "instance", "name digest")
    _text(reference["name"], "instance.name")
    _text(top.get("solver", ""), "solver")
    _whole(0, 2**63 - 1)(top.get("seed", 0), "seed")
    values = "objective_ms lower_bound_ms certified_lower_bound_ms runtime_s"
    claims = _object(top.get("claims", {}), "claims", "", values + " status ended")
    for name in values.split():
        if claims.get(name) is not None:
            _number(0.0 if name == "runtime_s" else -math.inf)(claims[name], f"claims.{name}")
    for name, words in (
        ("status", "optimal feasible infeasible"),
        ("ended", "completed time_limit interrupted"),
    ):
        if claims.get(name, "") not in ["", *words.split()]:
            raise Refused(f"claims.{name}: must be one of {words}")
    decision = _object(top["decision"], "decision", "association bandwidth compute")
    if type(top.get("options", {})) is not dict or type(top.get("certificate")) not in (dict, type(None)):
        raise Refused("options, certificate: must be objects")
    return Solution(
        _text(reference["digest"], "instance.digest"),
        _list(decision["association"], "decision.association", _whole(), devices),
        _list(decision["bandwidth"], "decision.bandwidth", _number(), devices),
        _list(decision["compute"], "decision.compute", _number(), devices),
        claims,
        top.get("certificate"),
    )


# ------------------------------------------------------------------------------------------------ numbers

DIGITS = Context(prec=60, Emin=-(10**6), Emax=10**6)
WIDER = Fraction(1, 10**40)
"""Part by which what ``decimal`` says is widened: its own roundings are below 1e-55."""


class Numbers(NamedTuple):
    """Exact quantities of an instance, in ms and FLOP."""

    instance: Instance
    sync_weight: Fraction
    """lambda."""
    local: list[Fraction]
    """D_i."""
    constant: Fraction
    """The part of the objective that no decision touches."""
    speed: list[Fraction]
    """F_j in FLOP per ms."""
    wait: list[Fraction]
    """Whole queueing slots."""
    uplink: Callable[[int], tuple[Fraction, Fraction]]
    """c_ij of a pair, from below and from above; held of all at once, it would take a gigabyte a million pairs."""
    band_cost: Callable[[int], Fraction]
    """a_ij of a pair."""


def numbers_of(instance: Instance) -> Numbers:
    """Equations (5) to (8), without a rounding but for logarithm and power."""
    given = {name: Fraction(value) for name, value in instance.parameters.items()}
    other = (*TEXTS, "position_m")
    servers, devices = (
        {name: list(map(Fraction, column)) for name, column in table.items() if name not in other}
        for table in (instance.servers, instance.devices)
    )
    local = [1000 * a / b for a, b in zip(devices["device_flop"], devices["compute_flop_per_s"], strict=True)]
    per_joule = [given["energy_weight_ms_per_j"] / battery for battery in devices["battery_fraction"]]
    joules = [work / given["device_efficiency_flop_per_j"] for work in devices["device_flop"]]
    speed = [value / 1000 for value in servers["compute_flop_per_s"]]
    slot, band, backlog = given["queue_slot_ms"], servers["bandwidth_hz"], servers["backlog_flop"]
    two, ten = DIGITS.ln(Decimal(2)), DIGITS.ln(Decimal(10))
    tenth = DIGITS.divide(Decimal(instance.parameters["noise_psd_dbm_per_hz"]), Decimal(10))
    noise = DIGITS.exp(DIGITS.multiply(tenth, ten))

    def uplink(k: int) -> tuple[Fraction, Fraction]:
        i, j = instance.pairs[k]
        received = Fraction(instance.gain[k]) * devices["tx_power_w"][i] * 1000 / band[j]
        top, bottom = Decimal(received.numerator), Decimal(received.denominator)
        ratio = DIGITS.divide(top, DIGITS.multiply(bottom, noise))
        finer = Context(prec=60 + max(0, -ratio.adjusted()), Emin=-(10**6), Emax=10**6)
        bits = Fraction(DIGITS.divide(finer.ln(finer.add(1, ratio)), two))
        delay = 1000 * devices["upload_bits"][i] / (band[j] * bits)
        return delay * (1 - WIDER), delay * (1 + WIDER)

    def band_cost(k: int) -> Fraction:
        i, j = instance.pairs[k]
        return per_joule[i] * given["uplink_energy_j_per_mhz_w"] * band[j] / 10**6 * devices["tx_power_w"][i]

    return Numbers(
        instance,
        given["sync_weight_per_ms"],
        local,
        sum(local, Fraction(0)) + sum(a * b for a, b in zip(per_joule, joules, strict=True)),
        speed,
        [slot * math.ceil(work / (rate * slot)) for work, rate in zip(backlog, speed, strict=True)],
        uplink,
        band_cost,
    )


# ------------------------------------------------------------------------------------------------ objective


def controllable_cost(numbers: Numbers, answer: Solution) -> tuple[Fraction, list[str]]:
    """The controllable part of the objective, from above, and the constraints that are broken."""
    instance, most, broken = numbers.instance, 1 + SHARE_TOLERANCE, []
    place = {pair: k for k, pair in enumerate(instance.pairs)}
    total, used = Fraction(0), {name: [Fraction(0)] * len(numbers.speed) for name in ("bandwidth", "compute")}
    for i, j in enumerate(answer.association):
        y, z, name = Fraction(answer.bandwidth[i]), Fraction(answer.compute[i]), instance.devices["id"][i]
        if (i, j) not in place:
            broken.append(f"(3) {name} has no usable server")
        elif not (0 < y <= most and 0 < z <= most):
            broken.append(f"(4), (7) a share of {name} is not in (0, 1]")
        else:
            k = place[i, j]
            used["bandwidth"][j] += y
            used["compute"][j] += z
            gap = max(abs(numbers.local[i] - delay / y) for delay in numbers.uplink(k))
            cost = numbers.wait[j] + Fraction(instance.devices["server_flop"][i]) / (z * numbers.speed[j])
            cost += numbers.sync_weight * gap**2 + numbers.band_cost(k) * y
            total += Fraction(math.ceil(cost * 2**1200), 2**1200)  # keeps the fractions short
    for name, sums in used.items():
        for j, value in enumerate(sums):
            if value > most:
                broken.append(f"the {name} of {instance.servers['id'][j]} is shared out to {float(value)!r}")
    if not broken and not math.isfinite(as_double(total + numbers.constant)):
        broken.append("the objective is not finite")
    return total, broken


def as_double(value: Fraction) -> float:
    """The nearest double; infinite beyond them."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


# ------------------------------------------------------------------------------------------------ band costs

FINER, TOUCH = 64, 96
"""Further binary digits of delays, and binary digits of u = 1/y; both grow with ``lambda D^2`` beyond 2^40 ms."""


class Grid:
    """The numbers of an instance in units of 2^-R ms and of 2^-A square roots of a FLOP, rounded so that bounds fall.

    R and A are such that an objective has about 100 binary digits, and a load 64 at least; nothing depends on them
    but how much rounding takes off.
    """

    def __init__(self, numbers: Numbers, objective: Fraction) -> None:
        self.numbers, self.steps, self.held = numbers, 0, 0
        self.pairs = numbers.instance.pairs
        self.devices, self.servers = len(numbers.local), len(numbers.speed)
        self.bits = max(0, 100 - _log2(objective))
        work = [Fraction(value) for value in numbers.instance.devices["server_flop"]]
        self.load_bits = max(0, 80 - _log2(max(work)) // 2, 64 - _log2(min(work)) // 2)
        self.load = [isqrt(math.floor(value * 4**self.load_bits)) for value in work]
        self.wait = [self.down(value) for value in numbers.wait]
        self.rent = [self._rent(speed) for speed in numbers.speed]
        self._band_cost = [self.down(numbers.band_cost(k)) for k in range(len(self.pairs))]
        stiff = max(0, _log2(numbers.sync_weight * max(numbers.local) ** 2) - 40)
        self.finer, self.touch = FINER + stiff, TOUCH + stiff
        scale = 1 << self.bits + self.finer
        self._uplink = [math.floor(numbers.uplink(k)[0] * scale) for k in range(len(self.pairs))]
        self._local = [math.ceil(value * scale) for value in numbers.local]
        self._weight, divisor = numbers.sync_weight.as_integer_ratio()
        self._weight_bits = divisor.bit_length() - 1
        self._shape = [self._shape_of(k) for k in range(len(self.pairs))]

    def down(self, value: Fraction | float) -> int:
        """The value in units of 2^-R ms, rounded down."""
        top, bottom = value.as_integer_ratio()
        return (top << self.bits) // bottom

    def spend(self, steps: int) -> None:
        """Count work; refuse more of it than a check may take."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise Refused("the certificate takes more work than this checker does")

    def hold(self, count: int) -> None:
        """Count what is kept, or let go of if negative; refuse more of it than memory may be asked for."""
        self.held += count
        if self.held > MOST_HELD:
            raise Refused("the certificate takes more memory than this checker does")

    def _rent(self, speed: Fraction) -> tuple[int, int]:
        """(q, shift): loads t in grid units cost ``q t^2 / 2^shift`` of them, at most t^2 / F."""
        digits = max(0, 80 + _log2(speed), self.bits - 2 * self.load_bits)
        shift = 2 * self.load_bits + digits - self.bits
        return (speed.denominator << digits) // speed.numerator, shift

    def _shape_of(self, k: int) -> tuple[float, float]:
        """D/c, and units of 1 / (2 lambda c^2), as doubles: they only choose where a tangent touches."""
        try:
            delay = self._uplink[k] / (1 << self.bits + self.finer)
            return self._local[self.pairs[k][0]] / self._uplink[k], 0.5 / (
                float(self.numbers.sync_weight) * delay**2
            )
        except (OverflowError, ZeroDivisionError):
            return 0.0, 0.0

    def band_cost(self, k: int, price: int) -> int:
        """At most psi, the least of ``lambda (D - c/y)^2 + (a + price) y`` over 0 < y <= 1.

        ``h(y) = lambda max(0, c/y - D)^2 + (a + price) y`` is nowhere above it (nor is it with a lower c or a, or a
        higher D), and convex on y > 0: a tangent of h is below. The tangent that touches at ``y = 1/u`` has, with
        ``g = max(0, c u - D)``, at the ends of [0, 1] the values

            lambda g (g + 2 c u)   and   a + price + lambda g (g - 2 c u (u - 1)),

        so the lesser of them is below psi, whatever ``u >= 1`` is. At the minimum of h both are its value. If c < D,
        h does not fall beyond y = c/D, which takes the place of 1: there the tangent is
        ``((a + price) c - lambda g^2 (D + 2 g)) / D``.
        """
        uplink, local, cost = self._uplink[k], self._local[self.pairs[k][0]], self._band_cost[k] + price
        if not self._weight or not uplink:
            return 0
        ratio, curve = self._shape[k]
        touch, one = self.touch, 1 << self.touch
        try:
            beyond = _beyond(ratio, curve * (cost / (1 << self.bits)))
            u = max(one, (local << touch) // uplink + int(beyond * one))
        except (OverflowError, ValueError, ZeroDivisionError):
            u = max(one, (local << touch) // uplink)
        sent, start = uplink * u, local << touch
        gap = sent - start
        if gap <= 0:
            return 0
        shift = self.bits + 2 * (self.finer + touch) + self._weight_bits
        at_zero = (self._weight * gap * (gap + 2 * sent)) >> shift
        if uplink < local:
            at_end = cost * uplink // local + (-self._weight * gap * gap * (start + 2 * gap)) // (
                start << shift
            )
        else:
            at_end = cost + ((self._weight * gap * ((gap << touch) - 2 * sent * (u - one))) >> shift + touch)
        return max(0, min(at_zero, at_end))


def _log2(value: Fraction) -> int:
    return value.numerator.bit_length() - value.denominator.bit_length() if value > 0 else 0


def _beyond(ratio: float, slope: float) -> float:
    """The v of ``v (ratio + v)^2 = slope``, by Newton's method from above: u = ratio + v is where h is least."""
    v = float(slope ** (1 / 3))
    if ratio > 0:
        v = min(v, slope / ratio**2)
    for _ in range(60):
        u = ratio + v
        step = (v * u * u - slope) / (u * (u + 2 * v)) if u else 0.0
        if step <= v * 1e-16:
            break
        v -= step
    return v


# ------------------------------------------------------------------------------------------------ least cost of a set

MOST_LABELS = 100_000
"""Beyond this many a search ends with the least bound of those it holds, which is valid too."""
MOST_SUMS = 1_000_000
"""The same for the sums that they hold, one a row."""
ROOT = 24143
"""10,000 (1 + sqrt 2), rounded up."""
LIPSCHITZ = 40
"""Binary digits of a slope."""


class Choice(NamedTuple):
    """What one server may choose of: items with loads and costs, and what is in the set anyway.

    A set S costs ``max over g of [base_g + sum over S of costs_gi] + q (load + sum over S of loads_i)^2 / 2^shift``.
    """

    loads: list[int]
    costs: list[list[int]]
    load: int
    base: list[int]
    rent: tuple[int, int]

    def without(self, n: int) -> Choice:
        """Item n is not there."""
        costs = [row[:n] + row[n + 1 :] for row in self.costs]
        return self._replace(loads=self.loads[:n] + self.loads[n + 1 :], costs=costs)

    def holding(self, n: int) -> Choice:
        """Item n is in the set anyway."""
        base = [value + row[n] for value, row in zip(self.base, self.costs, strict=True)]
        return self.without(n)._replace(load=self.load + self.loads[n], base=base)


class Start(NamedTuple):
    """A row and a level T of load, and the bound they give; any row, and any T >= 0, will do.

    With p = 2 q T is ``q t^2 = p t - q T^2 + q (t - T)^2``. So with ``extra_i = p loads_i``, ``h_i = costs_i +
    extra_i``

        cost(S) >= bound + sum over the flipped items of |h_i| + q (t(S) - T)^2,
        bound = base + p load - q T^2 + sum min(0, h_i),

    where the flipped items are those in which S differs from {h_i < 0}. ``extra`` and the rest are rounded down.
    """

    row: int
    level: int
    extra: list[int]
    rest: int
    bound: int


def relaxed(choice: Choice) -> Start:
    """The row, and its level, whose bound is highest."""
    q, shift = choice.rent
    best: Start | None = None
    for g, row in enumerate(choice.costs):
        level = _level(choice, row)
        price = 2 * q * level
        extra = [(price * load) >> shift for load in choice.loads]
        rest = (price * choice.load - q * level * level) >> shift
        bound = choice.base[g] + rest + sum(h for r, e in zip(row, extra, strict=True) if (h := r + e) < 0)
        if best is None or bound > best.bound:
            best = Start(g, level, extra, rest, bound)
    assert best is not None
    return best


def _level(choice: Choice, row: list[int]) -> int:
    """The load at the optimum where items may be taken in part; in doubles, since any level will do."""
    q, shift = choice.rent
    try:
        rent, load = 2.0 * q / (1 << shift), float(choice.load)
        gaining = sorted((r / s, s) for r, s in zip(row, choice.loads, strict=True) if r < 0 and s)
        for ratio, own in gaining:
            if ratio + rent * load >= 0:
                break
            if ratio + rent * (load + own) >= 0:
                return max(0, int(-ratio / rent))
            load += own
        return int(load)
    except (OverflowError, ValueError, ZeroDivisionError):
        return choice.load


def least_cost(grid: Grid, choice: Choice, cut: int | None = None) -> int:
    """A lower bound on the cost of every set: the least but for rounding, or ``cut`` if that is less."""
    grid.spend(1 + len(choice.costs) * (1 + len(choice.loads)))
    gaining = [n for n in range(len(choice.loads)) if any(row[n] < 0 for row in choice.costs)]
    if len(gaining) < len(choice.loads):  # more load never pays by itself
        costs = [[row[n] for n in gaining] for row in choice.costs]
        choice = choice._replace(loads=[choice.loads[n] for n in gaining], costs=costs)
    start = relaxed(choice)
    if cut is not None and start.bound >= cut:
        return start.bound
    gains = [[r + e for r, e in zip(row, start.extra, strict=True)] for row in choice.costs]
    taken = [h < 0 for h in gains[start.row]]
    deviation = choice.load - start.level + sum(s for s, own in zip(choice.loads, taken, strict=True) if own)
    steps = [-s if own else s for s, own in zip(choice.loads, taken, strict=True)]
    flips = [[-h if own else h for h, own in zip(row, taken, strict=True)] for row in gains]
    sums = [
        base + start.rest + sum(h for h, own in zip(row, taken, strict=True) if own) - start.bound
        for base, row in zip(choice.base, gains, strict=True)
    ]
    limit = None if cut is None else cut - start.bound
    return start.bound + _search(grid, choice.rent, deviation, sums, steps, flips, start.row, limit)


def _after(values: Iterator[int], count: int) -> list[int]:
    """The sum of the values from each place on; nothing beyond the last."""
    sums = [0] * (count + 1)
    for n, value in zip(range(count - 1, -1, -1), reversed(list(values)), strict=True):
        sums[n] = sums[n + 1] + value
    return sums


def _slope(rent: tuple[int, int], limit: int) -> int:
    """At least (1 + sqrt 2) sqrt(limit q), in units of 2^-40."""
    q, shift = rent
    return isqrt(((ROOT**2 * q * limit) << 2 * LIPSCHITZ) // (10**8 << shift) + 1) + 1


def _search(
    grid: Grid,
    rent: tuple[int, int],
    deviation: int,
    sums: list[int],
    steps: list[int],
    flips: list[list[int]],
    row: int,
    cut: int | None,
) -> int:
    """At most the least of ``max over g of [sums_g + sum of flips_g] + q d^2``; or ``cut`` if that is less.

    Sums and flips of ``row`` are at least 0, so an item whose flip there is above the limit (the best value seen,
    or the cut) is never flipped. Labels (d, c), by rising d, stand for the choices among the items so far. One is
    dropped where its completions reach the limit: the items left change d, and take off a row, by so much at
    most. And it is dropped where another is cheaper in every row by ``slope |difference of d|``. For a completion
    below the limit G has q d^2 < G, |d| < w = sqrt(G/q); with the other label in its place q d^2 grows by q x (2
    w + x) at most, x being the difference. That is no more than ``slope x``, slope = (1 + sqrt 2) sqrt(G q),
    while x <= (sqrt 2 - 1) w; for a larger x is slope x >= G, which the label costs by itself then. What is
    rounded down here is so for both labels alike.
    """
    q, shift = rent
    best: int = max(sums) + ((q * deviation * deviation) >> shift)
    for step, *flip in zip(steps, *flips, strict=True):
        most = max(x + y for x, y in zip(sums, flip, strict=True))
        best = min(best, most + ((q * (deviation + step) ** 2) >> shift))
    limit = best if cut is None else min(best, cut)
    items = sorted((n for n, flip in enumerate(flips[row]) if flip < limit), key=lambda n: -flips[row][n])
    up = _after((max(steps[n], 0) for n in items), len(items))
    down = _after((max(-steps[n], 0) for n in items), len(items))
    gains = [_after((min(own[n], 0) for n in items), len(items)) for own in flips]
    labels = [(deviation, *sums)]
    for a, n in enumerate(items):
        change = (steps[n], *(own[n] for own in flips))
        flipped: list[tuple[int, ...]] = [tuple(map(add, label, change)) for label in labels]
        if not flipped:
            break
        limit = min(limit, min(max(c) + ((q * d * d) >> shift) for d, *c in flipped))
        grid.spend(len(labels) * len(flips))
        slope, highest, lowest, later = (
            _slope(rent, limit),
            down[a + 1],
            -up[a + 1],
            [own[a + 1] for own in gains],
        )
        live: list[tuple[int, ...]] = []
        reaches: list[int] = []
        for label in sorted(labels + flipped):
            d = label[0]
            far = d - highest if d > highest else lowest - d if d < lowest else 0
            reach = max(map(add, label[1:], later)) + ((q * far * far) >> shift)
            if reach < limit:
                live.append(label)
                reaches.append(reach)
        if len(live) > MOST_LABELS or len(live) * len(flips) > MOST_SUMS:
            return min(reaches)
        labels = _undominated(live, slope)
    return limit


def _undominated(labels: list[tuple[int, ...]], slope: int) -> list[tuple[int, ...]]:
    """The labels without those that another beats by what their distance can cost; by rising d, as they come.

    In a single row, c - slope d of a label must be less than that of each label before it, and c + slope d than
    that of each behind it. In several rows a few neighbours are looked at.
    """
    if labels and len(labels[0]) == 2:
        return _falling(_falling(labels, slope)[::-1], -slope)[::-1]
    kept: list[tuple[int, ...]] = []
    for label in labels:
        while kept and _replaces(label, kept[-1], slope):
            kept.pop()
        if not any(_replaces(other, label, slope) for other in kept[:-4:-1]):
            kept.append(label)
    return kept


def _falling(labels: list[tuple[int, ...]], slope: int) -> list[tuple[int, ...]]:
    """Those whose c - slope d is less than that of each before them."""
    kept, least = [], math.inf
    for label in labels:
        value = (label[1] << LIPSCHITZ) - slope * label[0]
        if value < least:
            least = value
            kept.append(label)
    return kept


def _replaces(one: tuple[int, ...], other: tuple[int, ...], slope: int) -> bool:
    """Whether a label is cheaper in every row than another by what their distance can cost."""
    most = slope * abs(one[0] - other[0])
    return all((y - x) << LIPSCHITZ >= most for x, y in zip(one[1:], other[1:], strict=True))


# ------------------------------------------------------------------------------------------------ certificates

PRICE, UNSIGNED, INDEX = _number(), _number(0.0), _whole(0, 2**63 - 1)


def proven_bound(grid: Grid, certificate: dict[str, Any]) -> Fraction:
    """The lower bound on the objective, constant part included, that a certificate of any kind proves."""
    kind = certificate.get("kind")
    if kind == "device-prices":
        return Fraction(Walk(grid, certificate).bound(), 1 << grid.bits) + grid.numbers.constant
    if kind == "branches":
        names = "kind target_ms prices device server compute_price bandwidth_price"
        return _proven_by_branches(grid, _object(certificate, "certificate", names))
    if kind == "prices":  # a tree of a leaf alone, without a target
        given = _object(certificate, "certificate", "kind compute_price bandwidth_price")
        tables = {name: [given[name]] for name in ("compute_price", "bandwidth_price")}
        return _proven_by_branches(grid, {"prices": [0], "device": [-1], "server": [-1], **tables})
    raise Refused("certificate.kind: must be prices, branches or device-prices")


def _check_tree(children: list[int]) -> None:
    """In pre-order the open places never run out before the last node."""
    places = 1
    for n, count in enumerate(children):
        places += count - 1
        if (places == 0) != (n == len(children) - 1):
            raise Refused("certificate: is not a tree in pre-order")


def _priced(
    grid: Grid, compute: list[float], band: list[float], allowed: list[int]
) -> tuple[int, dict[int, int]]:
    """The bound at 2E prices when devices use the allowed pairs alone, and how much dearer than the cheapest each is.

    For any p, mu >= 0 a server with the set S costs at least

        p t - p^2 F / 4 + sum over S of (wait + psi(mu)) - mu,   t = sum over S of s_i,

    since t^2 / F >= p t - p^2 F / 4, and as the shares y of S add up to one at most. Each device is in one set:
    at least its cheapest pair is paid. If it uses another, that much more.
    """
    grid.spend(len(grid.pairs))
    prices, mu = [Fraction(price) for price in compute], [grid.down(price) for price in band]
    scaled = [(p.numerator << grid.bits, p.denominator.bit_length() - 1 + grid.load_bits) for p in prices]
    cost: dict[int, int] = {}
    cheapest: dict[int, int] = {}
    for k in allowed:
        i, j = grid.pairs[k]
        price, shift = scaled[j]
        cost[k] = grid.wait[j] + ((price * grid.load[i]) >> shift) + grid.band_cost(k, mu[j])
        cheapest[i] = min(cheapest.get(i, cost[k]), cost[k])
    rents = sum(grid.down(-p * p * speed / 4) for p, speed in zip(prices, grid.numbers.speed, strict=True))
    total = sum(cheapest.values()) + rents - sum(mu)
    return total, {k: own - cheapest[grid.pairs[k][0]] for k, own in cost.items()}


def _proven_by_branches(grid: Grid, given: dict[str, Any]) -> Fraction:
    """A binary tree of 2E prices: in a node's first child one device is at one server, in the second it is not.

    A pair whose excess lifts the node's bound to the target is used by no association of the node that costs less
    than the target. So min(target, least bound of the leaves) is a lower bound, whatever tree, prices and target
    are.
    """
    compute, band = (
        _list(given[name], f"certificate.{name}", lambda row, path: _list(row, path, UNSIGNED, grid.servers))
        for name in ("compute_price", "bandwidth_price")
    )
    rows = _list(given["prices"], "certificate.prices", _whole(0, len(compute) - 1), least=1)
    device = _list(given["device"], "certificate.device", _whole(-1, grid.devices - 1), len(rows))
    server = _list(given["server"], "certificate.server", _whole(-1, grid.servers - 1), len(rows))
    if len(compute) != len(band) or any((i < 0) != (j < 0) for i, j in zip(device, server, strict=True)):
        raise Refused("certificate: tables of other lengths, or a device without a server at a node")
    _check_tree([0 if i < 0 else 2 for i in device])
    target = None
    if "target_ms" in given:
        target = grid.down(
            Fraction(PRICE(given["target_ms"], "certificate.target_ms")) - grid.numbers.constant
        )
    bound, waiting = target, [list(range(len(grid.pairs)))]
    grid.hold(len(grid.pairs))
    for row, *split in zip(rows, device, server, strict=True):
        allowed = waiting.pop()
        grid.hold(-len(allowed))
        grid.spend(1 + len(allowed))
        if len({grid.pairs[k][0] for k in allowed}) < grid.devices:  # a device has no pair: no association
            waiting.extend([] if split[0] < 0 else [[], []])
            continue
        value, excess = _priced(grid, compute[row], band[row], allowed)
        if split[0] < 0:
            bound = value if bound is None else min(bound, value)
            continue
        useful = [(k, grid.pairs[k]) for k in allowed if target is None or value + excess[k] < target]
        waiting.append([k for k, pair in useful if pair != tuple(split)])
        waiting.append([k for k, pair in useful if pair == tuple(split) or pair[0] != split[0]])
        grid.hold(len(waiting[-1]) + len(waiting[-2]))
    assert bound is not None
    return Fraction(bound, 1 << grid.bits) + grid.numbers.constant


class Row(NamedTuple):
    """Prices pi of devices and nu of counts in grid units, and which set of band prices goes with them."""

    devices: list[int]
    counts: list[int]
    band: int


class Region(NamedTuple):
    """The associations that use these pairs alone and give each server between ``low`` and ``high`` devices."""

    pairs: frozenset[int]
    low: list[int]
    high: list[int]


class Walk:
    """A tree of rows of device prices."""

    def __init__(self, grid: Grid, certificate: dict[str, Any]) -> None:
        given = _object(certificate, "certificate", "kind version target_ms nodes rows band_prices")
        if _whole()(given["version"], "certificate.version") != 1:
            raise Refused("certificate.version: must be 1")
        self.grid = grid

        def band(value: Any, path: str) -> int:
            return grid.down(UNSIGNED(value, path))

        def price(value: Any, path: str) -> int:
            return grid.down(PRICE(value, path))

        def row(value: Any, path: str) -> Row:
            held = _object(value, path, "device_price count_price band")
            device = _list(held["device_price"], path, price, grid.devices)
            count = _list(held["count_price"], path, price, grid.servers)
            return Row(device, count, _whole(0, len(self.bands) - 1)(held["band"], path))

        def grids(value: Any, path: str) -> list[list[int]]:
            return _list(value, path, lambda one, path: _list(one, path, band, least=1), grid.servers)

        self.target = price(given["target_ms"], "certificate.target_ms")
        self.bands = _list(given["band_prices"], "certificate.band_prices", grids, least=1)
        self.rows = _list(given["rows"], "certificate.rows", row, least=1)
        self.nodes = _list(given["nodes"], "certificate.nodes", self._node, least=1)
        _check_tree([0 if split is None else 1 if split == "again" else 2 for _, _, split in self.nodes])
        self.own = [[k for k, pair in enumerate(grid.pairs) if pair[1] == j] for j in range(grid.servers)]
        self.place = {pair: k for k, pair in enumerate(grid.pairs)}
        self._costs: dict[tuple[int, int], list[dict[int, int]]] = {}

    def _node(self, data: Any, path: str) -> tuple[int, list[list[int]], Any]:
        """Row, pairs to drop, and split: None, ``again``, (device, servers) or (server, most)."""
        given = _object(data, path, "row", "drop split")
        drop = _list(given.get("drop", []), path, lambda pair, path: _list(pair, path, INDEX, 2))
        split = given.get("split")
        if type(split) is dict and "device" in split:
            split = _object(split, path, "device servers")
            device = _whole(0, self.grid.devices - 1)(split["device"], path)
            split = device, _list(split["servers"], path, INDEX)
        elif type(split) is dict:
            split = _object(split, path, "server most")
            split = _whole(0, self.grid.servers - 1)(split["server"], path), INDEX(split["most"], path)
        elif split not in (None, "again"):
            raise Refused(f"{path}: a split must be null, again, or an object")
        return _whole(0, len(self.rows) - 1)(given["row"], path), drop, split

    def bound(self) -> int:
        """The target, or the least bound of the leaves if that is less: a bound on the controllable cost.

        The children of a node hold every association that the node holds, but for those that cost the target at
        least.
        """
        grid, bound = self.grid, self.target
        everything = frozenset(range(len(grid.pairs)))
        waiting: list[Region | None] = []

        def wait(regions: list[Region | None]) -> None:
            grid.hold(sum(len(each.pairs) + grid.servers for each in regions if each is not None))
            waiting.extend(regions)

        wait([Region(everything, [0] * grid.servers, [grid.devices] * grid.servers)])
        for row, drop, split in self.nodes:
            region, value = waiting.pop(), 0
            grid.spend(1)
            if region is not None:
                grid.hold(-len(region.pairs) - grid.servers)
                grid.spend(len(grid.pairs))
                node = Node(self, self.rows[row], region)
                value, named = node.value, {self.place.get((i, j), -1) for i, j in drop}
                region = (
                    None
                    if value >= self.target
                    else self._some(region, {k for k in named if node.excludes(k)})
                )
            if split is None:
                bound = bound if region is None else min(bound, value)
            else:
                wait(self._children(region, split)[::-1])
        return bound

    def _some(self, region: Region, gone: set[int] | frozenset[int]) -> Region | None:
        """The region without these pairs; None if a device has no other."""
        left = region.pairs - gone
        served = {self.grid.pairs[k][0] for k in left}
        return region._replace(pairs=left) if len(served) == self.grid.devices else None

    def _children(self, region: Region | None, split: Any) -> list[Region | None]:
        if region is None or split == "again":
            return [region] if split == "again" else [None, None]
        which, parts = split
        if type(parts) is list:  # a device is at one of these servers, or at none of them
            own = {k for k in region.pairs if self.grid.pairs[k][0] == which}
            named = {k for k in own if self.grid.pairs[k][1] in parts}
            return [self._some(region, own - named), self._some(region, named)]
        low, high = list(region.low), list(region.high)
        low[which], high[which] = max(low[which], parts + 1), min(high[which], parts)
        return [region._replace(high=high), region._replace(low=low)]

    def costs(self, band: int, j: int) -> list[dict[int, int]]:
        """``wait + psi`` of each pair of a server, at each of its band prices."""
        if (band, j) not in self._costs:
            grid, prices = self.grid, self.bands[band][j]
            grid.spend(len(prices) * len(self.own[j]))
            grid.hold(len(prices) * (1 + len(self.own[j])))
            self._costs[band, j] = [
                {k: grid.wait[j] + grid.band_cost(k, price) for k in self.own[j]} for price in prices
            ]
        return self._costs[band, j]


class Node:
    """A region at a row of prices: its bound, and the pairs that lift it to the target.

    At any prices pi, nu an association of the region costs at least

        sum_i pi_i + sum_j v_j + sum_j (lo_j nu_j where nu_j > 0, else hi_j nu_j),

    where no set of server j costs less than v_j once each of its devices is worth pi_i + nu_j: the sets together
    hold each device once, and ``sum_j nu_j |S_j|`` is at least the last sum. A set costs ``t^2 / F + sum (wait +
    psi(mu)) - mu`` at least for each band price mu >= 0, so for the dearest of a list.
    """

    def __init__(self, walk: Walk, row: Row, region: Region) -> None:
        self.walk, self.grid, self.region = walk, walk.grid, region
        self.of_device: dict[int, list[int]] = {}
        for k in region.pairs:
            self.of_device.setdefault(self.grid.pairs[k][0], []).append(k)
        self.items: list[dict[int, int]] = []
        """Of each server: the place of each pair that may be taken or left. A device's only pair is taken anyway."""
        self.choices = [self._choice(row, j) for j in range(self.grid.servers)]
        self.least = [least_cost(self.grid, choice) for choice in self.choices]
        limits = zip(row.counts, region.low, region.high, strict=True)
        counts = sum(nu * (low if nu > 0 else high) for nu, low, high in limits)
        self.value = sum(row.devices) + sum(self.least) + counts
        self.starts: dict[int, Start] = {}
        self.rises: dict[int, int] = {}

    def _choice(self, row: Row, j: int) -> Choice:
        walk, grid = self.walk, self.grid
        own = {k: grid.pairs[k][0] for k in walk.own[j] if k in self.region.pairs}
        sure = [k for k, i in own.items() if len(self.of_device[i]) == 1]
        free = [k for k, i in own.items() if len(self.of_device[i]) > 1]
        self.items.append({k: n for n, k in enumerate(free)})
        worth = {k: row.devices[i] + row.counts[j] for k, i in own.items()}
        tables = walk.costs(row.band, j)
        return Choice(
            [grid.load[own[k]] for k in free],
            [[table[k] - worth[k] for k in free] for table in tables],
            sum(grid.load[own[k]] for k in sure),
            [
                sum(t[k] - worth[k] for k in sure) - mu
                for t, mu in zip(tables, walk.bands[row.band][j], strict=True)
            ],
            grid.rent[j],
        )

    def excludes(self, k: int) -> bool:
        """Whether each association of the region that uses the pair costs at least the target.

        If device i must be at server j, the set of j holds i and no other set does: the bound rises by what the
        least of j then rises, and by what those of i's other servers rise without i.
        """
        wanted = self.walk.target - self.value
        if wanted <= 0 or k not in self.region.pairs or k not in self.items[self.grid.pairs[k][1]]:
            return False
        rise = self._rise(k, wanted, inside=True)
        for other in self.of_device[self.grid.pairs[k][0]]:
            if rise < wanted and other != k:
                rise += self._rise(other, wanted, inside=False)
        return rise >= wanted

    def _rise(self, k: int, wanted: int, *, inside: bool) -> int:
        """By how much at least the least of the pair's server rises with it, or without it."""
        j = self.grid.pairs[k][1]
        choice, n = self.choices[j], self.items[j][k]
        if j not in self.starts:
            self.starts[j] = relaxed(choice)
        start = self.starts[j]
        gain = choice.costs[start.row][n] + start.extra[n]
        flipped = start.bound + abs(gain) - self.least[j]
        if flipped > 0 and (gain >= 0) != inside:
            return 0  # the least is on this side
        if (gain >= 0) == inside and flipped >= wanted:
            return wanted
        if inside or k not in self.rises:
            other = choice.holding(n) if inside else choice.without(n)
            rise = max(0, least_cost(self.grid, other, self.least[j] + wanted) - self.least[j])
            if inside:
                return rise
            self.rises[k] = rise
        return self.rises[k]


# ------------------------------------------------------------------------------------------------ verdict


class Verdict(NamedTuple):
    """What was found; exact values in ms, constant part included."""

    objective: Fraction | None
    """From above; None if a constraint is broken."""
    controllable: Fraction
    """The part of it that decisions touch."""
    bound: Fraction | None
    """What the certificate proves, from below; None without one."""
    claimed: Fraction | None
    """A bound that the file states without proof."""
    refusals: list[str]
    """Every claim that does not hold."""
    seconds: float
    """Processor time of the check."""

    def gap_to(self, bound: Fraction | None) -> Fraction | None:
        """The gap between objective and bound, as a part of the controllable cost."""
        if bound is None or self.objective is None or self.controllable <= 0:
            return None
        return max(Fraction(0), self.objective - bound) / self.controllable


def check(instance: bytes, solution: bytes) -> Verdict:
    """Check a solution file against an instance file; raises :class:`Refused` as :func:`check_data` does."""
    return check_data(parse(instance, "instance"), parse(solution, "solution"))


def check_data(instance: Any, solution: Any) -> Verdict:
    """The same for decoded files.

    Raises
    ------
    Refused
        If a file is malformed, or the solution is of another instance.
    """
    began, data = time.process_time(), read_instance(instance)
    answer = read_solution(solution, len(data.devices["id"]))
    if answer.digest != data.digest:
        raise Refused(f"the solution is of an instance of digest {answer.digest[:64]}, not {data.digest}")
    numbers = numbers_of(data)
    cost, broken = controllable_cost(numbers, answer)
    bound = None
    if answer.certificate is not None:
        bound = proven_bound(Grid(numbers, cost), answer.certificate)
    stated = answer.claims.get("lower_bound_ms")
    claimed = None if stated is None else Fraction(stated)
    found = Verdict(None if broken else cost + numbers.constant, cost, bound, claimed, [], 0.0)
    refusals = [*(f"infeasible: {each}" for each in broken), *_false_claims(found, answer.claims)]
    return found._replace(refusals=refusals, seconds=time.process_time() - began)


def _false_claims(found: Verdict, claims: dict[str, Any]) -> Iterator[str]:
    """Every claim that does not hold."""
    value, proven, slack = found.objective, found.bound, Fraction(0)
    if value is not None:
        slack = TOLERANCE * found.controllable + 4 * Fraction(math.ulp(as_double(value)))
    status, stated, certified = (
        claims.get(key) for key in ("status", "objective_ms", "certified_lower_bound_ms")
    )
    if stated is not None and value is not None and abs(Fraction(stated) - value) > slack:
        yield _difference("objective", Fraction(stated), value)
    if stated is None and status in ("optimal", "feasible"):
        yield f"{status} is claimed without an objective"
    if status == "infeasible" and value is not None:
        yield "infeasible is claimed of a decision that keeps every constraint"
    if certified is not None and proven is None:
        yield f"a certified lower bound of {certified!r} ms is claimed without a certificate"
    if proven is not None and not math.isfinite(as_double(proven)):
        yield "the certificate proves no bound that a double holds"
    elif certified is not None and proven is not None and Fraction(certified) > proven + slack:
        yield _difference("certified lower bound", Fraction(certified), proven)
    for name, bound in (("claimed", found.claimed), ("certified", proven)):
        if bound is not None and value is not None and bound > value + slack:
            yield _difference(f"{name} lower bound above the objective", bound, value)
    gaps = [gap for gap in map(found.gap_to, (proven, found.claimed)) if gap is not None]
    if status == "optimal" and not min(gaps, default=Fraction(1)) <= OPTIMAL_GAP:
        shown = f"{as_double(min(gaps)):.3g}" if gaps else "unknown"
        yield f"optimal is claimed, which is a gap of 1e-4; the gap is {shown}"


def _difference(what: str, claimed: Fraction, found: Fraction) -> str:
    one, other, difference = (as_double(value) for value in (claimed, found, claimed - found))
    return f"{what}: claimed {one:.9g} ms, found {other:.9g} ms, difference {difference:.3g} ms"


def _decimal(value: Fraction | None, digits: int, *, up: bool) -> str:
    """A value with so many decimals, rounded up or down."""
    if value is None or abs(value) > 10**300:
        return "none" if value is None else "beyond 1e300"
    scaled = value * 10**digits
    return f"{Decimal(math.ceil(scaled) if up else math.floor(scaled)).scaleb(-digits, DIGITS):f}"


def main(arguments: list[str]) -> int:
    """Check the files that the command line names; returns the exit code."""
    wanted = arguments[3] if len(arguments) == 4 and arguments[2] == "--gap" else None
    if len(arguments) != 2 and wanted is None:
        print("usage: python check_certificate.py INSTANCE SOLUTION [--gap G]", file=sys.stderr)
        return 2
    try:
        least = None if wanted is None else Fraction(wanted)
        files = [Path(name) for name in arguments[:2]]
        if any(path.stat().st_size > MOST_BYTES for path in files):
            raise Refused("a file is larger than what is read")
        found = check(*(path.read_bytes() for path in files))
    except (OSError, ValueError, ZeroDivisionError, Refused) as error:
        print(f"refused: {' '.join(str(error).split())[:500]}")
        return 1
    proven = found.gap_to(found.bound)
    print(f"objective at most {_decimal(found.objective, 6, up=True)} ms")
    print(f"proven bound at least {_decimal(found.bound, 6, up=False)} ms")
    print(f"proven gap of the controllable part at most {_decimal(proven, 12, up=True)}")
    refusals = list(found.refusals)
    if least is not None and (proven is None or proven > least):
        refusals.append(f"the certificate does not prove a gap of {wanted}")
    print(
        f"refused: {'; '.join(refusals)}"
        if refusals
        else f"accepted: exact arithmetic, {found.seconds:.2f} s"
    )
    return 1 if refusals else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
