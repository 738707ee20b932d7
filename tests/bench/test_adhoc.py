from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import uara
import uara.bench
from uara import allocate
from uara.base.errors import InputError

from ..cases import make_instance


def first(instance: Any, context: Any) -> Any:
    """Each device's first usable server."""
    return allocate(instance, instance.channel.pair_server[instance.channel.pair_start[:-1]])


@pytest.mark.integration
def test_instances_and_solvers_as_objects(tmp_path: Path) -> None:
    one = make_instance(6, 2, name="one")
    make_instance(7, 2, name="two").save(tmp_path / "two.json")
    results = uara.bench.rank(
        [one, tmp_path / "two.json"], [first, "tma", ("tma", {"moves": "pairs"})], seeds=[0, 1]
    )
    assert results.counts() == {"ok": 12}
    assert set(results.runs["label"]) == {"first", "tma", "tma (moves=pairs)"}
    assert set(results.runs["instance"]) == {"one", "two"}
    ranking = results.ranking()
    assert ranking["label"].iloc[0] == "tma"
    expected = uara.solve(one, first).evaluation.objective_ms
    runs = results.runs.set_index(["instance", "label"])
    assert runs.loc[("one", "first"), "objective_ms"].tolist() == [expected, expected]


@pytest.mark.integration
def test_a_function_defined_anywhere_can_be_sent_to_workers() -> None:
    def local(instance: Any, context: Any) -> Any:
        return first(instance, context)

    results = uara.bench.rank([make_instance(5, 2)], [local], jobs=2, seeds=[0, 1, 2])
    assert results.counts() == {"ok": 3}


def test_mistakes_are_one_error() -> None:
    instance = make_instance(5, 2)
    for solvers, message in [
        (["nobody"], "no solver"),
        ([], "at least one"),
        (["tma", "tma"], "the same run"),
        ([("tma", {"moves": "up"})], "moves"),
    ]:
        with pytest.raises(InputError, match=message):
            uara.bench.rank([instance], solvers)


def test_two_instances_of_one_name_are_refused() -> None:
    one, two = make_instance(5, 2, name="same"), make_instance(6, 2, name="same")
    with pytest.raises(InputError, match="two different instances are called same"):
        uara.bench.rank([one, two], [first])


def test_results_of_solve_become_a_frame() -> None:
    instance = make_instance(6, 2)
    results = [uara.solve(instance, "random", seed=seed) for seed in (0, 1)]
    table = uara.bench.frame([*results, uara.solve(instance, "tma")])
    assert table["solver"].tolist() == ["random", "random", "tma"]
    assert table["objective_ms"].tolist()[:2] == [result.evaluation.objective_ms for result in results]
    assert table["option_allocation"].tolist() == ["optimal"] * 3
    assert table.dtypes["runtime_s"].kind == "f"
