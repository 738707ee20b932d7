"""The program that peers get: HiGHS reads the file, and its optimum is what ``milp``'s program has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.peers.program import Program, stated

from uara import solve


def read(path: Path) -> Any:
    import highspy

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 1e-9)
    highs.setOptionValue("small_matrix_value", 1e-12)
    assert highs.readModel(str(path)) != highspy.HighsStatus.kError
    return highs


@pytest.mark.parametrize("payload", [1.0, 50.0])
def test_the_optimum_is_a_close_lower_bound(tmp_path: Path, payload: float) -> None:
    instance = make_instance(7, 3, 2, payload=payload)
    program = stated(instance)
    program.write(tmp_path / "p.mps")
    highs = read(tmp_path / "p.mps")
    highs.run()
    truth = solve(instance, "brute-force").evaluation.controllable_ms
    optimum = highs.getInfo().objective_function_value * program.relaxation.unit_ms
    assert 0.9 * truth <= optimum <= truth * (1 + 1e-6)


def test_the_file_holds_every_number(tmp_path: Path) -> None:
    program = stated(make_instance(6, 3, 1))
    program.write(tmp_path / "p.mps")
    written = read(tmp_path / "p.mps").getLp()
    assert (written.num_col_, written.num_row_) == (program.columns, program.rows)
    assert list(written.col_names_) == [f"c{k}" for k in range(program.columns)]
    assert list(written.col_cost_) == program.relaxation.costs().tolist()
    assert list(written.col_upper_) == program.relaxation.bounds()[1].tolist()
    whole = [int(kind) for kind in written.integrality_]
    assert whole == [1] * program.relaxation.count + [0] * (program.columns - program.relaxation.count)
    dense = np.zeros((program.rows, program.columns))
    matrix = written.a_matrix_
    for k in range(program.columns):
        part = slice(matrix.start_[k], matrix.start_[k + 1])
        dense[matrix.index_[part], k] = matrix.value_[part]
    row = 0
    for rows in program._rows:
        for n in range(len(rows.lower)):
            part = slice(rows.start[n], rows.start[n + 1])
            expected = np.zeros(program.columns)
            expected[rows.column[part]] = rows.value[part]
            expected[np.abs(expected) <= 1e-12] = 0.0  # HiGHS drops these
            assert dense[row].tolist() == expected.tolist()
            assert (written.row_lower_[row], written.row_upper_[row]) == (rows.lower[n], rows.upper[n])
            row += 1


def test_tangents_are_counted_and_make_it_exact_at_an_answer(tmp_path: Path) -> None:
    instance = make_instance(6, 2, 5)
    truth = solve(instance, "brute-force")
    program: Program = stated(instance)
    before = program.rows
    program.add(program.relaxation.tangents_at(truth.decision.association, truth.decision.bandwidth))
    assert program.rows > before
    program.write(tmp_path / "p.mps")
    highs = read(tmp_path / "p.mps")
    server = program.relaxation.numbers.server
    x = (server == truth.decision.association[program.relaxation.device]).astype(float)
    every = np.arange(len(x), dtype=np.int32)
    highs.changeColsBounds(len(x), every, x, x)
    highs.run()
    value = highs.getInfo().objective_function_value * program.relaxation.unit_ms
    assert value == pytest.approx(truth.evaluation.controllable_ms, rel=1e-6)
