"""Every table on a real terminal of any width: names and status are whole, and no line is cut or broken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cases import make_instance
from rich.cells import cell_len
from terminals import screens

WIDTHS = (60, 72, 80, 100, 140, 200)
LONG = "server-" + "x" * 30


@pytest.mark.integration
def test_tables_fit_and_names_stay_whole(tmp_path: Path) -> None:
    instance = make_instance(12, 3, seed=2, name="twelve")
    ids = (LONG, "server1", "server2")
    instance.replace(servers=instance.servers.replace(id=ids)).save(tmp_path / "a.json")
    instance.replace(name="other").save(tmp_path / "b.json")
    tma = ("--solver", "tma:moves=pairs,allocation=sqrt", "--solver", "price")
    commands = [
        ("solve", "a.json", *tma, "--explain", "--output", "s.json"),
        ("solve", "a.json", "b.json", *tma),
        ("evaluate", "a.json", "s.json"),
        ("verify", "a.json", "s.json"),
        ("solve", "a.json", "--solver", "price", "--devices"),
        ("what-if", "a.json", "--band", "2x,4x", "--drop-server", LONG, "--w", "20", "--solver", "price"),
        ("solvers", "tma"),
        ("psd", "compare"),
    ]
    found = screens(commands, WIDTHS, tmp_path)
    assert len(found) == len(WIDTHS) * len(commands)
    for (width, command), lines in found.items():
        text, words = "\n".join(lines), " ".join(commands[command])
        assert max(map(cell_len, lines)) <= width, f"{words} at {width}"
        assert "…" not in text, f"{words} at {width}"
        if command in (0, 1):
            assert text.count("tma allocation=sqrt moves=pairs") >= 1 + command, f"{words} at {width}"
            assert re.search(r"\bfeasible\b", text), f"{words} at {width}"
            assert "controllable" in text
        if command in (4, 5):
            assert LONG in text, f"{words} at {width}"
        if command == 5:
            assert re.search(r"proven (better|worse)|\bworse\b|\bbetter\b|the same", text)
            assert "other weights" in text
        if command == 3:
            assert "accepted" in text
            assert "certified bound" in text


def test_files_hold_every_column(uara, instance_file: Path) -> None:  # type: ignore[no-untyped-def]
    words = ("solve", instance_file, "--solver", "price", "--format")
    csv = uara(*words, "csv").out
    assert csv.startswith("solver,status,objective ms,controllable ms,")
    assert "gap %" in csv.splitlines()[0]
    assert uara(*words, "latex").out.startswith("\\begin{tabular}{ll")
    assert uara(*words, "markdown").out.startswith("| solver | status |")
    outcome = uara(*words, "html")
    assert outcome.code == 2
