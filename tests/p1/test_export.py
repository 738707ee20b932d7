"""Exported programs: other solvers read them, and their optima are what they should be."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import make_instance

from uara import InputError, solve
from uara.p1 import export


def test_programs_are_found_by_entry_point() -> None:
    assert export.programs() == ["milp", "minlp"]
    with pytest.raises(InputError, match="no program"):
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
        names = path.with_suffix(".col").read_text().splitlines()
        assert any(name.startswith("x[") for name in names)
        columns, rows, objectives = path.read_text().splitlines()[1].split()[:3]
        assert len(names) == int(columns)
        assert len(path.with_suffix(".row").read_text().splitlines()) == int(rows) + int(objectives)
    assert not [left for left in tmp_path.iterdir() if left.name.startswith(".")]


def test_an_nl_file_has_comments_in_its_header_only(tmp_path: Path) -> None:
    path = export.write(make_instance(5, 2, 1), tmp_path / "p", "nl")
    lines = path.read_text().splitlines()
    assert lines[0].startswith("g3 1 1 0")
    assert "#" not in "".join(lines[10:])


def blocks_of(path: Path) -> tuple[int, dict[str, list[str]]]:
    """The number of blocks that a .dec file states, and the rows under each of its headings."""
    lines = path.read_text().splitlines()
    assert lines[:3] == ["PRESOLVED", "0", "NBLOCKS"]
    found: dict[str, list[str]] = {}
    heading = ""
    for line in lines[4:]:
        if line.startswith(("BLOCK ", "MASTERCONSS")):
            found[(heading := line)] = []
        else:
            found[heading].append(line)
    return int(lines[3]), found


@pytest.mark.parametrize("shape", [(7, 3), (3, 5), (1, 1)])
def test_the_block_file_divides_the_rows_by_servers(tmp_path: Path, shape: tuple[int, int]) -> None:
    import highspy

    instance = make_instance(*shape, 3)
    path = export.write(instance, tmp_path / "p", "mps")
    count, blocks = blocks_of(path.with_suffix(".dec"))
    linking = blocks.pop("MASTERCONSS")
    assert count == len(blocks) == shape[1]
    assert list(blocks) == [f"BLOCK {j + 1}" for j in range(count)]
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(path))
    program = highs.getLp()
    rows, columns = program.row_names_, program.col_names_
    assert sorted([*linking, *(row for block in blocks.values() for row in block)]) == sorted(rows)
    assert len(linking) == shape[0]
    place = {row: heading for heading, block in blocks.items() for row in block}
    matrix = program.a_matrix_
    for k, column in enumerate(columns):
        own = [rows[n] for n in matrix.index_[matrix.start_[k] : matrix.start_[k + 1]]]
        assert len({place[row] for row in own if row in place}) == 1, column


def test_scip_reads_the_blocks(tmp_path: Path) -> None:
    pyscipopt = pytest.importorskip("pyscipopt")
    path = export.write(make_instance(6, 3, 4), tmp_path / "p", "mps")
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(path))
    model.readProblem(str(path.with_suffix(".dec")))  # blocks that are miscounted are an error
    model.optimize()
    assert model.getStatus() == "optimal"


def test_a_program_without_blocks_has_no_block_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uara.solvers.milp.perspective_model.mark_blocks", lambda model: None)
    path = export.write(make_instance(3, 2), tmp_path / "p", "mps")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


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
