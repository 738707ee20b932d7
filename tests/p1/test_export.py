"""Exported programs: other solvers read them, and their optima are what they should be."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import make_instance

from uara import InputError, solve
from uara.p1 import export


def test_programs_are_found_by_entry_point() -> None:
    assert export.programs() == ["milp", "minlp"]
    with pytest.raises(InputError, match="there is no program"):
        export.build(make_instance(3, 2), "poem")


@pytest.mark.parametrize("format_", ["mps", "lp"])
@pytest.mark.parametrize("payload", [1.0, 50.0])
def test_highs_reads_the_milp_and_its_optimum_is_a_close_lower_bound(
    tmp_path: Path, format_: export.Format, payload: float
) -> None:
    import highspy

    instance = make_instance(7, 3, 2, payload=payload)
    path = export.write(instance, tmp_path / "p", format_)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 1e-9)
    assert highs.readModel(str(path)) != highspy.HighsStatus.kError
    highs.run()
    truth = solve(instance, "brute-force").evaluation.controllable_ms
    optimum = highs.getInfo().objective_function_value
    assert optimum <= truth * (1 + 1e-6)
    assert optimum >= 0.9 * truth


@pytest.mark.parametrize("format_", ["nl", "gms"])
@pytest.mark.parametrize("program", ["milp", "minlp"])
def test_other_formats_are_written(tmp_path: Path, format_: export.Format, program: str) -> None:
    path = export.write(make_instance(5, 2, 1), tmp_path / "p.any", format_, program)
    assert path.name == f"p.{format_}"
    assert path.stat().st_size > 500
    if format_ == "nl":
        names = path.with_suffix(".col").read_text().split()
        assert any(name.startswith("x[") for name in names)
    assert not [left for left in tmp_path.iterdir() if left.name.startswith(".")]


def test_scip_reads_the_minlp(tmp_path: Path) -> None:
    pyscipopt = pytest.importorskip("pyscipopt")
    instance = make_instance(2, 2, 1, missing=0.0)
    path = export.write(instance, tmp_path / "p", "nl")
    model = pyscipopt.Model()
    model.hideOutput()
    model.setParam("limits/time", 20.0)
    model.readProblem(str(path))
    model.optimize()
    truth = solve(instance, "brute-force").evaluation.controllable_ms
    assert model.getDualbound() <= truth * (1 + 1e-6)
    assert model.getPrimalbound() >= truth * (1 - 1e-5)


def test_linear_formats_cannot_hold_products(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="non-linear"):
        export.write(make_instance(3, 2), tmp_path / "p", "mps", "minlp")
    with pytest.raises(InputError, match="is not one of"):
        export.write(make_instance(3, 2), tmp_path / "p", "doc")  # type: ignore[arg-type]
