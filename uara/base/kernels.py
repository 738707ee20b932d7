"""Compiled functions, and the folder that keeps their machine code from one run to the next.

Numba's own cache ends the program at import where no folder can be written, hands whatever a damaged file holds to
the linker, lets two processes give one file to two signatures, and does not see that a called function of another
file has changed. So each kernel keeps one file a signature, named after all that its machine code was made from and
checked by a digest when it is read; what cannot be read is compiled anew, what cannot be kept is said once.
"""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import stat
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple, TypeVar, overload

import platformdirs

from uara.base import compiling
from uara.base.errors import UaraWarning, reason_of

numba: Any = import_module("numba")
TRIED = ("0.68.",)
"""Versions of Numba with whose inner parts the stages of :mod:`uara.base.pipeline` were tried; others use their own."""
pipeline: Any = import_module("uara.base.pipeline") if numba.__version__.startswith(TRIED) else None
F = TypeVar("F", bound=Callable[..., Any])


VARIABLE = "NUMBA_CACHE_DIR"
"""Environment variable that names the folder to use before all others."""
REMEDY = f"let {VARIABLE} name a folder that can be written"
_DIGEST_BYTES = 32


@overload
def kernel(function: F, /) -> F: ...
@overload
def kernel(
    *, inline: str = ..., allocates: bool = ..., inner: bool = ..., threads: bool = ...
) -> Callable[[F], F]: ...
def kernel(
    function: Any = None,
    /,
    *,
    inline: str = "never",
    allocates: bool = True,
    inner: bool = False,
    threads: bool = False,
) -> Any:
    """Compile a function with Numba when it is first called, and keep its machine code for later runs.

    Parameters
    ----------
    inline
        ``always`` puts the function's own text where it is called.
    allocates
        Whether it makes arrays. One that makes none need not count references to those that it is given, which
        costs more than a short kernel's own work; compiling fails where the promise is broken.
    inner
        Whether kernels alone call it. No way in from Python is compiled then, which for a record of thirty arrays
        takes longer than many a kernel itself; calling it from Python raises
        ``TypeError`` (with a Numba that was not tried, it ends the process): see :func:`alone`.
    threads
        Whether several may run at a time: it lets go of Python's lock meanwhile.
    """

    def compiled(function: Any) -> Any:
        dispatcher = numba.njit(
            function,
            error_model="numpy",
            inline=inline,
            _nrt=allocates,
            no_cpython_wrapper=inner,
            no_cfunc_wrapper=True,
            nogil=threads,
            **({} if pipeline is None else {"pipeline_class": pipeline.Pipeline}),
        )
        if _is_compiled(dispatcher):
            dispatcher._cache = Shelf(function, allocates=allocates, inner=inner)
        return dispatcher

    return compiled if function is None else compiled(function)


@cache
def alone(inner: F) -> F:
    """An inner kernel with a way in from Python, compiled where that is first called: for tests and rare callers."""
    if not _is_compiled(inner):
        return inner
    found: Any = inner
    twin: F = kernel(allocates=found._cache.allocates)(found.py_func)
    return twin


def _is_compiled(value: object) -> bool:
    """Not so for a plain function, which a kernel stays under ``NUMBA_DISABLE_JIT``."""
    return isinstance(value, numba.core.dispatcher.Dispatcher)


class Shelf:
    """The kept machine code of one kernel, as Numba's dispatcher asks for it."""

    def __init__(self, function: Any, *, allocates: bool = True, inner: bool = False) -> None:
        self._function, self.allocates, self._inner = function, allocates, inner
        self._source = Path(function.__code__.co_filename)

    @property
    def cache_path(self) -> str | None:
        """The folder that is asked first."""
        return next((str(place.folder) for place in _places(self._source)), None)

    def flush(self) -> None:
        """Nothing: a file is not asked for again once it is out of date."""

    def load_overload(self, signature: Any, context: Any) -> Any:
        """The kernel compiled for a signature, or None where it is not kept."""
        if self._inner:  # it is a part of what is kept of its callers
            compiling.begins(self._function.__qualname__)
            return None
        # What is kept calls Numba's memory manager, and needs nothing else of the compiler.
        if self.allocates:
            numba.core.runtime.rtsys.initialize(context)
        key, damage = self._key(signature, context.codegen()), ""
        for place in _places(self._source):
            try:
                return _unpacked(place.read(self._name(key)), key, context)
            except OSError:
                continue
            except Exception as error:  # a damaged file can hold anything
                damage = (
                    f"compiled code in {place.folder} is damaged ({reason_of(error)}); it is compiled anew"
                )
        if damage:
            _warn(damage)
        compiling.begins(self._function.__qualname__)
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a compiled kernel, in the first folder that takes it; warn where that is none, or a makeshift."""
        if (
            self._inner
            or compiled.library.has_dynamic_globals
            or not all(loop.can_cache for loop in compiled.lifted)
        ):
            return
        place, reasons = self.keep(signature, compiled)
        why = f"({'; '.join(reasons)}): {REMEDY}"
        if place is None and reasons:
            _warn(f"compiled code cannot be kept, so that each run takes half a minute longer {why}")
        elif place and (place.shared or (reasons and numba.config.CACHE_DIR)):
            _warn(f"compiled code is kept in {place.folder} {why}")

    def keep(self, signature: Any, compiled: Any) -> tuple[Place | None, list[str]]:
        """Write into the first folder that takes it: that folder, and what is wrong with those before."""
        key = self._key(signature, compiled.codegen)
        payload = numba.core.serialize.dumps((key, compiled._reduce()))
        reasons = []
        for place in _places(self._source):
            try:
                place.write(self._name(key), hashlib.sha256(payload).digest() + payload)
            except OSError as error:
                reasons.append(f"{place.folder}: {error.strerror or error}")
            else:
                place.clear(f"{self._base}.*.kernel", keep=f"{self._base}.{self._stamp}.")
                return place, reasons
        return None, reasons

    def _name(self, key: Any) -> str:
        return f"{self._base}.{self._stamp}.{hashlib.sha256(str(key).encode()).hexdigest()[:16]}.kernel"

    def _key(self, signature: Any, codegen: Any) -> Any:
        """What tells the versions of a kernel apart: types with their fields, processor, cells of a closure."""
        fields = [each.fields for each in signature if isinstance(each, numba.types.BaseNamedTuple)]
        cells = [repr(cell.cell_contents) for cell in self._function.__closure__ or ()]
        return signature, fields, codegen.magic_tuple(), cells

    @property
    def _base(self) -> str:
        name = self._function.__qualname__.replace("<", "").replace(">", "")
        return f"{self._source.stem}.{name}.{sys.implementation.cache_tag}"

    @cached_property
    def _stamp(self) -> str:
        made_of = {f"numba {numba.__version__}"} | ({_file_digest(pipeline.__file__)} if pipeline else set())
        _ingredients(self._function, made_of, set())
        return hashlib.sha256("\n".join(sorted(made_of)).encode()).hexdigest()[:16]


class Place(NamedTuple):
    """A folder for machine code. Where every user may write (``shared``), it must be this user's alone."""

    folder: Path
    shared: bool = False

    def read(self, name: str) -> bytes:
        """The content of a file; ``OSError`` where there is none that may be used."""
        self._check()
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; ``OSError`` where that is not possible."""
        self.folder.mkdir(0o700 if self.shared else 0o777, parents=True, exist_ok=True)
        self._check()
        temporary = self.folder / f".{name}.{uuid.uuid4().hex}"
        try:
            temporary.write_bytes(content)
            os.replace(temporary, self.folder / name)
        finally:
            temporary.unlink(missing_ok=True)

    def clear(self, pattern: str, *, keep: str) -> None:
        """Remove files that no version of today will ask for."""
        for path in self.folder.glob(pattern):
            if not path.name.startswith(keep):
                with suppress(OSError):
                    path.unlink()

    def _check(self) -> None:
        found = self.folder.lstat()
        if self.shared and os.name != "nt":
            open_to_others = not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077
            if open_to_others or found.st_uid != os.getuid():
                raise PermissionError(errno.EPERM, "another user could write there")


def _ingredients(function: Any, found: set[str], seen: set[Any]) -> None:
    """Collect what machine code is made from: files by content, and the numbers that their names stand for."""
    if function in seen:
        return
    seen.add(function)
    found.add(_file_digest(function.__code__.co_filename))
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if _is_compiled(value):
            _ingredients(value.py_func, found, seen)
        elif isinstance(value, bool | int | float | complex | str | tuple):
            found.add(f"{function.__module__}.{name} = {value!r}")


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


@cache
def _file_digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _unpacked(content: bytes, key: Any, context: Any) -> Any:
    digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != digest:
        raise ValueError("its digest is wrong")
    found, reduced = pickle.loads(payload)
    if found != key:
        raise ValueError("it is another kernel's")
    return numba.core.compiler.CompileResult._rebuild(context, *reduced)


def _places(source: Path) -> Iterator[Place]:
    """Where the kernels of a source file may be kept, in the order in which they are tried."""
    if not source.is_file():  # typed at a prompt, or inside an archive
        return
    inner = f"{source.parent.name}-{hashlib.sha256(str(source.parent).encode()).hexdigest()[:16]}"
    if numba.config.CACHE_DIR:
        yield Place(Path(numba.config.CACHE_DIR) / inner)
    yield Place(source.parent / "__pycache__")
    own = platformdirs.user_cache_path("uara")
    if own.is_absolute():  # else there is no home
        yield Place(own / "kernels" / inner)
    with suppress(OSError):  # where there is no such folder at all
        yield Place(Path(tempfile.gettempdir()) / f"uara-{getattr(os, 'getuid', int)()}-{inner}", shared=True)


def _warn(text: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(text, UaraWarning, stacklevel=4)


_warned = False


def _probe(value: Any) -> Any:
    return value * value + 1.0


def try_out() -> tuple[Path | None, list[str]]:
    """Compile a tiny kernel, keep it, and load it back.

    Returns
    -------
    tuple
        The folder that keeps it, None if there is none, and what is wrong with each that was tried before.

    Raises
    ------
    RuntimeError
        If what was kept does not come back.
    """
    fresh = numba.njit(_probe)
    fresh(3.0)
    signature, compiled = next(iter(fresh.overloads.items()))
    place, reasons = Shelf(_probe).keep(signature, compiled)
    again: Any = kernel(_probe)
    if again(3.0) != 10.0 or (place and not sum(again.stats.cache_hits.values())):
        raise RuntimeError("a compiled function was kept and did not come back")
    return place and place.folder, reasons
