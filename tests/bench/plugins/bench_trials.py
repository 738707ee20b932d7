"""Solvers that behave, and solvers that misbehave in every way the harness must survive."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from uara import Allocation, Answer, Context, Instance, allocate
from uara.base.errors import MissingExtra
from uara.base.files import Record
from uara.problem import evaluate
from uara.registry import as_solver


def _first(instance: Instance) -> np.ndarray[Any, Any]:
    return instance.channel.pair_server[instance.channel.pair_start[:-1]]


class SleepOptions(Record):
    """How long to work."""

    seconds: float = 0.1
    """Time between start and answer."""
    log: str = ""
    """File that a line is appended to at the start and at the end."""
    go: str = ""
    """Once the log tells of a run that has finished, later ones wait for this file."""


@as_solver(options=SleepOptions)
def sleeper(instance: Instance, context: Context[SleepOptions]) -> Allocation:
    """Takes its time, says so, and answers with each device's first usable server."""
    log, go = Path(context.options.log), Path(context.options.go)
    held = bool(context.options.go) and log.exists() and "finish" in log.read_text()
    _note(context, instance, "start")
    time.sleep(context.options.seconds)
    while held and not go.exists():
        time.sleep(0.02)
    _note(context, instance, "finish")
    return allocate(instance, _first(instance))


def _note(context: Context[SleepOptions], instance: Instance, what: str) -> None:
    if context.options.log:
        line = f"{os.environ.get('SESSION', '0')} {what} {instance.name} {context.seed} {os.getpid()}\n"
        with Path(context.options.log).open("a") as handle:
            handle.write(line)


def anytime(instance: Instance, context: Context[Any]) -> Answer:
    """Improves step by step, and knows a bound."""
    rng, best = context.rng, np.inf
    start, server = instance.channel.pair_start, instance.channel.pair_server
    decision = allocate(instance, _first(instance))
    context.bound(0.0)
    for _ in range(20):
        picks = start[:-1] + (rng.random(len(start) - 1) * np.diff(start)).astype(int)
        trial = allocate(instance, server[picks])
        value = evaluate(instance, trial).objective_ms
        if value < best:
            best, decision = value, trial
            context.incumbent(trial)
        time.sleep(0.002)
    return Answer(decision, details={"trials": 20})


def hang(instance: Instance, context: Context[Any]) -> Allocation:
    """Finds something, then loops without looking at the clock."""
    context.incumbent(allocate(instance, _first(instance)))
    print("about to hang")
    while True:
        sum(range(1000))


def stubborn(instance: Instance, context: Context[Any]) -> Allocation:
    """Hangs, ignores polite signals, and leaves a child process behind."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    time.sleep(600)
    return allocate(instance, _first(instance))


def hungry(instance: Instance, context: Context[Any]) -> Allocation:
    """Takes memory in steps and keeps it."""
    kept = []
    for _ in range(10_000):
        kept.append(np.ones(2_000_000))
        time.sleep(0.01)
    return allocate(instance, _first(instance))


def greedy_for_memory(instance: Instance, context: Context[Any]) -> Allocation:
    """Asks for more memory than any machine has."""
    np.ones(1 << 50)
    return allocate(instance, _first(instance))


def raises(instance: Instance, context: Context[Any]) -> Allocation:
    """Fails in the ordinary way."""
    print("about to divide")
    raise ZeroDivisionError("by <b>nothing</b>")


def crashes(instance: Instance, context: Context[Any]) -> Allocation:
    """Takes its process down, as a bug in compiled code does."""
    print("about to crash")
    os.kill(os.getpid(), signal.SIGSEGV)
    return allocate(instance, _first(instance))


def leaves(instance: Instance, context: Context[Any]) -> Allocation:
    """Ends the process without an answer."""
    sys.stdout.flush()
    os._exit(7)


def overbooks(instance: Instance, context: Context[Any]) -> Allocation:
    """Gives every device the whole of its server."""
    ones = np.ones(len(instance.devices))
    return Allocation(_first(instance), ones, ones)


def cheats(instance: Instance, context: Context[Any]) -> Allocation:
    """Makes its instance easier before it answers."""
    vars(instance)["devices"] = dataclasses.replace(
        instance.devices, server_flop=instance.devices.server_flop / 10
    )
    vars(instance).pop("_coefficients", None)
    return allocate(instance, _first(instance))


def boasts(instance: Instance, context: Context[Any]) -> Answer:
    """Claims a bound above its own answer."""
    decision = allocate(instance, _first(instance))
    return Answer(decision, bound_ms=1.5 * evaluate(instance, decision).objective_ms)


def answers_nonsense(instance: Instance, context: Context[Any]) -> Any:
    """Returns what is no answer."""
    return 42


def gives_up(instance: Instance, context: Context[Any]) -> Any:
    """Works until its time is over, and has nothing to show."""
    while not context.expired():
        time.sleep(0.01)
    raise RuntimeError("without an answer")


@as_solver(requires={"no_such_module_at_all": "scip"})
def needs_more(instance: Instance, context: Context[Any]) -> Allocation:
    """Needs a module that is not there."""
    return allocate(instance, _first(instance))


@as_solver(prepare=lambda: time.sleep(1.0))
def slow_to_compile(instance: Instance, context: Context[Any]) -> Allocation:
    """Takes a second before the clock starts, and none after it."""
    return allocate(instance, _first(instance))


@as_solver(prepare=lambda: time.sleep(600))
def never_ready(instance: Instance, context: Context[Any]) -> Allocation:
    """Never gets done with its imports."""
    return allocate(instance, _first(instance))


class WantsOptions(Record):
    """What to wait for."""

    file: str = ""
    """File without which something is missing."""


@as_solver(options=WantsOptions)
def misses_something(instance: Instance, context: Context[WantsOptions]) -> Allocation:
    """Finds out late that an extra is not installed."""
    if not Path(context.options.file).exists():
        raise MissingExtra("something", "scip")
    return allocate(instance, _first(instance))


class LateOptions(Record):
    """How late to answer."""

    seconds: float = 0.0
    """Time until the answer, whatever the limit."""


@as_solver(options=LateOptions)
def late(instance: Instance, context: Context[LateOptions]) -> Allocation:
    """Answers when it likes."""
    time.sleep(context.options.seconds)
    return allocate(instance, _first(instance))


def escapes(instance: Instance, context: Context[Any]) -> Allocation:
    """Leaves a process behind in a session of its own, and its number in a file."""
    words = [sys.executable, "-c", "import time; time.sleep(600)"]
    left = subprocess.Popen(words, start_new_session=True)
    Path(os.environ["ESCAPED"]).write_text(str(left.pid))
    return allocate(instance, _first(instance))


def escapes_and_hangs(instance: Instance, context: Context[Any]) -> Allocation:
    """Does so, and has to be ended."""
    escapes(instance, context)
    time.sleep(600)
    return allocate(instance, _first(instance))


def boasts_at_last(instance: Instance, context: Context[Any]) -> Answer:
    """Uses all of its time, and claims a bound above its own answer."""
    while not context.expired():
        time.sleep(0.01)
    return boasts(instance, context)


class Lazy(Allocation):
    """A decision that takes its time to say what it is."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data, much later."""
        time.sleep(600)
        return super().to_plain()


def stalls(instance: Instance, context: Context[Any]) -> Allocation:
    """Answers at once with an object that never says what it is."""
    first = allocate(instance, _first(instance))
    return Lazy(first.association, first.bandwidth, first.compute)


class Bound(float):
    """A number of a solver's own class."""


def bounds_with_its_own(instance: Instance, context: Context[Any]) -> Answer:
    """Reports and claims bounds that are objects of its own class."""
    context.bound(Bound(1.0))
    return Answer(allocate(instance, _first(instance)), bound_ms=Bound(2.0))


def hides_its_hunger(instance: Instance, context: Context[Any]) -> Allocation:
    """Has a process take memory that is neither in its session nor its child."""
    hungry = "import time; kept = bytearray(b'x') * 700_000_000; time.sleep(600)"
    words = ["import subprocess, sys", f"subprocess.Popen([sys.executable, '-c', {hungry!r}])"]
    subprocess.run([sys.executable, "-c", "; ".join(words)], start_new_session=True, check=True)
    time.sleep(60)
    return allocate(instance, _first(instance))


def shares_memory(instance: Instance, context: Context[Any]) -> Answer:
    """Has four children use what it holds already."""
    kept = np.ones(40_000_000)
    children = []
    for _ in range(4):
        if (child := os.fork()) == 0:
            kept.sum()
            time.sleep(600)
        children.append(child)
    time.sleep(2.0)
    for child in children:
        os.kill(child, signal.SIGKILL)
    return Answer(allocate(instance, _first(instance)), details={"kept": kept.sum()})


class Telltale(Allocation):
    """A decision of a solver's own class, whose code notes where it runs."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data."""
        with Path(os.environ["TOLD"]).open("a") as handle:
            handle.write(f"{os.getpid()}\n")
        return super().to_plain()


def tells(instance: Instance, context: Context[Any]) -> Allocation:
    """Answers with an object of its own class."""
    first = allocate(instance, _first(instance))
    return Telltale(first.association, first.bandwidth, first.compute)


def counts_threads(instance: Instance, context: Context[Any]) -> Answer:
    """Says how many threads numerical libraries were pinned to."""
    return Answer(
        allocate(instance, _first(instance)), details={"pinned": float(os.environ["OMP_NUM_THREADS"])}
    )


def chatters(instance: Instance, context: Context[Any]) -> Allocation:
    """Prints far more than anybody reads."""
    for _ in range(2000):
        print("x" * 100)
    return allocate(instance, _first(instance))


class SlowProof:
    """A certificate whose bound takes long to compute."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data."""
        return {"kind": "slow"}

    def prove(self, instance: Instance) -> float:
        """Zero, after a while."""
        time.sleep(60.0)
        return 0.0


def proves_at_length(instance: Instance, context: Context[Any]) -> Answer:
    """Answers at once, with a proof that takes longer to check than the solver was given."""
    return Answer(allocate(instance, _first(instance)), certificate=SlowProof())
