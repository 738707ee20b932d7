"""The errors that uara raises on purpose: each says where, what, and what to do."""

from __future__ import annotations


class UaraError(Exception):
    """Base of every error that a user can cause or mend. ``exit_code`` is the command line's."""

    exit_code = 1


def one_line(error: Exception | str) -> str:
    """A message as one printable line, whatever names a file or a plug-in put into it."""
    text = " ".join(str(error).split())
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


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
