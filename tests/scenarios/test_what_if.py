"""Variants beside the instance: what changes, and what is proven of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import make_instance

import uara
from uara import InputError, solution
from uara.scenarios.what_if import BASE, OTHER_WEIGHTS, WhatIf, files_of, variants, what_if
from uara.verify import verify_files

INSTANCE = make_instance(10, 3, seed=2)
CHANGES = [("band", "2x,0.2x"), ("drop-server", INSTANCE.servers.id[0]), ("w", "20")]


@pytest.fixture(scope="module")
def found() -> WhatIf:
    return uara.what_if(INSTANCE, CHANGES, "exact")


def test_each_change_alone_or_one_of_each_together() -> None:
    alone = [each.name for each in variants(INSTANCE, CHANGES)]
    name = INSTANCE.servers.id[0]
    assert alone == [BASE, "band 2x", "band 0.2x", f"drop-server {name}", "w 20"]
    both = [each.name for each in variants(INSTANCE, CHANGES, together=True)]
    assert both == [BASE, f"band 2x, drop-server {name}, w 20", f"band 0.2x, drop-server {name}, w 20"]
    servers = [("add-server", "0,0,rtx-3090"), ("add-server", "9,9,rtx-3090"), ("w", "1,2")]
    last = variants(INSTANCE, servers, together=True)
    assert len(last) == 3
    assert len(last[1].instance.servers) == 5
    assert last[2].instance.provenance.settings["what_if"] == last[2].name
    with pytest.raises(InputError, match="more than 1000 variants"):
        variants(INSTANCE, [("w", "0:99:1"), ("band", "1:50:1")], together=True)


@pytest.mark.integration
def test_verdicts_are_what_enumeration_says(found: WhatIf) -> None:
    truth = [uara.solve(each.instance, "brute-force").evaluation.objective_ms for each in found.variants]
    for place in range(1, 4):
        assert found.change_ms(place) == pytest.approx(truth[place] - truth[0], abs=1e-3)
        worse = truth[place] > truth[0]
        assert found.verdict(place).endswith("worse" if worse else "better")
        if abs(truth[place] - truth[0]) > 1e-3 * found.results[0].evaluation.controllable_ms:
            assert found.verdict(place).startswith("proven")
    assert found.verdict(0) == ""
    assert found.verdict(4) == OTHER_WEIGHTS
    assert found.change_ms(4) is None


def test_without_a_bound_nothing_is_proven() -> None:
    guessed = what_if(INSTANCE, CHANGES[:2], "max-sinr")
    assert {guessed.verdict(place) for place in (1, 2, 3)} <= {"better", "worse", "the same"}


def test_devices_that_move_are_counted_by_the_names_of_servers(found: WhatIf) -> None:
    first = INSTANCE.servers.id[0]
    served = sum(
        INSTANCE.servers.id[j] == first
        for j in found.results[0].decision.association  # type: ignore[attr-defined]
    )
    assert found.moved(0) == 0
    assert found.moved(3) >= served


def test_the_table_has_a_row_a_variant(found: WhatIf) -> None:
    table = found.table()
    assert [row[0].text for row in table.rows] == [each.name for each in found.variants]
    assert all(len(row) == len(table.columns) for row in table.rows)
    plain = found.to_plain()
    assert [each["variant"] for each in plain] == [each.name for each in found.variants]


def test_files_can_be_verified(found: WhatIf, tmp_path: Path) -> None:
    written = found.save(tmp_path / "answers")
    assert len(written) == 2 * len(found.variants)
    for (instance, answer), variant in zip(
        files_of(found.variants, tmp_path / "answers"), found.variants, strict=True
    ):
        assert uara.load(instance).digest == variant.instance.digest
        verdict = verify_files("p1", instance, answer)
        assert verdict is not None
        assert verdict.accepted
    assert solution.load(written[1]).solver == "exact"


def test_pictures(found: WhatIf, tmp_path: Path) -> None:
    figures = pytest.importorskip("matplotlib.figure")
    found.plot(str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").stat().st_size > 1000
    axes = figures.Figure().add_subplot()
    assert found.plot(ax=axes) is axes
    assert len(axes.lines) == len(found.variants)
    with pytest.raises(InputError, match="a file or give axes"):
        found.plot(tmp_path / "b.png", ax=axes)
