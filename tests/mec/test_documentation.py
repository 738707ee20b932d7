"""The snippets of docs/mec.md run as they are printed, and the page says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("pettingzoo")
pytest.importorskip("gymnasium")

from uara.hardware import OWN_WORK_S
from uara.mec.channels import FADING_DB, FADING_MEMORY
from uara.mec.slots import BATTERY_FLOOR
from uara.mec.views import LOG_WEIGHT_RANGE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mec.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_there_are_snippets_for_both_faces_and_for_batches():
    for name in ("MecEnv(", "MecParallelEnv(", "Environment.from_trace("):
        assert sum(name in snippet for snippet in SNIPPETS) == 1


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda text: re.findall(r"Mec[-\w]+|Environment", text)[0])
def test_snippets_run_as_printed(snippet, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = {}
    exec(compile(snippet, "docs/mec.md", "exec"), names)
    if "env" in names:
        over = names["truncated"] if "truncated" in names else all(names["truncations"].values())
        assert over
        assert names["env"].world.environment.slot_number == 5


def test_numbers_are_those_of_the_code():
    low, high = LOG_WEIGHT_RANGE
    for words in (
        f"0 to {OWN_WORK_S:g} s of work of its own",
        f"down to {BATTERY_FLOOR:.0%}".replace("%", " %"),
        f"{FADING_DB:g} dB of fading, correlation {FADING_MEMORY:g}",
        f"clipped to {low:g} to {high:g}",
    ):
        assert words in re.sub(r"\s+", " ", PAGE), words


def test_files_named_exist():
    for name in re.findall(r"`(uara/[\w/]+\.py)`", PAGE):
        assert (ROOT / name).exists(), name
