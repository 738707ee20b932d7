"""The tracker: answers as valid as those of ``solve``, slot after slot, whatever changes and however short the time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.dual.slots import LOST

import uara
from uara import InputError, Tracker
from uara.mec.slots import without_outages
from uara.psd.profile import TaskProfile
from uara.scenarios.trace import MobilityTrace

INSTANCES = Path(__file__).parents[1] / "instances"


def changes(seed: int, devices: int, servers: int) -> dict[str, np.ndarray]:
    """Some of what may change in a slot."""
    rng = np.random.default_rng(seed)
    everything = {
        "power_gain": 10 ** rng.uniform(-11, -9, (devices, servers)),
        "backlog_flop": rng.uniform(0, 1e11, servers),
        "battery_fraction": rng.uniform(0.05, 1, devices),
        "upload_bits": rng.uniform(1e3, 9e3, devices),
        "server_flop": rng.uniform(1e12, 5e12, devices),
        "device_flop": rng.uniform(5e10, 9e10, devices),
    }
    return {name: value for name, value in everything.items() if rng.random() < 0.6}


def test_every_slot_is_valid_and_close() -> None:
    instance = make_instance(12, 3, seed=3)
    tracker = Tracker(instance)
    for seed in range(8):
        given = changes(seed, 12, 3)
        slot = tracker.step(**given)  # type: ignore[arg-type]
        score = uara.evaluate(slot.instance, slot.allocation)
        assert score.feasible
        assert slot.objective_ms == pytest.approx(score.objective_ms, rel=1e-9)
        assert slot.bound_ms <= slot.certified_bound_ms + 1e-9 * abs(slot.bound_ms)
        best = uara.solve(slot.instance, "price")
        assert best.bound_ms is not None
        assert slot.bound_ms <= best.evaluation.objective_ms * (1 + 1e-9)
        assert slot.objective_ms >= best.bound_ms * (1 - 1e-9)
        assert slot.complete
        for name in set(given) - {"power_gain", "backlog_flop"}:
            assert getattr(slot.instance.devices, name).tolist() == given[name].tolist()


def test_a_deadline_leaves_an_answer_and_a_bound() -> None:
    tracker = Tracker(make_instance(12, 3, seed=3), deadline_ms=1e-6)
    slot = tracker.step()
    assert not slot.complete
    assert uara.evaluate(slot.instance, slot.allocation).feasible
    assert slot.bound_ms <= slot.objective_ms
    assert tracker.step(deadline_ms=1e6).complete


def test_prices_are_kept_and_forgotten() -> None:
    tracker = Tracker(make_instance(12, 3, seed=3))
    first = tracker.step()
    tracker.restart()
    again = tracker.step()
    assert again.allocation.association.tolist() == first.allocation.association.tolist()
    assert again.bound_ms == first.bound_ms


def test_the_real_time_mode_of_price_is_a_slot() -> None:
    instance = make_instance(12, 3, seed=3)
    result = uara.solve(instance, "price", options={"realtime": True})
    slot = Tracker(instance).step()
    assert result.evaluation.objective_ms == pytest.approx(slot.objective_ms, rel=1e-9)
    assert result.certified_bound_ms == pytest.approx(slot.bound_ms, rel=1e-9)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"weather": [1.0]}, "there is no 'weather'"),
        ({"power_gain": np.ones((2, 2))}, "has shape"),
        ({"battery_fraction": np.zeros(12)}, "battery_fraction"),
        ({"deadline_ms": 0.0}, "must be a positive number"),
        ({"deadline_ms": "5"}, "must be a positive number"),
        ({"deadline_ms": float("nan")}, "must be a positive number"),
        ({"power_gain": [[1, 2], [3]]}, "is no table"),
        ({"power_gain": np.ma.masked_array(np.ones((12, 3)), True)}, "is masked"),
    ],
)
def test_bad_data_is_one_clear_error(given: dict[str, object], words: str) -> None:
    tracker = Tracker(make_instance(12, 3, seed=3))
    with pytest.raises(InputError, match=words):
        tracker.step(**given)  # type: ignore[arg-type]
    assert tracker.step().complete


@pytest.mark.parametrize("other", ["e4_m30", None])
def test_what_is_no_instance_is_refused(other: object) -> None:
    with pytest.raises(InputError, match="must be an instance of P1"):
        Tracker(other)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must be an instance of P1"):
        Tracker(make_instance(12, 3, seed=3)).advance(other)  # type: ignore[arg-type]


def test_prices_of_another_kind_are_refused_and_spoil_nothing() -> None:
    tracker = Tracker(make_instance(12, 3, seed=3))
    with pytest.raises(InputError, match="prices of compute and band"):
        tracker.restart("x")  # type: ignore[arg-type]
    assert tracker.step().complete


def test_a_solver_without_a_tracker_is_refused() -> None:
    with pytest.raises(InputError, match="offers no tracker"):
        Tracker(make_instance(4, 2), "max-sinr")


@pytest.mark.integration
def test_a_walk_of_twenty_servers_is_followed() -> None:
    """Every slot of the shipped walk ends near its bound, from the prices of the one before."""
    trace = MobilityTrace.load(INSTANCES / "traces" / "walk_e20.json")
    rng, tracker, gaps = np.random.default_rng(0), Tracker(trace.instance), []
    profile = TaskProfile.load("gpt2_gpt2-xl")
    for gain in without_outages(trace.power_gain):
        tasks = profile.draw_tasks(len(trace.instance.devices), rng, payload=trace.payload)
        columns = {name: tasks[name] for name in ("upload_bits", "device_flop", "server_flop")}
        slot = tracker.step(power_gain=gain, **columns)
        assert uara.evaluate(slot.instance, slot.allocation).feasible
        gaps.append(slot.gap)
    assert np.median(gaps) < 2e-3
    assert max(gaps) < LOST
