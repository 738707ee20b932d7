"""What is refused before any work, and what is written through links, pipes and devices."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uara.base import files, outputs
from uara.base.errors import InputError

JSON = (".json",)


def refusal(path: Path, **wanted: object) -> str:
    with pytest.raises(InputError) as caught:
        files.check_output(path, **{"suffixes": JSON, **wanted})  # type: ignore[arg-type]
    assert caught.value.source == str(path)
    return str(caught.value)


# Names


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../up", "a/b", "/abs", "a\\b", "C:\\x", "C:x", "nul\0", "x" * 201, "é" * 101, "new\nline",
        "CON", "nul", "com1.json", "Aux.x", ".hidden", "trailing.", "trailing ", " a", "\ud800", "left\u202eright",
    ],
)  # fmt: skip
def test_what_is_no_component_of_a_path_is_no_name(name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a file") as caught:
        files.file_name(name, source="here", path="$.name")
    assert (caught.value.source, caught.value.path) == ("here", "$.name")


@given(st.text(max_size=30) | st.from_regex(r"[./\\a:~ ]{0,8}", fullmatch=True))
@example("e8_m90@3")
@example("drop[e4,m30]")
def test_a_name_that_passes_stays_in_its_folder_on_every_system(name: str) -> None:
    try:
        files.file_name(name)
    except InputError:
        return
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind("folder") / f"{name}.json"
        assert path.parent == kind("folder")
        assert path.name == f"{name}.json"


@pytest.mark.parametrize(
    "name", ["e8_m90", "walk@3", "drop[e4,m30]", "Pařiž 2", "x" * 200, "console", "a..b"]
)
def test_usual_names_pass(name: str) -> None:
    assert files.file_name(name) == name


# Refused before any work


def test_an_input_by_any_name_is_no_output(tmp_path: Path) -> None:
    source = tmp_path / "in.json"
    source.write_text('{"kind": "p1"}')
    (tmp_path / "link.json").symlink_to(source)
    (tmp_path / "hard.json").hardlink_to(source)
    (tmp_path / "folder").symlink_to(tmp_path, target_is_directory=True)
    names = ("in.json", "link.json", "hard.json", "folder/in.json", "../" + tmp_path.name + "/in.json")
    for name in names:
        assert "is an input" in refusal(tmp_path / name, inputs=[tmp_path / "none", source], kind="p1")
    for name in names[1:]:
        assert "is an input" in refusal(source, inputs=[tmp_path / name], kind="p1")


@pytest.mark.parametrize("name", ["a", "a.txt", "a.json.bak", "a.parquet"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    assert "must end in .json" in refusal(tmp_path / name)


def test_suffixes_are_the_writers_in_any_case(tmp_path: Path) -> None:
    files.check_output(tmp_path / "a.JSON", suffixes=JSON)
    files.check_output(tmp_path / "anything", suffixes=())


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.json", b'{"kind": "p1"}', "solution"),
        ("a.json", b'{"schema_version": 1, "draft": {}}', "solution"),
        ("a.json", b'{"kind": "p1"}', ""),
        ("a.json", b"[1]", "solution"),
        ("a.json", b"some notes", "solution"),
        ("a.json", b'{"kind": ["p1"]}', "solution"),
        ("a.json", b"\x89PNG", None),
        ("a.png", b'{"kind": "p1"}', None),
        ("a.csv", b'{"kind": "p1"}', None),
        ("a.csv", b"other,columns\n1,2\n", "solver,slot"),
        ("a.parquet", b"<html>", None),
    ],
)
def test_a_file_of_another_kind_is_kept(tmp_path: Path, name: str, content: bytes, kind: str | None) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert "name another file" in refusal(path, suffixes=(path.suffix,), kind=kind)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.json", b"", "solution"),
        ("a.json", b"{}", "solution"),
        ("a.json", b'\n {"kind": "solution"}', "solution"),
        ("a.json", b'{"draft": {}}', ""),
        ("a.csv", b"solver,slot\r\ntma,1\r\n", "solver,slot"),
        ("a.png", b"\x89PNG...", None),
        ("a.svg", b"<?xml", None),
    ],
)
def test_a_file_of_the_writers_kind_may_be_replaced(
    tmp_path: Path, name: str, content: bytes, kind: str | None
) -> None:
    (tmp_path / name).write_bytes(content)
    files.check_output(tmp_path / name, suffixes=(Path(name).suffix,), kind=kind)
    assert [item.name for item in tmp_path.iterdir()] == [name]


def test_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "loop.json").symlink_to("loop.json")
    for name, words in (
        ("folder.json", "is a folder"),
        ("file/a.json", "Not a directory"),
        ("file/b/c/a.json", "Not a directory"),
        ("loop.json", "symbolic links"),
        ("x" * 300 + ".json", "too long"),
        ("new/" + "x" * 300 + "/a.json", "too long"),
        ("nul\0.json", "null"),
    ):
        assert words in refusal(tmp_path / name)


def test_nothing_is_left_of_the_trial(tmp_path: Path) -> None:
    files.check_output(tmp_path / "new" / "folders" / "a.json", suffixes=JSON)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_protected_file_or_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch(mode=0o444)
    assert "write-protected" in refusal(tmp_path / "a.json")
    (tmp_path / "shut").mkdir(mode=0o555)
    assert "Permission denied" in refusal(tmp_path / "shut" / "new" / "a.json")


def test_as_another_user_a_protected_folder_is_refused(tmp_path: Path) -> None:
    """The same in a process that root lets go of its rights, where the tests run as root."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    shut = Path("/tmp") / f"uara-{os.getpid()}"
    shut.mkdir(mode=0o755)
    try:
        script = (
            "import os, sys; from pathlib import Path; from uara.base.files import check_output\n"
            "os.setuid(65534)\n"
            f"try: check_output(Path({str(shut)!r}) / 'new' / 'a.json', suffixes=())\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
        )
        assert run.stdout == f"InputError {shut}/new/a.json: cannot be written: Permission denied\n"
    finally:
        shut.rmdir()


# Written through


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "real.json").write_text("{}")
    (tmp_path / "link.json").symlink_to("store/real.json")
    (tmp_path / "dangling.json").symlink_to("store/new/made.json")
    for name, real in (("link.json", "real.json"), ("dangling.json", "new/made.json")):
        files.write_json(tmp_path / name, {"a": 1})
        assert (tmp_path / name).is_symlink()
        assert json.loads((tmp_path / "store" / real).read_text()) == {"a": 1}
    assert sorted(item.name for item in (tmp_path / "store").iterdir()) == ["new", "real.json"]


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o644])
def test_the_mode_of_a_file_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    path.chmod(mode)
    files.write_bytes(path, b"1")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("binary", [True, False])
def test_a_pipe_receives_the_content_and_stays_a_pipe(tmp_path: Path, binary: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()), daemon=True)
    reader.start()
    files.check_output(tmp_path / "pipe", suffixes=JSON)
    if binary:
        files.write_bytes(tmp_path / "pipe", b"whole")
    else:
        with files.replacing(tmp_path / "pipe") as temporary:
            temporary.write_bytes(b"whole")
    reader.join(20)
    assert got == [b"whole"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert [item.name for item in tmp_path.iterdir()] == ["pipe"]


def test_devices_are_written_and_a_full_one_is_named() -> None:
    files.check_output(Path("/dev/null"), suffixes=JSON)
    files.write_bytes(Path("/dev/null"), b"1")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(InputError, match="/dev/full: cannot be written: No space left on device"):
        files.write_bytes(Path("/dev/full"), b"1")


@pytest.mark.integration
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "LINK"])
def test_standard_output_keeps_what_was_written_before_and_after(tmp_path: Path, name: str) -> None:
    """Also where it is a file: it is neither cut nor replaced."""
    (tmp_path / "link.json").symlink_to("/dev/stdout")
    place = str(tmp_path / "link.json") if name == "LINK" else name
    script = (
        "from pathlib import Path; from uara.base import files\n"
        f"print('before'); files.write_bytes(Path({place!r}), b'data\\n')\n"
        f"with files.replacing(Path({place!r})) as temporary: temporary.write_bytes(b'more\\n')\n"
        "print('after')\n"
    )
    with (tmp_path / "out").open("w") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, timeout=60, check=True)
    assert (tmp_path / "out").read_text() == "before\ndata\nmore\nafter\n"


# The last resort


def test_a_result_whose_place_is_full_goes_to_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(InputError, match="No space left on device; the result is in") as caught:
        files.save_or_rescue(lambda path: files.write_json(path, {"a": 1}), Path("/dev/full"))
    (place,) = tmp_path.glob("uara-*/full")
    assert str(place) in str(caught.value)
    assert json.loads(place.read_text()) == {"a": 1}


def test_where_there_is_no_temporary_folder_either_it_goes_to_standard_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(outputs.tempfile, "mkdtemp", none)
    with pytest.raises(InputError, match="the result is above"):
        files.save_or_rescue(lambda path: files.write_json(path, {"a": 1}), Path("/dev/full"))
    assert json.loads(capfd.readouterr().err) == {"a": 1}


def test_what_can_be_written_is_written_once(tmp_path: Path) -> None:
    seen: list[Path] = []
    files.save_or_rescue(seen.append, tmp_path / "a.json")
    assert seen == [tmp_path / "a.json"]


def test_a_folder_is_made_or_refused(tmp_path: Path) -> None:
    outputs.output_folder(tmp_path / "new" / "below")
    assert (tmp_path / "new" / "below").is_dir()
    outputs.output_folder(tmp_path / "new")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="file: cannot be written: is a file; name a folder"):
        outputs.output_folder(tmp_path / "file")
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        outputs.output_folder(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "mine"
