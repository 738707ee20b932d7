"""A static folder of a result: the report and the data."""

from __future__ import annotations

import shutil
from pathlib import Path

from uara.base import files
from uara.base.errors import InputError
from uara.bench.report import write_report
from uara.bench.result_file import write_csv
from uara.bench.results import Results

MADE = ("index.html", "results.parquet", "runs.csv", "suite.json")


def publish(results: str | Path, folder: str | Path) -> list[Path]:
    """Write report, results, runs and suite into a folder, each as one of the files of :data:`MADE`.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the results are none, or the folder holds files of these names that were not published.
    """
    source, target = Path(results), Path(folder)
    files.output_folder(target)
    for name in MADE:
        files.check_output(target / name, suffixes=(Path(name).suffix.lower(),), inputs=[source])
        if not (target / "index.html").exists() and (target / name).exists():
            raise InputError(
                "is in the way: nothing has been published here before", source=str(target / name)
            )
    loaded = Results.load(source)
    write_report(loaded, target / "index.html")
    with files.replacing(target / "results.parquet") as temporary:
        shutil.copyfile(source, temporary)
    rows = loaded.table.astype(object).where(loaded.table.notna(), None).to_dict("records")
    write_csv(target / "runs.csv", [{str(key): value for key, value in row.items()} for row in rows])
    files.write_json(target / "suite.json", loaded.suite)
    return [target / name for name in MADE]
