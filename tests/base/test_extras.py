from __future__ import annotations

import sys
from pathlib import Path

import pytest

from uara.base.errors import BrokenExtra, MissingExtra
from uara.base.extras import explained, extras, is_absent, needs, requirements


def test_what_is_there_is_imported() -> None:
    assert needs("json", extra="plot") is sys.modules["json"]


def test_what_is_not_there_names_the_extra() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'uara\[plot\]'") as caught:
        needs("no_such_library.part", extra="plot")
    assert "no_such_library" in str(caught.value)
    assert is_absent("no_such_library")
    assert not is_absent("json")


@pytest.mark.parametrize(
    "source",
    [
        "raise ImportError('libfoo.so.1: cannot open shared object file')",
        "import no_such_dependency",
        "raise RuntimeError('built for another version')",
        "raise SystemExit(3)",
        "1 / 0",
        "def",
    ],
)
def test_what_is_there_but_broken_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (tmp_path / "a_broken_library.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BrokenExtra) as caught:
        needs("a_broken_library", extra="plot")
    assert "a_broken_library" in str(caught.value)
    assert "not installed" not in str(caught.value)


def test_an_interrupt_while_importing_is_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "an_interrupted_library.py").write_text("raise KeyboardInterrupt")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        needs("an_interrupted_library", extra="plot")


def test_a_failed_import_is_explained_by_the_extra_that_brings_the_library() -> None:
    assert {"plot", "bench", "learn", "psd"} <= set(extras())
    assert "matplotlib" in {each.name for each in requirements("plot")}
    assert "numpy" in {each.name for each in requirements(None)}
    found = explained(ModuleNotFoundError("No module named 'psutil'", name="psutil"), "bench")
    assert found is not None
    assert "psutil" in str(found)
    assert explained(ModuleNotFoundError("x", name="no_such_library")) is None
