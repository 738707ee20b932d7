"""The recorded results are what they say: complete, free of contradictions, re-scored, and in the documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uara.base.cells import Table
from uara.bench import Results
from uara.bench.claims import measured
from uara.bench.metrics import contradictions, scored
from uara.bench.report.markdown import MARK, marked, tables_of
from uara.bench.results import of_group
from uara.problem import evaluate, parse_decision

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
RECORDED = sorted((ROOT / "benchmarks" / "recorded").glob("*.parquet"))
LEAST_DEVICES_A_SERVER = 2
DOCUMENTS = [
    ROOT / name
    for name in (
        "README.md",
        "docs/results.md",
        "docs/leaderboard.md",
        "docs/masac/README.md",
        "docs/bench.md",
    )
]


@pytest.fixture(scope="module", params=RECORDED, ids=lambda path: path.stem)
def results(request: pytest.FixtureRequest) -> Results:
    return Results.load(request.param)


def test_nothing_is_missing_and_nothing_contradicts(results: Results) -> None:
    assert results.missing == 0
    assert contradictions(results) == []
    assert results.counts()["ok"] > 0


def test_the_machine_is_described(results: Results) -> None:
    runs = results.runs[results.runs["status"] != "skipped"]
    for column in ("cpu", "cores", "platform", "python", "versions", "commit", "started_at"):
        assert runs[column].notna().all(), column
    assert {"numpy", "numba", "highspy"} <= set(json.loads(runs["versions"].iloc[0]))


def test_the_best_answers_score_what_is_recorded(results: Results) -> None:
    solved = results.runs[(results.runs["status"] == "ok") & results.runs["decision"].notna()]
    best = solved.loc[solved.groupby("instance")["objective_ms"].idxmin()]
    checked = 0
    for _, run in best.iterrows():
        problem = results.problem(run["instance"])
        if problem is None:
            continue
        decision = parse_decision(problem, json.loads(run["decision"]))
        assert evaluate(problem, decision).objective_ms == pytest.approx(run["objective_ms"], rel=1e-12)
        checked += 1
    assert checked


@pytest.mark.parametrize(("label", "bar"), [("tma-masac", 0.05), ("tma-masac polished", 0.01)])
def test_learned_answers_hold_their_proven_gaps_at_every_size_of_table_1(label: str, bar: float) -> None:
    runs = scored(Results.load(ROOT / "benchmarks" / "recorded" / "paper.parquet"))
    own = of_group(runs, "grid")[lambda table: table["label"] == label]
    cells = own.groupby(["feature_servers", "feature_devices"])["gap_to_bound"]
    assert len(cells) == 30
    assert (cells.count() >= 6).all()
    mean = cells.mean()
    tight = mean.index.get_level_values(1) / mean.index.get_level_values(0) >= LEAST_DEVICES_A_SERVER
    assert mean[tight].max() <= bar
    assert mean.max() <= 2 * bar, "with two devices a server or fewer, the bounds themselves are wide"


def test_the_papers_claim_is_measured_against_the_best_baseline() -> None:
    results = Results.load(ROOT / "benchmarks" / "recorded" / "paper.parquet")
    found = measured(results.suite["claims"][0], scored(results))
    assert found.mean >= 0.237
    assert found.largest >= 0.280


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    found: dict[str, Table] = {}
    for recorded in RECORDED:
        found |= tables_of(Results.load(recorded))
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_tables_in_documents_are_those_of_the_recorded_results(path: Path, tables: dict[str, Table]) -> None:
    found = list(MARK.finditer(path.read_text()))
    assert found
    for match in found:
        name = match["name"]
        assert name in tables, f"no recorded result has a table {name}"
        assert match[0] == marked(match, tables, str(path)), (
            f"{name} is stale: uara bench table benchmarks/recorded/... --readme {path.name}"
        )


def test_the_tables_of_the_readme_fit_its_page(tables: dict[str, Table]) -> None:
    text = (ROOT / "README.md").read_text()
    for match in MARK.finditer(text):
        lines = [line for line in match[0].splitlines() if line.startswith("|")]
        assert len(lines) - 2 <= 7, match["name"]
        assert lines[0].count("|") - 1 <= 5, match["name"]
