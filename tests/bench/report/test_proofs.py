"""Proofs in the report: the best proven answers are inside, small ones alone, and a press of a button checks them."""

from __future__ import annotations

import base64
import dataclasses
import re
from pathlib import Path
from typing import Any

import browsers
import pytest

from uara import Instance
from uara.base.files import parse_json, validate
from uara.bench import Results
from uara.bench.report import proofs, write_report
from uara.problem import parse_certificate, parse_decision
from uara.solution import SolutionFile
from uara.verify import verify

from ..conftest import HOSTILE

WAIT = """const done = arguments[0], root = document.querySelector(".checker");
const look = () => root.result ? done(root.result) : setTimeout(look, 20);
look();"""


@pytest.fixture(scope="module")
def results(recorded: Path) -> Results:
    return Results.load(recorded)


def test_each_instance_has_its_best_proven_answer(results: Results) -> None:
    found, left = proofs.proofs_of(results)
    assert left == 0
    assert {proof.instance.name for proof in found} == set(results.instances["instance"])
    for proof in found:
        problem = Instance.from_plain(parse_json(proof.instance.content))
        record = validate(parse_json(proof.solution.content), SolutionFile)
        assert record.instance.digest == problem.digest
        decision = parse_decision(problem, record.decision)
        verdict = verify(
            problem, decision, record.claims, parse_certificate(problem, record.certificate or {})
        )
        assert verdict.accepted, verdict.refusals
        assert verdict.certified_gap == pytest.approx(proof.gap, abs=1e-12)


def test_the_files_are_in_the_section_and_names_are_escaped(results: Results) -> None:
    text = proofs.proofs(results)
    assert HOSTILE not in text
    assert "<img" not in text
    for proof in proofs.proofs_of(results)[0]:
        held = re.search(rf'id="{proof.instance.identifier}" data-name="[^"]*">([^<]*)<', text)
        assert held
        assert base64.b64decode(held[1]) == proof.instance.content
        assert f'data-check="{proof.instance.identifier} {proof.solution.identifier}"' in text


def test_large_answers_stay_outside_and_the_section_says_so(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = len(proofs.proofs_of(results)[0])
    sizes = [len(proof.instance.content) for proof in proofs.proofs_of(results)[0]]
    monkeypatch.setattr(proofs, "MOST_BYTES", 4 * max(sizes))
    text = proofs.proofs(results)
    inside = text.count('data-check="')
    assert 0 < inside < count
    assert f"{count - inside} larger ones are not inside" in text
    monkeypatch.setattr(proofs, "MOST_BYTES_EACH", 0)
    assert 'data-check="' not in proofs.proofs(results)
    assert 'data-part="instance"' in proofs.proofs(results), "files can be dropped"


def test_without_certificates_there_is_no_section(results: Results) -> None:
    table = results.table.assign(certificate=None)
    assert proofs.proofs(dataclasses.replace(results, table=table)) == ""


@pytest.mark.integration
def test_a_press_of_a_button_checks_a_proof(results: Results, tmp_path: Path) -> None:
    write_report(results, tmp_path / "report.html")
    with browsers.chromium(tmp_path) as driver:
        driver.get(f"file://{tmp_path / 'report.html'}")
        buttons: list[Any] = driver.find_elements("css selector", "#proofs [data-check]")
        assert len(buttons) == len(proofs.proofs_of(results)[0])
        for button in buttons[:2]:
            driver.execute_script("document.querySelector('.checker').result = null")
            driver.execute_script("arguments[0].click()", button)
            found = driver.execute_async_script(WAIT)
            assert found["accepted"], found["refusals"]
            assert found["kind"] in ("prices", "branches", "device-prices")
        driver.get(
            f"file://{tmp_path / 'report.html'}#{driver.execute_script('return document.querySelector(`.page`).id')}"
        )
        assert not driver.find_element("id", "proofs").is_displayed(), "pages of instances are on their own"
        assert driver.get_log("browser") == []
