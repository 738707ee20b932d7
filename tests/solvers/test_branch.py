"""Branch and bound on prices: the certificate proves what is said, also of a tree that is cut short."""

from __future__ import annotations

import pytest
from cases import make_instance

from uara import lower_bound, solve
from uara.branches import BranchCertificate

INSTANCE = make_instance(20, 3, 0, payload=50.0)


def test_what_is_said_is_certified() -> None:
    result = solve(INSTANCE, "branch", options={"gap": 1e-6})
    assert result.gap == pytest.approx(1e-6, rel=1e-3)
    assert result.certified_bound_ms == pytest.approx(result.bound_ms, rel=1e-10)
    assert isinstance(result.certificate, BranchCertificate)


def test_an_unfinished_tree_proves_what_it_says() -> None:
    instance = make_instance(60, 8, 2, payload=10.0, missing=0.0)
    result = solve(instance, "branch", options={"gap": 1e-9}, time_limit_s=1.5)
    assert result.ended == "time_limit"
    assert result.certified_bound_ms == pytest.approx(result.bound_ms, rel=1e-10)


@pytest.mark.parametrize("nodes", [1, 3, 9, 41])
def test_the_top_of_a_tree_proves_less_but_something(nodes: int) -> None:
    full = solve(INSTANCE, "branch", options={"gap": 1e-6})
    cut = solve(INSTANCE, "branch", options={"gap": 1e-6, "certificate_nodes": nodes})
    root = solve(INSTANCE, "price").bound_ms
    assert cut.certificate is not None
    if isinstance(cut.certificate, BranchCertificate):
        assert len(cut.certificate.prices) <= nodes
    proven = lower_bound(INSTANCE, cut.certificate)
    assert root is not None
    assert root * (1 - 1e-9) <= proven <= full.evaluation.objective_ms
    assert cut.bound_ms == pytest.approx(full.bound_ms, rel=1e-9)


def test_more_probes_need_no_more_nodes() -> None:
    one = solve(INSTANCE, "branch", options={"gap": 1e-6, "probes": 1})
    many = solve(INSTANCE, "branch", options={"gap": 1e-6, "probes": 8})
    assert many.details["nodes"] <= one.details["nodes"]


def test_without_synchronisation_the_infimum_is_no_endless_search() -> None:
    instance = make_instance(4, 3, 3, sync_weight_per_ms=0.0, energy_weight_ms_per_j=1e5)
    result = solve(instance, "branch", options={"gap": 1e-9}, time_limit_s=10.0)
    assert result.ended == "completed"
    assert result.gap is not None
    assert result.gap < 1e-4


def test_a_single_server_is_proven_at_once() -> None:
    result = solve(make_instance(6, 1, 1), "branch")
    assert result.gap is not None
    assert result.gap <= 1e-4
    assert result.details["nodes"] <= 3
