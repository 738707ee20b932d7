"""The report in a real browser: it shows, sorts, hides, turns pages, fits a phone, and asks no network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from uara.bench import Results
from uara.bench.report import write_report

from ..conftest import HOSTILE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
selenium = pytest.importorskip("selenium", reason="selenium is not installed: pip install 'uara[test]'")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="no Chromium here: apt-get install chromium chromium-driver",
    ),
]
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)


@pytest.fixture(scope="module")
def browser(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    folder = tmp_path_factory.mktemp("browser")
    write_report(Results.load(recorded), folder / "report.html")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.address = f"file://{folder / 'report.html'}"  # type: ignore[attr-defined]
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any) -> Any:
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get("about:blank")
    browser.get(browser.address)
    return browser


def column(page: Any, head: str, table: int = 0) -> list[str]:
    """Texts of a column of one of the page's tables."""
    return list(
        page.execute_script(
            """const table = document.querySelectorAll("table.sortable")[arguments[1]];
        const place = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent.trim() === arguments[0]);
        return [...table.tBodies[0].rows].map(row => row.cells[place].textContent.trim());""",
            head,
            table,
        )
    )


def click(page: Any, head: str) -> None:
    from selenium.webdriver.common.by import By

    page.find_element(By.XPATH, f"//section[@id='ranking']/div//button[normalize-space()='{head}']").click()


def test_nothing_goes_wrong_and_nothing_is_fetched(page: Any) -> None:
    assert page.title == "recorded · uara bench"
    assert page.get_log("browser") == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert page.execute_script("return window.hacked === undefined")
    assert HOSTILE in column(page, "solver")


def test_headings_sort_numbers_as_numbers_and_words_as_words(page: Any) -> None:
    def numbers() -> list[float]:
        return [
            float(text.replace(",", "")) if text not in ("–", "∞") else float("inf")
            for text in column(page, "controllable ms")
        ]

    click(page, "controllable ms")
    assert numbers() == sorted(numbers())
    click(page, "controllable ms")
    known = [value for value in numbers() if value != float("inf")]
    assert known == sorted(known, reverse=True)
    assert numbers()[: len(known)] == known, "what has no number stays last"
    click(page, "solver")
    names = column(page, "solver")
    assert [name.lower() for name in names] == sorted(name.lower() for name in names)
    sorts = page.execute_script("return document.querySelectorAll('#ranking > .scroll th[aria-sort]').length")
    assert sorts == 1


def test_rows_stay_together_when_sorted(page: Any) -> None:
    before = dict(zip(column(page, "solver"), column(page, "latency ms"), strict=True))
    click(page, "energy J")
    assert dict(zip(column(page, "solver"), column(page, "latency ms"), strict=True)) == before


def test_a_legend_hides_its_series_everywhere(page: Any) -> None:
    from selenium.webdriver.common.by import By

    def hidden() -> int:
        return int(page.execute_script("return document.querySelectorAll('[data-series].hidden').length"))

    button = page.find_element(By.CSS_SELECTOR, "#profiles [data-toggle='random']")
    button.click()
    assert hidden() >= 3
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert hidden() == 0


def test_an_instance_has_a_page_of_its_own(page: Any) -> None:
    from selenium.webdriver.common.by import By

    link = page.find_element(By.CSS_SELECTOR, "#instances td a")
    name = link.text
    page.execute_script("arguments[0].click()", link)
    shown = [each for each in page.find_elements(By.CSS_SELECTOR, "article.page") if each.is_displayed()]
    assert [each.find_element(By.TAG_NAME, "h2").text for each in shown] == [name]
    assert not page.find_element(By.ID, "overview").is_displayed()
    notes = page.execute_script(
        "return [...arguments[0].querySelectorAll('figure svg use title')].map(each => each.textContent)",
        shown[0],
    )
    assert sum(" at " in note for note in notes) >= 6, "each device says where it is served"
    assert len(shown[0].find_elements(By.CSS_SELECTOR, "figure svg")) == 3
    page.back()
    assert page.find_element(By.ID, "overview").is_displayed()


@pytest.mark.parametrize("width", [320, 360, 768])
def test_it_fits_a_phone(page: Any, width: int) -> None:
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 2, "mobile": True},
    )
    page.get(page.address)
    wide = page.execute_script(
        """for (const each of document.querySelectorAll("details")) each.open = true;
        return [document.documentElement.scrollWidth, innerWidth]"""
    )
    assert wide[0] <= width
    assert wide[1] == width
    size = page.execute_script("return parseFloat(getComputedStyle(document.querySelector('td')).fontSize)")
    assert size >= 12


@pytest.mark.parametrize("width", [1280, 1440])
def test_nothing_is_pushed_sideways_on_a_desktop(page: Any, width: int) -> None:
    """Neither the page nor any table in it has a side bar."""
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
    )
    page.get(page.address)
    found = page.execute_script(
        """for (const each of document.querySelectorAll("details")) each.open = true;
        const boxes = [document.documentElement, ...document.querySelectorAll(".scroll")];
        return boxes.filter(box => box.scrollWidth > box.clientWidth + 1).map(box =>
            `${box.tagName} ${box.closest("section")?.id} ${box.scrollWidth} > ${box.clientWidth}`);"""
    )
    assert found == []


def test_words_in_charts_can_be_read_on_a_phone(page: Any) -> None:
    """A chart keeps its size and is pushed sideways; the page itself is not."""
    device = {"width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", device)
    page.get(page.address + "?phone")
    sizes = page.execute_script(
        """return [...document.querySelectorAll("#overview figure svg")].map(svg =>
            parseFloat(getComputedStyle(svg.querySelector("text")).fontSize)
            * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
    )
    assert sizes
    assert min(sizes) >= 10
    assert page.execute_script("return document.documentElement.scrollWidth") <= 390


def test_the_columns_are_explained_without_a_pointer(page: Any) -> None:
    terms = page.execute_script(
        "return [...document.querySelectorAll('#ranking dt')].map(each => each.textContent)"
    )
    assert {"primal gap %", "optimality gap %", "runtime s"} <= set(terms)


def test_without_scripts_everything_is_still_there(page: Any) -> None:
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.get(page.address + "?plain")
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    from selenium.webdriver.common.by import By

    assert all(each.is_displayed() for each in page.find_elements(By.CSS_SELECTOR, "article.page"))


def test_charts_follow_the_light(page: Any) -> None:
    """Lines and words of the same page are dark on light, and light on dark."""

    def shades(scheme: str) -> list[int]:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        colours = page.execute_script(
            """const svg = document.querySelector("#anytime figure svg");
            const styled = [...svg.querySelectorAll("[style]")];
            const frame = styled.find(each => each.getAttribute("style").includes("--ink"));
            return [getComputedStyle(svg.querySelector("text")).fill, getComputedStyle(frame).stroke,
                    getComputedStyle(document.body).backgroundColor]"""
        )
        return [int(colour.removeprefix("rgb(").split(",")[0]) for colour in colours]

    try:
        light, dark = shades("light"), shades("dark")
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert max(light[:2]) < 100 < light[2]
    assert min(dark[:2]) > 100 > dark[2]
