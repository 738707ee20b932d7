"""Find a libLLVM that the ray tracer's compiler (Dr.Jit) can use.

Dr.Jit loads the system's libLLVM when it is imported. It refuses versions up to 14; 15 and 16 load
and then abort the process in a Sionna kernel ("Cannot select: fminimum"); 17 and newer work
(measured with Sionna RT 2.2, Dr.Jit 1.5). Hence the search, and ``DRJIT_LIBLLVM_PATH``.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from uara.base.errors import ChannelError, MissingExtra
from uara.base.extras import is_absent

MIN_MAJOR = 17
"""Oldest LLVM that Sionna's kernels compile with."""
VARIABLE = "DRJIT_LIBLLVM_PATH"
WHEEL = "karellen-llvm-core"
"""Distribution on PyPI that brings a libLLVM (Linux, x86-64)."""
REMEDY = f"pip install {WHEEL} (Linux x86-64), or apt-get install libllvm19, or point {VARIABLE} at a libLLVM"
LIBATOMIC_REMEDY = "apt-get install libatomic1 (dnf install libatomic)"

_NAME = re.compile(r"libLLVM(?:-(\d+)[\d.]*\.so|\.so\.(\d+))")
_SYSTEM = (
    "/usr/lib/*-linux-gnu/libLLVM*.so*",
    "/usr/lib64/libLLVM*.so*",
    "/usr/lib/libLLVM*.so*",
    "/usr/lib/llvm-*/lib/libLLVM*.so*",
    "/usr/lib64/llvm*/lib*/libLLVM*.so*",
)
# Loaded in this order, by their real files: what libLLVM of the wheel is linked against.
_RUNTIMES = ("libunwind.so.1", "libc++abi.so.1", "libc++.so.1")


@dataclass(frozen=True)
class Libllvm:
    """A shared library, its LLVM major version (``None`` where the name does not tell) and its origin."""

    path: Path
    major: int | None
    origin: str


def major_version(path: Path) -> int | None:
    """LLVM major version as the library's file name, links resolved, gives it."""
    match = _NAME.search(path.resolve().name)
    return int(match[1] or match[2]) if match else None


def candidates(environment: Mapping[str, str] | None = None) -> list[Libllvm]:
    """Every libLLVM in sight: the user's choice alone if there is one, else the wheel's, then the system's."""
    chosen = (os.environ if environment is None else environment).get(VARIABLE)
    if chosen:
        return [Libllvm(Path(chosen), major_version(Path(chosen)), VARIABLE)]
    return [*_from_wheel(), *_from_system()]


def _from_wheel() -> Iterator[Libllvm]:
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for file in files:
        if re.match(r"libLLVM\.so\.\d", file.name):
            path = Path(str(file.locate())).resolve()
            if path.is_file():
                yield Libllvm(path, major_version(path), WHEEL)


def _from_system() -> list[Libllvm]:
    root = Path("/")
    paths = {p.resolve() for pattern in _SYSTEM for p in root.glob(pattern[1:])}
    found = [Libllvm(path, major_version(path), "system") for path in paths if path.is_file()]
    return sorted(found, key=lambda lib: (-(lib.major or 0), str(lib.path)))


def find_libllvm(environment: Mapping[str, str] | None = None) -> Libllvm | None:
    """The libLLVM to trace with; ``None`` off Linux, where Dr.Jit's own search is left alone.

    Raises
    ------
    ChannelError
        If the user's choice is missing or too old, or if there is none that is new enough.
    """
    seen = candidates(environment)
    if seen and seen[0].origin == VARIABLE:
        return _checked_choice(seen[0])
    if not sys.platform.startswith("linux"):
        return None
    for library in seen:
        if library.major is not None and library.major >= MIN_MAJOR:
            return library
    too_old = ", ".join(f"LLVM {lib.major} ({lib.path})" for lib in seen if lib.major is not None)
    found = f" (found only {too_old})" if too_old else ""
    raise ChannelError(f"ray tracing needs libLLVM >= {MIN_MAJOR}{found}: {REMEDY}")


def _checked_choice(library: Libllvm) -> Libllvm:
    if not library.path.is_file():
        raise ChannelError(f"{VARIABLE} names {library.path}, which is not a file: {REMEDY}")
    if library.major is not None and library.major < MIN_MAJOR:
        raise ChannelError(
            f"{VARIABLE} names LLVM {library.major}, but ray tracing needs {MIN_MAJOR} or newer "
            f"(15 and 16 abort the process): {REMEDY}"
        )
    return library


def missing_libatomic() -> str | None:
    """The remedy if Dr.Jit's ``libatomic.so.1`` is absent (its import would fail obscurely), else ``None``."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return f"libatomic.so.1 is missing (the ray tracer's compiler needs it): {LIBATOMIC_REMEDY}"
    return None


def tracing_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment of a process that may import Sionna RT: a usable libLLVM chosen, one thread.

    Raises
    ------
    MissingExtra
        If Sionna RT is not installed.
    ChannelError
        If no libLLVM is usable or libatomic is missing.
    """
    if is_absent("sionna"):
        raise MissingExtra("sionna-rt", "sionna")
    result = dict(os.environ if environment is None else environment)
    problem = missing_libatomic()
    if problem:
        raise ChannelError(problem)
    library = find_libllvm(result)
    if library is not None:
        result[VARIABLE] = str(library.path)
    return result


def preload() -> None:
    """Make the chosen libLLVM loadable in this process, before Dr.Jit is imported.

    The wheel's libLLVM is linked against a libc++ beside it whose version links are made at the first
    start of an interpreter with site packages; where they were not, the files are loaded by name.
    """
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        return
    try:
        ctypes.CDLL(chosen)
    except OSError:
        for prefix in _RUNTIMES:
            for file in sorted(Path(chosen).parent.glob(f"*/{prefix}*")):
                ctypes.CDLL(str(file))
                break
        try:
            ctypes.CDLL(chosen)
        except OSError as error:
            raise ChannelError(f"{chosen} cannot be loaded ({error}): {REMEDY}") from None
