"""Every source file has a test file of its name, in the folder of its room."""

from __future__ import annotations

from pathlib import Path

import uara.solvers

import uara

TESTS = Path(__file__).parent
ELSEWHERE = {
    "solvers/milp/solver.py": "tests/solvers/test_exact.py, beside exact and against brute force",
    "uara/__main__.py": "starts uara.cli.main; tests/test_wheel.py runs the command",
    "uara/hetedge/kind.py": "names hooks; tests/p1/test_kind.py asks every kind for them",
    "uara/scenarios/channel/drop.py": "holds data alone",
    "uara/scenarios/channel/picture_worker.py": "runs in a process of its own for pictures.py: test_pictures.py",
    "uara/scenarios/channel/raytrace_worker.py": "runs in a process of its own for raytrace.py: test_raytrace.py",
    "uara/scenarios/channel/umi_worker.py": "runs in a process of its own for umi.py: test_umi.py",
}
"""Files without one, and where they are tested."""


def sources() -> dict[str, Path]:
    """Every source file that says something, by its name in the repository, and its test file."""
    found = {}
    solvers = Path(uara.solvers.__file__ or "").parent
    for name, folder, tests in (
        ("uara", Path(uara.__file__).parent, TESTS),
        ("solvers", solvers, TESTS / "solvers"),
    ):
        for path in sorted(folder.rglob("*.py")):
            place = path.relative_to(folder)
            within = folder != solvers and path.is_relative_to(solvers)
            if path.name != "__init__.py" and not within:
                found[f"{name}/{place.as_posix()}"] = tests / place.with_name(f"test_{path.stem}.py")
    return found


def test_every_file_has_its_tests() -> None:
    found = sources()
    assert len(found) > 250
    assert sorted(name for name, tests in found.items() if not tests.exists() and name not in ELSEWHERE) == []


def test_what_is_tested_elsewhere_is_still_so() -> None:
    found = sources()
    for name, where in ELSEWHERE.items():
        assert name in found, f"{name} is gone"
        assert not found[name].exists(), f"{name} has a test file: take it off the list ({where})"
