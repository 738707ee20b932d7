"""Forged answers, by kind and place: honest solution files with one thing changed that no honest run would write.

``forgeries`` is a deterministic generator. Each file claims something false, or says something that has two
readings or none; a checker must refuse every one of them, and say why in a line.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cases import make_instance
from hetedge_cases import make_hetedge

from uara import solution, solve
from uara.base import files
from uara.problem import Problem, lower_bound, parse_certificate

TEXTS = ("NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, str(2**64), '"1"', "true", "[1.0]", "{}")
"""What is no number, or none that a double holds, as JSON text."""
NOT_SHARES = ("0", "-0.0", "-0.1", "5e-324", "1e-320", "1e-160", "1e-400", "1.01", "1e308", "null", *TEXTS)
NOT_SERVERS = ("-1", "3", "2147483648", str(2**63), "0.5", "1.0", "null", *TEXTS)
NOT_PRICES = ("-1.0", "-1e308", "null", *TEXTS)
TOO_LARGE = (1e155, 1e200, 1e300, 1e308, 1.7976931348623157e308)
"""Prices whose squares, or whose sums, leave double precision."""


@dataclass(frozen=True)
class Forgery:
    """A file, and the instance that it is said to be for."""

    label: str
    problem: Problem
    content: bytes


class Raw(str):
    """A value that is written as it stands."""


def encoded(plain: object) -> bytes:
    """JSON in which :class:`Raw` texts stand unquoted."""
    text = json.dumps(plain)
    for raw in _raws(plain):
        text = text.replace(json.dumps(raw), raw, 1)
    return text.encode()


def _raws(plain: object) -> Iterator[Raw]:
    if isinstance(plain, Raw):
        yield plain
    for value in plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ():
        yield from _raws(value)


def plain_of(problem: Problem, solver: str, **options: Any) -> dict[str, Any]:
    """The plain content of an honest solution file."""
    text = files.pretty_json(solution.from_result(solve(problem, solver, options=options)))
    return json.loads(text)  # type: ignore[no-any-return]


def changed(plain: dict[str, Any], **values: object) -> dict[str, Any]:
    """A copy with values put at places; ``__`` in a name goes one level down, ``_0`` into a list."""
    data = copy.deepcopy(plain)
    for name, value in values.items():
        *path, last = (int(step[1:]) if step[0] == "_" else step for step in name.split("__"))
        at: Any = data
        for step in path:
            at = at[step]
        at[last] = value
    return data


def honest() -> Iterator[Forgery]:
    """Files that must be accepted."""
    network, twenty, batched = make_instance(8, 3, 1, missing=0.0), tree_instance(), make_hetedge(6, 3)
    for solver in ("price", "brute-force", "tma", "exact", "max-compute"):
        yield Forgery(solver, network, encoded(plain_of(network, solver)))
    yield Forgery("constant", constant_instance(), encoded(plain_of(constant_instance(), "price")))
    yield Forgery("two prices a server", network, encoded(plain_of(network, "price", gap=0.5)))
    yield Forgery("a tree of two prices a server", twenty, encoded(branched(twenty)))
    yield Forgery("a tree of device prices", twenty, encoded(plain_of(twenty, "exact", gap=1e-9)))
    yield Forgery("hetedge-dp", batched, encoded(plain_of(batched, "hetedge-dp")))
    priced = plain_of(network, "price")
    yield Forgery("no claims", network, encoded({**priced, "claims": {}}))
    yield Forgery("no status", network, encoded(changed(priced, claims__status="", claims__ended="")))
    yield Forgery("a byte-order mark", network, b"\xef\xbb\xbf" + encoded(priced))
    yield Forgery("keys in another order", network, encoded(dict(reversed(priced.items()))))
    yield Forgery("colons and quotes in text", network, encoded({**priced, "solver": 'a":"b:\\":'}))


def tree_instance() -> Any:
    """Its gap needs a tree."""
    return make_instance(20, 3, 0, payload=50.0)


def branched(problem: Any) -> dict[str, Any]:
    """An honest answer whose certificate is a tree of two prices a server, as earlier releases left it."""
    plain = plain_of(problem, "price", gap=0.5)
    rows = {name: [plain["certificate"][name]] for name in ("compute_price", "bandwidth_price")}
    target = plain["claims"]["objective_ms"]
    tree = {"kind": "branches", "target_ms": target, "prices": [0] * 3, "device": [0, -1, -1]}
    certificate = {**tree, "server": [0, -1, -1], **rows}
    proven = lower_bound(problem, parse_certificate(problem, certificate))
    plain["claims"] |= {"lower_bound_ms": proven, "certified_lower_bound_ms": proven, "status": "feasible"}
    return {**plain, "certificate": certificate}


def constant_instance() -> Any:
    """Nearly all of its objective is out of reach of any decision."""
    network = make_instance(8, 3, 1, missing=0.0)
    return network.replace(devices=network.devices.replace(device_flop=network.devices.device_flop * 1e6))


def forgeries() -> Iterator[Forgery]:
    """Files that must be refused."""
    network, far = make_instance(8, 3, 1, missing=0.0), constant_instance()
    priced, worst = plain_of(network, "price", gap=0.5), plain_of(network, "max-compute")
    for label, plain in (*_claims(priced), *_shapes(priced), *_decisions(priced), *_prices(priced, worst)):
        yield Forgery(label, network, encoded(plain))
    for label, content in _texts(priced):
        yield Forgery(label, network, content)
    twenty = tree_instance()
    worst = plain_of(twenty, "max-compute")
    for label, plain in _trees(branched(twenty), worst):
        yield Forgery(label, twenty, encoded(plain))
    for label, plain in _rows(plain_of(twenty, "exact", gap=1e-9), worst):
        yield Forgery(f"device prices: {label}", twenty, encoded(plain))
    shifted = plain_of(far, "price")
    for part in (1e-10, 1e-12):  # of the whole; of the controllable part some 1e5 times as much
        lower = shifted["claims"]["objective_ms"] * (1 - part)
        yield Forgery(
            f"an objective lower by {part}", far, encoded(changed(shifted, claims__objective_ms=lower))
        )
        higher = shifted["claims"]["certified_lower_bound_ms"] * (1 + part)
        forged = changed(shifted, claims__certified_lower_bound_ms=higher)
        yield Forgery(f"a bound higher by {part}", far, encoded(forged))
    batched = make_hetedge(6, 3)
    for label, plain in _plans(plain_of(batched, "hetedge-dp")):
        yield Forgery(f"hetedge: {label}", batched, encoded(plain))


def _claims(plain: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Numbers and words of the claims."""
    claims = plain["claims"]
    value = claims["objective_ms"]
    for name in ("objective_ms", "lower_bound_ms", "certified_lower_bound_ms", "runtime_s"):
        for text in TEXTS:
            yield f"{name} {text[:20]}", changed(plain, **{f"claims__{name}": Raw(text)})
    for wrong in (-value, -0.0, 0, value * (1 - 1e-6), value * (1 + 1e-6), 1e308, 10**18):
        yield f"objective {wrong!r}", changed(plain, claims__objective_ms=wrong)
    for wrong in (value * (1 + 1e-6), 1e308, 10**18):
        yield f"bound {wrong!r}", changed(plain, claims__lower_bound_ms=wrong)
    for wrong in (claims["certified_lower_bound_ms"] * (1 + 1e-6), value, 1e308):
        yield f"certified bound {wrong!r}", changed(plain, claims__certified_lower_bound_ms=wrong)
    yield "a negative runtime", changed(plain, claims__runtime_s=-1.0)
    for word in (
        "Optimal",
        "OPTIMAL",
        " optimal",
        "optimal ",
        "proven",
        "ok",
        Raw("true"),
        Raw("1"),
        Raw("[]"),
    ):
        yield f"status {word!r}", changed(plain, claims__status=word)
        yield f"ended {word!r}", changed(plain, claims__ended=word)
    yield "infeasible, but it is not", changed(plain, claims__status="infeasible")
    for word in ("optimal", "feasible"):
        yield f"{word} without an objective", changed(plain, claims={"status": word})
    optimal = {"status": "optimal", "objective_ms": value}
    yield "optimal without a bound", changed(plain, claims=optimal, certificate=None)
    yield "certified without a certificate", changed(plain, certificate=None)


def _shapes(plain: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whose answer it is, and what kind of file."""
    digest = plain["instance"]["digest"]
    for other in (digest[::-1], digest.upper(), digest[:63], digest + "0", "", Raw("0"), Raw("null")):
        yield f"digest {other[:9]!r}", changed(plain, instance__digest=other)
    for name, value in (
        ("problem", "hetedge"), ("problem", "P1"), ("kind", "Solution"), ("schema_version", 2), ("seed", -1),
        ("schema_version", Raw("true")), ("schema_version", Raw("1.0")), ("schema_version", "1"),
        ("seed", Raw(str(2**64))), ("seed", 0.5), ("decision", []), ("certificate", []), ("claims", []),
        ("decision", {}), ("certificate", {}), ("note", "honest"), ("options", Raw("[" * 90 + "]" * 90)),
        ("options", Raw('{"a":' * 120 + "1" + "}" * 120)), ("options", {"a": Raw("1e999")}),
    ):  # fmt: skip
        yield f"{name} {str(value)[:20]}", changed(plain, **{name: value})


def _decisions(plain: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Associations and shares."""
    for text in NOT_SERVERS:
        yield f"server {text[:20]}", changed(plain, decision__association___0=Raw(text))
    for column in ("bandwidth", "compute"):
        for text in NOT_SHARES:
            yield f"{column} {text[:20]}", changed(plain, **{f"decision__{column}___0": Raw(text)})
        yield f"{column} given away twice", changed(plain, **{f"decision__{column}": [1.0] * 8})
    for column in ("association", "bandwidth", "compute"):
        own = plain["decision"][column]
        for wrong in (own[:-1], [*own, own[0]], [], [own], Raw("null"), Raw("{}")):
            yield f"{column} of shape {str(wrong)[:9]}", changed(plain, **{f"decision__{column}": wrong})
    vanishing = changed(plain, decision__bandwidth___0=1e-160, claims__status="optimal")
    yield "an infinite objective, called optimal", changed(vanishing, claims__lower_bound_ms=1.0)
    yield "an infinite objective, without claims", changed(vanishing, claims={})


def as_optimal(plain: dict[str, Any], certificate: object) -> dict[str, Any]:
    """The answer with a certificate that is said to prove it optimal."""
    value = plain["claims"]["objective_ms"]
    claims = {"objective_ms": value, "lower_bound_ms": value, "certified_lower_bound_ms": value}
    return {**plain, "claims": {**claims, "status": "optimal"}, "certificate": certificate}


def _prices(plain: dict[str, Any], worst: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Prices that prove nothing, less than is said, or are none."""
    certificate = plain["certificate"]
    for name in ("compute_price", "bandwidth_price"):
        for text in NOT_PRICES:
            yield f"{name} {text[:20]}", changed(plain, **{f"certificate__{name}___0": Raw(text)})
        own = certificate[name]
        for wrong in (own[:-1], [*own, 0.0], [], [own], Raw("null")):
            yield f"{name} of shape {str(wrong)[:9]}", changed(plain, **{f"certificate__{name}": wrong})
        for size in TOO_LARGE:
            one = {**certificate, name: [size, *own[1:]]}
            yield f"a bad answer by {name} {size!r}", as_optimal(worst, one)
            yield (
                f"a bad answer by all of {name} {size!r}",
                as_optimal(worst, {**certificate, name: [size] * 3}),
            )
    for size in TOO_LARGE:
        both = {"kind": "prices", "compute_price": [size] * 3, "bandwidth_price": [size] * 3}
        yield f"a bad answer by prices of {size!r}", as_optimal(worst, both)
    yield (
        "an honest answer by prices of 1e308",
        as_optimal(plain, {"kind": "prices", "compute_price": [1e308] * 3, "bandwidth_price": [1e308] * 3}),
    )
    for kind in ("Prices", "device-prices", "", Raw("null")):
        yield f"certificate of kind {kind!r}", changed(plain, certificate__kind=kind)
    yield "a bad answer with honest prices", as_optimal(worst, certificate)


def _trees(plain: dict[str, Any], worst: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Trees that lack a part, name what is not there, or prove nothing."""
    certificate = plain["certificate"]
    nodes, value = len(certificate["device"]), worst["claims"]["objective_ms"]
    leaf = {"kind": "branches", "target_ms": value, "prices": [0], "device": [-1], "server": [-1]}
    for size in (0.0, 5e-324, *TOO_LARGE):
        rows = {"compute_price": [[size] * 3], "bandwidth_price": [[size] * 3]}
        yield f"a leaf with prices of {size!r}", as_optimal(worst, {**leaf, **rows})
        yield f"its target 1e308, prices {size!r}", as_optimal(worst, {**leaf, **rows, "target_ms": 1e308})
        split = {"prices": [0, 0, 0], "device": [0, -1, -1], "server": [0, -1, -1]}
        yield f"a split with prices of {size!r}", as_optimal(worst, {**leaf, **rows, **split})
    yield "a bad answer with an honest tree", as_optimal(worst, {**certificate, "target_ms": value})
    for name in ("prices", "device", "server", "compute_price", "bandwidth_price"):
        own = certificate[name]
        for wrong in (own[:-1], own[:1], [], [*own, own[-1]] if name != "compute_price" else own[:-1]):
            if name.endswith("price") and len(wrong) == len(own):
                continue
            yield f"{name} of {len(wrong)}", changed(plain, **{f"certificate__{name}": wrong})
    for name, texts in (
        ("device", ("-2", "-1", "20", str(2**63 - 1), str(2**63), "0.5", "true", '"0"', "null")),
        ("server", ("-2", "-1", "3", str(2**63 - 1), str(2**63), "0.5", "true", '"0"', "null")),
        ("prices", ("-1", str(len(certificate["compute_price"])), str(2**63), "0.5", "true", "null")),
    ):
        for text in texts:
            yield f"root's {name} {text}", changed(plain, **{f"certificate__{name}___0": Raw(text)})
    for name in ("device", "server"):
        yield (
            f"a leaf's {name} -2",
            changed(plain, **{f"certificate__{name}___{nodes - 1}": -2}),
        )
        yield f"a leaf's {name} 1", changed(plain, **{f"certificate__{name}___{nodes - 1}": 1})
    for text in TEXTS:
        yield f"target {text[:20]}", changed(plain, certificate__target_ms=Raw(text))
        yield f"a price {text[:20]}", changed(plain, certificate__compute_price___0___0=Raw(text))
    short = [certificate["compute_price"][0][:2], *certificate["compute_price"][1:]]
    yield "a short row", changed(plain, certificate__compute_price=short)
    unused = {name: [*certificate[name], [0.0]] for name in ("compute_price", "bandwidth_price")}
    yield "a short row that is not used", {**plain, "certificate": {**certificate, **unused}}


def _rows(plain: dict[str, Any], worst: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Trees of device prices that lack a part, name what is not there, or prove nothing."""
    certificate = plain["certificate"]
    value = worst["claims"]["objective_ms"]
    row, node, devices = certificate["rows"][0], certificate["nodes"][0], len(plain["decision"]["compute"])
    yield "a bad answer with an honest tree", as_optimal(worst, {**certificate, "target_ms": value})
    alone = {**certificate, "nodes": [{"row": 0}]}
    yield "a bad answer by the first row", as_optimal(worst, {**alone, "target_ms": value})
    every = [[i, j] for i in range(devices) for j in range(3)]
    for drop in (every, every[:3], every[::2]):
        one = {**alone, "nodes": [{"row": 0, "drop": drop}], "target_ms": value}
        yield f"{len(drop)} pairs dropped without ground", as_optimal(worst, one)
    for size in (-1e308, -1e155, 0.0, 1e9, *TOO_LARGE):
        for name in ("device_price", "count_price"):
            rows = [{**row, name: [size] * len(row[name])}]
            forged = {**alone, "rows": rows, "target_ms": 1e308}
            yield f"a bad answer by {name} {size!r}", as_optimal(worst, forged)
    for name in ("device_price", "count_price"):
        for wrong in (row[name][:-1], [*row[name], 0.0], [], Raw("null"), [row[name]]):
            yield (
                f"{name} of shape {str(wrong)[:9]}",
                changed(plain, **{f"certificate__rows___0__{name}": wrong}),
            )
        for text in ("null", *TEXTS):
            place = {f"certificate__rows___0__{name}___0": Raw(text)}
            yield f"{name} {text[:20]}", changed(plain, **place)
    for text in ("-1", str(len(certificate["rows"])), str(2**63), "0.5", "true", "null"):
        yield f"row {text}", changed(plain, certificate__nodes___0__row=Raw(text))
    for text in ("-1", str(len(certificate["band_prices"])), str(2**63), "true", "null"):
        yield f"band {text}", changed(plain, certificate__rows___0__band=Raw(text))
    for text in ("-1.0", "null", *TEXTS):
        yield f"band price {text[:20]}", changed(plain, certificate__band_prices___0___0___0=Raw(text))
    for name in ("nodes", "rows", "band_prices"):
        yield f"no {name}", changed(plain, **{f"certificate__{name}": []})
    for text in ("0", "2", "true", '"1"', "1.0", "null"):
        yield f"version {text}", changed(plain, certificate__version=Raw(text))
    for text in TEXTS:
        yield f"target {text[:20]}", changed(plain, certificate__target_ms=Raw(text))
    for split in (
        {"device": devices, "servers": [0]},
        {"device": -1, "servers": [0]},
        {"server": 3, "most": 1},
        "twice",
    ):
        nodes = [{**node, "split": split}, {"row": 0}, {"row": 0}]
        yield f"a split {split}", changed(plain, certificate__nodes=nodes)
    yield (
        "a child is missing",
        changed(plain, certificate__nodes=[{**node, "split": {"server": 0, "most": 1}}, {"row": 0}]),
    )
    yield "a child too many", changed(plain, certificate__nodes=[{"row": 0}, {"row": 0}])


def _texts(plain: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """What only the text shows: keys given twice, and files that are cut or glued."""
    text = encoded(plain).decode()
    for key in (
        "schema_version", "kind", "problem", "instance", "digest", "solver", "seed", "claims", "objective_ms",
        "lower_bound_ms", "certified_lower_bound_ms", "status", "runtime_s", "decision", "association",
        "bandwidth", "compute", "certificate", "compute_price", "bandwidth_price",
    ):  # fmt: skip
        quoted = f'"{key}": '
        start = text.index(quoted)
        _, end = json.JSONDecoder().raw_decode(text, start + len(quoted))
        yield f"{key} twice", (text[:start] + text[start:end] + ", " + text[start:]).encode()
        escaped = text[start:end].replace(key, f"\\u{ord(key[0]):04x}{key[1:]}", 1)
        yield f"{key} twice, once escaped", (text[:start] + escaped + ", " + text[start:]).encode()
    for label, content in (
        ("cut", text[:-1]), ("glued", text + text), ("a list", f"[{text}]"), ("empty", ""), ("null", "null"),
        ("a comment", text + " // honest"), ("a comma", text[:-1] + ",}"), ("quotes", text.replace('"', "'")),
    ):  # fmt: skip
        yield label, content.encode()
    yield "UTF-16", text.encode("utf-16")
    yield "Latin-1", text.replace('"price"', '"pr\u00e9"', 1).encode("latin-1")


def _plans(plain: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The second problem kind has no certificates: a plan is scored again."""
    value, requests = plain["claims"]["objective_ms"], len(plain["decision"]["bandwidth"])
    yield "certified", changed(plain, claims__certified_lower_bound_ms=1.0)
    yield (
        "a certificate",
        changed(plain, certificate={"kind": "prices", "compute_price": [], "bandwidth_price": []}),
    )
    yield "another objective", changed(plain, claims__objective_ms=value * (1 - 1e-8))
    yield "a bound above", changed(plain, claims__lower_bound_ms=value * (1 + 1e-8))
    yield "optimal without a bound", changed(plain, claims={"status": "optimal", "objective_ms": value})
    yield "Optimal", changed(plain, claims__status="Optimal")
    for text in NOT_SHARES:
        yield f"share {text[:20]}", changed(plain, decision__bandwidth___0=Raw(text))
    for text in ("-1", str(requests), str(2**63), "0.5", "true", "null"):
        yield f"order {text}", changed(plain, decision__order___0=Raw(text))
    for text in ("0", "-1", str(2**62), str(2**63), "true"):
        yield f"batch of {text}", changed(plain, decision__batch_size___0=Raw(text))
        yield f"length {text}", changed(plain, decision__length___0=Raw(text if text != "0" else "1000000"))
    wrapped = {"batch_size": [2**62] * 3 + [2**62 + requests], "length": [1] * 4, "paired": [False] * 4}
    yield "sizes that wrap around", changed(plain, decision={**plain["decision"], **wrapped})
    for name in ("order", "batch_size", "length", "paired", "bandwidth"):
        yield f"no {name}", changed(plain, **{f"decision__{name}": []})
