"""The errors that uara raises on purpose: each says where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class UaraError(Exception):
    """Base of every error that a user can cause or mend. ``exit_code`` is the command line's."""

    exit_code = 1


def one_line(error: BaseException | str) -> str:
    """A message as one printable line, whatever names a file or a plug-in put into it."""
    return printable(" ".join((error if isinstance(error, str) else _message(error)).split()))


def printable(text: str) -> str:
    """Text for showing: control and bidirectional characters, and others that cannot be printed, as escapes."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def reason_of(error: BaseException) -> str:
    """What went wrong in code that is not ours: kind and message, of an error whose message may be an error too."""
    return f"{type(error).__name__}: {_message(error)}".removesuffix(": ")


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "its message cannot be shown"


def meant(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that is not known: the end of a message."""
    there = list(known)
    near = get_close_matches(name, there, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else f"; there are: {', '.join(sorted(there))}"


def entry(table: Mapping[str, T], name: str, what: str, **place: str | None) -> T:
    """What a table holds under a name.

    Parameters
    ----------
    what
        What its entries are called.
    place
        ``source`` and ``path``, for the error.

    Raises
    ------
    InputError
        If it holds none; says which there are.
    """
    if name not in table:
        raise InputError(f"no {what} {name!r}; known are {', '.join(table)}", **place)
    return table[name]


def check_one_of(word: object, known: Iterable[str], source: str) -> None:
    """Refuse, with ``InputError``, a word that is none of those that are known."""
    there = list(known)
    if word not in there:
        raise InputError(f"{word!r} is not one of {', '.join(there)}", source=source)


class UaraWarning(UserWarning):
    """Something that the toolkit does otherwise than hoped, without harm to any result."""


class InputError(UaraError):
    """A file, an array or an option that cannot be used.

    Parameters
    ----------
    problem
        What is wrong, and the remedy where there is one.
    source
        File name, or a word for data that came from the library's caller.
    path
        Key path inside the source, such as ``$.devices.tx_power_w[3]``.
    """

    exit_code = 2

    def __init__(self, problem: str, *, source: str | None = None, path: str | None = None) -> None:
        self.problem = problem
        self.source = source
        self.path = path
        super().__init__(": ".join(part for part in (source, path, problem) if part))

    def in_source(self, source: str) -> InputError:
        """The same error, naming the file in which it was found."""
        return InputError(self.problem, source=source, path=self.path)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_input_error, (self.problem, self.source, self.path)


@contextmanager
def in_file(path: str | Path) -> Iterator[None]:
    """Name the file in every :class:`InputError` of the block that names none."""
    try:
        yield
    except InputError as error:
        raise (error if error.source else error.in_source(str(path))) from None


def _rebuild_input_error(problem: str, source: str | None, path: str | None) -> InputError:
    return InputError(problem, source=source, path=path)


class MissingExtra(UaraError):
    """An optional dependency is not installed."""

    exit_code = 3

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{package} is not installed; install it with: pip install 'uara[{extra}]'")

    def __reduce__(self) -> tuple[object, ...]:
        return MissingExtra, (self.package, self.extra)


class BrokenExtra(UaraError):
    """An optional dependency is installed and cannot be imported."""

    exit_code = 3

    def __init__(self, package: str, extra: str, reason: str) -> None:
        self.package = package
        self.extra = extra
        self.reason = reason
        super().__init__(
            f"{package} is installed but cannot be imported ({reason}); try: "
            f"pip install --force-reinstall 'uara[{extra}]'"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return BrokenExtra, (self.package, self.extra, self.reason)


class SolverError(UaraError):
    """A solver broke its contract, or failed; names the solver."""

    exit_code = 4

    def __init__(self, solver: str, problem: str) -> None:
        self.solver = solver
        self.problem = problem
        super().__init__(f"solver {solver}: {problem}")

    def __reduce__(self) -> tuple[object, ...]:
        return SolverError, (self.solver, self.problem)


class ChannelError(UaraError):
    """The channel simulator, or the compiler below it, is unusable or failed; says what to do."""

    exit_code = 5
