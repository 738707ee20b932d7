"""Arrays from ``.npz`` files: what was asked for, unpacked only once it is known to fit."""

from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import malformed
import numpy as np
import pytest

from uara import InputError
from uara.base import arrays, files

GIVEN: dict[str, Any] = {
    "numbers": np.arange(6.0).reshape(2, 3),
    "whole": np.arange(5),
    "texts": np.array(["x", "yé", ""]),
}


def archive(path: Path, given: dict[str, Any] = GIVEN) -> Path:
    path.write_bytes(malformed.archive(**{name: malformed.npy(array) for name, array in given.items()}))
    return path


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    content = files.arrays_to_bytes(GIVEN)
    (tmp_path / "a.npz").write_bytes(content)
    with arrays.opened(tmp_path / "a.npz", files.sha256(content)) as side:
        for name in ("numbers", "whole"):
            read = side.read(name, 6, "$")
            assert read.dtype == GIVEN[name].dtype
            np.testing.assert_array_equal(read, GIVEN[name])
        assert side.read_texts("texts", 3, "$") == ["x", "yé", ""]


def test_the_other_byte_order_is_read_too(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", {"a": np.array([1.5, 2.5], dtype=">f8")})
    with arrays.opened(path) as side:
        read = side.read("a", 2, "$")
    assert read.tolist() == [1.5, 2.5]
    assert read.dtype == np.float64


@pytest.mark.parametrize(
    ("name", "most", "kinds", "message"),
    [
        ("other", 6, "f", "a.npz has no array 'other'"),
        ("numbers", 5, "f", "'numbers' in a.npz has shape .*, more than the 5 entries"),
        ("texts", 6, "f", "'texts' in a.npz is of type <U2"),
        ("numbers", 6, "U", "'numbers' in a.npz is of type float64"),
    ],
)
def test_what_does_not_fit_is_blamed_on_its_key(
    tmp_path: Path, name: str, most: int, kinds: str, message: str
) -> None:
    with (
        arrays.opened(archive(tmp_path / "a.npz")) as side,
        pytest.raises(InputError, match=message) as caught,
    ):
        side.read(name, most, "$.there", kinds)
    assert caught.value.path == "$.there"


@pytest.mark.parametrize("most", [10, 10**12])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused_unread(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MOST_BYTES", 2 * 10**6)
    content = files.arrays_to_bytes({"a": np.zeros(10**6), "b": np.zeros(200_000), "c": np.zeros(100_000)})
    (tmp_path / "a.npz").write_bytes(content)
    with arrays.opened(tmp_path / "a.npz", files.sha256(content)) as side:
        tracemalloc.start()
        with pytest.raises(InputError, match="more than"):
            side.read("a", most, "$")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10**6
        if most > 10:
            side.read("b", most, "$")
            with pytest.raises(InputError, match="more than"):
                side.read("c", most, "$")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_unpack_too_much_at_once(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("a.npy", malformed.npy(np.zeros(10**6)))
    tracemalloc.start()
    with arrays.opened(tmp_path / "a.npz") as side, pytest.raises(InputError, match="NumPy does not use"):
        side.read("a", 10**6, "$")
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


def test_long_texts_and_impossible_characters_are_refused(tmp_path: Path) -> None:
    wrong = np.frombuffer(np.array([0x110000, 0xD800], np.uint32).tobytes(), "U1")
    path = archive(tmp_path / "a.npz", {"long": np.array(["x" * 201]), "wrong": wrong[:1], "half": wrong[1:]})
    with arrays.opened(path) as side:
        for name in ("long", "wrong", "half"):
            with pytest.raises(InputError, match=r"is of type|is no text"):
                side.read_texts(name, 5, "$")


def test_another_hash_is_refused_with_both(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"x")
    message = f"SHA-256 is {files.sha256(b'x')}, but {'0' * 64} was recorded"
    with pytest.raises(InputError, match=message), arrays.opened(tmp_path / "a.npz", "0" * 64):
        pass


@pytest.mark.integration
def test_no_damaged_archive_is_anything_but_an_input_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    good = files.arrays_to_bytes({"a": np.arange(50.0), "b": np.arange(30)})
    path, refused = tmp_path / "a.npz", 0
    for _ in range(1000):
        damaged = bytearray(good)
        for place in rng.integers(0, len(good), rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            with arrays.opened(path) as side:
                side.read("a", 50, "$")
                side.read("b", 30, "$")
        except InputError:
            refused += 1
    assert refused > 800  # what is left damages time stamps and the like


@pytest.mark.parametrize(
    "member", [malformed.lying_header(), b"\x93NUMPY\x02\0\xff\xff\xff\x7f{" + b" " * 50_000, b"", b"x"]
)
def test_headers_that_lie_are_refused(tmp_path: Path, member: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(malformed.archive(a=member))
    with (
        arrays.opened(tmp_path / "a.npz") as side,
        pytest.raises(InputError, match=r"more than|not an array"),
    ):
        side.read("a", 100, "$")
