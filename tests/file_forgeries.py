"""Forged files for checkers that see files alone: bytes of an instance and bytes of a solution.

``honest`` yields answers of every kind of certificate, which a checker must accept. ``forged`` yields the answers of
:mod:`forgeries`, damaged instances, and trees that were tampered with. A tampered tree comes twice: with the honest
answer, where what is left may prove enough still (``may_hold``), and with a far worse answer that the tree is said to
prove optimal, which is false whatever the tree says.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import forgeries
from cases import make_instance
from forgeries import Raw, as_optimal, changed, encoded, plain_of

from uara import Instance
from uara.problem import Problem

Plain = dict[str, Any]

WEIGHTS = (0.0, 5e-324, 1e-310, 1e-30, 1e15, 1e20, 1e25, 1e30)
"""Weights of synchronisation that doubles hardly hold, or not at all: of 1e30 a delay's last place is worth seconds."""
NOT_NUMBERS = ("NaN", "-Infinity", "1e999", "1" + "0" * 400, '"1"', "true", "null", "[1.0]")


@dataclass(frozen=True)
class Case:
    """An instance file, a solution file, and what a checker makes of them."""

    name: str
    instance: bytes
    solution: bytes
    why: str
    """What is false, or damaged; empty for an honest answer."""
    may_hold: bool = False
    """Accepting it is no fault, so long as what is proven is at most ``optimum_ms``."""
    optimum_ms: float | None = None
    """The least objective, constant part included, where it is known."""


def honest(folder: Path) -> list[Case]:
    """Answers that must be accepted, of every kind of certificate; ``folder`` takes files on the way."""
    found = [
        Case(f"honest: {each.label}", _text(folder, each.problem), each.content, "")
        for each in forgeries.honest()
        if each.problem.kind == "p1"
    ]
    trees = [
        Case(f"honest: {name}", _text(folder, problem), encoded(plain), "")
        for name, problem, plain in _trees()
    ]
    weights = [
        Case(f"honest: lambda = {weight:g}", _text(folder, problem), encoded(plain_of(problem, "exact")), "")
        for weight in WEIGHTS
        for problem in [make_instance(7, 3, 2, sync_weight_per_ms=weight)]
    ]
    return [*found, *trees, *weights]


def forged(folder: Path) -> list[Case]:
    """Answers that must be refused, but for those that ``may_hold``; ``folder`` takes files on the way."""
    found = [
        Case(each.label, _text(folder, each.problem), each.content, each.label)
        for each in forgeries.forgeries()
        if each.problem.kind == "p1"
    ]
    network = make_instance(8, 3, 1, missing=0.0)
    answer = encoded(plain_of(network, "price"))
    text = _text(folder, network)
    found += [
        Case(f"instance: {name}", content, answer, name) for name, content in _instances(json.loads(text))
    ]
    found += [Case(f"instance: {name}", content, answer, name) for name, content in _texts(text.decode())]
    found += [
        Case(f"instance: {name}, its digest renewed", *files, name)
        for name, files in _renewed(folder, network)
    ]
    for name, problem, plain in _trees():
        text, least = _text(folder, problem), plain["claims"]["objective_ms"]
        worst = plain_of(problem, "max-compute")
        for label, certificate in _tampered(plain["certificate"]):
            content = encoded({**plain, "certificate": certificate})
            label = f"{name}: {label}"
            found.append(Case(label, text, content, label, may_hold=True, optimum_ms=least))
            target = {"target_ms": worst["claims"]["objective_ms"]}
            lie = as_optimal(worst, {**certificate, **target})
            found.append(Case(f"{label}, for a bad answer", text, encoded(lie), label, optimum_ms=least))
    return list(_named(found))


def _named(cases: list[Case]) -> Iterator[Case]:
    """The cases with a number added where a name comes again."""
    seen: Counter[str] = Counter()
    for case in cases:
        seen[case.name] += 1
        again = seen[case.name]
        yield case if again == 1 else replace(case, name=f"{case.name} ({again})")


def _text(folder: Path, problem: Problem) -> bytes:
    path = folder / f"{problem.digest}.json"
    if not path.exists():
        problem.save(path)  # type: ignore[attr-defined]
    return path.read_bytes()


@cache
def _trees() -> tuple[tuple[str, Problem, Plain], ...]:
    """Honest optimal answers whose trees have splits of both kinds, drops, and grids of band prices."""
    split, bands = make_instance(12, 5, 2), make_instance(12, 4, 1, payload=50.0)
    both = ("splits of devices and counts", split), ("grids of band prices", bands)
    return tuple((name, problem, plain_of(problem, "exact", gap=1e-9)) for name, problem in both)


def _tampered(certificate: Plain) -> Iterator[tuple[str, Plain]]:
    """The tree with one thing changed, in good form still."""
    nodes, rows = certificate["nodes"], certificate["rows"]
    devices, servers = len(rows[0]["device_price"]), len(rows[0]["count_price"])

    def at(place: str, value: object) -> Plain:
        return changed(certificate, **{place: value})

    for n, node in enumerate(nodes):
        split = node["split"]
        if split is not None:
            yield f"node {n} without its last child", {**certificate, "nodes": _pruned(nodes, n)}
            yield f"node {n} a leaf", {**certificate, "nodes": _leaf(nodes, n)}
        if isinstance(split, dict) and "device" in split:
            for wrong in ([], list(range(servers)), [0], [servers + 7], split["servers"][:1]):
                yield f"node {n} splits by {wrong}", at(f"nodes___{n}__split__servers", wrong)
            other = (split["device"] + 1) % devices
            yield f"node {n} splits another device", at(f"nodes___{n}__split__device", other)
        if isinstance(split, dict) and "server" in split:
            for most in (0, split["most"] + 1, max(0, split["most"] - 1), 10**6, devices):
                yield f"node {n} splits at {most}", at(f"nodes___{n}__split__most", most)
            other = (split["server"] + 1) % servers
            yield f"node {n} splits another server", at(f"nodes___{n}__split__server", other)
        every = [[i, j] for i in range(devices) for j in range(servers)]
        yield f"node {n} drops everything", at(f"nodes___{n}__drop", every)
        yield f"node {n} drops nothing", at(f"nodes___{n}__drop", [])
        yield f"node {n} drops what is not there", at(f"nodes___{n}__drop", [[devices, 0], [0, servers + 5]])
        yield f"node {n} drops its pairs twice", at(f"nodes___{n}__drop", node["drop"] * 2)
        for row in range(len(rows)):
            if row != node["row"]:
                yield f"node {n} with row {row}", at(f"nodes___{n}__row", row)
    for r, row in enumerate(rows):
        for name in ("device_price", "count_price"):
            for factor in (-1.0, 0.0, 1 + 1e-7, 1 - 1e-7, 2.0, 1e100):
                scaled = [value * factor for value in row[name]]
                yield f"{name} of row {r} times {factor}", at(f"rows___{r}__{name}", scaled)
            for extreme in (1e308, -1e308, 5e-324):
                yield f"{name} of row {r} holds {extreme}", at(f"rows___{r}__{name}___0", extreme)
    for j in range(servers):
        grid = certificate["band_prices"][0][j]
        for wrong in ([0.0], [1e308], [5e-324], [mu * 1.5 for mu in grid], grid[:1], grid * 2):
            yield f"band prices of server {j}: {wrong[0]!r}...", at(f"band_prices___0___{j}", wrong)
    target = certificate["target_ms"]
    for factor in (-1.0, 0.0, 1 + 1e-7, 2.0, 1e290):
        yield f"target times {factor}", at("target_ms", target * factor)


def _subtree(nodes: list[Plain], n: int) -> int:
    """Where the subtree of node n ends."""
    wanted = 1
    while wanted:
        split = nodes[n]["split"]
        wanted += -1 if split is None else 0 if split == "again" else 1
        n += 1
    return n


def _pruned(nodes: list[Plain], n: int) -> list[Plain]:
    """Node n goes on as its first child alone; below ``again`` it has none."""
    if nodes[n]["split"] == "again":
        return _leaf(nodes, n)
    first = _subtree(nodes, n + 1)
    return [*nodes[:n], {**nodes[n], "split": "again"}, *nodes[n + 1 : first], *nodes[_subtree(nodes, n) :]]


def _leaf(nodes: list[Plain], n: int) -> list[Plain]:
    return [*nodes[:n], {**nodes[n], "split": None}, *nodes[_subtree(nodes, n) :]]


def _instances(plain: Plain) -> Iterator[tuple[str, bytes]]:
    """Instances with damaged or other numbers, in which the answer's digest stays."""
    columns = [
        (table, name)
        for table in ("servers", "devices")
        for name, values in plain[table].items()
        if isinstance(values[0], float | int)
    ]
    for table, name in columns:
        for text in (*NOT_NUMBERS, "-1.0", "1e31", "0" if name != "backlog_flop" else "-5e-324"):
            yield f"{name} {text[:20]}", encoded(changed(plain, **{f"{table}__{name}___0": Raw(text)}))
        own = plain[table][name]
        nudged = own[0] * (1 + 2**-51) if own[0] else 5e-324
        yield f"{name} moved by a hair", encoded(changed(plain, **{f"{table}__{name}___0": nudged}))
        for wrong in (own[:-1], [*own, own[0]], [], [own], Raw("null"), Raw('"npz:x"')):
            yield f"{name} of shape {str(wrong)[:9]}", encoded(changed(plain, **{f"{table}__{name}": wrong}))
    for text in (*NOT_NUMBERS, "-1.0", "1e31"):
        place = {"channel__power_gain___0___0": Raw(text)}
        yield f"gain {text[:20]}", encoded(changed(plain, **place))
    for name in plain["parameters"]:
        for text in (*NOT_NUMBERS, "1e31", "-500"):
            yield f"{name} {text[:20]}", encoded(changed(plain, **{f"parameters__{name}": Raw(text)}))
        nudged = plain["parameters"][name] * (1 + 2**-51)
        yield f"{name} moved by a hair", encoded(changed(plain, **{f"parameters__{name}": nudged}))
    for place, value in (
        ("kind", "P1"), ("kind", "hetedge"), ("schema_version", 2), ("schema_version", Raw("1.0")), ("name", ""),
        ("name", 5), ("note", 1), ("servers__note", [1.0] * 3), ("parameters__note", 1.0), ("devices", {}),
        ("channel", {}), ("channel__layout", "Dense"), ("channel__note", 1), ("servers__id___0", "s1"),
        ("servers__id___0", ""), ("servers__id___0", 0), ("devices__id", []), ("devices__id___0", "dx"),
        ("channel__power_gain", [[1.0]]), ("channel__power_gain___0", [0.0, 0.0, 0.0]), ("provenance", []),
        ("channel__power_gain___0___0", 0.0), ("servers__position_m___0", [0.0]), ("servers", Raw("null")),
    ):  # fmt: skip
        yield f"{place} {str(value)[:20]}", encoded(changed(plain, **{place: value}))
    for name in ("schema_version", "kind", "name", "parameters", "servers", "devices", "channel"):
        yield f"no {name}", encoded({key: value for key, value in plain.items() if key != name})
    for table, name in columns:
        own = {key: value for key, value in plain[table].items() if key != name}
        yield f"no {name} of {table}", encoded({**plain, table: own})
    yield "devices in another order", encoded(_reordered(plain))
    gain = plain["channel"]["power_gain"]
    flat = [value for row in gain for value in row]
    sparse: Plain = {
        "layout": "sparse",
        "pair_start": [3 * i for i in range(9)],
        "pair_server": [0, 1, 2] * 8,
    }
    sparse["power_gain"] = flat
    for name, value in (
        ("pair_start___1", 4), ("pair_start___1", -1), ("pair_start___8", 25), ("pair_start___0", 1),
        ("pair_start___1", 0), ("pair_start___1", Raw("3.0")), ("pair_server___0", 1), ("pair_server___0", -1),
        ("pair_server___2", 3), ("pair_server___0", Raw("true")), ("power_gain___0", 0.0), ("power_gain", flat[:-1]),
    ):  # fmt: skip
        yield f"sparse {name} {value}", encoded({**plain, "channel": changed(sparse, **{name: value})})


def _reordered(plain: Plain) -> Plain:
    data = copy.deepcopy(plain)
    for values in data["devices"].values():
        values[0], values[1] = values[1], values[0]
    return data


def _texts(text: str) -> Iterator[tuple[str, bytes]]:
    """What only the text of an instance shows."""
    for key in (
        "kind",
        "name",
        "parameters",
        "queue_slot_ms",
        "servers",
        "bandwidth_hz",
        "channel",
        "power_gain",
    ):
        start = text.index(f'"{key}": ')
        _, end = json.JSONDecoder().raw_decode(text, start + len(f'"{key}": '))
        yield f"{key} twice", (text[:start] + text[start:end] + ", " + text[start:]).encode()
        escaped = text[start:end].replace(key, f"\\u{ord(key[0]):04x}{key[1:]}", 1)
        yield f"{key} twice, once escaped", (text[:start] + escaped + ", " + text[start:]).encode()
    for label, content in (
        ("cut", text[:-3]), ("glued", text + text), ("a list", f"[{text}]"), ("empty", ""), ("null", "null"),
        ("deep", '{"provenance": ' + "[" * 200 + "]" * 200 + "}"), ("deeper", "[" * 100_000),
        ("a lone half of a character", text.replace('"s0"', '"\\ud800"', 1)),
    ):  # fmt: skip
        yield label, content.encode()
    yield "UTF-16", text.encode("utf-16")
    yield "Latin-1", text.replace('"s0"', '"\u00e9"', 1).encode("latin-1")


def _renewed(folder: Path, network: Instance) -> Iterator[tuple[str, tuple[bytes, bytes]]]:
    """Another instance under an old answer that names the new digest: its claims alone can show it."""
    answer = plain_of(network, "price")
    servers, devices, channel = network.servers, network.devices, network.channel
    backlog = servers.compute_flop_per_s * 0.05
    others = {
        "a longer backlog": network.replace(servers=servers.replace(backlog_flop=backlog)),
        "slower servers": network.replace(
            servers=servers.replace(compute_flop_per_s=servers.compute_flop_per_s * (1 - 1e-6))
        ),
        "more work": network.replace(devices=devices.replace(server_flop=devices.server_flop * (1 + 1e-6))),
        "more bits": network.replace(devices=devices.replace(upload_bits=devices.upload_bits * (1 + 1e-6))),
        "less battery": network.replace(
            devices=devices.replace(battery_fraction=devices.battery_fraction * (1 - 1e-6))
        ),
        "weaker channels": network.replace(
            channel=type(channel)(channel.pair_start, channel.pair_server, channel.power_gain * (1 - 1e-5))
        ),
        "another weight": network.replace(
            parameters=network.parameters.model_copy(update={"sync_weight_per_ms": 0.010001})
        ),
    }
    for name, other in others.items():
        plain = changed(answer, instance__digest=other.digest)
        yield name, (_text(folder, other), encoded(plain))
