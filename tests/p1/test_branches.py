"""Branch certificates: what any tree proves holds, whatever it says; malformed ones are refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from uara.solvers.dual.ascent import ascend
from uara.solvers.dual.kernel import certificate_of

from uara import InputError, Instance, solve
from uara.p1.branches import BranchCertificate
from uara.p1.certificate import Certificate, priced
from uara.p1.model import coefficients
from uara.p1.proof import lower_bound, parse_certificate


def grown() -> tuple[Instance, BranchCertificate, Any]:
    """A tree of prices over the pairs that each node leaves, split by the most divided device."""
    instance = make_instance(20, 3, 0, payload=50.0)
    answer = solve(instance, "exact")
    everything = coefficients(instance)
    device = np.repeat(np.arange(20), np.diff(everything.start))
    table: list[Certificate] = []
    nodes: list[tuple[int, int, int]] = []

    def grow(keep: NDArray[np.bool_], depth: int) -> None:
        result = ascend(everything.restricted(keep))
        table.append(certificate_of(everything, result.prices))
        listed = np.flatnonzero(keep)
        first = np.flatnonzero(np.diff(device[listed], prepend=-1))
        widest = np.maximum.reduceat(result.weight, first)
        i = int(np.argmin(widest))
        if depth == 0 or widest[i] > 1 - 1e-9:
            nodes.append((len(table) - 1, -1, -1))
            return
        own = listed[device[listed] == i]
        pair = own[np.argmax(result.weight[np.isin(listed, own)])]
        nodes.append((len(table) - 1, i, int(everything.server[pair])))
        grow(keep & ((device != i) | (np.arange(len(keep)) == pair)), depth - 1)
        grow(keep & (np.arange(len(keep)) != pair), depth - 1)

    grow(np.ones(len(device), dtype=bool), 4)
    rows, devices, servers = (np.array(column) for column in zip(*nodes, strict=True))
    target = answer.evaluation.objective_ms
    return instance, BranchCertificate(target, rows, devices, servers, tuple(table)), answer.evaluation


def test_a_tree_proves_more_than_its_root() -> None:
    instance, tree, best = grown()
    root = tree.table[tree.prices[0]]
    assert lower_bound(instance, root) < lower_bound(instance, tree) <= best.objective_ms


def test_it_survives_a_file() -> None:
    instance, tree, _ = grown()
    plain = json.loads(json.dumps(tree.to_plain()))
    assert lower_bound(instance, parse_certificate(plain)) == lower_bound(instance, tree)


def test_a_raised_target_proves_no_more_than_the_leaves() -> None:
    instance, tree, best = grown()
    plain = tree.to_plain()
    plain["target_ms"] += 1e6
    assert lower_bound(instance, parse_certificate(plain)) <= best.objective_ms


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(), st.integers(0, 10**6), st.integers(0, 6), st.floats(-1.0, 2.0))
def test_any_tree_with_any_prices_and_target_is_valid(instance, seed: int, splits: int, lift: float) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    truth = solve(instance, "brute-force").evaluation
    servers = len(instance.servers)

    def grow(left: int) -> list[tuple[int, int]]:
        if left == 0:
            return [(-1, -1)]
        first = int(rng.integers(0, left))
        node = (int(rng.integers(len(instance.devices))), int(rng.integers(servers)))
        return [node, *grow(first), *grow(left - 1 - first)]

    nodes = grow(splits)
    table = tuple(
        Certificate(10 ** rng.uniform(-9, -4, servers), 10 ** rng.uniform(-3, 3, servers)) for _ in range(3)
    )
    tree = BranchCertificate(
        truth.objective_ms + lift * truth.controllable_ms,
        rng.integers(0, 3, len(nodes)),
        np.array([node[0] for node in nodes]),
        np.array([node[1] for node in nodes]),
        table,
    )
    bound = lower_bound(instance, tree)
    assert bound <= max(truth.objective_ms, -np.inf) * (1 + 1e-12) + 1e-9


def test_forcing_a_pair_lifts_the_bound_by_its_excess() -> None:
    instance = make_instance(8, 3, 1, missing=0.0)
    prices = solve(instance, "price", options={"gap": 0.9}).certificate
    everything, excess = priced(instance, prices.compute_price, prices.bandwidth_price)
    i, j = instance.channel.pair_device, instance.channel.pair_server
    for pair in range(len(i)):
        forced, _ = priced(
            instance, prices.compute_price, prices.bandwidth_price, (i != i[pair]) | (j == j[pair])
        )
        assert forced == pytest.approx(everything + excess[pair], rel=1e-12)


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("device", [0], "one entry a node"),
        ("prices", [0, 0, 7], "beyond the price tables"),
        ("device", [0, 0, 0], "pre-order"),
        ("device", [-1, 0, -1], "pre-order"),
        ("compute_price", [[-1.0, 0.0]], "at least 0"),
        ("bandwidth_price", [], "as many rows"),
        ("target_ms", "high", "number"),
    ],
)
def test_malformed_trees_are_refused(key: str, value: object, problem: str) -> None:
    plain = {
        "kind": "branches",
        "target_ms": 1.0,
        "prices": [0, 0, 0],
        "device": [0, -1, -1],
        "server": [0, -1, -1],
        "compute_price": [[0.0, 0.0]],
        "bandwidth_price": [[0.0, 0.0]],
    }
    parse_certificate(plain)
    with pytest.raises(InputError, match=problem):
        parse_certificate({**plain, key: value})


def test_a_device_that_is_not_there_is_refused() -> None:
    instance = make_instance(3, 2)
    zero = Certificate(np.zeros(2), np.zeros(2))
    tree = BranchCertificate(1.0, np.zeros(3, int), np.array([5, -1, -1]), np.array([0, -1, -1]), (zero,))
    with pytest.raises(InputError, match="lacks"):
        lower_bound(instance, tree)


MAGNITUDES = st.one_of(
    st.just(0.0),
    st.floats(-323.0, 308.0).map(lambda power: 10.0**power),
    st.floats(-9.0, 3.0).map(lambda p: 10.0**p),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances(max_devices=4), st.data())
def test_numbers_of_any_size_prove_nothing_false(instance, data) -> None:  # type: ignore[no-untyped-def]
    truth = solve(instance, "brute-force").evaluation
    servers = len(instance.servers)
    prices = st.lists(MAGNITUDES, min_size=servers, max_size=servers)
    rows = [Certificate(np.array(data.draw(prices)), np.array(data.draw(prices))) for _ in range(3)]
    target = data.draw(st.sampled_from([1.0, -1.0])) * data.draw(MAGNITUDES)
    device, server = (
        data.draw(st.integers(0, len(instance.devices) - 1)),
        data.draw(st.integers(0, servers - 1)),
    )
    leaf = BranchCertificate(target, np.zeros(1), -np.ones(1), -np.ones(1), tuple(rows[:1]))
    split = BranchCertificate(
        target, np.arange(3), np.array([device, -1, -1]), np.array([server, -1, -1]), tuple(rows)
    )
    for proof in (*rows, leaf, split):
        bound = lower_bound(instance, proof)
        assert bound <= truth.objective_ms
        assert bound < np.inf


@pytest.mark.parametrize("size", [1e155, 1e200, 1e308])
def test_prices_beyond_double_precision_prove_nothing(size: float) -> None:
    instance = make_instance(6, 2, missing=0.0)
    row = Certificate(np.full(2, size), np.full(2, size))
    assert lower_bound(instance, row) == -np.inf
    leaf = BranchCertificate(1e12, np.zeros(1), -np.ones(1), -np.ones(1), (row,))
    assert lower_bound(instance, leaf) == -np.inf


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("device", [0, -1, -2], "must be -1 at a leaf"),
        ("server", [0, -1, 1], "must be -1 at a leaf"),
        ("server", [2, -1, -1], "names a server that the instance lacks"),
        ("device", [3, -1, -1], "names a device that the instance lacks"),
        ("compute_price", [[0.0, 0.0], [0.0]], "one entry a server"),
        ("bandwidth_price", [[0.0], [0.0]], "one entry a server"),
    ],
)
def test_trees_that_name_what_is_not_there_are_refused(key: str, value: object, problem: str) -> None:
    plain = {
        "kind": "branches",
        "target_ms": 1.0,
        "prices": [0, 0, 0],
        "device": [0, -1, -1],
        "server": [1, -1, -1],
        "compute_price": [[0.0, 0.0], [0.0, 0.0]],
        "bandwidth_price": [[0.0, 0.0], [0.0, 0.0]],
    }
    instance = make_instance(3, 2)
    lower_bound(instance, parse_certificate(plain))
    with pytest.raises(InputError, match=problem):
        lower_bound(instance, parse_certificate({**plain, key: value}))
