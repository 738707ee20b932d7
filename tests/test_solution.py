from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import make_instance, random_association

from uara import Allocation, Answer, Certificate, InputError, Result, allocate, solve
from uara.base.files import validate
from uara.problem import evaluate
from uara.solution import Claims, load, open_for, save

INSTANCE = make_instance(8, 3, seed=1)


def result(**changes: Any) -> Result:
    certificate = Certificate([1e-9] * 3, [0.5] * 3)
    answer = Answer(allocate(INSTANCE, random_association(INSTANCE)), certificate=certificate)
    return solve(INSTANCE, lambda instance, context: answer, seed=5, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save(result(), tmp_path / "a.json")
    return tmp_path / "a.json"


def edited(path: Path, *keys: str | int, value: Any) -> Path:
    data = json.loads(path.read_bytes())
    at = data
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    path.write_text(json.dumps(data))
    return path


def test_what_is_saved_is_what_is_opened(path: Path) -> None:
    record, decision, certificate = open_for(INSTANCE, path)
    kept = result()
    assert decision.to_plain() == kept.decision.to_plain()
    assert certificate is not None
    assert kept.certificate is not None
    assert certificate.to_plain() == kept.certificate.to_plain()
    assert (record.seed, record.problem, record.claims.status) == (5, "p1", "feasible")
    assert record.claims.objective_ms == kept.evaluation.objective_ms
    assert record.claims.certified_lower_bound_ms == kept.certified_bound_ms


def test_shares_survive_to_the_last_bit(path: Path) -> None:
    decision = open_for(INSTANCE, path)[1]
    assert isinstance(decision, Allocation)
    assert evaluate(INSTANCE, decision).objective_ms == result().evaluation.objective_ms


def test_the_same_run_writes_the_same_file_but_for_its_time(path: Path, tmp_path: Path) -> None:
    save(result(), tmp_path / "b.json")
    one, two = (json.loads((tmp_path / name).read_bytes()) for name in ("a.json", "b.json"))
    for data in (one, two):
        data["claims"].pop("runtime_s")
    assert one == two


def test_a_renamed_instance_is_the_same(path: Path) -> None:
    assert open_for(INSTANCE.replace(name="other"), path)[1] is not None


def test_a_solution_of_another_instance_is_refused(path: Path) -> None:
    other = make_instance(8, 3, seed=2, name="other")
    with pytest.raises(InputError, match=r"is for 'synthetic' .* not for 'other'") as caught:
        open_for(other, path)
    assert (caught.value.source, caught.value.path) == (str(path), "$.instance")


def test_a_solution_of_another_kind_of_problem_is_refused(path: Path) -> None:
    with pytest.raises(InputError):
        open_for(INSTANCE, edited(path, "problem", value="hetedge"))


@pytest.mark.parametrize(
    ("keys", "value", "blamed"),
    [
        (("schema_version",), 2, "$.schema_version"),
        (("kind",), "p1", "$.kind"),
        (("instance", "digest"), "0", "$.instance.digest"),
        (("decision",), [], "$.decision"),
        (("decision", "association"), [0], ""),
        (("decision", "association", 0), -1, "$.decision.association[0]"),
        (("decision", "association", 0), 0.5, "$.decision.association[0]"),
        (("decision", "bandwidth", 3), None, "$.decision.bandwidth[3]"),
        (("decision", "bandwidth", 3), "0.1", "$.decision.bandwidth[3]"),
        (("decision", "compute"), [0.1], ""),
        (("decision", "colour"), 1, "$.decision.colour"),
        (("certificate",), {}, "$.certificate"),
        (("certificate", "kind"), "oracle", "$.certificate.kind"),
        (("certificate", "bandwidth_price", 0), -1.0, ""),
        (("certificate", "compute_price", 0), None, "$.certificate.compute_price[0]"),
        (("claims", "objective_ms"), "low", "$.claims.objective_ms"),
        (("colour",), 1, "$.colour"),
    ],
)
def test_malformed_solutions_are_refused_by_file_and_key(
    path: Path, keys: tuple[str | int, ...], value: Any, blamed: str
) -> None:
    with pytest.raises(InputError) as caught:
        open_for(INSTANCE, edited(path, *keys, value=value))
    assert caught.value.source == str(path)
    assert (caught.value.path or "").startswith(blamed)


@pytest.mark.parametrize("length", [0, 1, 50, 300])
def test_truncated_solutions_are_refused(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="not valid JSON"):
        load(path)


def test_an_infeasible_decision_is_kept_without_a_claim(tmp_path: Path) -> None:
    overfull = Allocation(random_association(INSTANCE), np.ones(8), np.ones(8))
    save(solve(INSTANCE, lambda instance, context: overfull), tmp_path / "a.json")
    record, decision, certificate = open_for(INSTANCE, tmp_path / "a.json")
    assert (record.claims.status, record.claims.objective_ms, certificate) == ("infeasible", None, None)
    assert not evaluate(INSTANCE, decision).feasible


def test_a_server_that_is_not_there_is_scored_not_crashed_on(path: Path) -> None:
    decision = open_for(INSTANCE, edited(path, "decision", "association", 0, value=99))[1]
    score = evaluate(INSTANCE, decision)
    assert score.violations[0].constraint.startswith("(3)")


@pytest.mark.parametrize(
    "claims", [{"status": "Optimal"}, {"status": "proven"}, {"ended": "ok"}, {"runtime_s": -1.0}]
)
def test_claims_are_fixed_words(claims: dict[str, object]) -> None:
    with pytest.raises(InputError):
        validate(claims, Claims)
    assert validate({"status": "", "ended": ""}, Claims) == Claims()
