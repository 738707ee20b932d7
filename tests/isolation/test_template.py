from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
from processes import gone

from uara.base.errors import UaraError
from uara.isolation import process as process_module
from uara.isolation.messages import Frames
from uara.isolation.process import Process
from uara.isolation.template import THREAD_VARIABLES, Home, close_templates, process, template

from .test_process import HOME, give, pid_of, start, wait_for_end


@dataclass(frozen=True)
class Environment:
    """Work that says what its template loaded."""

    def run(self, line: Any) -> dict[str, Any]:
        return {"loaded": os.environ.get("LOADED", "")}


def test_workers_have_their_threads_pinned_and_find_what_is_found_here() -> None:
    found = Home("os", {"MARK": "here", "OMP_NUM_THREADS": "9"}).surroundings(3)
    assert {found[name] for name in THREAD_VARIABLES} == {"3"}
    assert found["MARK"] == "here"
    assert "HOME" not in found
    assert found["PYTHONPATH"].split(os.pathsep) == [entry or os.getcwd() for entry in sys.path]
    assert Home("os").surroundings(1).items() >= {"OMP_NUM_THREADS": "1"}.items()


@pytest.mark.integration
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_run_without_a_watcher_is_ended_all_the_same(
    how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "FAREWELL_S", 0.5)
    worker = start()
    pid = pid_of(worker)
    assert worker.watcher is not None
    worker.watcher.send_signal(how)
    worker.close()
    assert gone(pid)
    assert gone(worker.watcher.pid)
    again = start()
    assert again.template is not worker.template
    again.close()


@pytest.mark.integration
def test_a_template_that_does_not_answer_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    first = start()
    first.close()
    old = first.template
    os.kill(old._process.pid, signal.SIGSTOP)
    monkeypatch.setattr(Process.started, "__defaults__", (5.0,))
    monkeypatch.setattr(process_module, "FAREWELL_S", 0.5)
    second = start()
    assert second.template is not old
    assert old._process.poll() is not None
    second.close()


def test_a_template_is_kept_while_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    one = template(HOME, 1)
    assert template(HOME, 1) is one
    assert template(HOME, 2) is not one
    monkeypatch.setenv("SOMETHING", "new")
    assert template(HOME, 1) is not one
    assert not one.alive()


def test_a_dead_template_is_noticed_and_replaced() -> None:
    worker = start()
    old = template(HOME, 1)
    old._process.kill()
    old._process.wait()
    worker.close()
    assert template(HOME, 1) is not old
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
    close_templates()
    assert gone(pid)


def test_homes_have_templates_of_their_own() -> None:
    other = Home("uara.isolation.messages")
    assert template(other, 1) is not template(HOME, 1)
    assert template(HOME, 1) is template(HOME, 1)


def test_a_template_that_cannot_start_is_one_clear_error() -> None:
    with pytest.raises(UaraError, match="no worker process came up"):
        process(Home("no_such_module"), 1)


def test_what_is_loaded_later_is_there_from_the_second_worker_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loads_later.py").write_text("import os\ndef later(): os.environ['LOADED'] = 'yes'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = []
    for _ in range(2):
        worker = process(Home("loads_later"), 1)
        give(worker, Environment())
        assert wait([worker.channel], 60)
        (frame,) = Frames().feed(worker.channel.recv(1 << 16))
        found.append(json.loads(frame)["loaded"])
        worker.close()
    assert found == ["", "yes"]


def test_a_system_that_cannot_fork_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(UaraError, match="needs a system that can fork"):
        process(Home("os"), 1)
