"""The command line: one short file a command, no logic of its own."""

from __future__ import annotations

from uara.cli.app import main

__all__ = ["main"]
