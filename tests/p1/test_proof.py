"""Certificates of every kind are told apart, asked for plain data alone, and checked from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import make_instance

from uara import InputError, Instance, solution, solve
from uara.p1.branches import BranchCertificate
from uara.p1.certificate import Certificate
from uara.p1.device_prices import DevicePrices
from uara.p1.proof import check_files, lower_bound, parse_certificate

INSTANCE = make_instance(8, 2, 1, payload=50.0)
ONE = Certificate(np.full(2, 1e-5), np.zeros(2))


def certificates() -> dict[type, Any]:
    row = solve(INSTANCE, "price", options={"gap": 1e-9}).certificate
    branches = BranchCertificate(1.0, np.zeros(1, int), np.array([-1]), np.array([-1]), (ONE,))
    return {Certificate: ONE, BranchCertificate: branches, DevicePrices: row}


@pytest.mark.parametrize("kind", [Certificate, BranchCertificate, DevicePrices])
def test_each_kind_comes_back_and_proves_the_same(kind: type) -> None:
    certificate = certificates()[kind]
    again = parse_certificate(json.loads(json.dumps(certificate.to_plain())))
    assert type(again) is kind
    assert lower_bound(INSTANCE, again) == lower_bound(INSTANCE, certificate) == certificate.prove(INSTANCE)


def test_a_bound_of_its_own_is_not_believed() -> None:
    class Boasting(Certificate):
        def prove(self, instance: Instance) -> float:
            return 1e99

    boasting = Boasting(ONE.compute_price, ONE.bandwidth_price)
    assert boasting.prove(INSTANCE) == 1e99
    assert lower_bound(INSTANCE, boasting) == ONE.prove(INSTANCE)


@pytest.mark.parametrize("plain", [{}, {"kind": "oracle"}, {"kind": "branches"}, {"kind": "device-prices"}])
def test_anything_else_is_refused(plain: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        parse_certificate(plain)


def test_prices_for_other_servers_are_refused() -> None:
    with pytest.raises(InputError, match="3 prices"):
        lower_bound(make_instance(8, 3, 1), ONE)


def saved(folder: Path) -> tuple[Path, Path]:
    INSTANCE.save(folder / "i.json")
    solution.save(solve(INSTANCE, "price"), folder / "s.json")
    return folder / "i.json", folder / "s.json"


def test_files_are_checked_in_exact_arithmetic(tmp_path: Path) -> None:
    instance, answer = saved(tmp_path)
    assert check_files(instance, answer).refusals == []
    plain = json.loads(answer.read_text())
    plain["claims"]["objective_ms"] -= 1.0
    answer.write_text(json.dumps(plain))
    assert check_files(instance, answer).refusals != []


def test_malformed_files_are_one_error_that_names_the_solution(tmp_path: Path) -> None:
    instance, answer = saved(tmp_path)
    answer.write_text("[1, 2")
    with pytest.raises(InputError) as caught:
        check_files(instance, answer)
    assert "s.json" in str(caught.value)
