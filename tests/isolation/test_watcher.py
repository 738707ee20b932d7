from __future__ import annotations

import subprocess
import sys

import psutil
from processes import gone

from uara.isolation.watcher import end_family

PARENT = """
import os, time
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(600)
time.sleep(600)
"""


def test_a_family_ends_whole_and_its_head_stays() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as head:
        try:
            assert head.stdout is not None
            family = [int(head.stdout.readline()) for _ in range(4)]
            assert not any(map(gone, family))
            end_family(psutil.Process(head.pid))
            assert all(map(gone, family))
            assert head.poll() is None
        finally:
            head.kill()
