"""The site: links lead somewhere, the build says nothing, pages fit a phone and a desk."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from browsers import as_phone, chromium

ROOT = Path(__file__).parents[2]
pytest.importorskip("mkdocs", reason="the site needs the extra 'docs'")


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    found = importlib.util.spec_from_file_location("site_hook", ROOT / "docs" / "site.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


KNOWN = {"index.md", "architecture.md", "bench.md", "masac/README.md", "etoile.jpg", "tutorials/proofs.md"}


@pytest.mark.parametrize(
    ("source", "here", "link", "made"),
    [
        ("README.md", "index.md", "[b](docs/bench.md#peers)", "[b](bench.md#peers)"),
        ("README.md", "index.md", "![e](docs/etoile.jpg)", "![e](etoile.jpg)"),
        ("README.md", "index.md", "[m](docs/masac)", "[m](masac/README.md)"),
        ("README.md", "index.md", "[code](uara/p1/model.py)", "code"),
        ("README.md", "index.md", "[w](https://example.org/a.md)", "[w](https://example.org/a.md)"),
        ("README.md", "index.md", "[here](#two)", "[here](#two)"),
        ("docs/bench.md", "bench.md", "[r](../README.md)", "[r](index.md)"),
        ("docs/masac/README.md", "masac/README.md", "[b](../bench.md)", "[b](../bench.md)"),
        ("docs/masac/README.md", "masac/README.md", "[a](../../ARCHITECTURE.md)", "[a](../architecture.md)"),
        ("README.md", "index.md", "[![e](docs/etoile.jpg)](docs/bench.md)", "[![e](etoile.jpg)](bench.md)"),
    ],
)
def test_links_lead_to_where_targets_are_on_the_site(
    hook: ModuleType, source: str, here: str, link: str, made: str
) -> None:
    assert hook.relinked(f"a {link} b", source, here, KNOWN) == f"a {made} b"


def test_code_is_left_alone(hook: ModuleType) -> None:
    code = "```sh\nx[0](uara/p1/model.py)\n```"
    assert hook.relinked(code, "README.md", "index.md", KNOWN) == code


def test_every_document_is_on_the_site(hook: ModuleType) -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert len(pages) > 15
    assert [
        page for page in sorted(pages | set(hook.OUTSIDE.values())) if f": {page}\n" not in navigation
    ] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "made"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.integration
def test_the_site_is_built_without_a_warning_and_has_its_pages(site: Path) -> None:
    for page in (
        "index.html",
        "tutorials/first-answer/index.html",
        "reference/index.html",
        "gallery/index.html",
    ):
        assert (site / page).stat().st_size > 5_000
    reference = (site / "reference" / "index.html").read_text(encoding="utf-8")
    for name in ("uara.solver.solve", "uara.p1.instance.Instance", "uara.p1.allocation.allocate"):
        assert f'id="{name}"' in reference


@pytest.mark.integration
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit(site: Path, width: int, tmp_path: Path) -> None:
    with chromium(tmp_path) as driver:
        if width < 1000:
            as_phone(driver, width)
        else:
            driver.set_window_size(width, 900)
        for page in (
            "index",
            "tutorials/first-answer/index",
            "which-solver/index",
            "results/index",
            "gallery/index",
        ):
            driver.get((site / f"{page}.html").as_uri())
            wide = driver.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width + 1, page
            assert driver.find_elements("css selector", "h1")
            broken = driver.execute_script(
                "return [...document.images].filter(image => image.complete && !image.naturalWidth)"
                ".map(image => image.src)"
            )
            assert broken == [], page
