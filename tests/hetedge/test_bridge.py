from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import uara
from uara.base.errors import InputError
from uara.base.inks import to_markdown
from uara.hetedge import bridge
from uara.hetedge.catalogue import transformer_of
from uara.hetedge.latency import phases, rounds
from uara.p1.model import Allocation
from uara.problem import evaluate
from uara.psd.flops import GPT2_XL, SMOLLM2_135M
from uara.psd.profile import TaskProfile

INSTANCE = Path(__file__).parents[2] / "instances" / "e8_m30.json"


@pytest.fixture(scope="module")
def solved() -> uara.Result:
    return uara.solve(uara.load(INSTANCE), "max-sinr")


def test_every_device_is_served_once_and_batches_help(solved: uara.Result) -> None:
    schedules = bridge.schedule(solved.instance, solved.decision)  # type: ignore[arg-type]
    score = evaluate(solved.instance, solved.decision)
    assert sum(item.devices for item in schedules) == 30
    assert sum(item.p1_ms for item in schedules) == pytest.approx(score.device_latency_ms.sum())
    for item in schedules:
        assert item.batched.evaluation.feasible
        assert item.batched.evaluation.objective_ms <= item.single.evaluation.objective_ms * (1 + 1e-9)
        plain = item.to_plain()
        assert len(plain["plan"]["order"]) == item.devices
    assert "| batching saves % |" in to_markdown(bridge.table(schedules))


def test_requests_carry_the_devices_work(solved: uara.Result) -> None:
    instance, allocation = solved.instance, solved.decision
    assert isinstance(instance, uara.Instance)
    assert isinstance(allocation, Allocation)
    profile = TaskProfile.load(instance.provenance.task_profile)
    server = int(np.bincount(allocation.association).argmax())
    problem = bridge.server_instance(instance, allocation, server, profile)
    served = np.flatnonzero(allocation.association == server)
    score = evaluate(instance, allocation)
    wait_ms = score.device_latency_ms[served] - problem.ready_ms
    share = allocation.compute[served]
    remote_ms = (
        instance.devices.server_flop[served] / (share * instance.servers.compute_flop_per_s[server]) * 1e3
    )
    assert wait_ms == pytest.approx(remote_ms)
    length = profile.decoding.gamma
    target = problem.system.target
    requests = problem.requests
    needed = rounds(requests.output_tokens, requests.acceptance_rate, length)
    times = phases(
        problem.system._replace(target=target._replace(bytes_per_ms=1e30)),
        1, requests.prompt_tokens, requests.output_tokens, length,
    )  # fmt: skip
    flop = (times.first_verify + (needed - 1) * times.verify) * target.flop_per_ms
    # rounding to whole passes, and the mean context in the place of each pass's own
    assert flop == pytest.approx(instance.devices.server_flop[served], rel=0.15)
    assert flop.sum() == pytest.approx(instance.devices.server_flop[served].sum(), rel=0.05)


def test_sizes_come_back_from_operation_counts() -> None:
    model = transformer_of(GPT2_XL)
    assert model.feed_forward_width == 6400
    assert model.architecture.pass_flop(6, 200) == GPT2_XL.pass_flop(6, 200)
    other = transformer_of(SMOLLM2_135M).architecture
    assert other.linear_flop_per_token == pytest.approx(SMOLLM2_135M.linear_flop_per_token, rel=1e-3)


def test_what_cannot_be_bridged_says_why(solved: uara.Result) -> None:
    instance = solved.instance
    assert isinstance(instance, uara.Instance)
    allocation = solved.decision
    nameless = instance.replace(provenance=uara.Provenance())
    with pytest.raises(InputError, match="task profile"):
        bridge.schedule(nameless, allocation)  # type: ignore[arg-type]
    count = len(instance.devices)
    greedy = Allocation(allocation.association, np.ones(count), np.ones(count))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="feasible"):
        bridge.schedule(instance, greedy)


def test_an_empty_table() -> None:
    assert bridge.table([]).rows == []
