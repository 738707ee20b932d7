from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from uara.isolation.meter import Meter

FAMILY = """
import os, time
held = bytearray(200_000_000)
held[::4096] = b"x" * len(held[::4096])
if os.fork():
    print(flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows what processes share")
def test_what_a_family_shares_counts_once_and_the_most_is_kept() -> None:
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        (child,) = psutil.Process(parent.pid).children()
        process: Any = SimpleNamespace(worker=psutil.Process(parent.pid), watcher=psutil.Process(parent.pid))
        meter = Meter(process)
        meter.read()
        assert [each.pid for each in meter.family] == [child.pid]
        assert 200e6 < meter.peak_bytes < 300e6
        assert meter.threads == 2
        child.kill()
        parent.kill()
        parent.wait()
        most = meter.peak_bytes
        meter.read()
        assert meter.peak_bytes == most


def test_nothing_is_known_before_the_watcher_has_spoken() -> None:
    process: Any = SimpleNamespace(worker=None, watcher=None)
    meter = Meter(process)
    meter.read()
    assert meter.peak_bytes == meter.threads == 0
