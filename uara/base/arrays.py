"""Reading named arrays from ``.npz`` files: type and size are checked before anything is unpacked."""

from __future__ import annotations

import hashlib
import io
import math
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.base import files
from uara.base.errors import InputError

MOST_BYTES = 2 * 2**30
"""Largest size of a file of arrays, and of all that is unpacked from it."""
NUMBERS, TEXT = "iuf", "U"
"""Kinds of arrays, as ``numpy.dtype.kind`` names them."""
_LONGEST_TEXT = 200
_LONGEST_HEADER = 10_000


class ArrayFile:
    """An open ``.npz`` file whose members are unpacked one by one, those that are asked for alone."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self._path = path
        self._left_bytes = MOST_BYTES

    def read(self, name: str, most_entries: int, path: str, kinds: str = NUMBERS) -> NDArray[Any]:
        """An array of the file.

        Parameters
        ----------
        most_entries
            More than these are refused before they are unpacked.
        path
            Key path that is blamed for an array that does not fit.
        kinds
            Kinds of entries (``numpy.dtype.kind``) that are taken.

        Raises
        ------
        InputError
            If there is no such array, or it is damaged, of another kind or too large.
        """
        if f"{name}.npy" not in self._archive.namelist():
            raise InputError(f"{self._path.name} has no array {name!r}", path=path)
        with _blaming(self._path):
            member = self._archive.getinfo(f"{name}.npy")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # Others unpack a whole block at once.
                raise ValueError("compressed by what NumPy does not use")
            with self._archive.open(member) as packed:
                start = io.BytesIO(packed.read(_LONGEST_HEADER))
            shape, dtype = _header(start)
        entries = math.prod(shape)
        if dtype.kind not in kinds or dtype.hasobject or dtype.itemsize > 4 * _LONGEST_TEXT:
            raise InputError(f"{name!r} in {self._path.name} is of type {dtype}", path=path)
        if entries > most_entries or entries * dtype.itemsize > self._left_bytes:
            problem = f"has shape {shape}, more than the {most_entries} entries that can belong there"
            raise InputError(f"{name!r} in {self._path.name} {problem}", path=path)
        with _blaming(self._path):
            if member.file_size != start.tell() + entries * dtype.itemsize:
                raise ValueError(f"the length of {name!r} contradicts its shape {shape}")
            self._left_bytes -= entries * dtype.itemsize
            with self._archive.open(member) as packed:
                array: NDArray[Any] = np.lib.format.read_array(packed, allow_pickle=False)
        return array.astype(dtype.newbyteorder("="), copy=False)

    def read_texts(self, name: str, most_entries: int, path: str) -> list[str]:
        """A vector of texts; raises as :meth:`read`."""
        array = self.read(name, most_entries, path, TEXT)
        try:
            array.tobytes().decode(f"utf-32-{sys.byteorder[0]}e")
        except UnicodeDecodeError as error:
            raise InputError(f"{name!r} in {self._path.name} is no text: {error}", path=path) from None
        texts: list[str] = array.ravel().tolist()
        return texts


def _header(start: io.BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(start)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of NumPy's format")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(start, max_header_size=_LONGEST_HEADER)
    if min(shape, default=0) < 0:
        raise ValueError(f"a shape of {shape}")
    return shape, dtype


@contextmanager
def opened(path: Path, expected_sha256: str | None = None) -> Iterator[ArrayFile]:
    """Open an ``.npz`` file.

    Parameters
    ----------
    expected_sha256
        Its hash, where one was recorded.

    Raises
    ------
    InputError
        If the file is missing, too large, has another hash, or is not an array archive.
    """
    with files.opened(path, MOST_BYTES) as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest() if expected_sha256 is not None else None
        if found != expected_sha256:
            raise InputError(f"SHA-256 is {found}, but {expected_sha256} was recorded", source=str(path))
        with _blaming(path):
            archive = zipfile.ZipFile(handle)
        with archive:
            yield ArrayFile(archive, path)


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # zlib, zipfile and NumPy share no error; a lying header asks for memory
        reason = str(error) or type(error).__name__
        raise InputError(f"not an array archive: {reason}", source=str(path)) from None
