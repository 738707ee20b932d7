"""What the harness costs, and what a second job gains: run on a quiet machine with two cores or more.

    python benchmarks/overhead.py            # about seven minutes

As many runs as the suite `smoke` has, on its instances; the solver computes for a second on its own clock.
Overhead is the share of the command's wall time that solvers do not account for:
``1 - sum(setup_s + runtime_s) / (jobs * wall)``. It holds the interpreter's start, the template process, forks,
scoring, recording, merging and, on request, the report.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from uara import Allocation, Context, Instance, Options, allocate, as_solver

RUNS_AN_INSTANCE = 16
"""As in ``smoke``."""


class WorkOptions(Options):
    """How long to work."""

    seconds: float = 1.0
    """Seconds of processor time."""


@as_solver(options=WorkOptions)
def work(instance: Instance, context: Context[WorkOptions]) -> Allocation:
    """Keeps a core busy for a while, then answers with each device's first usable server."""
    until = time.process_time() + context.options.seconds
    while time.process_time() < until:
        sum(range(1000))
    return allocate(instance, instance.channel.pair_server[instance.channel.pair_start[:-1]])


def measure(suite: Path, output: Path, jobs: int, report: bool) -> dict[str, float]:
    """Wall time of one command, and what its solvers account for."""
    from uara.bench import Results

    words = [
        "bench",
        str(suite),
        "-o",
        str(output),
        "--jobs",
        str(jobs),
        "--report" if report else "--no-report",
    ]
    here = str(Path(__file__).resolve().parent)
    search = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", f"from uara.cli import main; main({words!r})"],
        env={**os.environ, "PYTHONPATH": search},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall_s = time.perf_counter() - began
    runs = Results.load(output).runs
    solving_s = float(runs["setup_s"].sum() + runs["runtime_s"].sum())
    return {
        "jobs": jobs,
        "report": report,
        "runs": len(runs),
        "wall_s": wall_s,
        "solvers_s": solving_s,
        "shortest_run_s": float(runs["runtime_s"].min()),
        "overhead": 1 - solving_s / (jobs * wall_s),
    }


def write_suite(folder: Path, seconds: float) -> Path:
    """The instances of ``smoke`` with the working solver."""
    source = Path(__file__).resolve().parent
    smoke: dict[str, Any] = tomllib.loads((source / "smoke.toml").read_text())
    lines = ['name = "overhead"', "time_limit_s = 60.0", f"seeds = {list(range(RUNS_AN_INSTANCE))}"]
    for entry in smoke["instances"]:
        lines.append("[[instances]]")
        if "files" in entry:
            lines.append(f"files = '{(source / entry['files']).resolve()}'")
        for table in ("generate", "parameters"):
            if table in entry:
                inner = ", ".join(f"{key} = {value!r}" for key, value in entry[table].items())
                lines.append(f"{table} = {{ {inner} }}")
    lines += ["[[solvers]]", 'solver = "overhead:work"', f"options = {{ seconds = {seconds} }}"]
    path = folder / "overhead.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def main() -> None:
    """Measure one job, two jobs, and one with the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0)
    seconds: float = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = write_suite(folder, seconds)
        found = [
            measure(suite, folder / f"{jobs}{report}.parquet", jobs, report)
            for jobs, report in ((1, False), (2, False), (1, True))
        ]
    for row in found:
        print(", ".join(f"{key} {value:.4g}" for key, value in row.items()))
    print(f"two jobs are {found[0]['wall_s'] / found[1]['wall_s']:.3f} times faster than one")


if __name__ == "__main__":
    main()
