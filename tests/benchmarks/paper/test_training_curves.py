from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from training_curves import PANELS, main


@pytest.mark.integration
def test_runs_are_drawn_and_gathered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [tmp_path / "seed1", tmp_path / "seed2"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        rows = {name: [0.5 + number, 0.25 + number] for name in PANELS}
        pd.DataFrame({"step": [10, 20], "elapsed_s": [1.0, 2.0], **rows}).to_csv(folder / "log.csv")
    main(folders, tmp_path / "curves")
    gathered = pd.read_csv(tmp_path / "curves.csv")
    assert gathered["run"].tolist() == ["seed1", "seed1", "seed2", "seed2"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr().out
    assert "0.25" in shown
    assert "1.25" in shown
