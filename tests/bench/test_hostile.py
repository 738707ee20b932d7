"""No attacker of ``plugins/hostile.py`` runs code here, hangs, ends what is not its own, or gains anything."""

from __future__ import annotations

import json
import math
import os
import pickle
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import gone

from uara.bench.execution import referee
from uara.bench.execution.execute import RunTask, StoredRun, execute
from uara.isolation import process
from uara.isolation.messages import MOST_REASON
from uara.isolation.supervise import Allowance
from uara.problem import evaluate, parse_decision
from uara.scenarios.recipe import generate

from .conftest import PLUGINS

INSTANCE = generate(channel="path-loss", servers=3, devices=6, seed=1, name="tiny")

ENDINGS = {
    # messages that are none
    "pickle_bomb": ("error", "not JSON"),
    "pickle_bomb_bare": ("error", "a message of 21"),
    "pickle_bomb_in_json": ("error", "answer.details.x"),
    "half_message": ("timeout", "of its last message 7 of 104 bytes came"),
    "half_a_length": ("timeout", "of its last message 2 of ? bytes came"),
    "drips": ("timeout", "of 1048580 bytes came"),
    "two_gigabytes": ("error", "a message of 2147483648 bytes"),
    "four_gigabytes_and_sends": ("error", "a message of 4294967295 bytes"),
    "old_framing": ("error", "a message of 4294967295 bytes"),
    "noise": ("error", "more than the 16777216 that are read"),
    "empty_message": ("error", "not JSON"),
    "deep_nesting": ("error", "not JSON: recursion limit"),
    "deep_decision": ("error", "$.decision"),
    "list_as_message": ("error", "a message of no kind"),
    "unknown_kind": ("error", "'exec'"),
    "names_a_process": ("error", "'started'"),
    "prepared_twice": ("error", "'prepared'"),
    "called_for_ever": ("error", "'called'"),
    "extra_keys": ("error", "answer.runtime_s: Extra inputs"),
    "names_a_process_in_its_answer": ("error", "answer.pid: Extra inputs"),
    "many_words": ("error", "$.decision.association[0]"),
    "many_lists": ("error", "$.decision.association[0]"),
    "too_long": ("error", "more than the 16777216 that are read"),
    "surrogates": ("error", "not JSON"),
    # fields of the wrong kind
    "failure_is_text": ("error", "failed.status: Field required"),
    "failure_says_ok": ("error", "failed.status"),
    "point_is_text": ("error", "point.decision"),
    "details_have_a_number_for_a_key": ("error", "the key 7 is no word"),
    "details_are_text": ("error", "answer.details.x"),
    "details_are_a_list": ("error", "answer.details"),
    "details_are_huge": ("error", "has 100000 entries, more than 200"),
    "details_are_not_finite": ("error", "answer.details.x: Input should be a finite number"),
    "details_are_backwards": ("error", "must be printable"),
    "ended_in_its_own_way": ("error", "answer.ended"),
    "bound_is_not_finite": ("error", "answer.claimed_bound_ms: Input should be a finite number"),
    "objective_is_text": ("error", "answer.own_objective_ms"),
    "objective_is_beyond_numbers": ("error", "answer.own_objective_ms"),
    # answers that lie
    "forged_objective": ("error", "inside the run"),
    "answer_of_another_size": ("error", "5 devices"),
    "answer_has_no_servers": ("infeasible", "server"),
    "answer_is_negative": ("infeasible", ""),
    "answer_is_not_finite": ("error", "finite number"),
    "answer_is_tiny": ("infeasible", "finite objective"),
    "answer_is_empty": ("error", "$.decision.association: Field required"),
    "bound_above_its_answer": ("error", "is above its own objective"),
    "bound_above_its_answer_on_the_way": ("error", "is above its own objective"),
    "certificate_of_nothing": ("ok", ""),
    "certificate_of_huge_prices": ("ok", ""),
    "certificate_of_another_size": ("error", "3 prices"),
    "certificate_without_end": ("error", "verifying its certificate"),
    # trajectories that lie
    "point_with_a_number_of_its_own": ("error", "point.objective_ms: Extra inputs"),
    "point_that_is_infeasible": ("error", "bandwidth budget"),
    "answer_worse_than_its_points": ("error", "is worse than"),
    "points_that_get_worse": ("error", "no improvement"),
    "flood_of_points": ("timeout", "still ran"),
    # time
    "clock_paused": ("ok", ""),
    "clock_turned_back": ("ok", ""),
    "clock_patched": ("ok", ""),
    "runtime_of_its_own": ("ok", ""),
    "thinks_after_returning": ("ok", ""),
    "thinks_while_packing": ("ok", ""),
    "thinks_while_being_scored": ("ok", ""),
    "says_returned_and_thinks": ("error", "'returned'"),
    "works_in_prepare": ("ok", ""),
    "asks_for_the_instance_in_prepare": ("error", "'prepared'"),
    "late_answer": ("timeout", "answered"),
    # the run's process, and others'
    "exits": ("error", "SystemExit"),
    "exits_at_once": ("error", "exit code 0"),
    "closes_its_channel": ("error", "exit code 0"),
    "closes_all_handles": ("error", "closed its channel"),
    "stops_itself": ("timeout", "still ran"),
    "ignores_every_signal": ("timeout", "still ran"),
    "ends_its_watcher": ("error", "the process that watches it ended"),
    "stops_its_watcher": ("ok", ""),
    "leaves_a_thread": ("ok", ""),
    "child_that_goes_on": ("ok", ""),
    "child_that_answers_too": ("ok", ""),
    "sleeper_of_another_session": ("error", "SIGKILL"),
    "segfault": ("error", "SIGSEGV"),
    "overflows_the_stack": ("error", "Recursion"),
    # around the harness
    "writes_to_every_handle": ("error", ""),
    "patches_the_toolkit": ("error", "inside the run"),
    "patches_json": ("error", "a message of no kind"),
    "changes_its_instance": ("error", "it changed its instance"),
    "changes_folder_and_links": ("ok", ""),
    "fills_the_log": ("error", "enough"),
    "never_stops_printing": ("timeout", "still ran"),
    "long_reason": ("error", "xxx…"),
    "reason_with_controls": ("error", r"\x1b[2J\u202e uara: all is well\x00"),
    "error_without_words": ("error", "Mute: its message cannot be shown"),
    "error_that_is_its_own_cause": ("error", "round and round"),
    "takes_memory": ("memory", "more than 500 MB"),
    "calls_itself_skipped": ("skipped", "courage is not installed"),
    "interrupts": ("error", "KeyboardInterrupt"),
    "declines_backwards": ("error", r"\x07: \u202eno"),
}
"""Status of each attacker, and words of its reason."""
THINKERS = [name for name in ENDINGS if name.startswith(("clock_", "runtime_of", "thinks_"))]


@pytest.fixture(scope="module")
def lair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The attackers' folder, with the number of a process that is none of theirs."""
    folder = tmp_path_factory.mktemp("lair")
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=True)
    (folder / "victim").write_text(str(victim.pid))
    os.environ["LAIR"] = str(folder)
    yield folder
    assert victim.poll() is None, "nobody's run may end it"
    victim.kill()
    victim.wait()
    del os.environ["LAIR"]


def attack(name: str) -> StoredRun:
    """Give those that must be ended little time, and all others as much as any machine takes."""
    short = ENDINGS[name][0] == "timeout"
    limits = Allowance(0.5 if short else 600.0, 500.0, grace_s=30.0 if name == "late_answer" else 0.5)
    return execute(RunTask(name, pickle.dumps(INSTANCE), f"hostile:{name}", {}, 0, limits))


def test_every_attacker_has_an_ending() -> None:
    text = (PLUGINS / "hostile.py").read_text()
    solvers = set(re.findall(r"^def (\w+)\(instance: Instance, context: ", text, re.MULTILINE))
    assert solvers == set(ENDINGS)
    assert len(solvers) >= 62


@pytest.mark.integration
@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_attack_is_named_and_gains_nothing(name: str, lair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "FAREWELL_S", 2.0)
    monkeypatch.setattr("uara.isolation.supervise._CLOSED_S", 1.0)
    if name == "certificate_without_end":
        monkeypatch.setattr(referee, "Allowance", lambda _, *rest, **more: Allowance(0.5, *rest, **more))
    before = referee.Referee.scored, time.perf_counter, INSTANCE.digest
    began = time.monotonic()
    record = attack(name)
    row, (status, words) = record.row, ENDINGS[name]
    print(name, row["status"], repr(row["reason"]), round(time.monotonic() - began, 2))
    assert (row["status"], words in row["reason"]) == (status, True), row["reason"]
    assert row["reason"].isprintable()
    assert len(row["reason"]) <= MOST_REASON
    assert len(row.get("log") or "") <= 4000
    assert not (lair / "ran").exists(), "a pickle was loaded"
    assert (referee.Referee.scored, time.perf_counter, INSTANCE.digest) == before
    assert "hostile" not in sys.modules, "it was imported here"
    if name in THINKERS:
        assert row["runtime_s"] >= 0.4
    if status == "ok":
        decision = parse_decision(INSTANCE, json.loads(row["decision"]))
        assert row["objective_ms"] == evaluate(INSTANCE, decision).objective_ms
        assert row["certified_bound_ms"] is None or row["certified_bound_ms"] <= row["objective_ms"]
    if (own := lair / "own").exists():
        assert gone(int(own.read_text())), "it goes on"
        own.unlink()
    assert all(math.isfinite(point[0]) for point in record.points)
