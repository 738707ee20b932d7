"""The exact checker: what it proves is true, whatever the files say; honest answers pass, in a bare interpreter too."""

from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import file_forgeries
import numpy as np
import pytest
from cases import make_instance
from file_forgeries import Case
from hypothesis import given, settings
from hypothesis import strategies as st
from random_certificates import random_certificate

from uara import Instance, solution, solve
from uara.base import files
from uara.p1 import check_certificate as exact
from uara.p1.check_certificate import Choice, Grid, Refused, Verdict
from uara.p1.proof import check_files, lower_bound, parse_certificate

ALONE = Path(exact.__file__)


def written(instance: Instance, folder: Path) -> bytes:
    instance.save(folder / "instance.json")
    return (folder / "instance.json").read_bytes()


def grid_of(instance: Instance, folder: Path) -> Grid:
    data = exact.read_instance(exact.parse(written(instance, folder), "instance"))
    return Grid(exact.numbers_of(data), Fraction(solve(instance, "price").evaluation.controllable_ms))


def outcome(case: Case) -> tuple[list[str], Verdict | None]:
    try:
        verdict = exact.check(case.instance, case.solution)
    except Refused as error:
        return [str(error)], None
    return verdict.refusals, verdict


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.integration
def test_honest_answers_of_every_kind_are_accepted(folder: Path) -> None:
    cases = file_forgeries.honest(folder)
    assert len(cases) > 14
    assert [(case.name, found) for case in cases if (found := outcome(case)[0])] == []


@pytest.mark.integration
def test_every_forgery_is_refused_or_proves_what_is_true(folder: Path) -> None:
    cases = file_forgeries.forged(folder)
    assert len({case.name for case in cases}) == len(cases) > 1000
    held = 0
    for case in cases:
        refusals, verdict = outcome(case)
        assert refusals or case.may_hold, case.name
        assert all("\n" not in line and len(line) < 400 for line in refusals), case.name
        if verdict is not None and verdict.bound is not None and case.optimum_ms is not None:
            assert verdict.bound <= Fraction(case.optimum_ms) * (1 + Fraction(1, 10**13)), case.name
        held += not refusals
    assert 50 < held < 250


def damage(seeds: range) -> None:
    """No certificate proves more than the optimum; the bound of plain NumPy is next to the exact one."""
    proven = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        instance = make_instance(
            int(rng.integers(1, 7)),
            int(rng.integers(1, 4)),
            seed,
            payload=float(rng.choice([0.01, 1.0, 50.0, 2000.0])),
            missing=float(rng.choice([0.0, 0.3])),
            sync_weight_per_ms=float(rng.choice([0.0, 1e-4, 1e-2, 1.0])),
            energy_weight_ms_per_j=float(rng.choice([0.0, 20.0, 100.0, 1e5])),
        )
        best = solve(instance, "brute-force")
        certificate = random_certificate(instance, rng, best.evaluation)
        plain = {name: np.asarray(column).tolist() for name, column in instance.servers.columns().items()}
        data = {**instance.to_plain(), "servers": plain}
        data["devices"] = {
            name: np.asarray(column).tolist() for name, column in instance.devices.columns().items()
        }
        data["channel"] = {
            name: part if isinstance(part, str) else part.tolist() for name, part in data["channel"].items()
        }
        read = exact.read_instance(exact.parse(files.pretty_json(data).encode(), "instance"))
        assert read.digest == instance.digest
        grid = Grid(exact.numbers_of(read), Fraction(best.evaluation.controllable_ms))
        bound = exact.as_double(exact.proven_bound(grid, certificate))
        slack = 1e-12 * best.evaluation.controllable_ms + 1e-15 * best.evaluation.objective_ms
        assert bound <= best.evaluation.objective_ms + slack, seed
        assert bound >= lower_bound(instance, parse_certificate(certificate)) - slack, seed
        proven += bound > best.evaluation.objective_ms - 0.01 * best.evaluation.controllable_ms
    assert proven > len(seeds) / 20


@pytest.mark.integration
def test_two_hundred_random_certificates_prove_nothing_false() -> None:
    damage(range(200))


@pytest.mark.slow
def test_two_thousand_random_certificates_prove_nothing_false() -> None:
    damage(range(1000, 3000))


def cost(choice: Choice, chosen: tuple[int, ...]) -> Fraction:
    """What a set costs, from the definition."""
    rows = zip(choice.base, choice.costs, strict=True)
    most = max(base + sum(x * r for x, r in zip(chosen, row, strict=True)) for base, row in rows)
    load = choice.load + sum(x * s for x, s in zip(chosen, choice.loads, strict=True))
    return most + Fraction(choice.rent[0] * load**2, 2 ** choice.rent[1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_no_set_costs_less_than_the_least_cost(seed: int, several: bool, cut_off: bool) -> None:
    rng = np.random.default_rng(seed)
    n, rows = int(rng.integers(0, 8)), int(rng.integers(2, 5)) if several else 1

    def whole(low: float, high: float, count: int) -> list[int]:
        return [int(value * 2**60) for value in rng.uniform(low, high, count)]

    loads = whole(0, 2, n)
    costs = [whole(-3, 1, n) for _ in range(rows)]
    if rng.random() < 0.3 and n > 1:
        loads[1], costs = loads[0], [[row[0], row[0], *row[2:]] for row in costs]  # twins
    choice = Choice(loads, costs, whole(0, 1, 1)[0], whole(-1, 1, rows), (2**60, 120))
    least = min(cost(choice, chosen) for chosen in product((0, 1), repeat=n))
    grid: Any = type("Counter", (), {"spend": lambda self, steps: None})()
    cut = math.floor(least) + int(rng.normal() * 2**58) if cut_off else None
    found = exact.least_cost(grid, choice, cut)
    assert found <= least
    wanted = least if cut is None else min(least, cut)
    assert found >= wanted - 100  # of 2^60: one last place for every sum


@given(st.integers(1, 2**120), st.integers(0, 120), st.integers(0, 2**90))
def test_the_slope_of_dominance_is_at_least_and_next_to_what_its_proof_needs(
    q: int, shift: int, limit: int
) -> None:
    with localcontext(prec=80):
        root = 1 + Decimal(2).sqrt()
        needed = root * (Decimal(limit) * q / 2**shift).sqrt() * 2**exact.LIPSCHITZ
        assert needed <= exact._slope((q, shift), limit) <= needed * Decimal("1.0001") + 2


def least_band_cost(grid: Grid, k: int, price: float) -> Decimal:
    """psi in grid units with 80 digits: the stationary point of its convex part, by Newton's method from above."""
    with localcontext(prec=80):

        def decimal(value: Fraction) -> Decimal:
            return Decimal(value.numerator) / Decimal(value.denominator)

        numbers = grid.numbers
        local, delay = decimal(numbers.local[grid.pairs[k][0]]), decimal(numbers.uplink(k)[1])
        cost, lam = decimal(numbers.band_cost(k)) + Decimal(price), decimal(numbers.sync_weight)
        ratio, slope = local / delay, cost / (2 * lam * delay**2)
        v = min(slope ** (Decimal(1) / 3), slope / ratio**2)
        for _ in range(200):
            u = ratio + v
            v -= (v * u * u - slope) / (u * (u + 2 * v))
        u = max(ratio + v, Decimal(1))
        return (lam * (local - delay * u) ** 2 + cost / u) * 2**grid.bits


@pytest.mark.parametrize("payload", [1e-3, 1.0, 1e3, 1e5])
@pytest.mark.parametrize("lam", [1e-4, 1e-2, 1e4])
def test_the_band_cost_is_below_the_least_and_next_to_it(tmp_path: Path, lam: float, payload: float) -> None:
    for seed in range(3):
        instance = make_instance(2, 1, seed, payload=payload, missing=0.0, sync_weight_per_ms=lam)
        grid = grid_of(instance, tmp_path)
        for k, price in product(range(2), (0.0, 1e-3, 1.0, 1e5)):
            bound = grid.band_cost(k, grid.down(price))
            least = least_band_cost(grid, k, price)
            assert 0 <= bound <= least
            assert bound >= least * Decimal("0.9999999999999") - 2


def test_any_point_of_contact_gives_a_valid_band_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = grid_of(make_instance(3, 2, 0, missing=0.0), tmp_path)
    for beyond in (0.0, 1e-9, 1.0, 1e3, 1e300, math.inf, math.nan):
        monkeypatch.setattr(exact, "_beyond", lambda *_, beyond=beyond: beyond)
        for k, price in product(range(len(grid.pairs)), (0.0, 1.0, 1e5)):
            bound = grid.band_cost(k, grid.down(price))
            assert 0 <= bound <= least_band_cost(grid, k, price)


def test_nothing_is_paid_for_band_without_the_synchronisation_term(tmp_path: Path) -> None:
    grid = grid_of(make_instance(3, 2, 0, sync_weight_per_ms=0.0), tmp_path)
    assert {grid.band_cost(k, 10**30) for k in range(len(grid.pairs))} == {0}


@pytest.mark.parametrize("missing", [0.2, 0.85])
def test_the_digest_is_the_toolkits(tmp_path: Path, missing: float) -> None:
    instance = make_instance(9, 4, 3, missing=missing, noise_psd_dbm_per_hz=-1e2, queue_slot_ms=1e-5)
    data = exact.parse(written(instance, tmp_path), "instance")
    assert exact.read_instance(data).digest == instance.digest


@pytest.mark.integration
def test_columns_in_a_side_file_are_left_to_the_toolkit(tmp_path: Path) -> None:
    wide = make_instance(4000, 3, 1)
    with pytest.raises(Refused, match="side file"):
        exact.read_instance(exact.parse(written(wide, tmp_path), "instance"))
    solution.save(solve(wide, "max-compute"), tmp_path / "s.json")
    found = check_files(tmp_path / "instance.json", tmp_path / "s.json")
    assert found.refusals == []
    assert found.objective is not None


def test_a_tree_of_exact_is_proven_again(tmp_path: Path) -> None:
    instance = make_instance(12, 5, 2)
    result = solve(instance, "exact", options={"gap": 1e-9})
    solution.save(result, tmp_path / "answer.json")
    verdict = exact.check(written(instance, tmp_path), (tmp_path / "answer.json").read_bytes())
    assert verdict.refusals == []
    gap = verdict.gap_to(verdict.bound)
    assert gap is not None
    assert gap <= Fraction(1, 10**9)


@pytest.fixture(scope="module")
def stored(folder: Path) -> tuple[str, str]:
    instance = make_instance(10, 2, 1)
    instance.save(folder / "i.json")
    solution.save(solve(instance, "price", options={"gap": 0.5}), folder / "s.json")
    return str(folder / "i.json"), str(folder / "s.json")


def alone(*arguments: str) -> tuple[int, list[str]]:
    """The file in an interpreter that sees neither this package nor any other."""
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(ALONE), *arguments], capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout.splitlines()


def test_it_runs_by_itself(stored: tuple[str, str]) -> None:
    code, lines = alone(*stored)
    assert code == 0
    assert [line.split(" at ")[0] for line in lines[:2]] == ["objective", "proven bound"]
    assert lines[-1].startswith("accepted: exact arithmetic")
    assert alone(*stored, "--gap", "1e-12")[0] == 1
    assert alone(stored[0])[0] == 2


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b'{"kind": "solution"}', b"[" * 100_000, b'{"a": 1, "a": 2}']
)
def test_what_is_no_solution_is_refused_in_a_line(
    stored: tuple[str, str], folder: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (folder / "bad.json").write_bytes(content)
    assert exact.main([stored[0], str(folder / "bad.json")]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("refused: ")


def test_work_is_bounded(stored: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "MOST_STEPS", 5)
    with pytest.raises(Refused, match="more work"):
        exact.check(Path(stored[0]).read_bytes(), Path(stored[1]).read_bytes())


def prices_of(instance: Instance, nodes: list[Any], grid: list[float]) -> dict[str, Any]:
    """Rows of worthless prices: every node bounds the cost by zero at most."""
    row = {
        "device_price": [-1.0] * len(instance.devices),
        "count_price": [0.0] * len(instance.servers),
        "band": 0,
    }
    bands = [[grid] * len(instance.servers)]
    head = {"kind": "device-prices", "version": 1, "target_ms": 1e9}
    return {**head, "nodes": nodes, "rows": [row], "band_prices": bands}


def test_work_counts_what_takes_time_though_nothing_is_gained(folder: Path) -> None:
    instance = make_instance(12, 3, 1)
    grid = grid_of(instance, folder)
    exact.proven_bound(
        grid, prices_of(instance, [{"row": 0, "split": "again"}] * 50 + [{"row": 0}], [0.0] * 4)
    )
    assert grid.steps > 50 * 4 * len(grid.pairs)


def test_memory_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(12, 3, 1)
    deep: list[Any] = [{"row": 0, "split": {"device": i, "servers": [0]}} for i in range(12)]
    tree = prices_of(instance, deep + [{"row": 0}] * 13, [0.0])
    first = list(range(12))
    tables = {"prices": [0] * 25, "device": [*first, *[-1] * 13], "server": [0] * 12 + [-1] * 13}
    none = {"compute_price": [[0.0] * 3], "bandwidth_price": [[0.0] * 3]}
    branches = {"kind": "branches", "target_ms": 1e9, **tables, **none}
    for certificate, most in (
        (tree, 300),
        (branches, 200),
        (prices_of(instance, [{"row": 0}], [0.0] * 9), 200),
    ):
        exact.proven_bound(grid_of(instance, folder), certificate)
        with monkeypatch.context() as patch:
            patch.setattr(exact, "MOST_HELD", most)
            with pytest.raises(Refused, match="more memory"):
                exact.proven_bound(grid_of(instance, folder), certificate)


def test_what_is_held_is_let_go_of(folder: Path) -> None:
    instance = make_instance(12, 3, 1)
    grid = grid_of(instance, folder)
    again: list[Any] = [{"row": 0, "split": "again"}] * 50
    exact.proven_bound(grid, prices_of(instance, [*again, {"row": 0}], [0.0]))
    assert grid.held == len(grid.pairs) + 3


def test_many_labels_end_in_a_valid_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    loads = [int(value * 2**60) for value in rng.uniform(0.5, 2, 14)]
    grid: Any = type("Counter", (), {"spend": lambda self, steps: None})()
    for rows in (1, 3):
        costs = [[int(value * 2**60) for value in rng.uniform(-8, -4, 14)] for _ in range(rows)]
        choice = Choice(loads, costs, 0, [0] * rows, (2**60, 120))
        least = exact.least_cost(grid, choice)
        monkeypatch.setattr(exact, "MOST_LABELS", 2)
        assert exact.relaxed(choice).bound <= exact.least_cost(grid, choice) <= least
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("read", "least", "most", "beyond"),
    [
        (exact._whole(), 0, 2**31 - 1, (-1, 2**31, True, 1.0, "1")),
        (exact._number(-1.0, 2.0), -1.0, 2.0, (-1.5, 2.5, True, "1", math.nan)),
        (exact._name, "a", "a" * 200, ("", "a" * 201, 1)),
    ],
)
def test_what_is_read_has_its_limits(read: Any, least: Any, most: Any, beyond: tuple[Any, ...]) -> None:
    assert [read(each, "$.x") for each in (least, most)] == [least, most]
    for value in beyond:
        with pytest.raises(Refused, match=r"\$\.x: "):
            read(value, "$.x")
