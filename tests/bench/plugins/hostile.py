"""Attackers of the harness, each a solver; what it must say of each stands in ``test_hostile.py``.

They harm nothing but their own run where they have their way: processes that they name, stop or leave behind are
their own, files that they write stand in the folder ``$LAIR``.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from uara import Allocation, Answer, Context, Instance, allocate
from uara.base.errors import InputError, MissingExtra
from uara.problem import evaluate
from uara.registry import as_solver

Solver = Callable[[Instance, Context[Any]], Any]


def lair(name: str) -> Path:
    """A file of the attacker's own."""
    return Path(os.environ["LAIR"]) / name


def first(instance: Instance) -> Allocation:
    """An honest answer."""
    return allocate(instance, instance.channel.pair_server[instance.channel.pair_start[:-1]])


@cache
def channel() -> socket.socket:
    """The run's end of its channel, found among all objects."""
    line = next(each for each in gc.get_objects() if type(each).__name__ == "Line")
    return socket.socket(fileno=line._channel.fileno())


def raw(content: bytes) -> None:
    """Send bytes without a frame."""
    channel().sendall(content)


def frame(content: bytes) -> None:
    """Send bytes as a message."""
    raw(struct.pack("!I", len(content)) + content)


def say(**message: Any) -> None:
    """Send JSON as a message."""
    frame(json.dumps(message).encode())


def forge(instance: Instance, **changes: Any) -> None:
    """Send an answer of one's own making, and wait for what comes of it."""
    decision = first(instance)
    facts = {
        "message": "answer",
        "decision": decision.to_plain(),
        "ended": "completed",
        "own_objective_ms": float(evaluate(instance, decision).objective_ms),
        "details": {},
    }
    say(**{**facts, **changes})
    time.sleep(600)


class Bomb:
    """An object whose pickle writes who unpickled it."""

    def __reduce__(self) -> Any:
        script = f"open({str(lair('ran'))!r}, 'a').write(str(__import__('os').getpid()))"
        return exec, (script,)


# Messages that are none ---


def pickle_bomb(instance: Instance, context: Context[Any]) -> Any:
    frame(pickle.dumps(("point", Bomb())))
    time.sleep(600)


def pickle_bomb_bare(instance: Instance, context: Context[Any]) -> Any:
    raw(pickle.dumps(Bomb()))
    time.sleep(600)


def pickle_bomb_in_json(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, details={"x": pickle.dumps(Bomb()).decode("latin-1")})


def half_message(instance: Instance, context: Context[Any]) -> Any:
    raw(struct.pack("!I", 100) + b"abc")
    time.sleep(600)


def half_a_length(instance: Instance, context: Context[Any]) -> Any:
    raw(b"\0\0")
    time.sleep(600)


def drips(instance: Instance, context: Context[Any]) -> Any:
    raw(struct.pack("!I", 1 << 20))
    while True:
        raw(b" ")
        time.sleep(0.01)


def two_gigabytes(instance: Instance, context: Context[Any]) -> Any:
    raw(struct.pack("!I", 2**31))
    time.sleep(600)


def four_gigabytes_and_sends(instance: Instance, context: Context[Any]) -> Any:
    raw(struct.pack("!I", 2**32 - 1))
    while True:
        raw(b"x" * 65536)


def old_framing(instance: Instance, context: Context[Any]) -> Any:
    raw(struct.pack("!i", -1) + struct.pack("!Q", 2**40))
    time.sleep(600)


def noise(instance: Instance, context: Context[Any]) -> Any:
    raw(np.random.default_rng(0).bytes(65536))
    time.sleep(600)


def empty_message(instance: Instance, context: Context[Any]) -> Any:
    raw(struct.pack("!I", 0))
    time.sleep(600)


def deep_nesting(instance: Instance, context: Context[Any]) -> Any:
    frame(b'{"message": "answer", "decision": ' + b"[" * 1_000_000)
    time.sleep(600)


def deep_decision(instance: Instance, context: Context[Any]) -> Any:
    deep = b'{"a":' * 150 + b"{}" + b"}" * 150
    frame(b'{"message": "answer", "ended": "completed", "decision": ' + deep + b"}")
    time.sleep(600)


def list_as_message(instance: Instance, context: Context[Any]) -> Any:
    frame(b'["answer", {}]')
    time.sleep(600)


def unknown_kind(instance: Instance, context: Context[Any]) -> Any:
    say(message="exec", content="import os")
    time.sleep(600)


def names_a_process(instance: Instance, context: Context[Any]) -> Any:
    say(message="started", pid=int(lair("victim").read_text()))
    time.sleep(600)


def prepared_twice(instance: Instance, context: Context[Any]) -> Any:
    say(message="prepared")
    time.sleep(600)


def called_for_ever(instance: Instance, context: Context[Any]) -> Any:
    while True:
        say(message="called")
        time.sleep(0.01)


def extra_keys(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, runtime_s=1e-9)


def names_a_process_in_its_answer(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, pid=int(lair("victim").read_text()))


def many_words(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, decision={"association": ["a"] * 2_000_000, "bandwidth": [], "compute": []})


def many_lists(instance: Instance, context: Context[Any]) -> Any:
    frame(
        b'{"message": "answer", "ended": "completed", "decision": {"association": ['
        + b"[]," * 2_000_000
        + b"[]]}}"
    )
    time.sleep(600)


def too_long(instance: Instance, context: Context[Any]) -> Any:
    return Answer(first(instance), details={"x" * 20_000_000: 1.0})


def surrogates(instance: Instance, context: Context[Any]) -> Any:
    frame(b'{"message": "failed", "status": "error", "reason": "\\ud800"}')
    time.sleep(600)


# Fields of the wrong kind ---


def failure_is_text(instance: Instance, context: Context[Any]) -> Any:
    say(message="failed", content="hello")
    time.sleep(600)


def failure_says_ok(instance: Instance, context: Context[Any]) -> Any:
    say(message="failed", status="ok", reason="")
    time.sleep(600)


def point_is_text(instance: Instance, context: Context[Any]) -> Any:
    say(message="point", decision="hello")
    time.sleep(600)


def details_have_a_number_for_a_key(instance: Instance, context: Context[Any]) -> Any:
    return Answer(first(instance), details={7: 2.0})  # type: ignore[dict-item]


def details_are_text(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, details={"x": "<script>"})


def details_are_a_list(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, details=[1, 2])


def details_are_huge(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, details={str(k): 1.0 for k in range(100_000)})


def details_are_not_finite(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, details={"x": float("nan")})


def details_are_backwards(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, details={"\u202etxt.exe": 1.0})


def ended_in_its_own_way(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, ended="won")


def bound_is_not_finite(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, claimed_bound_ms=float("inf"))


def objective_is_text(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, own_objective_ms="0")


def objective_is_beyond_numbers(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, own_objective_ms=10**400)


# Answers that lie ---


def forged_objective(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, own_objective_ms=1.0)


def answer_of_another_size(instance: Instance, context: Context[Any]) -> Any:
    decision = first(instance)
    return Allocation(decision.association[:-1], decision.bandwidth[:-1], decision.compute[:-1])


def answer_has_no_servers(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, decision={**first(instance).to_plain(), "association": [10**9] * len(instance.devices)})


def answer_is_negative(instance: Instance, context: Context[Any]) -> Any:
    decision = first(instance)
    return Allocation(decision.association, -decision.bandwidth, decision.compute)


def answer_is_not_finite(instance: Instance, context: Context[Any]) -> Any:
    decision = first(instance).to_plain()
    decision["bandwidth"][0] = float("nan")
    forge(instance, decision=decision)


def answer_is_tiny(instance: Instance, context: Context[Any]) -> Any:
    decision = first(instance)
    return Allocation(decision.association, decision.bandwidth * 1e-300, decision.compute)


def answer_is_empty(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, decision={})


def bound_above_its_answer(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, claimed_bound_ms=1e300)


def bound_above_its_answer_on_the_way(instance: Instance, context: Context[Any]) -> Any:
    say(message="point", bound_ms=1e300)
    forge(instance)


def certificate_of_nothing(instance: Instance, context: Context[Any]) -> Any:
    forge(instance, certificate={"kind": "oath", "bound_ms": 1e9})


def certificate_of_huge_prices(instance: Instance, context: Context[Any]) -> Any:
    prices = [1e308] * len(instance.servers)
    forge(instance, certificate={"kind": "prices", "compute_price": prices, "bandwidth_price": prices})


def certificate_of_another_size(instance: Instance, context: Context[Any]) -> Any:
    forge(
        instance, certificate={"kind": "prices", "compute_price": [1.0] * 99, "bandwidth_price": [1.0] * 99}
    )


def certificate_without_end(instance: Instance, context: Context[Any]) -> Any:
    nodes, servers = 200_001, len(instance.servers)
    tree = {
        "kind": "branches",
        "target_ms": 1e9,
        "prices": [0] * nodes,
        "device": [k % len(instance.devices) if k < nodes // 2 else -1 for k in range(nodes)],
        "server": [0 if k < nodes // 2 else -1 for k in range(nodes)],
        "compute_price": [[0.0] * servers],
        "bandwidth_price": [[0.0] * servers],
    }
    forge(instance, certificate=tree)


# Trajectories that lie ---


def point_with_a_number_of_its_own(instance: Instance, context: Context[Any]) -> Any:
    say(message="point", objective_ms=1.0, elapsed_s=0.0)
    time.sleep(600)


def point_that_is_infeasible(instance: Instance, context: Context[Any]) -> Any:
    ones = [1.0] * len(instance.devices)
    say(message="point", decision={**first(instance).to_plain(), "bandwidth": ones, "compute": ones})
    time.sleep(600)


def answer_worse_than_its_points(instance: Instance, context: Context[Any]) -> Any:
    from uara import solve

    say(message="point", decision=solve(instance, "price").decision.to_plain())
    forge(instance)


def points_that_get_worse(instance: Instance, context: Context[Any]) -> Any:
    from uara import solve

    say(message="point", decision=solve(instance, "price").decision.to_plain())
    say(message="point", decision=first(instance).to_plain())
    time.sleep(600)


def flood_of_points(instance: Instance, context: Context[Any]) -> Any:
    bound = 0.0
    while True:
        bound += 1.0
        say(message="point", bound_ms=bound)


# Time ---

THOUGHT_S = 0.4
"""How long each of these thinks, and tries to hide."""


def clock_paused(instance: Instance, context: Context[Any]) -> Any:
    with context._clock.paused():
        time.sleep(THOUGHT_S)
    return first(instance)


def clock_turned_back(instance: Instance, context: Context[Any]) -> Any:
    time.sleep(THOUGHT_S)
    context._clock._paused_s += 1e9
    return first(instance)


def clock_patched(instance: Instance, context: Context[Any]) -> Any:
    time.sleep(THOUGHT_S)
    for name in ("perf_counter", "monotonic", "time"):
        setattr(time, name, lambda: 0.0)
    return first(instance)


def runtime_of_its_own(instance: Instance, context: Context[Any]) -> Any:
    from uara import solver

    time.sleep(THOUGHT_S)
    honest = solver._result
    solver._result = lambda *words: honest(*words[:-2], 1e-9, 0.0)  # type: ignore[call-arg]
    return first(instance)


def thinks_after_returning(instance: Instance, context: Context[Any]) -> Any:
    from uara import solver

    honest = solver._result

    def slow(*words: Any) -> Any:
        time.sleep(THOUGHT_S)
        return honest(*words)

    solver._result = slow  # type: ignore[assignment]
    return first(instance)


class Ponders(Allocation):
    """A decision that is made when it is asked for."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data, after a thought."""
        time.sleep(THOUGHT_S)
        return super().to_plain()


def thinks_while_packing(instance: Instance, context: Context[Any]) -> Any:
    decision = first(instance)
    return Ponders(decision.association, decision.bandwidth, decision.compute)


def thinks_while_being_scored(instance: Instance, context: Context[Any]) -> Any:
    from uara import solver

    honest = solver.evaluate  # type: ignore[attr-defined]

    def slow(instance: Any, decision: Any) -> Any:
        time.sleep(THOUGHT_S)
        return honest(instance, decision)

    solver.evaluate = slow  # type: ignore[attr-defined]
    context.incumbent(first(instance))
    return first(instance)


def says_returned_and_thinks(instance: Instance, context: Context[Any]) -> Any:
    say(message="returned")
    time.sleep(600)


def _look_for_instances() -> None:
    found = [each for each in gc.get_objects() if type(each).__name__ == "Instance" and each.name == "tiny"]
    lair("seen").write_text(str(len(found)))


@as_solver(prepare=_look_for_instances)
def works_in_prepare(instance: Instance, context: Context[Any]) -> Any:
    return first(instance)


def _prepare_by_force() -> None:
    say(message="prepared")
    time.sleep(THOUGHT_S)


@as_solver(prepare=_prepare_by_force)
def asks_for_the_instance_in_prepare(instance: Instance, context: Context[Any]) -> Any:
    return first(instance)


def late_answer(instance: Instance, context: Context[Any]) -> Any:
    time.sleep(1.4)
    return first(instance)


# The run's process, and others' ---


def exits(instance: Instance, context: Context[Any]) -> Any:
    sys.exit(0)


def exits_at_once(instance: Instance, context: Context[Any]) -> Any:
    os._exit(0)


def closes_its_channel(instance: Instance, context: Context[Any]) -> Any:
    channel().close()
    os._exit(0)


def closes_all_handles(instance: Instance, context: Context[Any]) -> Any:
    os.closerange(0, 1000)
    time.sleep(600)


def stops_itself(instance: Instance, context: Context[Any]) -> Any:
    os.kill(os.getpid(), signal.SIGSTOP)


def ignores_every_signal(instance: Instance, context: Context[Any]) -> Any:
    for number in signal.valid_signals():
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    time.sleep(600)


def ends_its_watcher(instance: Instance, context: Context[Any]) -> Any:
    lair("own").write_text(str(os.getpid()))
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)


def stops_its_watcher(instance: Instance, context: Context[Any]) -> Any:
    lair("own").write_text(str(os.getpid()))
    os.kill(os.getppid(), signal.SIGSTOP)
    return first(instance)


def leaves_a_thread(instance: Instance, context: Context[Any]) -> Any:
    def go_on() -> None:
        bound_ms = 0.0
        while True:
            context.bound(bound_ms := bound_ms + 1e-6)

    lair("own").write_text(str(os.getpid()))
    threading.Thread(target=go_on, daemon=True).start()
    time.sleep(0.05)
    return first(instance)


def child_that_goes_on(instance: Instance, context: Context[Any]) -> Any:
    if (child := os.fork()) == 0:
        os.setsid()
        time.sleep(600)
    lair("own").write_text(str(child))
    return first(instance)


def child_that_answers_too(instance: Instance, context: Context[Any]) -> Any:
    os.fork()  # both go on from here, on one channel
    return first(instance)


def sleeper_of_another_session(instance: Instance, context: Context[Any]) -> Any:
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    lair("own").write_text(str(left.pid))
    os.kill(os.getpid(), signal.SIGKILL)


def segfault(instance: Instance, context: Context[Any]) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


def overflows_the_stack(instance: Instance, context: Context[Any]) -> Any:
    return overflows_the_stack(instance, context)


# Around the harness ---


def writes_to_every_handle(instance: Instance, context: Context[Any]) -> Any:
    for handle in range(256):
        try:
            os.write(handle, b"\x00\x00\x00\x02[]")
        except OSError:
            continue
    time.sleep(600)


def patches_the_toolkit(instance: Instance, context: Context[Any]) -> Any:
    import uara.bench.execution.referee
    import uara.solver

    class Flattered:
        feasible, objective_ms, controllable_ms = True, 1e-3, 1e-3

    uara.solver.evaluate = lambda *_: Flattered()  # type: ignore[attr-defined]
    uara.bench.execution.referee.evaluate = lambda *_: Flattered()  # type: ignore[attr-defined]
    uara.bench.execution.referee.Referee.scored = lambda *_: {"status": "ok"}  # type: ignore[method-assign]
    return first(instance)


def patches_json(instance: Instance, context: Context[Any]) -> Any:
    import pydantic_core

    pydantic_core.to_json = lambda *_, **__: b"{}"
    return first(instance)


def changes_its_instance(instance: Instance, context: Context[Any]) -> Any:
    object.__setattr__(
        instance, "devices", instance.devices.replace(upload_bits=instance.devices.upload_bits / 10)
    )
    vars(instance).pop("_coefficients", None)
    return first(instance)


def changes_folder_and_links(instance: Instance, context: Context[Any]) -> Any:
    os.chdir(os.environ["LAIR"])
    os.umask(0o777)
    for name in ("uara", "json.py", "results.parquet"):
        Path(name).symlink_to("/nowhere")
    return first(instance)


def fills_the_log(instance: Instance, context: Context[Any]) -> Any:
    for _ in range(2000):
        os.write(1, b"x" * 100_000)
    raise ValueError("enough")


def never_stops_printing(instance: Instance, context: Context[Any]) -> Any:
    while True:
        os.write(2, b"\x1b[2J" + b"x" * 65536)


def long_reason(instance: Instance, context: Context[Any]) -> Any:
    raise ValueError("x" * 20_000_000)


def reason_with_controls(instance: Instance, context: Context[Any]) -> Any:
    say(message="failed", status="error", reason="\x1b[2J\u202e\r\nuara: all is well\x00")
    time.sleep(600)


def error_without_words(instance: Instance, context: Context[Any]) -> Any:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    raise Mute


def error_that_is_its_own_cause(instance: Instance, context: Context[Any]) -> Any:
    error = ValueError("round and round")
    error.__cause__ = error
    raise error


def takes_memory(instance: Instance, context: Context[Any]) -> Any:
    kept = []
    while True:
        kept.append(bytearray(b"x") * 20_000_000)
        time.sleep(0.002)


def calls_itself_skipped(instance: Instance, context: Context[Any]) -> Any:
    raise MissingExtra("courage", "scip")


def interrupts(instance: Instance, context: Context[Any]) -> Any:
    raise KeyboardInterrupt


def declines_backwards(instance: Instance, context: Context[Any]) -> Any:
    raise InputError("\u202eno", source="\x07")
