"""Files that are no instances: thousands of small and large faults in a valid one, each with the place at fault.

``faults`` is a deterministic generator; what it yields is malformed by construction, so that a test can
insist on an error for each.
"""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cases import make_instance

from uara.base import files

NOT_POSITIVE = (0, -1.5, -0.0, 1e-300, 5e-324)
NOT_NUMBERS = ("3", "", None, True, False, [], {}, [1.0], {"value": 1.0}, 10**400, -(10**400), 1e31, -1e31)
NOT_JSON_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "0x10", "1,5", "01", "+1", ".5", "1.")
NOT_COLUMNS = ("text", "npz:", "npz:servers.id", 7, None, True, {}, {"0": 1.0}, [[1.0]], [None], [])
MAY_BE_ZERO = {"backlog_flop", "sync_weight_per_ms", "energy_weight_ms_per_j", "uplink_energy_j_per_mhz_w"}
MAY_BE_NEGATIVE = {"position_m", "noise_psd_dbm_per_hz"}
OPTIONAL_COLUMNS = {"task", "model", "position_m", "battery_capacity_j"}
TEXT_COLUMNS = {"id", "task", "model"}


@dataclass(frozen=True)
class Fault:
    """A malformed file: its bytes, and the key path that the error must begin with ('' where there is none)."""

    label: str
    content: bytes
    path: str = ""


def valid() -> dict[str, Any]:
    """The plain content of a small instance file that uses every optional column."""
    instance = make_instance(4, 2, seed=5, missing=0.0)
    instance = instance.replace(
        devices=instance.devices.replace(model=("m",) * 4, battery_capacity_j=np.full(4, 5e4)),
        servers=instance.servers.replace(model=("n",) * 2),
    )
    plain = instance.to_plain()
    for place in ("servers", "devices"):
        plain[place] = {name: np.asarray(column).tolist() for name, column in plain[place].items()}
    plain["channel"] = {"layout": "dense", "power_gain": instance.channel.dense(2).tolist()}
    plain["provenance"] = {"seed": 5, "scene": "none", "versions": {"numpy": "2"}, "settings": {"a": 1}}
    return json.loads(json.dumps(plain))  # type: ignore[no-any-return]


def sparse() -> dict[str, Any]:
    """The same with the gains of the usable pairs only."""
    plain = valid()
    gain = [value for row in plain["channel"]["power_gain"] for value in row]
    plain["channel"] = {
        "layout": "sparse",
        "pair_start": [0, 2, 4, 6, 8],
        "pair_server": [0, 1] * 4,
        "power_gain": gain,
    }
    return plain


def encoded(plain: object) -> bytes:
    return json.dumps(plain).encode()


def changed(plain: dict[str, Any], path: tuple[str | int, ...], value: object) -> bytes:
    """The file with one value replaced; a ``Raw`` value is written as it stands."""
    data = copy.deepcopy(plain)
    at: Any = data
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = "@RAW@" if isinstance(value, Raw) else value
    content = encoded(data)
    return content.replace(b'"@RAW@"', value.text.encode()) if isinstance(value, Raw) else content


@dataclass(frozen=True)
class Raw:
    text: str


def without(plain: dict[str, Any], path: tuple[str | int, ...]) -> bytes:
    data = copy.deepcopy(plain)
    at: Any = data
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return encoded(data)


def written(path: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def numbers_of(plain: dict[str, Any], places: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every number of these tables with the name of its column."""
    for place in places:
        for path in leaves(plain[place], (place,)):
            name = str(path[1])
            if name not in TEXT_COLUMNS and name != "layout":
                yield path, name


def faults(seed: int = 0) -> Iterator[Fault]:
    """Every fault below, well over 2,000."""
    plain = valid()
    yield from wrong_numbers(plain, ("parameters", "servers", "devices", "channel"))
    yield from wrong_numbers(sparse(), ("channel",))
    yield from wrong_columns(plain)
    yield from wrong_texts(plain)
    yield from wrong_keys(plain)
    yield from wrong_keys(sparse())
    yield from wrong_channels()
    yield from wrong_heads(valid())
    yield from broken_texts(valid(), seed)


def wrong_numbers(plain: dict[str, Any], places: Sequence[str]) -> Iterator[Fault]:
    for path, name in numbers_of(plain, places):
        place = written(path)
        index = name in ("pair_start", "pair_server")
        values: list[object] = list(NOT_NUMBERS)
        if name not in MAY_BE_NEGATIVE:
            values += [-1, -1e-9]
        zero_is_deaf = name == "power_gain" and plain["channel"]["layout"] == "dense"
        if not (name in MAY_BE_ZERO | MAY_BE_NEGATIVE or index or zero_is_deaf):
            values += NOT_POSITIVE
        if index:
            values += [0.5, 2**31, "0"]
        if name == "battery_fraction":
            values += [1.0000001, 100]
        if name == "noise_psd_dbm_per_hz":
            values += [-401, 201]
        for value in values:
            yield Fault(f"{place} = {value!r:.30}", changed(plain, path, value), place)
        for text in NOT_JSON_NUMBERS:
            beyond = text in ("1e999", "-1e999")
            yield Fault(f"{place} = {text}", changed(plain, path, Raw(text)), place if beyond else "$")


def wrong_columns(plain: dict[str, Any]) -> Iterator[Fault]:
    for table in ("servers", "devices"):
        for name, column in plain[table].items():
            path = (table, name)
            for value in NOT_COLUMNS:
                # Nothing but a list is a column; None stands for an optional one that is left out; a number
                # of entries other than that of the ids is blamed on the column, or on those of the others.
                if value is None and name in OPTIONAL_COLUMNS:
                    continue
                blamed = "$" if name == "id" and value == [] else written(path)
                if isinstance(value, str) and value.startswith("npz:"):
                    blamed = "$.side_file"
                yield Fault(f"{table}.{name} = {value!r}", changed(plain, path, value), blamed)
            for label, other in (("one more", [*column, column[0]]), ("one less", column[:-1])):
                blamed = "$" if name == "id" else written(path)
                yield Fault(f"{table}.{name} has {label}", changed(plain, path, other), blamed)
        for value in NOT_NUMBERS[:7]:
            if not isinstance(value, dict):
                yield Fault(f"{table} = {value!r}", changed(plain, (table,), value), f"$.{table}")


def wrong_texts(plain: dict[str, Any]) -> Iterator[Fault]:
    for table in ("servers", "devices"):
        for name in TEXT_COLUMNS & plain[table].keys():
            for index in range(len(plain[table][name])):
                path = (table, name, index)
                for value in (1, 1.5, None, True, ["a"], {}):
                    yield Fault(f"{written(path)} = {value!r}", changed(plain, path, value), written(path))
        for index in range(len(plain[table]["id"])):
            for value in ("", "x" * 201):
                path = (table, "id", index)
                yield Fault(f"{written(path)} = {value[:9]!r}", changed(plain, path, value), written(path))
            for other in range(index):
                path = (table, "id", index)
                same = plain[table]["id"][other]
                yield Fault(f"{written(path)} twice", changed(plain, path, same), written(path))


def wrong_keys(plain: dict[str, Any]) -> Iterator[Fault]:
    places: list[tuple[str, ...]] = [
        (),
        ("provenance",),
        ("parameters",),
        ("servers",),
        ("devices",),
        ("channel",),
    ]
    for place in places:
        table = plain
        for step in place:
            table = table[step]
        for key in (
            "colour",
            "schema-version",
            "Id",
            "tx_power",
            "units",
            "x\ny",
            "",
            "$",
            "\x1b[31m",
            "k" * 500,
        ):
            yield Fault(
                f"{written(place)} has {key[:20]!r}", changed(plain, (*place, key), 1), written(place)
            )
        for key in table:
            if place in ((), ("servers",), ("devices",), ("channel",)) and key not in OPTIONAL_COLUMNS | {
                "provenance"
            }:
                missing = written(place) if key == "layout" else written((*place, key))
                yield Fault(f"no {written((*place, key))}", without(plain, (*place, key)), missing)
            renamed = {(name + "_" if name == key else name): value for name, value in table.items()}
            data = changed(plain, place, renamed) if place else encoded(renamed)
            yield Fault(f"{written((*place, key))} renamed", data, written(place))


def wrong_channels() -> Iterator[Fault]:
    plain = valid()
    gain = plain["channel"]["power_gain"]
    for index in range(4):
        place = f"$.channel.power_gain[{index}]"
        for row in ([], gain[index][:1], [*gain[index], 1e-9], 1e-9, None, "row"):
            yield Fault(f"{place} = {row}", changed(plain, ("channel", "power_gain", index), row), place)
        deaf = [0.0, 0.0]
        yield Fault(f"{place} is deaf", changed(plain, ("channel", "power_gain", index), deaf), place)
        weak = [1e-200, gain[index][1]]
        yield Fault(
            f"{place} is weak", changed(plain, ("channel", "power_gain", index), weak), "$.channel.power_gain"
        )
    for rows in ([], gain[:3], [*gain, gain[0]], [[]] * 4, list(map(list, zip(*gain, strict=True)))):
        yield Fault(
            f"{len(rows)} rows", changed(plain, ("channel", "power_gain"), rows), "$.channel.power_gain"
        )
    for layout in ("Dense", "csr", "", "npz:x", 1, None, ["dense"], {}):
        yield Fault(f"layout {layout!r}", changed(plain, ("channel", "layout"), layout), "$.")
    yield Fault(
        "dense called sparse", changed(plain, ("channel", "layout"), "sparse"), "$.channel.pair_start"
    )
    plain = sparse()
    yield Fault("sparse called dense", changed(plain, ("channel", "layout"), "dense"), "$.channel")
    for start in (
        [0],
        [],
        [0, 2, 4, 6],
        [0, 2, 4, 6, 9],
        [0, 2, 4, 6, 7],
        [1, 2, 4, 6, 8],
        [0, 4, 2, 6, 8],
        [0, 2, 2, 6, 8],
    ):
        yield Fault(f"pair_start {start}", changed(plain, ("channel", "pair_start"), start), "$.channel")
    for server in ([1, 0] * 4, [0, 0] * 4, [0, 2] * 4, [0, 1] * 3, [0, 1] * 5, [0, 1, 0, 1, 0, 1, 0, 7], []):
        yield Fault(f"pair_server {server}", changed(plain, ("channel", "pair_server"), server), "$.channel")


def wrong_heads(plain: dict[str, Any]) -> Iterator[Fault]:
    for version in (0, 2, -1, "1", None, [1], 1.5, 10**30):
        yield Fault(f"version {version!r}", changed(plain, ("schema_version",), version), "$.schema_version")
    for kind in ("P1", "p2", "", "solution", 1, None, ["p1"]):
        yield Fault(f"kind {kind!r}", changed(plain, ("kind",), kind), "$.kind")
    for name in ("", "x" * 201, 1, None, ["a"]):
        yield Fault(f"name {name!r:.20}", changed(plain, ("name",), name), "$.name")
    for key, value in (
        ("seed", "1"),
        ("seed", 1.5),
        ("versions", []),
        ("versions", {"a": 1}),
        ("settings", {"a": []}),
    ):
        yield Fault(
            f"provenance {key} {value!r}", changed(plain, ("provenance", key), value), f"$.provenance.{key}"
        )
    for side in (
        1,
        "x",
        [],
        {},
        {"name": "a.npz"},
        {"name": "../a.npz", "sha256": "0" * 64},
        {"name": "a.npz", "sha256": "0"},
    ):
        yield Fault(f"side file {side!r}", changed(plain, ("side_file",), side), "$.side_file")
    for value in ([], [plain], "text", 1, None, True, 1e5, {}):
        yield Fault(f"the file holds {value!r:.20}", encoded(value), "$")


def broken_texts(plain: dict[str, Any], seed: int) -> Iterator[Fault]:
    rng = np.random.default_rng(seed)
    content = encoded(plain)
    for length in sorted({0, 1, 2, len(content) - 1, *rng.integers(3, len(content) - 1, 300).tolist()}):
        yield Fault(f"cut after {length} bytes", content[:length], "$")
    for place in rng.integers(0, len(content), 100).tolist():
        for byte in (0x00, 0x1F, 0xC3, 0xFF):
            data = bytearray(content)
            data[place] = byte
            yield Fault(f"byte {place} is {byte:#x}", bytes(data), "$")
    for depth in (250, 10_000, 1_000_000):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            nest = opening * depth + b"1" + closing * depth
            yield Fault(f"nested {depth} deep", nest, "$")
            yield Fault(f"a name nested {depth} deep", content.replace(b'"synthetic"', nest), "$")
    for text in (
        b"",
        b" ",
        content + b"}",
        content + content,
        content.decode().encode("utf-16"),
        b"\x1f\x8b" + content,
        b"PK\x03\x04",
        content.replace(b":", b"=", 1),
        content.replace(b'"', b"'"),
        b"// no\n" + content,
        content[:-1] + b",}",
        b"1" * 10_000,
    ):
        yield Fault(f"text {text[:12]!r}", text, "$")


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written_to:
        for name, content in members.items():
            written_to.writestr(name + ".npy", content)
    return buffer.getvalue()


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def lying_header() -> bytes:
    """An array that claims some petabytes."""
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


@dataclass(frozen=True)
class SideFault:
    """A malformed pair of files; ``blamed`` is the suffix of the file that the error must name."""

    label: str
    content: bytes
    side: bytes | None
    path: str = ""
    blamed: str = ".json"


def side_faults(seed: int = 0) -> Iterator[SideFault]:
    """Faults of the side file, and of the references to it, most of them under a correct hash."""
    plain = valid()
    gain = np.array(plain["channel"]["power_gain"])
    plain["channel"]["power_gain"] = "npz:channel.power_gain"
    good = files.arrays_to_bytes({"channel.power_gain": gain})

    def case(
        label: str,
        side: bytes | None,
        blamed: str = ".npz",
        path: str = "",
        **record: object,
    ) -> SideFault:
        digest = files.sha256(side or b"")
        given = {"name": "case.npz", "sha256": digest, **record}
        return SideFault(label, encoded({**plain, "side_file": given}), side, path, blamed)

    yield case("no side file", None)
    yield case("another hash", good, sha256="0" * 64)
    yield case("one bit more", good + b"\0", sha256=files.sha256(good))
    for name in ("../case.npz", "/etc/passwd", "a/b.npz", "./case.npz", "case.npz/"):
        yield case(f"named {name}", good, ".json", "$.side_file.name", name=name)
    for name in (".", "..", "", "no\0.npz", "x" * 300 + ".npz", "missing.npz"):
        yield case(f"named {name[:9]!r}", good, "", name=name)
    for digest in (None, 1, "", "A" * 64):
        yield case(f"hash {digest!r:.9}", good, sha256=digest)
    for value in (None, 3, [], ["npz"], {"name": 3, "sha256": "0" * 64}, "case.npz"):
        content = encoded({**plain, "side_file": value})
        yield SideFault(f"side_file {value!r}", content, good, "$.side_file")
    yield SideFault("side_file is not there", encoded(plain), good, "$.side_file")
    yield case("unknown key", good, ".json", "$.side_file.size", size=3)
    yield case("another array", files.arrays_to_bytes({"gain": gain}), ".json", "$.channel.power_gain")
    yield case("no array", archive(), ".json", "$.channel.power_gain")
    for label, array in {
        "a vector": gain[0],
        "a scalar": np.array(1.0),
        "three dimensions": gain[None],
        "too narrow": gain[:, :1],
        "too short": gain[:3],
        "no entries": gain[:0],
        "not a number": np.where(gain == gain[0, 0], np.nan, gain),
        "infinite": np.where(gain == gain[0, 0], np.inf, gain),
        "negative": -gain,
        "zero": 0 * gain,
        "complex": gain + 1j,
        "text": gain.astype(str),
        "bytes": gain.astype("S"),
        "truth values": gain > 0,
        "times": gain.astype("datetime64[s]"),
        "records": np.zeros(4, dtype=[("a", float), ("b", float)]),
    }.items():
        yield case(label, archive(**{"channel.power_gain": npy(array)}), ".json", "$.channel.power_gain")
    for label, side in {
        "objects": archive(**{"channel.power_gain": npy(np.array([[{}]], dtype=object))}),
        "a pickle": archive(**{"channel.power_gain": b"cos\nsystem\n(S'true'\ntR."}),
        "petabytes": archive(**{"channel.power_gain": lying_header()}),
        "an empty member": archive(**{"channel.power_gain": b""}),
        "a lone header": archive(**{"channel.power_gain": npy(gain)[:80]}),
        "empty": b"",
        "text": b"hello",
        "a bare array": npy(gain),
        "JSON": encoded(plain),
    }.items():
        yield case(
            label, side, "" if label in ("a pickle", "an empty member", "objects", "petabytes") else ".npz"
        )
    rng = np.random.default_rng(seed)
    for length in rng.integers(1, len(good) - 1, 60).tolist():
        yield case(f"cut after {length} bytes", good[:length])


def write(fault: SideFault, folder: Path) -> Path:
    """Both files of a side fault in a folder; the JSON file's path."""
    path, side = folder / "case.json", folder / "case.npz"
    path.write_bytes(fault.content)
    side.unlink(missing_ok=True)
    if fault.side is not None:
        side.write_bytes(fault.side)
    return path
