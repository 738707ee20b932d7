from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

import cloudpickle
import psutil
import pytest
from processes import gone

from uara.isolation.messages import Frames, framed
from uara.isolation.process import Process
from uara.isolation.template import THREAD_VARIABLES, Home, process
from uara.isolation.watcher import end

HOME = Home("uara.isolation.line")


@dataclass(frozen=True)
class Echo:
    """Work that says where it runs, and how."""

    def run(self, line: Any) -> dict[str, Any]:
        print("heard")
        handles = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
        threads = [os.environ[name] for name in THREAD_VARIABLES]
        return {"pid": os.getpid(), "group": os.getpgid(0), "threads": threads, "handles": len(handles)}


@dataclass(frozen=True)
class Exit:
    code: int

    def run(self, line: Any) -> None:
        os._exit(self.code)


def start(threads: int = 1) -> Process:
    return process(HOME, threads)


def pid_of(worker: Process) -> int:
    assert worker.started()
    assert worker.worker is not None
    return worker.worker.pid


def give(worker: Process, work: Any) -> None:
    cloudpickle.register_pickle_by_value(sys.modules[type(work).__module__])
    worker.channel.sendall(framed(cloudpickle.dumps(work)))


def wait_for_end(worker: Process) -> None:
    while not worker.ended:
        assert wait([worker.status], 60)
        worker.hear()


def test_work_is_done_in_a_process_group_of_its_own() -> None:
    worker = start(threads=3)
    pid = pid_of(worker)
    give(worker, Echo())
    assert wait([worker.channel], 60)
    (frame,) = Frames().feed(worker.channel.recv(1 << 16))
    said = json.loads(frame)
    assert (said["message"], said["pid"]) == ("answer", pid)
    assert said["group"] == said["pid"] != os.getpgid(0)
    assert set(said["threads"]) == {"3"}
    assert said["handles"] in (0, 5), "its own three, its channel, and the folder that it reads"
    wait_for_end(worker)
    assert worker.exit_code == 0
    assert worker.close().strip() == "heard"


@pytest.mark.parametrize(
    ("how", "code"), [("exit", 9), ("kill", -signal.SIGKILL), ("segfault", -signal.SIGSEGV)]
)
def test_how_a_run_ended_is_told(how: str, code: int) -> None:
    worker = start()
    if how == "exit":
        give(worker, Exit(code))
    else:
        os.kill(pid_of(worker), -code)
    wait_for_end(worker)
    assert worker.exit_code == code
    worker.close()


def test_closing_ends_the_worker() -> None:
    worker = start()
    pid = pid_of(worker)
    worker.close()
    assert gone(pid), "when close returns"


def test_only_the_last_of_what_is_printed_is_kept() -> None:
    worker = start()
    worker.log_bytes = 3
    give(worker, Echo())
    wait_for_end(worker)
    assert worker.close() == "rd\n"


def test_a_process_that_nobody_reaps_is_ended() -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
    end([psutil.Process(child)])
    assert gone(child)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it was a zombie"
