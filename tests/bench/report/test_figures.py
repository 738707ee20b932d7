from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path

import pytest
from matplotlib.backends.backend_pgf import LatexManager

from uara.base.errors import InputError, UaraWarning
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


FAKE_TEX = """#!{python}
import re, sys
source = ""
for line in iter(sys.stdin.readline, ""):
    source += line
    with open({log!r}, "a", encoding="utf-8") as log:
        log.write(line)
    if "pgf_backend_query_start" in line:
        print("*pgf_backend_query_start", flush=True)
        print("\\n*", end="", flush=True)
    elif "\\\\@@end" in line:
        break
    elif line.count("{{") and "typeout" in line:
        words = re.sub(r"\\\\[a-z]+", "", source)
        print(f"{{4.0 * len(words)}}pt,7.0pt,2.0pt", flush=True)
        print("\\n*", end="", flush=True)
        source = ""
"""
"""Answers Matplotlib's questions for the sizes of words, as LaTeX does."""


@pytest.mark.integration
def test_pgf_has_every_picture_and_names_stand_for_themselves(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tex, log = tmp_path / "bin" / figures.TEX, tmp_path / "asked"
    tex.parent.mkdir()
    tex.write_text(FAKE_TEX.format(python=sys.executable, log=str(log)))
    tex.chmod(0o755)
    monkeypatch.setenv("PATH", str(tex.parent), prepend=os.pathsep)
    results = Results.load(recorded)
    with warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always", UaraWarning)
        written = list(write_figures(results, tmp_path / "out", "pgf"))
    assert len([each for each in left_out if each.category is UaraWarning]) == sum(
        ".pgf" not in each.suffixes for each in pictures(results)
    )
    assert {path.stem for path in written} == {
        each.name for each in pictures(results) if ".pgf" in each.suffixes
    }
    assert all(path.read_text().count(r"\begin{pgfpicture}") == 1 for path in written)
    quality = (tmp_path / "out" / "profile-quality.pgf").read_text()
    assert r"> \& 'co'" in quality
    assert re.search(r"(?<!\\)&", re.sub(r"%.*", "", quality)) is None


@pytest.mark.integration
def test_what_tex_cannot_set_is_one_error(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tex = tmp_path / "bin" / figures.TEX
    tex.parent.mkdir()
    tex.write_text("#!/bin/sh\nexit 1\n")
    tex.chmod(0o755)
    monkeypatch.setenv("PATH", str(tex.parent), prepend=os.pathsep)
    LatexManager._get_cached_or_new_impl.cache_clear()  # one that works stays open
    with pytest.raises(InputError, match="cannot set its words"):
        list(write_figures(Results.load(recorded), tmp_path / "out", "pgf", "profile-quality"))
    assert list((tmp_path / "out").iterdir()) == []
