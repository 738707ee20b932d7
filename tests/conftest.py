"""What holds for every test: the same examples of properties in each run, and modules skipped without their extra.

Properties are tried on the same examples every time, so that no run fails by luck. New examples:
``pytest --hypothesis-profile=explore``.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

from uara.base.extras import extras, is_absent, requirements

settings.register_profile("steady", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("explore", deadline=None, max_examples=200)
settings.load_profile("steady")

# Where bytecode may not be kept, each of the hundreds of processes that tests start compiles all sources anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

TOGETHER = ("tests/psd/",)
"""Folders for one worker alone: what they import takes longer than most of their tests."""

_ABSENT = re.compile(r"ModuleNotFoundError: No module named '(\w+)")
_HALF_A_CONFTEST = re.compile(r"ImportError: cannot import name '\w+' from '[\w.]*conftest'")
"""What a module sees that imports from a ``conftest`` which has skipped its folder."""


def _lacks_an_extra(text: str) -> str | None:
    """Why a module that could not be collected needs more than the core; None where that is not the reason."""
    names = {
        each.name.replace("-", "_") for extra in extras() for each in requirements(extra) if extra != "docs"
    }
    absent = sorted(name for name in names if is_absent(name))
    found = _ABSENT.search(text)
    if found:
        return f"needs {found[1]}" if found[1] in absent else None
    return f"needs one of {', '.join(absent)}" if absent and _HALF_A_CONFTEST.search(text) else None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip a module that imports what a core installation lacks; where all is installed nothing is skipped."""
    report = yield
    reason = _lacks_an_extra(str(report.longrepr)) if report.outcome == "failed" else None
    if reason:
        report.outcome, report.longrepr = "skipped", (str(collector.path), 0, f"Skipped: {reason}")
    return report


def pytest_collection_finish() -> None:
    """Let the collector of garbage never again look through all that was imported."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One worker for each file, and for each folder that stays together."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            together = (folder for folder in TOGETHER if nodeid.startswith(folder))
            return next(together, super()._split_scope(nodeid))

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None
