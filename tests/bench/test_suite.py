from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uara.base.errors import InputError
from uara.bench.suite import Suite, grid, option_label

from .conftest import MakeSuite

SHIPPED = Path(__file__).parents[2] / "benchmarks"


def test_a_grid_is_every_combination() -> None:
    found = grid({"a": [1, 2], "b": ["x", "y"], "c": True})
    assert len(found) == 4
    assert found[0] == {"a": 1, "b": "x", "c": True}
    assert grid({}) == [{}]


def test_labels_show_the_given_options() -> None:
    assert option_label("tma", {}) == "tma"
    assert option_label("tma", {"gap": 0.5, "polish": True}) == "tma (gap=0.5, polish=true)"


@pytest.mark.parametrize("name", ["smoke", "paper", "hard", "scale"])
def test_shipped_suites_are_valid(name: str) -> None:
    suite = Suite.load(SHIPPED / f"{name}.toml")
    assert suite.name == name
    labels = {
        option_label(entry.label or entry.solver, options)
        for entry in suite.solvers
        for options in grid({k: v for k, v in entry.options.items() if isinstance(v, list)})
    }
    labels |= {
        option_label(entry.solver, options)
        for entry in suite.solvers
        if not entry.label
        for options in grid(entry.options)
    }
    for figure in suite.figures:
        assert set(figure.solvers) <= labels, figure.title
    for claim in suite.claims:
        assert {claim.solver, *claim.against} <= labels, claim.text


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"time_limit_s": -1}, "$.time_limit_s"),
        ({"time_limit_s": "ten"}, "$.time_limit_s"),
        ({"seeds": []}, "$.seeds"),
        ({"colour": "red"}, "$.colour"),
        ({"name": "a b/c"}, "$.name"),
        ({"threads": 0}, "$.threads"),
        ({"instances": [{"groups": ["a"]}]}, "$.instances[0]: needs one of files and generate"),
        ({"instances": [{"files": "x", "generate": {}}]}, "$.instances[0]: needs one of"),
        ({"instances": [{"generate": {"devices": []}}]}, "$.instances[0].generate.devices: holds no value"),
        (
            {"instances": [{"files": "x", "parameters": {"w": []}}]},
            "$.instances[0].parameters.w: holds no value",
        ),
        (
            {"claims": [{"text": "t", "source": "s", "solver": "a", "against": ["b"], "groups": ["none"]}]},
            "'none'",
        ),
    ],
)
def test_a_bad_suite_is_one_error_with_file_and_key(
    make_suite: MakeSuite, keys: dict[str, Any], message: str
) -> None:
    path = make_suite([{"solver": "random"}], **keys)
    with pytest.raises(InputError) as caught:
        Suite.load(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("name = [")
    with pytest.raises(InputError, match=r"s.toml: not valid TOML"):
        Suite.load(tmp_path / "s.toml")
    with pytest.raises(InputError, match="no such file"):
        Suite.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "text",
    [
        "repetitions = 1000000\nseeds = [0, 1]",
        "seeds = [{}]\nrepetitions = 1000".format(", ".join(map(str, range(2000)))),
        "solver_options",
        "grid",
    ],
)
def test_a_suite_of_millions_of_runs_is_refused_before_anything_is_expanded(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uara.bench import suite as module

    many = str(list(range(1, 201)))
    options = f"options = {{ a = {many}, b = {many}, c = {many} }}" if text == "solver_options" else ""
    varied = f"devices = {many}, seed = {many}, servers = {many}" if text == "grid" else "devices = 3"
    path = tmp_path / "s.toml"
    path.write_text(
        f'name = "s"\n{text if "=" in text else ""}\n[[instances]]\ngenerate = {{ {varied} }}\n'
        f'[[solvers]]\nsolver = "no.such:solver"\n{options}\n'
    )
    monkeypatch.setattr(module.itertools, "product", lambda *_: pytest.fail("expanded"))
    with pytest.raises(InputError, match=r"s.toml: [\d,]+ runs, more than the 1,000,000"):
        Suite.load(path)


def test_seeds_fit_the_column_that_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        f'name = "s"\nseeds = [{2**63 - 1}]\n[[instances]]\nfiles = "x"\n[[solvers]]\nsolver = "a"\n'
    )
    assert Suite.load(path).seeds == [2**63 - 1]
    path.write_text(path.read_text().replace(str(2**63 - 1), str(2**63)))
    with pytest.raises(InputError, match="seeds"):
        Suite.load(path)
