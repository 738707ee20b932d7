"""A real terminal for tests: a pseudo-terminal of any width, and what a command wrote to it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CHILD = r"""
import fcntl, json, struct, sys, termios
from uara.cli import main
commands, widths = json.loads(sys.argv[1])
for width in widths:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    for k, words in enumerate(commands):
        print(f"<<<{width} {k}>>>", flush=True)
        try:
            main(words)
        except SystemExit as end:
            assert not end.code, (words, end.code)
"""


def screens(
    commands: Sequence[Sequence[str]], widths: Sequence[int], folder: Path
) -> dict[tuple[int, int], list[str]]:
    """The lines that each command (its index) wrote to a terminal of each width, without colours."""
    import pty

    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _CHILD,
            json.dumps([[list(map(str, each)) for each in commands], list(widths)]),
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**environment, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    text = _plain(child, ours).replace("\r\n", "\n")
    found: dict[tuple[int, int], list[str]] = {}
    for part in text.split("<<<")[1:]:
        head, _, body = part.partition(">>>\n")
        width, command = map(int, head.split())
        found[width, command] = [line.rpartition("\r")[2] for line in body.splitlines()]
    return found


def typed(words: Sequence[str], folder: Path, width: int = 100) -> str:
    """All that a command wrote to a terminal that is its standard output and error, without colours."""
    import pty

    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", f"from uara.cli import main; main({list(words)!r})"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": str(width)},
    )
    os.close(theirs)
    return _plain(child, ours)


def _plain(child: subprocess.Popen[bytes], ours: int) -> str:
    """What a command writes to its terminal until it ends well, without colours."""
    written = b""
    with suppress(OSError):  # the end of a terminal is an error on Linux
        while piece := os.read(ours, 65536):
            written += piece
    os.close(ours)
    assert child.wait(timeout=300) == 0, written.decode()[-2000:]
    return ESCAPES.sub("", written.decode())
