from __future__ import annotations

import os
import pickle
import signal
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

import psutil
import pytest

from uara.bench import zygote


@dataclass(frozen=True)
class Echo:
    """Work that says where it runs, and how."""

    word: str

    def run(self, send: Any) -> Any:
        print("heard", self.word)
        return (
            self.word,
            os.getpid(),
            os.getpgid(0),
            {name: os.environ[name] for name in zygote.THREAD_VARIABLES},
        )


@dataclass(frozen=True)
class Exit:
    code: int

    def run(self, send: Any) -> None:
        os._exit(self.code)


def start(threads: int = 1) -> zygote.Process:
    return started(zygote.template(threads).process())


def started(process: zygote.Process) -> zygote.Process:
    assert process.channel.poll(60)
    kind, process.pid = pickle.loads(process.channel.recv_bytes())
    assert kind == "started"
    return process


def test_work_is_done_in_a_process_group_of_its_own() -> None:
    import sys

    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    process = start(threads=3)
    process.channel.send_bytes(cloudpickle.dumps(Echo("hello")))
    assert process.channel.poll(60)
    kind, content = pickle.loads(process.channel.recv_bytes())
    word, pid, group, variables = content
    assert (kind, word, pid) == ("answer", "hello", process.pid)
    assert group == pid != os.getpgid(0)
    assert set(variables.values()) == {"3"}
    assert wait([process.status], 10)
    assert process.exit_code() == 0
    assert process.close() == "heard hello"


@pytest.mark.parametrize(
    ("how", "code"), [("exit", 9), ("kill", -signal.SIGKILL), ("segfault", -signal.SIGSEGV)]
)
def test_how_a_run_ended_is_told(how: str, code: int) -> None:
    import sys

    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    process = start()
    assert process.pid is not None
    if how == "exit":
        process.channel.send_bytes(cloudpickle.dumps(Exit(code)))
    else:
        os.kill(process.pid, -code)
    assert wait([process.status], 10)
    assert process.exit_code() == code
    process.close()


def test_a_template_is_kept_while_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    one = zygote.template(1)
    assert zygote.template(1) is one
    assert zygote.template(2) is not one
    monkeypatch.setenv("SOMETHING", "new")
    assert zygote.template(1) is not one
    assert not one.fits(1)


def test_letting_go_ends_the_run() -> None:
    process = start()
    pid = process.pid
    process.pid = None  # as if it had never said who it is
    process.close()
    assert pid is not None
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
    assert len({first.pid, second.pid, third.pid}) == 3
    second.close()
    third.close()


def test_a_process_that_died_waiting_is_replaced() -> None:
    first = start()
    first.template.fork_ahead()
    ahead = first.template._next
    assert ahead is not None
    started(ahead)
    first.close()
    assert ahead.pid is not None
    os.kill(ahead.pid, signal.SIGKILL)
    assert wait([ahead.status], 10)
    second = start()
    assert second is not ahead
    assert second.alive()
    second.close()


def test_a_process_that_waits_ends_with_its_template() -> None:
    first = start()
    first.template.fork_ahead()
    ahead = first.template._next
    assert ahead is not None
    started(ahead)
    first.close()
    zygote.close_templates()
    assert ahead.pid is not None
    assert not psutil.pid_exists(ahead.pid)
