"""Every source file has a test file of its name, in the folder of its room."""

from __future__ import annotations

from pathlib import Path

import uara.solvers

import uara

TESTS = Path(__file__).parent
ELSEWHERE = {
    "uara/__main__.py": "starts uara.cli.main; tests/test_wheel.py runs the command",
    "uara/bench/report/section.py": "holds what tests/bench/report/test_sections.py makes",
    "uara/hetedge/kind.py": "names hooks; tests/test_problem.py calls for each of them",
    "uara/p1/kind.py": "names hooks; tests/test_problem.py calls for each of them",
    "uara/scenarios/channel/drop.py": "holds data alone",
    "uara/scenarios/channel/picture_worker.py": "runs in a process of its own for pictures.py: test_pictures.py",
    "uara/scenarios/channel/raytrace_worker.py": "runs in a process of its own for raytrace.py: test_raytrace.py",
    "uara/scenarios/channel/umi_worker.py": "runs in a process of its own for umi.py: test_umi.py",
}
"""Files without one, and where they are tested."""
AWAITED = {
    "uara/base/compiling.py", "uara/base/plugins.py", "uara/scenarios/kit.py",
    "uara/cli/import_.py", "uara/cli/play.py",
    *(f"uara/bench/report/{each}.py" for each in ("data", "drawing", "gaps", "instances", "paper", "payback",
                                                  "profiles", "ranking")),
    *(f"uara/mec/{each}.py" for each in ("associations", "benchmarl", "instances", "play", "pools", "registration",
                                         "sb3", "torchrl", "vector", "views")),
    "solvers/columns/room.py", "solvers/masac/loop.py",
    *(f"solvers/milp/{each}.py" for each in ("minlp", "minlp_model", "perspective_model", "relaxation", "solver")),
}  # fmt: skip
"""Files whose tests are still to come."""


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
                found[f"{name}/{place.as_posix()}"] = tests / place.with_name(
                    f"test_{path.stem.rstrip('_')}.py"
                )
    return found


def test_every_file_has_its_tests() -> None:
    found = sources()
    assert len(found) > 250
    known = AWAITED | set(ELSEWHERE)
    assert sorted(name for name, tests in found.items() if not tests.exists() and name not in known) == []


def test_what_is_tested_elsewhere_is_still_so() -> None:
    found = sources()
    for name, where in ELSEWHERE.items():
        assert name in found, f"{name} is gone"
        assert not found[name].exists(), f"{name} has a test file: take it off the list ({where})"
