"""Checks an answer to P1 in exact arithmetic: ``python check_certificate.py INSTANCE SOLUTION [--gap G]``.

It needs nothing but this file and Python's standard library. It reads an instance file and a solution file, scores the
decision again (from above), computes the lower bound again that the certificate proves (from below), and holds every claim
of the file against both. The last line says ``accepted`` (exit code 0) or why not (exit code 1).

No floating-point number decides anything here. Every double of the files is an exact rational. Irrational are only square
roots (``isqrt``, rounded down), and logarithms and powers of ten (``decimal``, 60 digits, widened by 1e-40). Sums run over
integers: multiples of 2^-R ms and of 2^-A square roots of a FLOP. Doubles only choose where a tangent touches or how a search
begins, where any choice is valid. What each part proves is said at its place; more words are in ``docs/proofs.md``.

Sections: reading JSON, files, numbers of the instance, objective, band costs, least cost of a set, certificates, verdict.
"""

from __future__ import annotations

import ast
import bisect
import hashlib
import json
import math
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cached_property
from math import isqrt
from pathlib import Path
from struct import pack
from typing import Any, NamedTuple, NoReturn

MOST_BYTES, MOST_VALUES, MOST_DEPTH = 64 * 2**20, 8_000_000, 100
"""Limits of a file."""
MOST_STEPS = 2 * 10**9
"""Limit of the work for one certificate, in band costs and labels: hours."""
SHARE_TOLERANCE = TOLERANCE = Fraction(1, 10**9)
"""Excess over a budget of shares, and difference of a claim as a part of the controllable cost, that is rounding."""
OPTIMAL_GAP = Fraction(100_0001, 10**10)
"""Gap up to which an answer may be called optimal: 1e-4, and 1e-6 of it for rounding."""
LARGE, SMALL = 1e30, 1e-30


class Refused(Exception):
    """Why an answer is not accepted, in one line."""


# ---------------------------------------------------------------------------------------------------- reading JSON


def parse(content: bytes, what: str) -> Any:
    """Decode JSON that says one thing only: no repeated keys, no numbers beyond doubles or 64 bits, bounded depth."""

    def refuse(problem: str) -> NoReturn:
        raise Refused(f"{what}: {problem}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            refuse("a key is given twice")
        return found

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
            text,
            object_pairs_hook=unique,
            parse_float=real,
            parse_int=whole,
            parse_constant=lambda name: refuse(f"{name} is no number"),
        )
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


def _list(value: Any, path: str, length: int | None = None, least: int = 0) -> list[Any]:
    if type(value) is not list or len(value) < least or (length is not None and len(value) != length):
        raise Refused(f"{path}: must be a list of {f'at least {least}' if length is None else length}")
    return value


def _text(value: Any, path: str, longest: int | None = None) -> str:
    if type(value) is not str or (longest is not None and not 0 < len(value) <= longest):
        raise Refused(f"{path}: must be a text" + (f" of 1 to {longest} characters" if longest else ""))
    return value


def _number(value: Any, path: str, low: float = -math.inf, high: float = math.inf) -> float:
    if type(value) not in (int, float) or not low <= float(value) <= high:
        raise Refused(f"{path}: must be a number" + (f" from {low:g} to {high:g}" if low > -math.inf else ""))
    return float(value)


def _whole(value: Any, path: str, low: int = 0, high: int = 2**31 - 1) -> int:
    if type(value) is not int or not low <= value <= high:
        raise Refused(f"{path}: must be a whole number from {low} to {high}")
    return value


def _numbers(
    value: Any, path: str, length: int | None = None, low: float = -math.inf, high: float = math.inf
) -> list[float]:
    return [_number(each, f"{path}[{n}]", low, high) for n, each in enumerate(_list(value, path, length))]


def _wholes(
    value: Any, path: str, length: int | None = None, low: int = 0, high: int = 2**31 - 1
) -> list[int]:
    return [_whole(each, f"{path}[{n}]", low, high) for n, each in enumerate(_list(value, path, length))]


# ---------------------------------------------------------------------------------------------------- files

PARAMETERS = {
    "sync_weight_per_ms": (1e-2, 0.0, LARGE),
    "energy_weight_ms_per_j": (50.0, 0.0, LARGE),
    "device_efficiency_flop_per_j": (1e9, SMALL, LARGE),
    "uplink_energy_j_per_mhz_w": (2.6, 0.0, LARGE),
    "noise_psd_dbm_per_hz": (-174.0, -400.0, 200.0),
    "queue_slot_ms": (10.0, SMALL, LARGE),
    "slot_ms": (1000.0, SMALL, LARGE),
}
"""Default, least and largest value of each constant."""
POSITIVE, NON_NEGATIVE = (SMALL, LARGE), (0.0, LARGE)
SERVERS = {
    "id": "names",
    "compute_flop_per_s": POSITIVE,
    "bandwidth_hz": POSITIVE,
    "backlog_flop": NON_NEGATIVE,
    "model": "texts",
    "position_m": "points",
}
DEVICES = {
    "id": "names",
    "compute_flop_per_s": POSITIVE,
    "tx_power_w": POSITIVE,
    "battery_fraction": (SMALL, 1.0),
    "upload_bits": POSITIVE,
    "device_flop": POSITIVE,
    "server_flop": POSITIVE,
    "task": "texts",
    "model": "texts",
    "position_m": "points",
    "battery_capacity_j": POSITIVE,
}
OPTIONAL = "model position_m task battery_capacity_j"


@dataclass(frozen=True)
class Instance:
    """The data of an instance file; pairs in the order of devices, then servers."""

    parameters: dict[str, float]
    servers: dict[str, list[Any]]
    devices: dict[str, list[Any]]
    pairs: list[tuple[int, int]]
    gain: list[float]
    digest: str
    """SHA-256 of everything but name and provenance, as solution files name it."""


def read_instance(data: Any, folder: Path | None = None) -> Instance:
    """Check the content of an instance file; ``folder`` is where its side file, if it has one, lies."""
    parts = "schema_version kind name parameters servers devices channel"
    top = _object(data, "instance", parts, "provenance side_file")
    if _whole(top["schema_version"], "schema_version") != 1 or top["kind"] != "p1":
        raise Refused("instance: is not version 1 of kind p1")
    _text(top["name"], "name", 200)
    _object(top.get("provenance", {}), "provenance", "", " ".join(top.get("provenance", {})))
    if top.get("side_file") is not None:
        _fill_from_side_file(top, folder)
    given = _object(top["parameters"], "parameters", "", " ".join(PARAMETERS))
    parameters = {
        name: _number(given.get(name, default), f"parameters.{name}", low, high)
        for name, (default, low, high) in PARAMETERS.items()
    }
    servers = _table(top["servers"], "servers", SERVERS)
    devices = _table(top["devices"], "devices", DEVICES)
    start, server, gain = _channel(top["channel"], len(devices["id"]), len(servers["id"]))
    lines = [f'  "{name}": {value!r}' for name, value in parameters.items()]
    digest = hashlib.sha256(("{\n" + ",\n".join(lines) + "\n}\n").encode())
    for table, kinds in ((servers, SERVERS), (devices, DEVICES)):
        for name, column in table.items():
            digest.update(name.encode())
            if kinds[name] in ("names", "texts"):
                digest.update("\0".join(column).encode())
            else:
                flat = [x for point in column for x in point] if kinds[name] == "points" else column
                digest.update(pack(f"<{len(flat)}d", *flat))
    for whole in (start, server):
        digest.update(pack(f"<{len(whole)}q", *whole))
    digest.update(pack(f"<{len(gain)}d", *gain))
    owner = [bisect.bisect_right(start, k) - 1 for k in range(len(gain))]
    return Instance(
        parameters, servers, devices, list(zip(owner, server, strict=True)), gain, digest.hexdigest()
    )


def _table(data: Any, path: str, kinds: dict[str, Any]) -> dict[str, list[Any]]:
    needed = " ".join(name for name in kinds if name not in OPTIONAL.split())
    given = _object(data, path, needed, OPTIONAL if path == "devices" else "model position_m")
    ids = [
        _text(name, f"{path}.id[{n}]", 200)
        for n, name in enumerate(_list(given["id"], f"{path}.id", least=1))
    ]
    if len(set(ids)) != len(ids):
        raise Refused(f"{path}.id: an id is given twice")
    table: dict[str, list[Any]] = {"id": ids}
    for name, kind in kinds.items():
        column, place = given.get(name), f"{path}.{name}"
        if name == "id" or (column is None and name in OPTIONAL.split()):
            continue
        if kind == "texts":
            table[name] = [_text(each, place) for each in _list(column, place, len(ids))]
        elif kind == "points":
            table[name] = [_numbers(each, place, 3, -LARGE, LARGE) for each in _list(column, place, len(ids))]
        else:
            table[name] = _numbers(column, place, len(ids), *kind)
    return table


def _channel(data: Any, devices: int, servers: int) -> tuple[list[int], list[int], list[float]]:
    """Compressed rows: where each device's pairs begin, and server and gain of each pair."""
    layout = data.get("layout") if type(data) is dict else None
    if layout == "dense":
        rows = _list(
            _object(data, "channel", "layout power_gain")["power_gain"], "channel.power_gain", devices
        )
        table = [_numbers(row, "channel.power_gain", servers, *NON_NEGATIVE) for row in rows]
        start = [0]
        for row in table:
            start.append(start[-1] + sum(value > 0 for value in row))
        server = [j for row in table for j, value in enumerate(row) if value > 0]
        gain = [value for row in table for value in row if value > 0]
    elif layout == "sparse":
        parts = _object(data, "channel", "layout pair_start pair_server power_gain")
        start = _wholes(parts["pair_start"], "channel.pair_start", devices + 1)
        server = _wholes(parts["pair_server"], "channel.pair_server", None, 0, servers - 1)
        gain = _numbers(parts["power_gain"], "channel.power_gain", len(server))
    else:
        raise Refused("channel.layout: must be dense or sparse")
    if (
        start[0] != 0
        or start[-1] != len(server)
        or any(b <= a for a, b in zip(start, start[1:], strict=False))
    ):
        raise Refused(
            "channel: a device has no usable server, or the pairs of devices do not follow each other"
        )
    for a, b in zip(start, start[1:], strict=False):
        if any(j <= i for i, j in zip(server[a:b], server[a + 1 : b], strict=False)):
            raise Refused("channel.pair_server: must increase within a device")
    _numbers(gain, "channel.power_gain", len(gain), *POSITIVE)
    return start, server, gain


def _fill_from_side_file(top: dict[str, Any], folder: Path | None) -> None:
    """Put the arrays of the ``.npz`` file beside the instance in the place of the texts ``npz:NAME``."""
    side = _object(top["side_file"], "side_file", "name sha256")
    name = _text(side["name"], "side_file.name", 200)
    if folder is None or "/" in name or "\\" in name or not (folder / name).is_file():
        raise Refused("side_file: is not there")
    with (folder / name).open("rb") as handle:
        if hashlib.file_digest(handle, "sha256").hexdigest() != side["sha256"]:
            raise Refused("side_file: its SHA-256 is another")
        with zipfile.ZipFile(handle) as archive:
            for table in ("servers", "devices", "channel"):
                columns = top[table] if type(top[table]) is dict else {}
                for key, value in columns.items():
                    if type(value) is str and value.startswith("npz:"):
                        columns[key] = _array(archive, value[4:] + ".npy")


def _array(archive: zipfile.ZipFile, name: str) -> list[Any]:
    """An array in NumPy's format: doubles, 64-bit integers or texts, as the toolkit writes them."""
    try:
        if archive.getinfo(name).file_size > 2**30:
            raise ValueError("too large")
        content = archive.read(name)
        two = content[6] == 2
        begin = 12 if two else 10
        end = begin + int.from_bytes(content[8:begin], "little")
        header = ast.literal_eval(content[begin:end].decode("latin-1"))
        shape, kind, order = header["shape"], header["descr"], header["fortran_order"]
        count, body = math.prod(shape), memoryview(content)[end:]
        if order or content[:6] != b"\x93NUMPY" or len(shape) not in (1, 2):
            raise ValueError("of another form")
        values: list[Any]
        if kind in ("<f8", "<i8"):
            values = body.cast("d" if kind == "<f8" else "q").tolist()
        else:
            size = 4 * int(kind.removeprefix("<U"))
            values = [
                bytes(body[size * n : size * n + size]).decode("utf-32-le").rstrip("\0") for n in range(count)
            ]
        if len(values) != count:
            raise ValueError("of another length")
        width = shape[-1]
        return values if len(shape) == 1 else [values[n : n + width] for n in range(0, count, width)]
    except Exception as error:  # what damaged archives raise shares no class
        raise Refused(f"side_file: {name}: {str(error)[:100]}") from None


@dataclass(frozen=True)
class Solution:
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
    if _whole(top["schema_version"], "schema_version") != 1 or (top["kind"], top["problem"]) != (
        "solution",
        "p1",
    ):
        raise Refused("solution: is not version 1 of a solution of problem p1")
    reference = _object(top["instance"], "instance", "name digest")
    _text(reference["name"], "instance.name")
    _text(top.get("solver", ""), "solver")
    _whole(top.get("seed", 0), "seed", 0, 2**63 - 1)
    if type(top.get("options", {})) is not dict:
        raise Refused("options: must be an object")
    values = "objective_ms lower_bound_ms certified_lower_bound_ms runtime_s"
    claims = dict(_object(top.get("claims", {}), "claims", "", values + " status ended"))
    for name in values.split():
        if claims.get(name) is not None:
            _number(claims[name], f"claims.{name}", *((0.0,) if name == "runtime_s" else ()))
    for name, words in (
        ("status", "optimal feasible infeasible"),
        ("ended", "completed time_limit interrupted"),
    ):
        if claims.get(name, "") not in ["", *words.split()]:
            raise Refused(f"claims.{name}: must be one of {words}")
    decision = _object(top["decision"], "decision", "association bandwidth compute")
    certificate = top.get("certificate")
    if certificate is not None and type(certificate) is not dict:
        raise Refused("certificate: must be an object")
    return Solution(
        _text(reference["digest"], "instance.digest"),
        _wholes(decision["association"], "decision.association", devices),
        _numbers(decision["bandwidth"], "decision.bandwidth", devices),
        _numbers(decision["compute"], "decision.compute", devices),
        claims,
        certificate,
    )


# ---------------------------------------------------------------------------------------------------- numbers

DIGITS = Context(prec=60, Emin=-(10**6), Emax=10**6)
WIDER = Decimal("1e-40")
"""Part by which what ``decimal`` says is widened: its own roundings are below 1e-55."""


@dataclass(frozen=True)
class Numbers:
    """Exact quantities of an instance: ms, FLOP; c and a by pair."""

    instance: Instance

    @cached_property
    def sync_weight(self) -> Fraction:
        """lambda."""
        return Fraction(self.instance.parameters["sync_weight_per_ms"])

    @cached_property
    def local(self) -> list[Fraction]:
        """D_i."""
        columns = self.instance.devices
        return [
            1000 * Fraction(work) / Fraction(speed)
            for work, speed in zip(columns["device_flop"], columns["compute_flop_per_s"], strict=True)
        ]

    @cached_property
    def constant(self) -> Fraction:
        """The part of the objective that no decision touches."""
        given, columns = self.instance.parameters, self.instance.devices
        weight = Fraction(given["energy_weight_ms_per_j"]) / Fraction(given["device_efficiency_flop_per_j"])
        own = zip(columns["device_flop"], columns["battery_fraction"], strict=True)
        return sum(self.local, Fraction(0)) + sum(
            weight * Fraction(work) / Fraction(battery) for work, battery in own
        )

    @cached_property
    def speed(self) -> list[Fraction]:
        """F_j in FLOP per ms."""
        return [Fraction(value) / 1000 for value in self.instance.servers["compute_flop_per_s"]]

    @cached_property
    def wait(self) -> list[Fraction]:
        """Whole queueing slots."""
        slot = Fraction(self.instance.parameters["queue_slot_ms"])
        backlogs = self.instance.servers["backlog_flop"]
        return [
            slot * math.ceil(Fraction(backlog) / (speed * slot))
            for backlog, speed in zip(backlogs, self.speed, strict=True)
        ]

    @cached_property
    def uplink(self) -> list[tuple[Fraction, Fraction]]:
        """c_ij from below and from above."""
        servers, devices = self.instance.servers, self.instance.devices
        tenth = DIGITS.divide(Decimal(self.instance.parameters["noise_psd_dbm_per_hz"]), Decimal(10))
        noise = DIGITS.exp(DIGITS.multiply(tenth, DIGITS.ln(Decimal(10))))
        two = DIGITS.ln(Decimal(2))
        found = []
        for (i, j), gain in zip(self.instance.pairs, self.instance.gain, strict=True):
            band = servers["bandwidth_hz"][j]
            received = Fraction(gain) * Fraction(devices["tx_power_w"][i]) * 1000 / Fraction(band)
            ratio = DIGITS.divide(
                DIGITS.divide(Decimal(received.numerator), Decimal(received.denominator)), noise
            )
            finer = Context(prec=60 + max(0, -ratio.adjusted()), Emin=-(10**6), Emax=10**6)
            bits = Fraction(DIGITS.divide(finer.ln(finer.add(1, ratio)), two))
            delay = 1000 * Fraction(devices["upload_bits"][i]) / (Fraction(band) * bits)
            found.append((delay * (1 - Fraction(WIDER)), delay * (1 + Fraction(WIDER))))
        return found

    @cached_property
    def band_cost(self) -> list[Fraction]:
        """a_ij."""
        given, servers, devices = self.instance.parameters, self.instance.servers, self.instance.devices
        weight = (
            Fraction(given["energy_weight_ms_per_j"]) * Fraction(given["uplink_energy_j_per_mhz_w"]) / 10**6
        )
        watts = [
            weight * Fraction(power) / Fraction(battery)
            for power, battery in zip(devices["tx_power_w"], devices["battery_fraction"], strict=True)
        ]
        bands = [Fraction(band) for band in servers["bandwidth_hz"]]
        return [watts[i] * bands[j] for i, j in self.instance.pairs]


# ---------------------------------------------------------------------------------------------------- objective


def controllable_cost(numbers: Numbers, answer: Solution) -> tuple[Fraction, list[str]]:
    """The controllable part of the objective, from above, and the constraints that are broken."""
    instance, lam = numbers.instance, numbers.sync_weight
    place = {pair: k for k, pair in enumerate(instance.pairs)}
    servers = len(numbers.speed)
    total, broken = Fraction(0), []
    used = {name: [Fraction(0)] * servers for name in ("bandwidth", "compute")}
    shares = zip(answer.association, answer.bandwidth, answer.compute, strict=True)
    for i, (j, band, compute) in enumerate(shares):
        name = instance.devices["id"][i]
        y, z = Fraction(band), Fraction(compute)
        if (i, j) not in place:
            broken.append(f"(3) {name} has no usable server")
        elif not (0 < y <= 1 + SHARE_TOLERANCE and 0 < z <= 1 + SHARE_TOLERANCE):
            broken.append(f"(4), (7) a share of {name} is not in (0, 1]")
        else:
            k = place[i, j]
            used["bandwidth"][j] += y
            used["compute"][j] += z
            gap = max(abs(numbers.local[i] - delay / y) for delay in numbers.uplink[k])
            remote = Fraction(instance.devices["server_flop"][i]) / (z * numbers.speed[j])
            cost = numbers.wait[j] + remote + lam * gap**2 + numbers.band_cost[k] * y
            total += Fraction(math.ceil(cost * 2**1200), 2**1200)  # keeps the fractions short
    for name, sums in used.items():
        for j, value in enumerate(sums):
            if value > 1 + SHARE_TOLERANCE:
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


# ---------------------------------------------------------------------------------------------------- band costs

FINER, TOUCH = 64, 96
"""Further binary digits of delays, and binary digits of u = 1/y."""


class Grid:
    """The numbers of an instance in whole units of 2^-R ms and 2^-A square roots of a FLOP, rounded so that bounds fall.

    R and A are such that an objective has about 100 binary digits, and a load 64 at least; nothing depends on them but
    how much rounding takes off.
    """

    def __init__(self, numbers: Numbers, objective: Fraction) -> None:
        self.numbers, self.steps = numbers, 0
        self.pairs = numbers.instance.pairs
        self.devices, self.servers = len(numbers.local), len(numbers.speed)
        self.bits = max(0, 100 - _log2(objective))
        work = [Fraction(value) for value in numbers.instance.devices["server_flop"]]
        self.load_bits = max(0, 80 - _log2(max(work)) // 2, 64 - _log2(min(work)) // 2)
        self.load = [isqrt(math.floor(value * 4**self.load_bits)) for value in work]
        self.wait = [self.down(value) for value in numbers.wait]
        self.rent = [self._rent(speed) for speed in numbers.speed]
        self._band_cost = [self.down(value) for value in numbers.band_cost]
        scale = 1 << self.bits + FINER
        self._uplink = [math.floor(below * scale) for below, _ in numbers.uplink]
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

    def _rent(self, speed: Fraction) -> tuple[int, int]:
        """(q, shift): loads t in grid units cost ``q t^2 / 2^shift`` of them, at most t^2 / F."""
        digits = max(80 + _log2(speed), self.bits - 2 * self.load_bits)
        shift = 2 * self.load_bits + digits - self.bits
        return (speed.denominator << digits) // speed.numerator, shift

    def _shape_of(self, k: int) -> tuple[float, float]:
        """D/c, and units of 1 / (2 lambda c^2), as doubles: they only choose where a tangent touches."""
        try:
            delay = self._uplink[k] / (1 << self.bits + FINER)
            return self._local[self.pairs[k][0]] / self._uplink[k], 0.5 / (
                float(self.numbers.sync_weight) * delay**2
            )
        except (OverflowError, ZeroDivisionError):
            return 0.0, 0.0

    def band_cost(self, k: int, price: int) -> int:
        """At most psi, the least of ``lambda (D - c/y)^2 + (a + price) y`` over 0 < y <= 1.

        ``h(y) = lambda max(0, c/y - D)^2 + (a + price) y`` is nowhere above it (nor is it with a lower c or a, or a higher
        D), and convex on y > 0: a tangent of h is below. The tangent that touches at ``y = 1/u`` has, with
        ``g = max(0, c u - D)``, at the ends of [0, 1] the values

            lambda g (g + 2 c u)   and   a + price + lambda g (g - 2 c u (u - 1)),

        so the lesser of them is below psi, whatever ``u >= 1`` is. At the minimum of h both are its value. If c < D, h does not
        fall beyond y = c/D, which takes the place of 1: there the tangent is ``((a + price) c - lambda g^2 (D + 2 g)) / D``.
        """
        uplink, local, cost = self._uplink[k], self._local[self.pairs[k][0]], self._band_cost[k] + price
        if not self._weight or not uplink:
            return 0
        ratio, curve = self._shape[k]
        one = 1 << TOUCH
        try:
            beyond = _beyond(ratio, curve * (cost / (1 << self.bits)))
            u = max(one, (local << TOUCH) // uplink + int(beyond * one))
        except (OverflowError, ValueError, ZeroDivisionError):
            u = max(one, (local << TOUCH) // uplink)
        sent, start = uplink * u, local << TOUCH
        gap = sent - start
        if gap <= 0:
            return 0
        shift = self.bits + 2 * (FINER + TOUCH) + self._weight_bits
        at_zero = (self._weight * gap * (gap + 2 * sent)) >> shift
        if uplink < local:
            at_end = cost * uplink // local + (-self._weight * gap * gap * (start + 2 * gap)) // (
                start << shift
            )
        else:
            at_end = cost + ((self._weight * gap * ((gap << TOUCH) - 2 * sent * (u - one))) >> shift + TOUCH)
        return max(0, min(at_zero, at_end))


def _log2(value: Fraction) -> int:
    return value.numerator.bit_length() - value.denominator.bit_length() if value > 0 else 0


def _beyond(ratio: float, slope: float) -> float:
    """The v of ``v (ratio + v)^2 = slope``, by Newton's method from above: u = ratio + v is where h is least."""
    v = slope ** (1 / 3)
    if ratio > 0:
        v = min(v, slope / ratio**2)
    for _ in range(60):
        u = ratio + v
        step = (v * u * u - slope) / (u * (u + 2 * v)) if u else 0.0
        if step <= v * 1e-16:
            break
        v -= step
    return v


# ---------------------------------------------------------------------------------------------------- least cost of a set

MOST_LABELS = 100_000
"""Beyond this many a search ends with the least bound of those it holds, which is valid too."""
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

    With p = 2 q T is ``q t^2 = p t - q T^2 + q (t - T)^2``. So with ``extra_i = p loads_i``, ``h_i = costs_i + extra_i``

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
    gaining = [n for n in range(len(choice.loads)) if any(row[n] < 0 for row in choice.costs)]
    if len(gaining) < len(choice.loads):  # more load never pays by itself
        costs = [[row[n] for n in gaining] for row in choice.costs]
        choice = choice._replace(loads=[choice.loads[n] for n in gaining], costs=costs)
    start = relaxed(choice)
    grid.spend(1 + len(choice.costs) * (1 + len(gaining)))
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
    if len(flips) == 1:
        return start.bound + _search(grid, choice.rent, deviation, steps, flips[0], limit)
    return start.bound + _search_rows(grid, choice.rent, deviation, sums, steps, flips, start.row, limit)


def _after(values: Iterator[int], count: int) -> list[int]:
    """The sum of the values from each place on; nothing beyond the last."""
    sums = [0] * (count + 1)
    for n, value in zip(range(count - 1, -1, -1), reversed(list(values)), strict=True):
        sums[n] = sums[n + 1] + value
    return sums


def _slope(rent: tuple[int, int], limit: int) -> int:
    """At least (1 + sqrt 2) sqrt(limit q), in units of 2^-40."""
    q, shift = rent
    square = ((ROOT**2 * q * limit) << 2 * LIPSCHITZ) // (10**8 << shift) + 1
    return isqrt(square) + 1


def _search(
    grid: Grid, rent: tuple[int, int], deviation: int, steps: list[int], flips: list[int], cut: int | None
) -> int:
    """At most the least of ``sum of flips + q d^2`` over all choices of flips; or ``cut`` if that is less.

    Labels (d, c), by rising d, stand for the choices among the items so far. One is dropped where its completions reach
    the limit (the best value seen, or the cut), since the items left change d by so much at most; and where another label
    is cheaper by ``slope |difference of d|``. For a completion below the limit G has q d^2 < G, |d| < w = sqrt(G/q); with
    the other label in its place q d^2 grows by q x (2 w + x) at most, x being the difference. That is no more than
    ``slope x``, slope = (1 + sqrt 2) sqrt(G q), while x <= (sqrt 2 - 1) w; for a larger x is slope x >= G already.
    """
    q, shift = rent
    best = (q * deviation * deviation) >> shift
    for step, flip in zip(steps, flips, strict=True):
        best = min(best, flip + ((q * (deviation + step) ** 2) >> shift))
    limit = best if cut is None else min(best, cut)
    items = sorted((n for n, flip in enumerate(flips) if flip < limit), key=lambda n: -flips[n])
    up = _after((max(steps[n], 0) for n in items), len(items))
    down = _after((max(-steps[n], 0) for n in items), len(items))
    labels = [(deviation, 0)]
    for a, n in enumerate(items):
        step, flip = steps[n], flips[n]
        flipped = [(d + step, c + flip) for d, c in labels if c + flip < limit]
        if flipped:
            best = min(best, min(c + ((q * d * d) >> shift) for d, c in flipped))
            limit = min(best, limit)
        grid.spend(len(labels))
        slope, highest, lowest = _slope(rent, limit), down[a + 1], -up[a + 1]
        kept = []
        left: int | None = None
        for d, c in sorted(labels + flipped):
            far = d - highest if d > highest else d - lowest if d < lowest else 0
            if c + ((q * far * far) >> shift) >= limit:
                continue
            rising = (c << LIPSCHITZ) - slope * d
            if left is None or rising < left:
                left = rising
                kept.append((d, c))
        labels = []
        right: int | None = None
        for d, c in reversed(kept):
            falling = (c << LIPSCHITZ) + slope * d
            if right is None or falling < right:
                right = falling
                labels.append((d, c))
        labels.reverse()
        if len(labels) > MOST_LABELS:
            return min(c + ((q * max(0, d - highest, lowest - d) ** 2) >> shift) for d, c in labels)
    return limit


def _search_rows(
    grid: Grid,
    rent: tuple[int, int],
    deviation: int,
    sums: list[int],
    steps: list[int],
    flips: list[list[int]],
    row: int,
    cut: int | None,
) -> int:
    """The same for ``max over g of [sums_g + sum of flips_g] + q d^2``; sums and flips of ``row`` are at least 0.

    What later items can take off a row is in ``gains``; a label is dropped for another that is cheaper in every row.
    """
    q, shift = rent
    best = max(sums) + ((q * deviation * deviation) >> shift)
    for n, step in enumerate(steps):
        most = max(value + own[n] for value, own in zip(sums, flips, strict=True))
        best = min(best, most + ((q * (deviation + step) ** 2) >> shift))
    limit = best if cut is None else min(best, cut)
    items = sorted((n for n, flip in enumerate(flips[row]) if flip < limit), key=lambda n: -flips[row][n])
    up = _after((max(steps[n], 0) for n in items), len(items))
    down = _after((max(-steps[n], 0) for n in items), len(items))
    gains = [_after((min(own[n], 0) for n in items), len(items)) for own in flips]
    labels = [(deviation, tuple(sums))]
    for a, n in enumerate(items):
        step, flip = steps[n], [own[n] for own in flips]
        flipped = [(d + step, tuple(x + y for x, y in zip(c, flip, strict=True))) for d, c in labels]
        if not flipped:
            break
        best = min(best, min(max(c) + ((q * d * d) >> shift) for d, c in flipped))
        limit = min(best, limit)
        grid.spend(len(labels) * len(flips))
        slope, highest, lowest = _slope(rent, limit), down[a + 1], -up[a + 1]
        later = [own[a + 1] for own in gains]
        live, reaches = [], []
        for label in sorted(labels + flipped):
            d, c = label
            far = max(0, d - highest, lowest - d)
            reach = max(x + y for x, y in zip(c, later, strict=True)) + ((q * far * far) >> shift)
            if reach < limit:
                live.append(label)
                reaches.append(reach)
        if len(live) > MOST_LABELS:
            return min(reaches)
        labels = []
        for d, c in live:
            while labels and _replaces((d, c), labels[-1], slope):
                labels.pop()
            if not any(_replaces(other, (d, c), slope) for other in labels[-4:]):
                labels.append((d, c))
    return limit


def _replaces(one: tuple[int, tuple[int, ...]], other: tuple[int, tuple[int, ...]], slope: int) -> bool:
    """Whether a label is cheaper in every row than another by what their distance can cost."""
    most = slope * abs(one[0] - other[0])
    return all((y - x) << LIPSCHITZ >= most for x, y in zip(one[1], other[1], strict=True))


# ---------------------------------------------------------------------------------------------------- certificates


def proven_bound(grid: Grid, certificate: dict[str, Any]) -> Fraction:
    """The lower bound on the objective, constant part included, that a certificate of any kind proves."""
    kinds: dict[Any, Callable[[Grid, dict[str, Any]], Fraction]] = {
        "prices": _proven_by_prices,
        "branches": _proven_by_branches,
        "device-prices": _proven_by_device_prices,
    }
    kind = certificate.get("kind")
    if type(kind) is not str or kind not in kinds:
        raise Refused(f"certificate.kind: must be one of {', '.join(kinds)}")
    return kinds[kind](grid, certificate)


def _proven_by_prices(grid: Grid, certificate: dict[str, Any]) -> Fraction:
    """One price p_j of compute and one price mu_j of band for each server."""
    given = _object(certificate, "certificate", "kind compute_price bandwidth_price")
    rows = [given["compute_price"], given["bandwidth_price"]]
    compute, band = (_numbers(row, "certificate: a price", grid.servers, 0.0) for row in rows)
    bound, _ = _priced(grid, compute, band, [True] * len(grid.pairs))
    return Fraction(bound, 1 << grid.bits) + grid.numbers.constant


def _priced(
    grid: Grid, compute: list[float], band: list[float], allowed: list[bool]
) -> tuple[int, dict[int, int]]:
    """The bound at 2E prices when devices may use the allowed pairs alone, and how much dearer than the cheapest each is.

    For any p, mu >= 0 a server with the set S costs at least

        p t - p^2 F / 4 + sum over S of (wait + psi(mu)) - mu,   t = sum over S of s_i,

    since t^2 / F >= p t - p^2 F / 4, and as the shares y of S add up to one at most. Each device is in one set: at least its
    cheapest pair is paid. If it uses another, that much more.
    """
    grid.spend(len(allowed))
    prices = [Fraction(price) for price in compute]
    mu = [grid.down(price) for price in band]
    scaled = [
        (price.numerator << grid.bits, price.denominator.bit_length() - 1 + grid.load_bits)
        for price in prices
    ]
    cost: dict[int, int] = {}
    cheapest: list[int | None] = [None] * grid.devices
    for k, (i, j) in enumerate(grid.pairs):
        if allowed[k]:
            price, shift = scaled[j]
            cost[k] = grid.wait[j] + ((price * grid.load[i]) >> shift) + grid.band_cost(k, mu[j])
            least = cheapest[i]
            cheapest[i] = cost[k] if least is None else min(least, cost[k])
    rents = sum(
        -grid.down(-price * price * speed / 4)
        for price, speed in zip(prices, grid.numbers.speed, strict=True)
    )
    total = sum(least for least in cheapest if least is not None) - rents - sum(mu)
    return total, {k: own - (cheapest[grid.pairs[k][0]] or 0) for k, own in cost.items()}


def _check_tree(children: list[int]) -> None:
    """In pre-order the open places never run out before the last node."""
    places = 1
    for n, count in enumerate(children):
        places += count - 1
        if (places == 0) != (n == len(children) - 1):
            raise Refused("certificate: is not a tree in pre-order")


def _proven_by_branches(grid: Grid, certificate: dict[str, Any]) -> Fraction:
    """A binary tree of 2E prices: in a node's first child one device is at one server, in the second it is not.

    A pair whose excess lifts the node's bound to the target is used by no association of the node that costs less than the
    target. So min(target, least bound of the leaves) is a lower bound, whatever the tree, the prices and the target are.
    """
    names = "target_ms prices device server compute_price bandwidth_price"
    given = _object(certificate, "certificate", "kind " + names)
    tables = [
        [
            _numbers(row, f"certificate.{name}", grid.servers, 0.0)
            for row in _list(given[name], f"certificate.{name}")
        ]
        for name in ("compute_price", "bandwidth_price")
    ]
    if len(tables[0]) != len(tables[1]):
        raise Refused("certificate.bandwidth_price: must have as many rows as compute_price")
    rows = _wholes(given["prices"], "certificate.prices", None, 0, len(tables[0]) - 1)
    device = _wholes(given["device"], "certificate.device", len(rows), -1, grid.devices - 1)
    server = _wholes(given["server"], "certificate.server", len(rows), -1, grid.servers - 1)
    _check_tree([0 if i < 0 else 2 for i in device])
    if not rows or any((i < 0) != (j < 0) for i, j in zip(device, server, strict=True)):
        raise Refused("certificate.server: must be -1 at a leaf, and an index elsewhere")
    target = grid.down(Fraction(_number(given["target_ms"], "certificate.target_ms")) - grid.numbers.constant)
    bound, waiting = target, [[True] * len(grid.pairs)]
    for n, row in enumerate(rows):
        allowed = waiting.pop()
        value, excess = None, {}
        if len({pair[0] for k, pair in enumerate(grid.pairs) if allowed[k]}) == grid.devices:
            value, excess = _priced(grid, tables[0][row], tables[1][row], allowed)
        if device[n] < 0:
            bound = bound if value is None else min(bound, value)
            continue
        useful = [
            k in excess and value is not None and value + excess[k] < target for k in range(len(allowed))
        ]
        split = (device[n], server[n])
        waiting.append([useful[k] and pair != split for k, pair in enumerate(grid.pairs)])
        waiting.append(
            [useful[k] and (pair == split or pair[0] != split[0]) for k, pair in enumerate(grid.pairs)]
        )
    return Fraction(bound, 1 << grid.bits) + grid.numbers.constant


class Row(NamedTuple):
    """Prices of devices and of counts, and which set of band prices goes with them; in grid units."""

    device: list[int]
    count: list[int]
    band: int


class Region(NamedTuple):
    """The associations that use these pairs alone and give each server between ``low`` and ``high`` devices."""

    pairs: frozenset[int]
    low: tuple[int, ...]
    high: tuple[int, ...]


class Walk:
    """A tree of rows of device prices.

    At any prices pi, nu an association of a region costs at least

        g = sum_i pi_i + sum_j v_j + sum_j (lo_j nu_j where nu_j > 0, else hi_j nu_j),

    where no set of server j costs less than v_j once each of its devices is worth pi_i + nu_j: its sets together hold each
    device once, and ``sum_j nu_j |S_j|`` is at least the last sum. ``cost(S) >= t^2 / F + sum (wait + psi(mu)) - mu`` holds for
    each band price mu >= 0, so for the dearest of a list.
    """

    def __init__(self, grid: Grid, certificate: dict[str, Any]) -> None:
        names = "kind version target_ms nodes rows band_prices"
        given = _object(certificate, "certificate", names)
        if _whole(given["version"], "certificate.version") != 1:
            raise Refused("certificate.version: must be 1")
        self.grid = grid
        self.target = grid.down(_number(given["target_ms"], "certificate.target_ms"))
        self.bands = [
            [
                [grid.down(price) for price in _numbers(_list(prices, path, least=1), path, None, 0.0)]
                for prices in _list(bands, path, grid.servers)
            ]
            for path in ["certificate.band_prices"]
            for bands in _list(given["band_prices"], path, least=1)
        ]
        self.rows = [self._row(row) for row in _list(given["rows"], "certificate.rows", least=1)]
        self.nodes = [self._node(node) for node in _list(given["nodes"], "certificate.nodes", least=1)]
        _check_tree([0 if split is None else 1 if split == "again" else 2 for _, _, split in self.nodes])
        self.own = [[k for k, pair in enumerate(grid.pairs) if pair[1] == j] for j in range(grid.servers)]
        self.place = {pair: k for k, pair in enumerate(grid.pairs)}
        self.costs: dict[tuple[int, int], list[dict[int, int]]] = {}

    def _row(self, data: Any) -> Row:
        given, path = _object(data, "certificate.rows", "device_price count_price band"), "certificate.rows"
        device = _numbers(given["device_price"], path, self.grid.devices)
        count = _numbers(given["count_price"], path, self.grid.servers)
        band = _whole(given["band"], path, 0, len(self.bands) - 1)
        return Row(
            [self.grid.down(price) for price in device], [self.grid.down(price) for price in count], band
        )

    def _node(self, data: Any) -> tuple[int, list[tuple[int, int]], Any]:
        """Row, pairs to drop, and split."""
        path, most = "certificate.nodes", 2**63 - 1
        given = _object(data, path, "row", "drop split")
        pairs = [_wholes(pair, path, 2, 0, most) for pair in _list(given.get("drop", []), path)]
        split = given.get("split")
        if type(split) is dict and "device" in split:
            split = _object(split, path, "device servers")
            split = (
                _whole(split["device"], path, 0, self.grid.devices - 1),
                _wholes(split["servers"], path, None, 0, most),
            )
        elif type(split) is dict:
            split = _object(split, path, "server most")
            split = (
                _whole(split["server"], path, 0, self.grid.servers - 1),
                _whole(split["most"], path, 0, most),
            )
        elif split is not None and split != "again":
            raise Refused(f"{path}: a split must be null, again, or an object")
        return _whole(given["row"], path, 0, len(self.rows) - 1), [(i, j) for i, j in pairs], split

    def bound(self) -> int:
        """The least g of the leaves, or the target if that is less: a bound on the controllable cost."""
        bound, servers = self.target, self.grid.servers
        everything = Region(
            frozenset(range(len(self.grid.pairs))), (0,) * servers, (self.grid.devices,) * servers
        )
        waiting: list[Region | None] = [everything]
        for row, drop, split in self.nodes:
            region, value = waiting.pop(), 0
            self.grid.spend(1)
            if region is not None:
                node = Node(self, self.rows[row], region)
                value = node.value
                dropped = {
                    self.place[pair]
                    for pair in drop
                    if pair in self.place and node.excludes(self.place[pair])
                }
                region = None if value >= self.target else self._some(region, region.pairs - dropped)
            if split is None:
                bound = bound if region is None else min(bound, value)
            else:
                waiting.extend(reversed(self._children(region, split)))
        return bound

    def _some(self, region: Region, pairs: frozenset[int]) -> Region | None:
        """The region with these pairs; None if a device has none of them."""
        served = {self.grid.pairs[k][0] for k in pairs}
        return region._replace(pairs=pairs) if len(served) == self.grid.devices else None

    def _children(self, region: Region | None, split: Any) -> list[Region | None]:
        if region is None or split == "again":
            return [region] if split == "again" else [None, None]
        which, parts = split
        if type(parts) is list:  # a device is at one of these servers, or at none of them
            own = {k for k in region.pairs if self.grid.pairs[k][0] == which}
            named = {k for k in own if self.grid.pairs[k][1] in parts}
            return [
                self._some(region, region.pairs - (own - named)),
                self._some(region, region.pairs - named),
            ]
        high, low = list(region.high), list(region.low)
        high[which], low[which] = min(high[which], parts), max(low[which], parts + 1)
        return [region._replace(high=tuple(high)), region._replace(low=tuple(low))]

    def costs_of(self, band: int, j: int) -> list[dict[int, int]]:
        """``wait + psi`` of each pair of a server, at each of its band prices."""
        if (band, j) not in self.costs:
            self.grid.spend(len(self.bands[band][j]) * len(self.own[j]))
            self.costs[band, j] = [
                {k: self.grid.wait[j] + self.grid.band_cost(k, price) for k in self.own[j]}
                for price in self.bands[band][j]
            ]
        return self.costs[band, j]


class Node:
    """A region at a row of prices: its bound g, and the pairs that lift it to the target."""

    def __init__(self, walk: Walk, row: Row, region: Region) -> None:
        self.walk, self.row, self.region, grid = walk, row, region, walk.grid
        self.of_device: dict[int, list[int]] = {}
        for k in region.pairs:
            self.of_device.setdefault(grid.pairs[k][0], []).append(k)
        self.items: list[dict[int, int]] = []
        """Of each server: the place of each pair that may be taken or left. A device's only pair is taken anyway."""
        self.choices = [self._choice(j) for j in range(grid.servers)]
        self.least = [least_cost(grid, choice) for choice in self.choices]
        self.value = sum(row.device) + sum(self.least)
        for nu, low, high in zip(row.count, region.low, region.high, strict=True):
            self.value += nu * (low if nu > 0 else high)
        self.starts: dict[int, Start] = {}
        self.rises: dict[int, int] = {}

    def _choice(self, j: int) -> Choice:
        walk, pi, nu = self.walk, self.row.device, self.row.count[j]
        grid, own = walk.grid, [k for k in walk.own[j] if k in self.region.pairs]
        sure = [k for k in own if len(self.of_device[grid.pairs[k][0]]) == 1]
        free = [k for k in own if len(self.of_device[grid.pairs[k][0]]) > 1]
        self.items.append({k: n for n, k in enumerate(free)})
        device = {k: grid.pairs[k][0] for k in own}
        costs, base = [], []
        for price, table in zip(walk.bands[self.row.band][j], walk.costs_of(self.row.band, j), strict=True):
            costs.append([table[k] - pi[device[k]] - nu for k in free])
            base.append(sum(table[k] - pi[device[k]] - nu for k in sure) - price)
        loads = [grid.load[device[k]] for k in free]
        return Choice(loads, costs, sum(grid.load[device[k]] for k in sure), base, grid.rent[j])

    def excludes(self, k: int) -> bool:
        """Whether each association of the region that uses the pair costs at least the target.

        If device i must be at server j, the set of j holds i and no other set does: g rises by what the least of j then
        rises, and by what those of i's other servers rise without i.
        """
        i, j = self.walk.grid.pairs[k]
        wanted = self.walk.target - self.value
        if wanted <= 0 or k not in self.items[j]:
            return False
        rise = self._rise(k, wanted, inside=True)
        for other in self.of_device[i]:
            if rise < wanted and other != k:
                rise += self._rise(other, wanted, inside=False)
        return rise >= wanted

    def _rise(self, k: int, wanted: int, *, inside: bool) -> int:
        """By how much at least the least of the pair's server rises with it, or without it; no more than is wanted."""
        j = self.walk.grid.pairs[k][1]
        choice, n = self.choices[j], self.items[j][k]
        if j not in self.starts:
            self.starts[j] = relaxed(choice)
        start = self.starts[j]
        gain = choice.costs[start.row][n] + start.extra[n]
        if (gain >= 0) == inside and start.bound + abs(gain) - self.least[j] >= wanted:
            return wanted
        if not inside and gain >= 0 and start.bound + gain > self.least[j]:
            return 0  # the least is without the item
        if inside or k not in self.rises:
            other = choice.holding(n) if inside else choice.without(n)
            found = least_cost(self.walk.grid, other, self.least[j] + wanted) - self.least[j]
            if inside:
                return min(found, wanted)
            self.rises[k] = max(0, found)
        return self.rises[k]


def _proven_by_device_prices(grid: Grid, certificate: dict[str, Any]) -> Fraction:
    """A tree of prices of devices."""
    return Fraction(Walk(grid, certificate).bound(), 1 << grid.bits) + grid.numbers.constant


# ---------------------------------------------------------------------------------------------------- verdict


@dataclass(frozen=True)
class Verdict:
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


def check(instance: bytes, solution: bytes, folder: Path | None = None) -> Verdict:
    """Check a solution file against an instance file whose side file, if it has one, lies in ``folder``.

    Raises
    ------
    Refused
        If a file is malformed, or the solution is of another instance.
    """
    began = time.process_time()
    data = read_instance(parse(instance, "instance"), folder)
    answer = read_solution(parse(solution, "solution"), len(data.devices["id"]))
    if answer.digest != data.digest:
        raise Refused(
            f"the solution is of another instance: its digest is {answer.digest[:64]}, not {data.digest}"
        )
    numbers = Numbers(data)
    cost, broken = controllable_cost(numbers, answer)
    objective = None if broken else cost + numbers.constant
    bound = None
    if answer.certificate is not None:
        bound = proven_bound(Grid(numbers, cost), answer.certificate)
    stated = answer.claims.get("lower_bound_ms")
    claimed = None if stated is None else Fraction(stated)
    found = Verdict(objective, cost, bound, claimed, [f"infeasible: {each}" for each in broken], 0.0)
    found.refusals.extend(_false_claims(found, answer.claims))
    return Verdict(objective, cost, bound, claimed, found.refusals, time.process_time() - began)


def _false_claims(found: Verdict, claims: dict[str, Any]) -> Iterator[str]:
    """Every claim that does not hold."""
    value, slack = found.objective, Fraction(0)
    if value is not None:
        slack = TOLERANCE * found.controllable + 4 * Fraction(math.ulp(as_double(value)))
    status, stated = claims.get("status", ""), claims.get("objective_ms")
    if stated is not None and value is not None and abs(Fraction(stated) - value) > slack:
        yield _difference("objective", Fraction(stated), value)
    if stated is None and status in ("optimal", "feasible"):
        yield f"{status} is claimed without an objective"
    if status == "infeasible" and value is not None:
        yield "infeasible is claimed of a decision that keeps every constraint"
    certified = claims.get("certified_lower_bound_ms")
    if certified is not None and found.bound is None:
        yield f"a certified lower bound of {certified!r} ms is claimed without a certificate"
    if found.bound is not None and not math.isfinite(as_double(found.bound)):
        yield "the certificate proves no bound that a double holds"
    elif certified is not None and found.bound is not None and Fraction(certified) > found.bound + slack:
        yield _difference("certified lower bound", Fraction(certified), found.bound)
    for name, bound in (("claimed", found.claimed), ("certified", found.bound)):
        if bound is not None and value is not None and bound > value + slack:
            yield _difference(f"{name} lower bound above the objective", bound, value)
    gaps = [gap for gap in (found.gap_to(found.bound), found.gap_to(found.claimed)) if gap is not None]
    if status == "optimal" and not min(gaps, default=Fraction(1)) <= OPTIMAL_GAP:
        shown = f"{as_double(min(gaps)):.3g}" if gaps else "unknown"
        yield f"optimal is claimed, which is a gap of 1e-4; the gap is {shown}"


def _difference(what: str, claimed: Fraction, found: Fraction) -> str:
    difference = as_double(claimed - found)
    return f"{what}: claimed {as_double(claimed):.9g} ms, found {as_double(found):.9g} ms, difference {difference:.3g} ms"


def shown(value: Fraction | None, *, up: bool) -> str:
    """A value with six decimals, rounded up or down."""
    if value is None:
        return "none"
    whole = math.ceil(value * 10**6) if up else math.floor(value * 10**6)
    digits = str(abs(whole)).rjust(7, "0") if abs(whole) < 10**400 else ""
    sign = "-" if whole < 0 else ""
    return f"{sign}{digits[:-6]}.{digits[-6:]}" if digits else f"{sign}beyond 1e394"


def main(arguments: list[str]) -> int:
    """Check the files that the command line names; returns the exit code."""
    wanted = None
    if len(arguments) == 4 and arguments[2] == "--gap":
        wanted = arguments.pop()
        arguments.pop()
    if len(arguments) != 2:
        print("usage: python check_certificate.py INSTANCE SOLUTION [--gap G]", file=sys.stderr)
        return 2
    try:
        instance, solution = (Path(name) for name in arguments)
        gap = None if wanted is None else Fraction(wanted)
        for path in (instance, solution):
            if path.stat().st_size > MOST_BYTES:
                raise Refused(f"{path}: larger than what is read")
        found = check(instance.read_bytes(), solution.read_bytes(), instance.parent)
    except (OSError, ValueError, ZeroDivisionError, Refused) as error:
        print(f"refused: {' '.join(str(error).split())[:500]}")
        return 1
    proven = found.gap_to(found.bound)
    print(f"objective at most {shown(found.objective, up=True)} ms")
    print(f"proven bound at least {shown(found.bound, up=False)} ms")
    print(
        f"proven gap of the controllable part at most {'none' if proven is None else f'{as_double(proven):.3e}'}"
    )
    refusals = list(found.refusals)
    if gap is not None and (proven is None or proven > gap):
        refusals.append(f"the certificate does not prove a gap of {wanted}")
    print(
        f"refused: {'; '.join(refusals)}"
        if refusals
        else f"accepted: exact arithmetic, {found.seconds:.2f} s"
    )
    return 1 if refusals else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
