"""Memory: what is free is asked of the system, and what does not fit is refused with both figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from uara.base import memory
from uara.base.errors import InputError


def test_the_systems_word_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "meminfo"
    said.write_text("MemTotal: 9 kB\nMemAvailable:   2000 kB\n", encoding="ascii")
    monkeypatch.setattr(memory, "_SYSTEM", said)
    assert memory.available_bytes() == 2000 * 1024
    memory.require_memory(2e6, "this")
    with pytest.raises(InputError, match=r"this takes about 0.003 GB, and 0.002 GB are free"):
        memory.require_memory(3e6, "this")


def test_a_system_that_says_nothing_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_SYSTEM", Path("/nowhere/meminfo"))
    memory.require_memory(1e30, "this")
