"""A JSON file and the ``.npz`` beside it that holds its big arrays: written as a pair, replaced as a pair."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import files
from uara.base.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHA256 = re.compile("[0-9a-f]{64}")
_HASH_DIGITS = 12


def shortened_hash(sha256: str) -> str:
    """The digits of a content's hash that stand in the name of its file."""
    return sha256[:_HASH_DIGITS]


def write(path: Path, data: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a JSON file, and a side file if there are arrays; each whole or not at all.

    The side file is named after its content: until the JSON file is replaced, the old pair stays whole. Then the
    side file that the replaced file named, and no other, is removed.

    Raises
    ------
    InputError
        If a file cannot be written, or there are arrays and the file is a device or a pipe.
    """
    if arrays and files.is_stream(path):
        raise InputError("a pipe or device cannot take the arrays beside it: name a file", source=str(path))
    path = _behind(path)
    if not arrays:
        with replaced(lambda: _named(path), None):
            files.write_json(path, data)
        return
    content = files.arrays_to_bytes(arrays)
    digest = files.sha256(content)
    side = _place(path, digest)
    with replaced(lambda: _named(path), side):
        files.write_bytes(side, content)
        files.write_json(path, {**data, "side_file": {"name": side.name, "sha256": digest}})


@contextmanager
def replaced(named: Callable[[], Path | None], side: Path | None) -> Iterator[None]:
    """Write a side file and the file that names it in the block; of the old and the new pair, one remains.

    Parameters
    ----------
    named
        The side file that the naming file, as it stands at the time, names as its own.
    side
        The side file that is written.
    """
    old, now = named(), side
    try:
        yield
    except BaseException:
        now = named()
        raise
    finally:
        for each in (old, side):
            if each is not None and each != now:
                each.unlink(missing_ok=True)


def locate(path: Path, name: str) -> Path:
    """Where the side file of this name is: beside the JSON file, or beside the file that a link stands for."""
    beside = path.parent / name
    return beside if os.path.exists(beside) else _behind(path).parent / name


def _behind(path: Path) -> Path:
    return path.resolve() if path.is_symlink() and not files.is_stream(path) else path


def _place(path: Path, digest: str) -> Path:
    """Two files of one folder never share a side file, whatever their suffixes."""
    if path.suffix == ".json":
        return path.with_name(f"{path.stem}.{shortened_hash(digest)}.npz")
    return path.with_name(f"{path.name}.{shortened_hash(digest)}.side.npz")


def _named(path: Path) -> Path | None:
    """The side file that a JSON file names as its own."""
    if not path.is_file():
        return None
    try:
        side = files.read_plain_json(path).get("side_file")
    except InputError:
        return None
    if not isinstance(side, dict) or not _SHA256.fullmatch(str(side.get("sha256"))):
        return None
    place = _place(path, side["sha256"])
    return place if side.get("name") == place.name else None
