"""The command line: one short file a command, no logic of its own.

Here is what every command shares: a failure and Ctrl-C end it with one line and an exit code. Only small modules of
the standard library are imported before Ctrl-C is taken care of.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = 130
"""Exit code after Ctrl-C."""
_LINE = "uara: interrupted\n"
_ctrl_c = {"unanswered": 0}


_EXTRA = {
    "export": "models",
    "bench": "bench",
    "check-solver": "bench",
    "train": "learn",
    "psd": "psd",
    "profile": "psd",
}
"""The extra that a command is for, where more than one brings the library that it misses."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a :class:`UaraError`, a failing device and Ctrl-C end it with one line."""
    before = _on_ctrl_c(_leave_at_once)
    hook, sys.unraisablehook = sys.unraisablehook, _unraisable
    _ctrl_c["unanswered"] = 0
    try:
        _run(list(sys.argv[1:] if arguments is None else arguments))
    except BaseException as error:
        _end(error)
    finally:
        # what a process does after its command takes a moment too
        _on_ctrl_c(_leave_at_once if arguments is None else before)
        sys.unraisablehook = hook


def _run(words: list[str]) -> None:
    import atexit
    import gc
    import io
    import warnings

    from uara.base.extras import explained
    from uara.cli.app import build

    gc.set_threshold(
        50_000
    )  # imports and compilation make few cycles, and a tenth of their time is looking for them
    atexit.register(gc.freeze)  # a last collection over all that was imported would take up to a second
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter must not cost the result
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _warning_line(warnings.showwarning)
    chosen = next((word for word in [*words, *_being_completed()] if not word.startswith("-")), None)
    application = build(chosen)
    _on_ctrl_c(_interrupt)
    try:
        application(words, prog_name="uara")
    except ImportError as error:
        raise explained(error, _EXTRA.get(chosen or "")) or error from None
    finally:
        with suppress(ValueError):  # closed
            sys.stdout.flush()


def _being_completed() -> list[str]:
    """The words of the command line that a shell asks to complete, the program's name left out."""
    if "_UARA_COMPLETE" not in os.environ:
        return []
    line = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    return line.split()[1:]


def _warning_line(otherwise: Callable[..., None]) -> Callable[..., None]:
    """How warnings are shown: the toolkit's own as one line, like its errors."""
    from uara.base.errors import UaraWarning, one_line

    def show(message: Warning | str, category: type[Warning], *where: Any, **rest: Any) -> None:
        if isinstance(message, UaraWarning):
            _say(f"uara: {one_line(message)}\n")
        else:
            otherwise(message, category, *where, **rest)

    return show


def _end(error: BaseException) -> NoReturn:
    """Leave with the exit code of an error, and its line on standard error where it is the user's."""
    from uara.base.errors import UaraError, one_line

    code = error.code or 0 if isinstance(error, SystemExit) else 1
    if isinstance(error, KeyboardInterrupt) or code == INTERRUPTED or (was_interrupted() and code):
        _say(_LINE)
        sys.exit(INTERRUPTED)
    if isinstance(error, UaraError):
        _say(f"uara: {one_line(error)}\n")
        sys.exit(error.exit_code)
    if isinstance(error, OSError):
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        _say(f"uara: {one_line(OSError(f'{where}{error.strerror or error}'))}\n")
        sys.exit(1)
    raise error


def _say(line: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(line)
        sys.stderr.flush()


def _drop_output() -> None:
    """Let standard output go nowhere if it takes nothing: the interpreter would complain about it at its end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# Ctrl-C


def was_interrupted() -> bool:
    """Whether Ctrl-C came and nothing has answered it: whatever a library made of it is an interruption."""
    return _ctrl_c["unanswered"] > 0


def answered() -> None:
    """Say that a Ctrl-C did what it is for: it ended a run, whose answer is kept."""
    _ctrl_c["unanswered"] = 0


@contextmanager
def postponed() -> Iterator[None]:
    """Let a Ctrl-C wait until the block is done; a second one does not wait."""

    def remember(number: int, frame: FrameType | None) -> None:
        _ctrl_c["unanswered"] += 1
        if _ctrl_c["unanswered"] > already + 1:
            raise KeyboardInterrupt

    already = _ctrl_c["unanswered"]
    before = _on_ctrl_c(remember)
    try:
        yield
    finally:
        _on_ctrl_c(before)
    if _ctrl_c["unanswered"] > already:
        raise KeyboardInterrupt


def _on_ctrl_c(handler: Any) -> Any:
    try:
        return signal.signal(signal.SIGINT, handler)
    except (ValueError, TypeError):  # not the main thread; a handler that is not Python's
        return None


def _leave_at_once(number: int, frame: FrameType | None) -> None:
    """While modules are loaded there is nothing to keep, and an exception would get lost among them."""
    with suppress(OSError):
        os.write(2, _LINE.encode())
    os._exit(INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _ctrl_c["unanswered"] += 1
    raise KeyboardInterrupt


def _unraisable(unraisable: Any) -> None:
    """A Ctrl-C that came where Python drops exceptions comes again a moment later."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    import _thread
    import threading

    again = threading.Timer(0.05, _thread.interrupt_main)
    again.daemon = True
    again.start()
