"""The command line, called within the test's own process."""

from __future__ import annotations

from uara.cli import main


def run(*words: str) -> int:
    """The exit code of ``uara`` with these words."""
    try:
        main(list(words))
    except SystemExit as end:
        return int(end.code or 0)
    return 0
