"""The page as a file: what is in it, and what it refuses to hold."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from cases import make_instance
from hetedge_cases import make_hetedge

import uara
from uara import InputError, Instance, solution, solve
from uara.cli import main
from uara.pages import check_page


def run(*arguments: str | Path) -> int:
    try:
        main([*map(str, arguments)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with an instance and an answer."""
    problem = make_instance(6, 2, 1, name="</script><b>")
    problem.save(tmp_path / "i.json")
    solution.save(solve(problem, "price", options={"gap": 0.5}), tmp_path / "s.json")
    return tmp_path


def held(page: Path, identifier: str) -> bytes:
    found = re.search(rf'id="{identifier}" data-name="[^"]*">([A-Za-z0-9+/=]*)<', page.read_text())
    assert found
    return base64.b64decode(found[1])


def test_every_file_of_the_checker_is_in_the_page() -> None:
    folder = Path(uara.__file__).parent / "data" / "checker"
    assert {path.stem for path in folder.glob("*.js")} == {*check_page.CORE, "page"}
    text = check_page.page()
    assert all(path.read_text() in text for path in folder.glob("*.js"))
    assert not re.search("@[A-Z]+@", text)


def test_scripts_end_where_they_should() -> None:
    text = check_page.scripts()
    assert text.count("</script") == text.count("<script") == 2
    assert "https://" not in check_page.page()
    assert "http://" not in check_page.page()


def test_an_empty_page_needs_no_files(tmp_path: Path) -> None:
    assert run("verify", "--page", tmp_path / "p.html") == 0
    assert "given-instance" in (tmp_path / "p.html").read_text()  # the script asks for it
    assert 'id="given-instance"' not in (tmp_path / "p.html").read_text()


def test_a_page_holds_both_files_byte_for_byte(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", stored / "i.json", stored / "s.json", "--page", stored / "p.html") == 0
    assert "accepted" in capsys.readouterr().out
    for identifier, name in (("given-instance", "i.json"), ("given-solution", "s.json")):
        assert held(stored / "p.html", identifier) == (stored / name).read_bytes()
    assert "<b>" not in (stored / "p.html").read_text().split("<script")[0]


def test_a_false_answer_has_its_page_too(stored: Path) -> None:
    plain = json.loads((stored / "s.json").read_text())
    plain["claims"]["objective_ms"] -= 1.0
    (stored / "s.json").write_text(json.dumps(plain))
    assert run("verify", stored / "i.json", stored / "s.json", "--page", stored / "p.html") == 1
    assert json.loads(held(stored / "p.html", "given-solution")) == plain


def test_arrays_of_a_side_file_are_put_in(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    small = make_instance(110, 3, 1)
    problem = small.replace(
        servers=make_instance(2, 100, 0).servers,
        channel=uara.Channel.from_dense(rng.uniform(1e-12, 1e-9, (110, 100))),
    )
    problem.save(tmp_path / "i.json")
    assert "side_file" in json.loads((tmp_path / "i.json").read_text())
    content = check_page.whole_file(problem, tmp_path / "i.json")
    assert Instance.from_plain(json.loads(content)).digest == problem.digest


@pytest.mark.parametrize("arguments", [(), ("i.json",), ("i.json", "--page", "p.html")])
def test_half_an_answer_is_refused(
    stored: Path,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(stored)
    assert run("verify", *arguments) == 2
    assert "an instance and a solution are needed" in capsys.readouterr().err
    assert not (stored / "p.html").exists()


def test_an_input_is_never_replaced(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (stored / "s.json").read_bytes()
    assert run("verify", stored / "i.json", stored / "s.json", "--page", stored / "s.json") == 2
    assert "must end in .htm" in capsys.readouterr().err
    assert (stored / "s.json").read_bytes() == before


def test_another_kind_of_problem_is_refused(tmp_path: Path) -> None:
    problem = make_hetedge(4, 2)
    problem.save(tmp_path / "i.json")
    with pytest.raises(InputError, match="kind 'p1' alone"):
        check_page.write(tmp_path / "p.html", problem, tmp_path / "i.json", tmp_path / "i.json")
