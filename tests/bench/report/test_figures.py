from __future__ import annotations

from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.bench import Results
from uara.bench.report import figures, render
from uara.bench.report.figures import pictures, write_figures
from uara.cli import main


@pytest.mark.integration
def test_every_picture_of_the_page_has_a_name_of_its_own(recorded: Path) -> None:
    results = Results.load(recorded)
    names = [picture.name for picture in pictures(results)]
    assert len(set(names)) == len(names)
    assert render(results).count("<figure>") == len(names)
    assert all(name.replace("-", "").isalnum() and name.isascii() for name in names)


@pytest.mark.integration
@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_figures_are_files_of_the_form_asked_for(
    recorded: Path, tmp_path: Path, form: str, begins: bytes
) -> None:
    results = Results.load(recorded)
    written = list(write_figures(results, tmp_path, form, "profile-*"))
    assert [path.name for path in written] == [f"profile-quality.{form}", f"profile-time.{form}"]
    first = [path.read_bytes() for path in written]
    assert all(content.startswith(begins) for content in first)
    list(write_figures(results, tmp_path, form, "profile-*"))
    if form != "pdf":
        assert [path.read_bytes() for path in written] == first, "written again, the same bytes"


@pytest.mark.integration
def test_a_file_has_the_legend_that_the_page_has_beside_it(recorded: Path, tmp_path: Path) -> None:
    results = Results.load(recorded)
    list(write_figures(results, tmp_path, "svg", "profile-quality"))
    text = (tmp_path / "profile-quality.svg").read_text()
    assert "bench_trials:raises" in text.replace("<!-- ", "").replace(" -->", "")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("form", "only", "message"),
    [("gif", "*", "not one of pdf"), ("pdf", "zzz", "matches no figure"), ("pgf", "*", "needs LaTeX")],
)
def test_mistakes_are_named(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, only: str, message: str
) -> None:
    monkeypatch.setattr(figures, "TEX", "no-such-program")
    with pytest.raises(InputError, match=message):
        list(write_figures(Results.load(recorded), tmp_path, form, only))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_the_command_names_what_it_writes(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "figures", str(recorded), "-o", str(tmp_path), "--format", "svg", "--only", "anytime"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{tmp_path / 'anytime.svg'}\n"
