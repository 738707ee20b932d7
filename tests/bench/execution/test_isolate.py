from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

import psutil
import pytest

from uara.bench.execution import isolate as zygote
from uara.bench.execution.messages import Frames, framed


@dataclass(frozen=True)
class Echo:
    """Work that says where it runs, and how."""

    def run(self, line: Any) -> dict[str, Any]:
        print("heard")
        handles = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
        threads = [os.environ[name] for name in zygote.THREAD_VARIABLES]
        return {"pid": os.getpid(), "group": os.getpgid(0), "threads": threads, "handles": len(handles)}


@dataclass(frozen=True)
class Exit:
    code: int

    def run(self, line: Any) -> None:
        os._exit(self.code)


def start(threads: int = 1) -> zygote.Process:
    return zygote.process(threads)


def pid_of(process: zygote.Process) -> int:
    assert process.started()
    assert process.run is not None
    return process.run.pid


def give(process: zygote.Process, work: Any) -> None:
    import sys

    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    process.channel.sendall(framed(cloudpickle.dumps(work)))


def wait_for_end(process: zygote.Process) -> None:
    while not process.ended:
        assert wait([process.status], 60)
        process.hear()


def test_work_is_done_in_a_process_group_of_its_own() -> None:
    process = start(threads=3)
    give(process, Echo())
    assert wait([process.channel], 60)
    (frame,) = Frames().feed(process.channel.recv(1 << 16))
    said = json.loads(frame)
    assert (said["message"], said["pid"]) == ("answer", pid_of(process))
    assert said["group"] == said["pid"] != os.getpgid(0)
    assert set(said["threads"]) == {"3"}
    assert said["handles"] in (0, 5), "its own three, its channel, and the folder that it reads"
    wait_for_end(process)
    assert process.exit_code == 0
    assert process.close().strip() == "heard"


@pytest.mark.parametrize(
    ("how", "code"), [("exit", 9), ("kill", -signal.SIGKILL), ("segfault", -signal.SIGSEGV)]
)
def test_how_a_run_ended_is_told(how: str, code: int) -> None:
    process = start()
    if how == "exit":
        give(process, Exit(code))
    else:
        os.kill(pid_of(process), -code)
    wait_for_end(process)
    assert process.exit_code == code
    process.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_run_without_a_watcher_is_ended_all_the_same(
    how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygote, "FAREWELL_S", 0.5)
    process = start()
    pid = pid_of(process)
    assert process.watcher is not None
    process.watcher.send_signal(how)
    process.close()
    assert not psutil.pid_exists(pid)
    assert not process.watcher.is_running()
    again = start()
    assert again.template is not process.template
    again.close()


def test_a_template_that_does_not_answer_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    first = start()
    first.close()
    old = first.template
    os.kill(old._process.pid, signal.SIGSTOP)
    monkeypatch.setattr(zygote.Process.started, "__defaults__", (5.0,))
    monkeypatch.setattr(zygote, "FAREWELL_S", 0.5)
    second = start()
    assert second.template is not old
    assert old._process.poll() is not None
    second.close()


def test_a_template_is_kept_while_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    one = zygote.template(1)
    assert zygote.template(1) is one
    assert zygote.template(2) is not one
    monkeypatch.setenv("SOMETHING", "new")
    assert zygote.template(1) is not one
    assert not one.fits(1)


def test_closing_ends_the_run() -> None:
    process = start()
    pid = pid_of(process)
    process.close()
    assert not psutil.pid_exists(pid), "gone when close returns"


def test_a_dead_template_is_noticed_and_replaced() -> None:
    process = start()
    old = zygote.template(1)
    old._process.kill()
    old._process.wait()
    process.close()
    assert zygote.template(1) is not old
    again = start()
    again.close()


def test_a_process_is_forked_ahead_and_taken_once() -> None:
    first = start()
    first.template.fork_ahead()
    ahead = first.template._next
    first.template.fork_ahead()
    assert first.template._next is ahead, "one at a time"
    first.close()
    second, third = start(), start()
    assert second is ahead
    assert len({pid_of(each) for each in (second, third)}) == 2
    second.close()
    third.close()


def test_a_process_that_died_waiting_is_replaced() -> None:
    first = start()
    first.template.fork_ahead()
    ahead = first.template._next
    assert ahead is not None
    pid = pid_of(ahead)
    first.close()
    os.kill(pid, signal.SIGKILL)
    wait_for_end(ahead)
    second = start()
    assert second is not ahead
    assert second.alive()
    second.close()


def test_a_process_that_waits_ends_with_its_template() -> None:
    first = start()
    first.template.fork_ahead()
    ahead = first.template._next
    assert ahead is not None
    pid = pid_of(ahead)
    first.close()
    zygote.close_templates()
    assert not psutil.pid_exists(pid)
