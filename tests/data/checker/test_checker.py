"""The checker in JavaScript, in a browser: it accepts the true, refuses the forged, and proves nothing false."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import browsers
import file_forgeries
import numpy as np
import pytest
import random_certificates
from cases import make_instance
from forgeries import branched, encoded, plain_of, tree_instance

import uara
from uara.base.files import pretty_json
from uara.p1 import check_certificate
from uara.pages import check_page
from uara.problem import parse_certificate, parse_decision
from uara.solution import Claims
from uara.verify import verify

pytestmark = pytest.mark.integration
INSTANCES = Path(__file__).parents[3] / "instances"
Pair = tuple[bytes, bytes]

JUDGE = """const done = arguments[arguments.length - 1];
const bytes = text => Uint8Array.from(atob(text), character => character.charCodeAt(0));
done(arguments[0].map(([instance, solution]) => {
  const nodes = [], began = performance.now();
  const hear = event => event.step === "node" && nodes.push(event);
  const result = uaraChecker.check(bytes(instance), bytes(solution), hear);
  return { ...result, nodes: nodes.slice(0, 50), ms: performance.now() - began };
}));"""


class Checker:
    """The page's checker, called from Python."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def judge(self, pairs: Iterable[Pair]) -> list[dict[str, Any]]:
        """The verdicts on pairs of an instance's and a solution's bytes, all in one page."""
        coded = [[base64.b64encode(content).decode() for content in pair] for pair in pairs]
        return list(self.driver.execute_async_script(JUDGE, coded))


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    folder = tmp_path_factory.mktemp("checker")
    check_page.write(folder / "page.html")
    with browsers.chromium(folder) as driver:
        driver.get(f"file://{folder / 'page.html'}")
        yield Checker(driver)


def instance_file(problem: Any) -> bytes:
    plain = problem.to_plain()
    return json.dumps(plain, default=lambda array: np.asarray(array).tolist()).encode()


def answers() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """An instance and an honest answer for every kind of certificate."""
    network, twenty = make_instance(8, 3, 1, missing=0.0), tree_instance()
    starved, split = make_instance(14, 5, 1, payload=300.0), make_instance(12, 5, 0, payload=30.0)
    yield "none", network, plain_of(network, "max-compute")
    yield "prices", network, plain_of(network, "price", gap=0.5)
    yield "branches", twenty, branched(twenty)
    for problem in (twenty, network, starved, split):
        yield "device-prices", problem, plain_of(problem, "exact", gap=1e-9)
    free = make_instance(7, 3, 2, sync_weight_per_ms=0.0)
    yield "device-prices", free, plain_of(free, "exact")


@pytest.fixture(scope="module")
def honest() -> list[tuple[str, Any, dict[str, Any]]]:
    return list(answers())


def test_honest_answers_of_every_kind_are_accepted(checker: Checker, honest: list[Any]) -> None:
    found = checker.judge((instance_file(problem), encoded(plain)) for _, problem, plain in honest)
    for (name, problem, plain), verdict in zip(honest, found, strict=True):
        assert verdict["accepted"], (name, verdict["refusals"])
        assert (verdict["kind"] or "none") == name
        certificate = plain.get("certificate")
        decision = parse_decision(problem, plain["decision"])
        proof = None if certificate is None else parse_certificate(problem, certificate)
        inexact = verify(problem, decision, Claims(**plain["claims"]), proof)
        assert verdict["objective"] == pytest.approx(inexact.objective_ms, rel=1e-12)
        if certificate is not None:
            assert verdict["bound"] == pytest.approx(inexact.certified_bound_ms, rel=1e-10)
    nodes = [node for verdict in found for node in verdict["nodes"] if verdict["kind"] == "device-prices"]
    assert {node["outcome"] for node in nodes} >= {"divided", "closed"}
    assert sum(node["dropped"] for node in nodes) > 20
    splits = [
        node["split"] for _, _, plain in honest for node in (plain.get("certificate") or {}).get("nodes", [])
    ]
    assert any(isinstance(split, dict) and "most" in split for split in splits)
    assert any(isinstance(split, dict) and "servers" in split for split in splits)


def test_a_digit_more_is_refused(checker: Checker, honest: list[Any]) -> None:
    """Claims that are off by 1e-8 of the controllable part; those off by 1e-10 count as rounding."""
    for part, accepted in ((1e-8, False), (1e-10, True)):
        pairs = []
        for name, problem, plain in honest:
            if name == "none":
                continue
            shift = part * checker.judge([(instance_file(problem), encoded(plain))])[0]["controllable"]
            claims = dict(plain["claims"], status="")
            claims["certified_lower_bound_ms"] += shift
            pairs.append((instance_file(problem), encoded({**plain, "claims": claims})))
        found = checker.judge(pairs)
        assert [verdict["accepted"] for verdict in found] == [accepted] * len(found)


def test_the_corpus_of_forged_files_is_refused(checker: Checker, tmp_path: Path) -> None:
    true, forged = file_forgeries.honest(tmp_path), file_forgeries.forged(tmp_path)
    verdicts = checker.judge((case.instance, case.solution) for case in [*true, *forged])
    assert [case.name for case, verdict in zip(true, verdicts, strict=False) if not verdict["accepted"]] == []
    accepted, above, unclear = [], [], []
    for case, verdict in zip(forged, verdicts[len(true) :], strict=True):
        if verdict["accepted"] and not case.may_hold:
            accepted.append(case.name)
        bound = verdict.get("bound")
        if case.may_hold and verdict["accepted"] and bound is not None and case.optimum_ms is not None:
            above += [case.name] if bound > case.optimum_ms * (1 + 1e-12) else []
        if "the check failed" in verdict["line"] or "\n" in verdict["line"]:
            unclear.append((case.name, verdict["line"]))
    assert accepted == []
    assert above == []
    assert unclear == []
    assert len(forged) > 1000


def test_figures_are_those_of_the_exact_checker_in_python(checker: Checker, honest: list[Any]) -> None:
    """Two languages, no common code, the same numbers; the times are printed, not judged."""
    pairs = [(instance_file(problem), encoded(plain)) for _, problem, plain in honest]
    large = uara.Instance.load(INSTANCES / "e8_m90.json")
    pairs.append((instance_file(large), encoded(plain_of(large, "exact", gap=1e-6))))
    stored = INSTANCES / "solutions" / "e8_m90.json"
    pairs.append(((INSTANCES / "e8_m90.json").read_bytes(), stored.read_bytes()))
    for pair, verdict in zip(pairs, checker.judge(pairs), strict=True):
        began = time.process_time()
        exact = check_certificate.check(*pair)
        seconds = time.process_time() - began
        print(f"{verdict['kind']}: JavaScript {verdict['ms'] / 1e3:.2f} s, Python {seconds:.2f} s")
        assert verdict["accepted"] == (not exact.refusals)
        assert verdict["objective"] == pytest.approx(float(exact.objective), rel=1e-12)
        if exact.bound is not None:
            assert verdict["bound"] == pytest.approx(float(exact.bound), rel=1e-12)
            controllable = float(exact.bound - exact.objective + exact.controllable)
            assert verdict["controllable_bound"] == pytest.approx(controllable, rel=1e-12)


def damaged(value: Any, rng: np.random.Generator, often: float) -> Any:
    """Plain data with numbers changed here and there."""
    if isinstance(value, dict):
        return {key: damaged(item, rng, often) if key != "version" else item for key, item in value.items()}
    if isinstance(value, list):
        return [damaged(item, rng, often) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float) or rng.random() > often:
        return value
    if isinstance(value, int):
        return max(0, value + int(rng.integers(-1, 2))) if value >= 0 else value
    return float(abs(value) * rng.choice([0.0, 0.5, 0.99, 1.001, 1.5, 10.0]) * (1 if value >= 0 else -1))


def damaged_files(seeds: range) -> tuple[list[Pair], list[float]]:
    """Two dozen damaged certificates for each seed's instance, and the least objective by brute force."""
    pairs, optima = [], []
    for seed in seeds:
        rng = np.random.default_rng([5, seed])
        problem = make_instance(
            int(rng.integers(3, 7)), int(rng.integers(2, 4)), seed, payload=10 ** rng.uniform(0, 3.5)
        )
        best = uara.solve(problem, "brute-force").evaluation.objective_ms
        everything = [[i, j] for i in range(len(problem.devices)) for j in range(len(problem.servers))]
        for solver in ("price", "exact"):
            plain = plain_of(problem, solver, gap=1e-9)
            for often in (0.02, 0.1, 0.5):
                for _ in range(4):
                    certificate = damaged(plain["certificate"], rng, often)
                    for node in certificate.get("nodes", []):
                        if rng.random() < 0.5:
                            node["drop"] = everything
                    if rng.random() < 0.5 and "target_ms" in certificate:
                        certificate["target_ms"] *= float(rng.choice([1.0001, 1.1, 2.0]))
                    pairs.append(
                        (instance_file(problem), encoded({**plain, "certificate": certificate, "claims": {}}))
                    )
                    optima.append(best)
    return pairs, optima


def nothing_false(bounds: list[float | None], optima: list[float]) -> None:
    """Whatever the contents, what is proven is below the optimum; and enough is proven to say so."""
    proven = [(bound, best) for bound, best in zip(bounds, optima, strict=True) if bound]
    assert [pair for pair in proven if pair[0] > pair[1] * (1 + 1e-13)] == []
    assert len(proven) > len(bounds) / 2
    assert sum(bound > 0.999 * best for bound, best in proven) > len(bounds) / 10


def test_damaged_certificates_prove_nothing_false(checker: Checker) -> None:
    pairs, optima = damaged_files(range(12))
    nothing_false([verdict.get("bound") for verdict in checker.judge(pairs)], optima)


@pytest.mark.slow
def test_two_thousand_damaged_certificates_prove_nothing_false_by_either_checker(checker: Checker) -> None:
    for first in range(100, 184, 12):
        pairs, optima = damaged_files(range(first, first + 12))
        nothing_false([verdict.get("bound") for verdict in checker.judge(pairs)], optima)
        nothing_false([exactly(*pair) for pair in pairs], optima)


def exactly(instance: bytes, answer: bytes) -> float | None:
    """What the checker in Python says is proven; None where it refuses the file."""
    try:
        found = check_certificate.check(instance, answer).bound
    except check_certificate.Refused:
        return None
    return None if found is None else check_certificate.as_double(found)


def test_random_certificates_prove_nothing_false(checker: Checker) -> None:
    rng = np.random.default_rng(6)
    pairs, optima = [], []
    for seed in range(15):
        problem = make_instance(int(rng.integers(3, 7)), int(rng.integers(2, 4)), seed, payload=300.0)
        plain = plain_of(problem, "brute-force")
        best = uara.solve(problem, "brute-force").evaluation
        for _ in range(10):
            part = float(rng.uniform(0.5, 1.5))
            tree = random_certificates.random_tree(
                problem, rng, best.controllable_ms, part * best.controllable_ms
            )
            branches = random_certificates.random_branches(
                problem, rng, best.constant_ms + part * best.controllable_ms
            )
            for certificate in (tree, branches):
                answer = {**plain, "certificate": certificate, "claims": {}}
                pairs.append((instance_file(problem), encoded(answer)))
                optima.append(best.objective_ms)
    bounds = [verdict.get("bound") for verdict in checker.judge(pairs)]
    proven = [(bound, best) for bound, best in zip(bounds, optima, strict=True) if bound is not None]
    assert [pair for pair in proven if pair[0] > pair[1] * (1 + 1e-13)] == []
    assert len(proven) > len(bounds) / 2


def extreme(rng: np.random.Generator) -> Pair:
    """An instance whose numbers are anywhere in their ranges, and an answer of random prices."""
    servers, devices, width = int(rng.integers(1, 4)), int(rng.integers(1, 6)), float(rng.choice([3, 10, 30]))

    def column(count: int, high: float = width) -> list[float]:
        return (10 ** rng.uniform(-width, high, count)).tolist()

    parameters = (
        "sync_weight_per_ms",
        "energy_weight_ms_per_j",
        "device_efficiency_flop_per_j",
        "queue_slot_ms",
    )
    columns = ("compute_flop_per_s", "tx_power_w", "upload_bits", "device_flop", "server_flop")
    plain = {
        "schema_version": 1,
        "kind": "p1",
        "name": "extreme",
        "parameters": dict(zip(parameters, column(4), strict=True))
        | {"noise_psd_dbm_per_hz": float(rng.uniform(-400, 200))},
        "servers": {"id": [f"s{j}" for j in range(servers)]}
        | {name: column(servers) for name in ("compute_flop_per_s", "bandwidth_hz", "backlog_flop")},
        "devices": {"id": [f"d{i}" for i in range(devices)], "battery_fraction": column(devices, 0.0)}
        | {name: column(devices) for name in columns},
        "channel": {"layout": "dense", "power_gain": [column(servers) for _ in range(devices)]},
    }
    row = {"device_price": column(devices), "count_price": (-rng.random(servers)).tolist(), "band": 0}
    certificate = {
        "kind": "device-prices",
        "version": 1,
        "target_ms": column(1)[0],
        "nodes": [{"row": 0}],
        "rows": [row],
        "band_prices": [[column(2) for _ in range(servers)]],
    }
    if rng.random() < 0.5:
        prices = {"compute_price": column(servers), "bandwidth_price": column(servers)}
        certificate = {"kind": "prices", **prices}
    association = rng.integers(0, servers, devices)
    shares = (1 / np.bincount(association, minlength=servers)[association]).tolist()
    answer = {
        "schema_version": 1,
        "kind": "solution",
        "problem": "p1",
        "instance": {"name": "extreme", "digest": uara.Instance.from_plain(plain).digest},
        "decision": {"association": association.tolist(), "bandwidth": shares, "compute": shares},
        "certificate": certificate,
    }
    return json.dumps(plain).encode(), json.dumps(answer).encode()


def test_numbers_at_the_ends_of_their_ranges_are_computed_with(checker: Checker) -> None:
    rng = np.random.default_rng(8)
    found = checker.judge(extreme(rng) for _ in range(120))
    assert [verdict["line"] for verdict in found if "objective" not in verdict] == []
    finite = [verdict for verdict in found if verdict["objective"] is not None]
    assert len(finite) > 60
    assert [
        one for one in finite if one["bound"] is not None and one["bound"] > one["objective"] * (1 + 1e-9)
    ] == []
    assert max(verdict["ms"] for verdict in found) < 10_000


KERNEL = """const { leastCost, Items } = uaraChecker;
let seed = 7, wrong = 0, tried = 0;
const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
const whole = value => BigInt(Math.round(value));
for (let turn = 0; turn < 1500; turn++) {
  const n = 1 + Math.floor(random() * 8), count = 1 + Math.floor(random() * 3), size = random() < .3 ? 8 : 1e6;
  const s = Array.from({ length: n }, () => whole(random() * size));
  const cost1 = () => whole((random() * 1.2 - 1) * size * size * random() * n);
  const rows = Array.from({ length: count }, () => s.map(cost1));
  const near = value => value + whole((random() - .5) * size * size * .1);
  if (random() < .4) for (let g = 1; g < count; g++) rows[g] = rows[0].map(near);
  const t0 = random() < .3 ? whole(random() * size * 3) : 0n, c0 = rows.map(() => whole((random() - .5) * size * size));
  const cost = set => {
    let t = t0;
    const c = c0.slice();
    for (let i = 0; i < n; i++) if (set >> i & 1) {
      t += s[i];
      rows.forEach((row, g) => c[g] += row[i]);
    }
    return c.reduce((a, b) => a > b ? a : b) + t * t;
  };
  const some = Math.floor(random() * n), items = new Items(s, rows, t0, c0);
  for (const [special, inside] of [[-1, false], [some, true], [some, false]]) {
    let best = null;
    for (let set = 0; set < 1 << n; set++) {
      if (special >= 0 && (set >> special & 1) !== Number(inside)) continue;
      const own = cost(set);
      if (best === null || own < best) best = own;
    }
    const cut = best + whole((random() - .5) * size * size * .1);
    tried++;
    if (leastCost(items, null, special, inside) !== best) wrong++;
    if (leastCost(items, cut, special, inside) !== (best < cut ? best : cut)) wrong++;
  }
}
return [tried, wrong];"""


def test_the_least_cost_of_a_set_is_exact(checker: Checker) -> None:
    """Whole numbers against all subsets, with one row and more, with an item forced, and cut off."""
    assert checker.driver.execute_script(KERNEL) == [4500, 0]


def test_sha256(checker: Checker) -> None:
    script = "return arguments[0].map(text => uaraChecker.sha256([new TextEncoder().encode(text)]))"
    texts = ["", "abc", "a" * 55, "a" * 56, "a" * 64, "ä" * 1000]
    import hashlib

    assert checker.driver.execute_script(script, texts) == [
        hashlib.sha256(text.encode()).hexdigest() for text in texts
    ]


def test_numbers_and_names_that_need_care_keep_their_digest(checker: Checker) -> None:
    """Digests hash Python's spelling of numbers, and texts with any character."""
    problem = make_instance(
        5, 2, 4, sync_weight_per_ms=1e-5, device_efficiency_flop_per_j=1e16, energy_weight_ms_per_j=1e22,
        uplink_energy_j_per_mhz_w=123456.789e-9, queue_slot_ms=1234567.0,
    )  # fmt: skip
    names = ['"quoted"', "\u2028 ä", "\U0001f600", "\\", "a\nb"]
    problem = problem.replace(devices=problem.devices.replace(id=names, battery_capacity_j=np.full(5, 1e-7)))
    plain = plain_of(problem, "max-compute")
    files = [
        (instance_file(problem), encoded(plain)),
        (pretty_json(json.loads(instance_file(problem))).encode(), encoded(plain)),
    ]
    assert [verdict["refusals"] for verdict in checker.judge(files)] == [[], []]
