from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import malformed
import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from malformed import Fault, SideFault

from uara import Channel, Devices, InputError, Instance, Parameters, Provenance, Servers, allocate, load
from uara.base import arrays, files
from uara.base.columns import INLINE_ENTRIES
from uara.problem import evaluate, parse_decision


def outcome(path: Path) -> InputError | None:
    """The one error that an instance file may give; anything else fails the test."""
    try:
        load(path)
    except InputError as error:
        return error
    return None


# Malformed files


@pytest.mark.integration
def test_thousands_of_malformed_files_give_the_one_error_at_the_right_place(tmp_path: Path) -> None:
    path, tried = tmp_path / "case.json", 0
    wrong: list[tuple[Fault, str]] = []
    for fault in malformed.faults():
        path.write_bytes(fault.content)
        error = outcome(path)
        tried += 1
        if error is None:
            wrong.append((fault, "was read"))
        elif error.source != str(path) or not (error.path or "").startswith(fault.path):
            wrong.append((fault, f"should blame {fault.path}: {error}"))
        elif len(error.problem) > 500:
            wrong.append((fault, "is too long"))
    assert [(fault.label, text) for fault, text in wrong[:10]] == []
    assert tried > 2000


@pytest.mark.parametrize("fault", list(malformed.side_faults()), ids=lambda fault: fault.label)
def test_malformed_side_files_give_the_one_error(tmp_path: Path, fault: SideFault) -> None:
    error = outcome(malformed.write(fault, tmp_path))
    assert error is not None
    assert error.source is not None
    assert error.source.endswith(fault.blamed)
    assert (error.path or "").startswith(fault.path)


@pytest.mark.parametrize("plain", [malformed.valid(), malformed.sparse()], ids=["dense", "sparse"])
def test_what_the_faults_are_made_from_is_valid(tmp_path: Path, plain: dict[str, Any]) -> None:
    path = tmp_path / "case.json"
    path.write_bytes(malformed.encoded(plain))
    assert outcome(path) is None


def test_files_with_flipped_bits_are_read_or_refused(tmp_path: Path) -> None:
    # A flipped bit may give another valid number: then the file is valid, and must hold together.
    rng = np.random.default_rng(0)
    content, path, refused = malformed.encoded(malformed.valid()), tmp_path / "case.json", 0
    for _ in range(1000):
        data = bytearray(content)
        for place in rng.integers(0, len(data), rng.integers(1, 3)):
            data[place] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(data))
        error = outcome(path)
        if error is None:
            instance = load(path)
            assert evaluate(instance, allocate(instance, random_association(instance))).feasible
        else:
            refused += 1
            assert error.source == str(path)
    assert refused > 500


@pytest.mark.integration
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(list(malformed.leaves(malformed.valid()))),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
)
def test_anything_anywhere_is_read_or_refused(
    tmp_path: Path, place: tuple[str | int, ...], value: object
) -> None:
    path = tmp_path / "case.json"
    path.write_bytes(malformed.changed(malformed.valid(), place, value))
    error = outcome(path)
    assert error is None or error.source == str(path)


def test_a_huge_instance_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    path.write_bytes(malformed.encoded(malformed.valid()))
    with path.open("r+b") as file:
        file.truncate(files.MAX_JSON_BYTES + 1)  # sparse: takes no room
    error = outcome(path)
    assert error is not None
    assert "bytes, more than" in str(error)


def test_a_huge_side_file_is_refused_unread(tmp_path: Path) -> None:
    fault = next(fault for fault in malformed.side_faults() if fault.label == "another hash")
    path = malformed.write(fault, tmp_path)
    with (tmp_path / "case.npz").open("r+b") as file:
        file.truncate(arrays.MOST_BYTES + 1)
    error = outcome(path)
    assert error is not None
    assert "bytes, more than" in str(error)


# Round trips


def same(one: Instance, two: Instance) -> None:
    assert one.digest == two.digest
    assert (one.name, one.parameters, one.provenance) == (two.name, two.parameters, two.provenance)
    for mine, other in ((one.servers, two.servers), (one.devices, two.devices)):
        assert mine.columns().keys() == other.columns().keys()
        for name, column in mine.columns().items():
            assert np.array_equal(column, other.columns()[name]), name


@pytest.mark.integration
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(instances(), st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()))
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, instance: Instance, name: str) -> None:
    path = tmp_path / "a.json"
    instance = instance.replace(
        name=name, provenance=Provenance(seed=3, scene=name, settings={"a": None, name: 1.5})
    )
    instance.save(path)
    content = path.read_bytes()
    again = Instance.load(path)
    same(instance, again)
    again.save(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("missing", [0.0, 0.9])
def test_big_arrays_go_into_the_side_file_and_come_back(tmp_path: Path, missing: float) -> None:
    instance = make_instance(12_000 if missing else 150, 4 if missing else 100, missing=missing, name="big")
    instance.save(tmp_path / "big.json")
    data = json.loads((tmp_path / "big.json").read_bytes())
    (side,) = tmp_path.glob("big.*.npz")
    digest = files.sha256(side.read_bytes())
    assert data["side_file"] == {"name": side.name, "sha256": digest}
    assert side.name == f"big.{digest[:12]}.npz"
    assert data["channel"]["power_gain"] == "npz:channel.power_gain"
    assert data["channel"]["layout"] == ("sparse" if missing else "dense")
    assert isinstance(data["devices"]["id"], str) == (len(instance.devices) > INLINE_ENTRIES)
    contents = [(tmp_path / name).read_bytes() for name in ("big.json", side.name)]
    again = Instance.load(tmp_path / "big.json")
    same(instance, again)
    again.save(tmp_path / "big.json")
    assert [(tmp_path / name).read_bytes() for name in ("big.json", side.name)] == contents


def test_a_new_side_file_takes_the_old_ones_place(tmp_path: Path) -> None:
    unrelated = tmp_path / "big.notes.npz"
    unrelated.write_bytes(b"kept")
    for seed in (1, 2):
        make_instance(150, 100, seed=seed, missing=0.0).save(tmp_path / "big.json")
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == 3
    assert {"big.json", "big.notes.npz"} < names
    same(Instance.load(tmp_path / "big.json"), make_instance(150, 100, seed=2, missing=0.0))


def test_a_save_that_fails_midway_leaves_the_old_instance_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_instance(150, 100, seed=1, missing=0.0)
    old.save(tmp_path / "big.json")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        make_instance(150, 100, seed=2, missing=0.0).save(tmp_path / "big.json")
    same(Instance.load(tmp_path / "big.json"), old)


def test_a_moved_side_file_is_missed_and_named(tmp_path: Path) -> None:
    make_instance(150, 100, missing=0.0).save(tmp_path / "big.json")
    (side,) = tmp_path.glob("*.npz")
    side.rename(tmp_path / "other.npz")
    error = outcome(tmp_path / "big.json")
    assert error is not None
    assert error.source == str(side)


def test_an_instance_is_not_saved_under_the_name_of_its_side_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name of a side file"):
        make_instance(150, 100, missing=0.0).save(tmp_path / "big.npz")
    assert list(tmp_path.iterdir()) == []


def test_instances_cross_process_borders() -> None:
    instance = make_instance()
    again = pickle.loads(pickle.dumps(instance))
    same(instance, again)


# Immutable


def test_no_array_can_be_written() -> None:
    instance = make_instance()
    for table in (instance.servers.columns(), instance.devices.columns(), vars(instance.channel)):
        for column in table.values():
            if isinstance(column, np.ndarray):
                with pytest.raises(ValueError, match="read-only"):
                    column[0] = 1
    for part, name in ((instance, "name"), (instance.servers, "id"), (instance.channel, "power_gain")):
        with pytest.raises(AttributeError):
            setattr(part, name, None)


def test_the_callers_arrays_are_copied() -> None:
    gain, power = np.full((1, 1), 1e-9), np.array([0.1])
    instance = Instance(
        "a",
        Servers(["s"], [1e12], [1e6], [0.0]),
        Devices(["d"], [1e12], power, [1.0], [1.0], [1.0], [1.0]),
        Channel.from_dense(gain),
    )
    gain[:], power[:] = 5, 5
    assert instance.channel.power_gain.tolist() == [1e-9]
    assert instance.devices.tx_power_w.tolist() == [0.1]


def test_replacing_leaves_the_original_and_checks_again() -> None:
    instance = make_instance()
    other = instance.replace(devices=instance.devices.replace(tx_power_w=instance.devices.tx_power_w * 2))
    assert other.digest != instance.digest
    assert instance.devices.tx_power_w is not other.devices.tx_power_w
    with pytest.raises(InputError) as caught:
        instance.devices.replace(tx_power_w=-instance.devices.tx_power_w)
    assert caught.value.path == "$.devices.tx_power_w[0]"
    with pytest.raises(InputError, match="12 entries, but there are 1 ids"):
        instance.devices.replace(id=["a"])


# The digest


def test_the_digest_is_that_of_the_data_alone() -> None:
    instance = make_instance()
    assert instance.replace(name="b", provenance=Provenance(seed=9)).digest == instance.digest
    assert make_instance().digest == instance.digest


@pytest.mark.parametrize("table", ["servers", "devices"])
def test_every_column_is_in_the_digest(table: str) -> None:
    instance = make_instance()
    digests = {instance.digest}
    columns = getattr(instance, table).columns()
    for name, column in columns.items():
        if isinstance(column, tuple):
            other: Any = [text + "x" for text in column]
        else:
            other = column.copy()
            other.flat[0] = np.nextafter(other.flat[0], 1e9 if name != "battery_fraction" else 0)
        digests.add(instance.replace(**{table: getattr(instance, table).replace(**{name: other})}).digest)
    assert len(digests) == 1 + len(columns)


def test_parameters_and_gains_are_in_the_digest() -> None:
    instance = make_instance()
    other = instance.replace(parameters=Parameters(slot_ms=999.0))
    gain = instance.channel.dense(3) * 2
    assert (
        len({instance.digest, other.digest, instance.replace(channel=Channel.from_dense(gain)).digest}) == 3
    )


def test_copies_of_parameters_are_checked() -> None:
    wrong = Parameters().model_copy(update={"energy_weight_ms_per_j": 1e300})
    with pytest.raises(InputError, match=r"\$\.parameters\.energy_weight_ms_per_j"):
        make_instance().replace(parameters=wrong)


# The library's caller


def server(**columns: Any) -> Servers:
    given = {"id": ["a", "b"], "compute_flop_per_s": [1, 1], "bandwidth_hz": [1, 1], "backlog_flop": [0, 0]}
    return Servers(**{**given, **columns})


@pytest.mark.parametrize(
    ("columns", "path", "text"),
    [
        ({"id": 5}, "$.servers.id", "not a list of texts"),
        ({"id": "ab"}, "$.servers.id", "not a list of texts"),
        ({"id": ["a", "a"]}, "$.servers.id[1]", "'a' is the id of entry 0 too"),
        ({"id": ["a", 1]}, "$.servers.id[1]", "valid string"),
        ({"id": []}, "$.servers.id", "at least one"),
        ({"id": ["a"]}, "$.servers.compute_flop_per_s", "2 entries, but there are 1 ids"),
        ({"bandwidth_hz": [1, np.nan]}, "$.servers.bandwidth_hz[1]", "finite"),
        ({"bandwidth_hz": [1, np.inf]}, "$.servers.bandwidth_hz[1]", "finite"),
        ({"bandwidth_hz": [0, 1]}, "$.servers.bandwidth_hz[0]", "greater"),
        ({"bandwidth_hz": ["1", "2"]}, "$.servers.bandwidth_hz", "not an array of float"),
        ({"bandwidth_hz": [[1], [2, 3]]}, "$.servers.bandwidth_hz", "not an array of float"),
        ({"bandwidth_hz": [[1], [2]]}, "$.servers.bandwidth_hz[0]", "valid number"),
        ({"bandwidth_hz": 1.0}, "$.servers.bandwidth_hz", "valid list"),
        ({"bandwidth_hz": [1j, 1]}, "$.servers.bandwidth_hz", "not an array of float"),
        ({"bandwidth_hz": [True, True]}, "$.servers.bandwidth_hz", "not an array of float"),
        ({"position_m": [[0, 0], [1, 1]]}, "$.servers.position_m[0]", "at least 3"),
        ({"model": ["m"]}, "$.servers.model", "1 entries"),
    ],
)
def test_bad_columns_are_refused(columns: dict[str, Any], path: str, text: str) -> None:
    with pytest.raises(InputError, match=text) as caught:
        server(**columns)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("start", "servers", "gain", "path"),
    [
        ([0, 1.7], [0], [1.0], "$.channel.pair_start"),
        ([0, 1], ["0"], [1.0], "$.channel.pair_server"),
        ([0, 1], [-1], [1.0], "$.channel.pair_server[0]"),
        ([0, 1], [0], [0.0], "$.channel.power_gain[0]"),
        ([0, 1], [0], [np.nan], "$.channel.power_gain[0]"),
        ([0, 2], [1, 0], [1.0, 1.0], "$.channel.pair_server[1]"),
        ([0, 2], [1, 1], [1.0, 1.0], "$.channel.pair_server[1]"),
        ([0, 0, 1], [0], [1.0], "$.channel.power_gain[0]"),
        ([0, 1, 1], [0], [1.0], "$.channel.power_gain[1]"),
        ([0, 2], [0], [1.0], "$.channel.pair_start"),
        ([0], [], [], "$.channel.pair_start"),
        ([0, 1], [0], [1.0, 2.0], "$.channel.power_gain"),
    ],
)
def test_bad_channels_are_refused(start: Any, servers: Any, gain: Any, path: str) -> None:
    with pytest.raises(InputError) as caught:
        Channel(start, servers, gain)
    assert caught.value.path == path


@given(st.integers(1, 8), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_dense_and_sparse_channels_are_the_same(devices: int, servers: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    gain = rng.random((devices, servers)) * (rng.random((devices, servers)) < 0.5)
    gain[np.arange(devices), rng.integers(0, servers, devices)] = 1.0
    channel = Channel.from_dense(gain)
    assert (channel.dense(servers) == gain).all()
    assert channel.devices == devices
    assert channel.pair_device.tolist() == np.nonzero(gain)[0].tolist()
    Channel(channel.pair_start, channel.pair_server, channel.power_gain)


def test_tables_that_do_not_fit_together_are_refused() -> None:
    instance = make_instance(4, 2, missing=0)
    with pytest.raises(InputError, match="rows for 3 devices, but there are 4"):
        instance.replace(channel=Channel.from_dense(np.ones((3, 2))))
    with pytest.raises(InputError, match="beyond the 2 there are") as caught:
        instance.replace(channel=Channel.from_dense(np.ones((4, 3))))
    assert caught.value.path == "$.channel.pair_server[2]"
    for name in ("", "x" * 201, "half \ud800", None, 3):
        with pytest.raises(InputError, match="1 to 200 characters"):
            instance.replace(name=name)


def test_a_decision_for_other_devices_is_refused_where_it_is_read() -> None:
    with pytest.raises(InputError, match="1 entries, but there are 12 devices") as caught:
        parse_decision(make_instance(), {"association": [0], "bandwidth": [1.0], "compute": [1.0]})
    assert caught.value.path == "$.decision.association"


def test_an_instance_is_shown_in_a_line_and_as_html() -> None:
    instance = make_instance(90, 8, 1, name="<b>")
    pairs = len(instance.channel.pair_server)
    assert repr(instance) == f"Instance '<b>': 90 devices, 8 servers, {pairs} usable pairs"
    page = instance._repr_html_()
    assert page.startswith("<b>&lt;b&gt;: 90 devices, 8 edge servers")
    assert page.count("<li>") == page.count("</li>") >= 8
