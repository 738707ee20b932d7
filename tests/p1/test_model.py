from __future__ import annotations

import math

import numpy as np
import pytest
from cases import instances, make_instance, random_association
from hypothesis import given, settings
from hypothesis import strategies as st
from truth import evaluator

from uara import Allocation, Channel, Devices, InputError, Instance, Parameters, Servers, allocate, evaluate
from uara.p1.coefficients import queue_slots, snr, uplink_rates_bit_per_s


def close(one: float, other: float, subtracted: float = 0.0) -> bool:
    """Equal to 1e-12 of the larger: the value, or what was subtracted on the way to it."""
    if math.isinf(one) or math.isinf(other):
        return one == other
    return abs(one - other) <= 1e-12 * max(abs(one), abs(other), subtracted)


def compare_with_twin(instance: Instance, allocation: Allocation) -> None:
    ours = evaluate(instance, allocation)
    twin = evaluator.evaluate(instance, allocation.association, allocation.bandwidth, allocation.compute)
    # (D - c/y)^2 loses digits where the two nearly cancel.
    local_ms = instance.devices.device_flop / instance.devices.compute_flop_per_s * 1e3
    squares = float(instance.parameters.sync_weight_per_ms * np.sum(local_ms**2))
    assert close(ours.objective_ms, twin.objective_ms, squares)
    assert close(ours.controllable_ms, twin.controllable_ms, squares)
    assert close(ours.constant_ms, twin.constant_ms)
    assert ours.terms_ms.keys() == twin.terms_ms.keys()
    for name, value in twin.terms_ms.items():
        assert close(ours.terms_ms[name], value, squares if name == "synchronisation" else 0.0), name
    for mine, other in (
        (ours.device_latency_ms, twin.latency_ms),
        (ours.device_sequential_ms, twin.sequential_ms),
        (ours.device_energy_j, twin.energy_j),
    ):
        assert all(close(float(a), b) for a, b in zip(mine, other, strict=True))
    assert close(ours.energy_j, math.fsum(twin.energy_j))
    for summary, values in (
        (ours.latency_ms, twin.latency_ms),
        (ours.sequential_ms, twin.sequential_ms),
    ):
        mean, p95 = evaluator.mean_and_p95(values)
        assert close(summary["mean"], mean)
        assert close(summary["p95"], p95)
    found = sorted((item.constraint[:3], item.where, item.amount) for item in ours.violations)
    expected = sorted(twin.violations)
    assert [item[:2] for item in found] == [item[:2] for item in expected]
    assert all(close(a[2], b[2], 10.0) for a, b in zip(found, expected, strict=True))
    assert ours.feasible == (not twin.violations)


@st.composite
def decisions(draw: st.DrawFn) -> tuple[Instance, Allocation]:
    """Decisions of every kind, most of them infeasible: unusable servers, shares of 0, below 0 and above 1."""
    instance = draw(instances())
    count = len(instance.devices)
    server = st.integers(-2, len(instance.servers) + 1)
    share = st.one_of(
        st.sampled_from([0.0, 1.0, 1.0 + 5e-10, 1.0 + 1e-8, -0.25, 3.0]),
        st.floats(1e-6, 1.0, exclude_max=True),
    )
    return instance, Allocation(
        draw(st.lists(server, min_size=count, max_size=count)),
        draw(st.lists(share, min_size=count, max_size=count)),
        draw(st.lists(share, min_size=count, max_size=count)),
    )


@pytest.mark.integration
@given(decisions())
def test_any_decision_scores_as_in_the_twin(case: tuple[Instance, Allocation]) -> None:
    compare_with_twin(*case)


@given(instances(), st.sampled_from(["uniform", "sqrt", "optimal"]), st.integers(0, 1000))
def test_feasible_decisions_score_as_in_the_twin(instance: Instance, rule: str, seed: int) -> None:
    allocation = allocate(instance, random_association(instance, seed), rule)  # type: ignore[arg-type]
    assert evaluate(instance, allocation).feasible
    compare_with_twin(instance, allocation)


def by_hand() -> Instance:
    """One device, one server, numbers that can be worked out on paper."""
    return Instance(
        "paper",
        Servers(["s"], [1e12], [1e6], [2.5e10]),
        Devices(["d"], [1e12], [0.1], [0.5], [1e5], [1e10], [1e11]),
        Channel.from_dense([[3 * 10**-17.4 * 1e-3 * 1e6 / 0.1]]),  # SNR 3: two bits per hertz
        Parameters(),
    )


def test_a_case_worked_by_hand() -> None:
    score = evaluate(by_hand(), Allocation([0], [0.5], [0.25]))
    # D = 10 ms; uplink 1e5 bit / (0.5 * 2e6 bit/s) = 100 ms; 2.5e10 / (1e12 * 10 ms) = 2.5: three slots, 30 ms;
    # server 1e11 / (0.25 * 1e12) = 400 ms; computing 10 J; sending 2.6 * 0.5 MHz * 0.1 W = 0.13 J.
    assert score.terms_ms == pytest.approx(
        {
            "local_compute": 10.0,
            "computing_energy": 50 * 10 / 0.5,
            "queue": 30.0,
            "server_compute": 400.0,
            "synchronisation": 0.01 * 90**2,
            "uplink_energy": 50 * 0.13 / 0.5,
        }
    )
    assert score.controllable_ms == pytest.approx(30 + 400 + 81 + 13)
    assert score.objective_ms == pytest.approx(524 + 1010)
    assert score.latency_ms == pytest.approx({"mean": 100 + 430, "p95": 530})
    assert score.sequential_ms == pytest.approx({"mean": 540, "p95": 540})
    assert score.energy_j == pytest.approx(10.13)


def test_snr_rates_and_queues_of_the_case_by_hand() -> None:
    instance = by_hand()
    assert snr(instance) == pytest.approx([3.0])
    assert uplink_rates_bit_per_s(instance) == pytest.approx([2e6])
    assert queue_slots(instance).tolist() == [3.0]


@pytest.mark.parametrize(("backlog", "slots"), [(0.0, 0), (1.0, 1), (1e10, 1), (1.0001e10, 2), (5e10, 5)])
def test_a_queue_is_counted_in_whole_slots(backlog: float, slots: int) -> None:
    assert queue_slots(by_hand().replace(servers=Servers(["s"], [1e12], [1e6], [backlog]))) == [slots]


# Every constraint, each broken alone.


@pytest.mark.parametrize(
    ("association", "bandwidth", "compute", "constraint", "where", "amount"),
    [
        ([1, 0], [0.5, 0.5], [0.5, 0.5], "(3) one usable server per device", "a", 1.0),
        ([0, 7], [0.5, 0.5], [0.5, 0.5], "(3) one usable server per device", "b", 1.0),
        ([-1, 0], [0.5, 0.5], [0.5, 0.5], "(3) one usable server per device", "a", 1.0),
        ([0, 0], [0.0, 0.5], [0.5, 0.5], "(4) bandwidth share above 0", "a", 0.0),
        ([0, 0], [0.7, 0.5], [0.5, 0.5], "(4) bandwidth budget", "s", 0.2),
        ([0, 1], [0.7, 1.5], [0.5, 0.5], "(4) bandwidth share at most 1", "b", 0.5),
        ([0, 0], [0.5, 0.5], [0.5, -0.1], "(7) compute share above 0", "b", 0.1),
        ([0, 0], [0.5, 0.5], [0.9, 0.5], "(7) compute budget", "s", 0.4),
    ],
)
def test_each_violation_is_named_with_its_amount(
    association: list[int],
    bandwidth: list[float],
    compute: list[float],
    constraint: str,
    where: str,
    amount: float,
) -> None:
    one = np.full(2, 1e9)
    instance = Instance(
        "two",
        Servers(["s", "t"], one, one, one),
        Devices(["a", "b"], one, one, [1, 1], one, one, one),
        Channel.from_dense([[1e-9, 0], [1e-9, 1e-9]]),
    )
    score = evaluate(instance, Allocation(association, bandwidth, compute))
    assert not score.feasible
    first = score.violations[0]
    assert (first.constraint, first.where) == (constraint, where)
    assert first.amount == pytest.approx(amount)
    assert constraint in str(first)
    assert where in str(first)


def test_a_share_that_is_no_number_is_a_violation_and_no_score() -> None:
    instance = make_instance(3, 1, missing=0)
    score = evaluate(instance, Allocation([0, 0, 0], [np.nan, 0.1, 0.1], [0.1, 0.1, 0.1]))
    assert not score.feasible
    assert score.to_plain()["objective"] is None


def test_plain_data_has_no_infinities() -> None:
    instance = make_instance(3, 2)
    plain = evaluate(instance, Allocation([9, 9, 9], [0, 0, 0], [0, 0, 0])).to_plain()
    assert plain["objective"] is None
    assert plain["latency_ms"] == {"mean": None, "p95": None}
    assert plain["terms_ms"]["queue"] is None
    assert plain["feasible"] is False
    assert len(plain["violations"]) == 3 + 3 + 3
    assert math.isfinite(plain["constant"])


def test_the_constant_part_depends_on_no_decision() -> None:
    instance = make_instance(20, 4, seed=3)
    scores = [
        evaluate(instance, allocate(instance, random_association(instance, seed), "uniform"))
        for seed in range(5)
    ]
    assert len({score.constant_ms for score in scores}) == 1
    for score in scores:
        assert score.objective_ms == pytest.approx(score.constant_ms + score.controllable_ms, rel=1e-14)


# Symmetries: names and units mean nothing.


@settings(max_examples=50, deadline=None)
@given(instances(), st.randoms(use_true_random=False))
def test_relabelling_changes_nothing(instance: Instance, random: object) -> None:
    allocation = allocate(instance, random_association(instance), "optimal")
    rng = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    device, server = rng.permutation(len(instance.devices)), rng.permutation(len(instance.servers))
    other = relabelled(instance, device, server)
    place = np.argsort(server)
    moved = Allocation(
        place[allocation.association[device]], allocation.bandwidth[device], allocation.compute[device]
    )
    one, two = evaluate(instance, allocation), evaluate(other, moved)
    assert two.objective_ms == pytest.approx(one.objective_ms, rel=1e-12)
    assert two.terms_ms == pytest.approx(one.terms_ms, rel=1e-9)
    assert two.device_latency_ms == pytest.approx(one.device_latency_ms[device], rel=1e-12)


def relabelled(instance: Instance, device: np.ndarray, server: np.ndarray) -> Instance:
    """The instance with device ``device[k]`` in place k, and the servers likewise."""

    def pick(columns: dict[str, object], order: np.ndarray) -> dict[str, object]:
        return {
            name: [column[k] for k in order] if isinstance(column, tuple) else column[order]  # type: ignore[index]
            for name, column in columns.items()
        }

    gain = instance.channel.dense(len(instance.servers))[device][:, server]
    return instance.replace(
        servers=Servers(**pick(instance.servers.columns(), server)),
        devices=Devices(**pick(instance.devices.columns(), device)),
        channel=Channel.from_dense(gain),
    )


def in_other_units(instance: Instance, flop: float, bit: float, watt: float) -> Instance:
    """Work counted ``flop`` times as finely, data ``bit`` times, power and energy ``watt`` times."""
    servers, devices, given = instance.servers, instance.devices, instance.parameters
    return instance.replace(
        servers=servers.replace(
            compute_flop_per_s=servers.compute_flop_per_s * flop,
            backlog_flop=servers.backlog_flop * flop,
            bandwidth_hz=servers.bandwidth_hz * bit,
        ),
        devices=devices.replace(
            compute_flop_per_s=devices.compute_flop_per_s * flop,
            device_flop=devices.device_flop * flop,
            server_flop=devices.server_flop * flop,
            upload_bits=devices.upload_bits * bit,
            tx_power_w=devices.tx_power_w * watt,
        ),
        parameters=given.model_copy(
            update={
                "device_efficiency_flop_per_j": given.device_efficiency_flop_per_j * flop / watt,
                "uplink_energy_j_per_mhz_w": given.uplink_energy_j_per_mhz_w / bit,
                "energy_weight_ms_per_j": given.energy_weight_ms_per_j / watt,
                "noise_psd_dbm_per_hz": given.noise_psd_dbm_per_hz + 10 * math.log10(watt / bit),
            }
        ),
    )


@settings(max_examples=50, deadline=None)
@given(instances(), st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3))
def test_units_change_nothing(instance: Instance, flop: int, bit: int, watt: int) -> None:
    other = in_other_units(instance, 10.0**flop, 10.0**bit, 10.0**watt)
    association = random_association(instance)
    for rule in ("uniform", "optimal"):
        one, two = allocate(instance, association, rule), allocate(other, association, rule)
        first, second = evaluate(instance, one), evaluate(other, two)
        assert second.objective_ms == pytest.approx(first.objective_ms, rel=1e-9)
        assert second.controllable_ms == pytest.approx(first.controllable_ms, rel=1e-8)
        assert second.latency_ms["mean"] == pytest.approx(first.latency_ms["mean"], rel=1e-5)
        assert second.energy_j == pytest.approx(first.energy_j * 10.0**watt, rel=1e-5)


def with_useless_server(instance: Instance) -> Instance:
    """One more server, which nobody can reach."""
    servers = instance.servers
    return instance.replace(
        servers=Servers(
            [*servers.id, "useless"],
            np.append(servers.compute_flop_per_s, 1e15),
            np.append(servers.bandwidth_hz, 1e9),
            np.append(servers.backlog_flop, 0.0),
        )
    )


@settings(max_examples=50, deadline=None)
@given(instances())
def test_a_useless_server_changes_nothing(instance: Instance) -> None:
    other = with_useless_server(instance)
    allocation = allocate(instance, random_association(instance), "optimal")
    assert evaluate(other, allocation).objective_ms == evaluate(instance, allocation).objective_ms
    again = allocate(other, allocation.association, "optimal")
    assert again.bandwidth.tolist() == allocation.bandwidth.tolist()


def test_an_allocation_for_other_devices_is_refused() -> None:
    with pytest.raises(InputError, match="is for 1 devices, but synthetic has 12"):
        evaluate(make_instance(), Allocation([0], [1], [1]))


@pytest.mark.parametrize("share", [1e-160, 1e-320])
def test_an_objective_that_is_not_finite_is_not_feasible(share: float) -> None:
    instance = make_instance(3, 1, missing=0)
    score = evaluate(instance, Allocation([0, 0, 0], [0.1, share, 0.1], [0.3, 0.3, 0.3]))
    assert not score.feasible
    assert [(each.constraint, each.where) for each in score.violations] == [("finite objective", "d1")]
