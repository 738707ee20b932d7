"""Writing files: what cannot or must not be written is refused before any work; what is written is whole."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from uara.base.decoding import parse_json
from uara.base.errors import InputError

LONGEST_NAME = 200
"""Bytes of a name that becomes the name of a file: what is put around it has room below the usual 255."""
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_OPEN_FILE = re.compile(r"/(?:dev|proc/(?:self|\d+))/fd/(\d+)")
_BEGINS = {
    ".csv": None,
    ".html": (b"<",),
    ".jpg": (b"\xff\xd8",),
    ".json": (b"{", b"["),
    ".npz": (b"PK",),
    ".parquet": (b"PAR1",),
    ".pdf": (b"%PDF",),
    ".png": (b"\x89PNG",),
    ".svg": (b"<",),
    ".webp": (b"RIFF",),
}
"""How files of a suffix begin; text without a mark of its own must not begin as one of the others."""


def file_name(name: str, *, source: str | None = None, path: str | None = None) -> str:
    """A name that becomes the name of a file, if it is one component of a path on every system.

    Parameters
    ----------
    source, path
        Where the name stands, for the error.

    Raises
    ------
    InputError
        For an empty or long name, a separator, a drive, a leading or trailing dot, what cannot be printed, or the
        name of a device.
    """
    problem = None
    if not name or len(name.encode(errors="surrogatepass")) > LONGEST_NAME:
        problem = f"must have 1 to {LONGEST_NAME} bytes"
    elif not name.isprintable() or any(character in name for character in "/\\:"):
        problem = "must be printable and hold no slash, backslash or colon"
    elif name[0] in ". " or name[-1] in ". ":
        problem = "must not begin or end with a dot or a space"
    elif _DEVICE.fullmatch(name):
        problem = "is the name of a device"
    if problem:
        shown = name if len(name) <= 60 else name[:57] + "..."
        raise InputError(f"{shown!r} cannot be the name of a file: it {problem}", source=source, path=path)
    return name


def check_output(
    path: Path, *, suffixes: Collection[str], inputs: Collection[Path] = (), kind: str | None = None
) -> None:
    """Refuse, before any work is done for it, an output that cannot be written or must not be.

    Devices, pipes and open files (``/dev/stdout``) take anything.

    Parameters
    ----------
    path
        File to be written. What stands there may be replaced if it is empty or of the writer's kind.
    suffixes
        Suffixes of the writer, such as ``(".json",)``; empty where any will do.
    inputs
        Files that the command reads: none of them, by whatever name, is replaced.
    kind
        What the writer's files say of themselves: ``kind`` of a JSON object (``""`` where it has none), first line
        of a CSV table. None where the suffix says all.

    Raises
    ------
    InputError
        One error that names the file and says what is wrong with it.
    """
    path = Path(path)
    with _refusing(path):
        there = _state(path)
    if is_stream(path):
        return
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(f"must end in {' or '.join(sorted(suffixes))}", source=str(path))
    if there is not None:
        for other in inputs:
            with suppress(OSError, ValueError):
                if os.path.samefile(path, other):
                    raise InputError("is an input: it would be lost; name another file", source=str(path))
        found = _stranger(path, kind)
        if found:
            raise InputError(f"{found}: remove it first, or name another file", source=str(path))
    with _refusing(path):
        _try_writing(_target(path), there)


def _stranger(path: Path, kind: str | None) -> str | None:
    """What a file holds, in words, if it is nothing that this kind of file may replace."""
    suffix = path.suffix.lower()
    with _refusing(path), path.open("rb") as file:
        begin = file.read(4096)
    if not begin:
        return None
    wanted, text = _BEGINS.get(suffix), begin.lstrip(b"\xef\xbb\xbf \t\r\n")
    others = [mark for marks in _BEGINS.values() for mark in marks or ()]
    if not text.startswith(wanted) if wanted else suffix == ".csv" and text.startswith(tuple(others)):
        return f"holds something else than {suffix} files do"
    if kind is None:
        return None
    if suffix == ".csv":
        first = begin.splitlines()[0].decode(errors="replace")
        return None if first == kind else "holds a table with other columns"
    try:
        data = parse_json(path.read_bytes())
    except InputError as error:
        return f"holds something else ({error.problem})"
    if not isinstance(data, dict):
        return f"holds a {type(data).__name__}"
    found = data.get("kind", "")
    return None if not data or found == kind else f"holds {found or 'something'!r}, not {kind or 'this'!r}"


def _try_writing(target: Path, there: os.stat_result | None) -> None:
    """Make a file where the output, or the first folder that it lacks, will be made, and take it away again."""
    folder, longest = target.parent, target
    while not folder.exists() and folder != folder.parent:
        longest = max(longest, folder, key=lambda path: len(path.name))
        folder = folder.parent
    handle, name = _temporary(longest, folder, there)
    os.close(handle)
    os.unlink(name)


def is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe or an open file of this process: written through, never replaced."""
    with _refusing(path):
        there = _state(path)
    return there is not None and (not stat.S_ISREG(there.st_mode) or _descriptor(path) is not None)


def _state(path: Path) -> os.stat_result | None:
    """What stands at a path, links followed; None if nothing does.

    Raises
    ------
    OSError
        For a folder and whatever else cannot be written.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except ValueError as error:  # a NUL in the name
        raise OSError(0, str(error)) from None
    if stat.S_ISDIR(found.st_mode):
        raise OSError(0, "is a folder")
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISCHR(found.st_mode) or stat.S_ISFIFO(found.st_mode)):
        raise OSError(0, "is neither a file nor a pipe")
    return found


def _descriptor(path: Path) -> int | None:
    """The number of the open file that a path such as ``/dev/stdout`` stands for."""
    for _ in range(40):
        match = _OPEN_FILE.fullmatch(str(path))
        if match:
            return int(match[1])
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    return None


def _target(path: Path) -> Path:
    """The file behind a link."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _temporary(target: Path, folder: Path, there: os.stat_result | None) -> tuple[int, str]:
    if there is not None and not os.access(target, os.W_OK):
        raise OSError(0, "is write-protected")
    return tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=folder)


def output_folder(path: Path) -> None:
    """Make a folder for outputs, and the folders that it stands in, where they are missing.

    Raises
    ------
    InputError
        If there is a file of this name, or no folder can be made there.
    """
    with _refusing(path):
        if path.exists() and not path.is_dir():
            raise OSError(0, "is a file; name a folder")
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", source=str(path)) from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path whose file takes the place of ``path`` when the block ends without an error.

    A link stays and the file that it names is replaced; a file that was there keeps its mode. A device, a pipe or
    an open file of this process receives the content.

    Raises
    ------
    InputError
        If the file cannot be written; names it.
    """
    path = Path(path)
    with _refusing(path):
        there, stream = _state(path), is_stream(path)
        if stream:
            handle, name = tempfile.mkstemp(suffix=path.suffix)
        else:
            target = _target(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = _temporary(target, target.parent, there)
        os.close(handle)
    temporary = Path(name)
    try:
        with _refusing(path):
            yield temporary
            if stream:
                pour(temporary.read_bytes(), path)
            else:
                _take_over(temporary, there)
                os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _take_over(temporary: Path, there: os.stat_result | None) -> None:
    """Give a file owner and mode of the one that it replaces, or the usual mode."""
    if there is None:
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        return
    made = temporary.stat()
    if (made.st_uid, made.st_gid) != (there.st_uid, there.st_gid):
        with suppress(OSError):
            os.chown(temporary, there.st_uid, there.st_gid)
    temporary.chmod(stat.S_IMODE(there.st_mode))


def pour(content: bytes, path: Path) -> None:
    """Write into a device, a pipe or an open file."""
    with _refusing(path), _opened(path) as file:
        file.write(content)


def _opened(path: Path) -> BinaryIO:
    number = _descriptor(path)
    if number is None:
        return path.open("wb")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # in the order in which it was written
    return os.fdopen(os.dup(number), "wb")


def save_or_rescue(write: Callable[[Path], object], path: Path) -> None:
    """Write a result; where its place has become unusable since it was checked, somewhere else.

    Parameters
    ----------
    write
        Writes the result into the file that it is given.

    Raises
    ------
    InputError
        If the result is not at ``path``; says where it is: in a temporary folder, or on standard error.
    """
    try:
        write(path)
    except InputError as error:
        place = _rescued(write, path)
        where = f"; the result is {place}" if place else ""
        raise InputError(error.problem + where, source=error.source) from None


def _rescued(write: Callable[[Path], object], path: Path) -> str | None:
    with suppress(InputError, OSError):
        spare = Path(tempfile.mkdtemp(prefix="uara-")) / (path.name or "result")
        write(spare)
        return f"in {spare}"
    with suppress(InputError, OSError):
        write(Path("/dev/stderr"))
        return "above"
    return None
