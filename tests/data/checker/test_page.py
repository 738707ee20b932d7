"""The page around the checker, in a real browser: files are dropped or chosen, and it fits a phone and a reader."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import pytest
from cases import make_instance

from uara import solution, solve
from uara.pages import check_page

pytestmark = pytest.mark.integration

WAIT = """const done = arguments[arguments.length - 1], root = document.querySelector(".checker");
const shown = () => root.querySelector("[data-part=verdict]").textContent;
const look = () => root.result ? done([root.result, shown()]) : setTimeout(look, 20);
look();"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an instance, an answer that is proven by a tree, and the two pages."""
    folder = tmp_path_factory.mktemp("files")
    problem = make_instance(18, 6, 5, payload=30.0, name='net & "co" <b>')
    problem.save(folder / "i.json")
    solution.save(solve(problem, "exact", options={"gap": 1e-9}), folder / "s.json")
    check_page.write(folder / "empty.html")
    check_page.write(folder / "full.html", problem, folder / "i.json", folder / "s.json")
    return folder


@pytest.fixture(scope="module")
def driver(files: Path) -> Iterator[Any]:
    with browsers.chromium(files) as driver:
        yield driver


def opened(driver: Any, path: Path) -> Any:
    browsers.as_desktop(driver)
    driver.get("about:blank")
    driver.get(f"file://{path}")
    return driver


def part(driver: Any, name: str) -> Any:
    return driver.find_element("css selector", f"[data-part='{name}']")


def test_an_answer_inside_is_checked_when_the_page_opens(driver: Any, files: Path) -> None:
    opened(driver, files / "full.html")
    result, shown = driver.execute_async_script(WAIT)
    assert result["accepted"], result["refusals"]
    assert shown == f"✓ {result['line']}"
    assert 'net & "co" <b>' in driver.title
    servers = driver.find_elements("css selector", "[data-part='servers'] tbody tr")
    assert [row.text.split()[0] for row in servers] == [f"s{j}" for j in range(6)]
    assert all(len(row.text.split()) == 4 for row in servers)
    nodes = driver.find_elements("css selector", "[data-part='nodes'] tbody tr")
    assert len(nodes) > 3
    assert "closed" in nodes[-1].text
    figures = part(driver, "figures").text
    assert f"{result['objective']:,.6f} ms" in figures
    assert "the solver's word" in figures
    assert not part(driver, "progress").is_displayed()
    assert driver.get_log("browser") == []
    assert (
        driver.execute_script(
            "return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('blob:')).length"
        )
        == 0
    )


def test_chosen_files_are_checked(driver: Any, files: Path) -> None:
    opened(driver, files / "empty.html")
    assert not part(driver, "run").is_enabled()
    part(driver, "instance").send_keys(str(files / "i.json"))
    part(driver, "solution").send_keys(str(files / "s.json"))
    assert driver.execute_async_script(WAIT)[0]["accepted"]
    assert part(driver, "run").is_enabled()
    assert "i.json" in part(driver, "given").text
    driver.execute_script("document.querySelector('.checker').result = null")
    part(driver, "solution").send_keys(str(files / "i.json"))  # no solution
    result, shown = driver.execute_async_script(WAIT)
    assert not result["accepted"]
    assert shown.startswith("✗ REFUSED: ")


def test_dropped_files_tell_which_is_which(driver: Any, files: Path) -> None:
    opened(driver, files / "empty.html")
    texts = [(files / name).read_text() for name in ("s.json", "i.json")]
    driver.execute_script(
        """const data = new DataTransfer();
        arguments[0].forEach((text, place) => data.items.add(new File([text], `${place}.json`)));
        const facts = { dataTransfer: data, bubbles: true, cancelable: true };
        document.querySelector(".drop").dispatchEvent(new DragEvent("drop", facts));""",
        texts,
    )
    assert driver.execute_async_script(WAIT)[0]["accepted"]


DROP = """const data = new DataTransfer();
arguments[0].forEach(([name, text]) =>
  data.items.add(new File([Uint8Array.from(atob(text), each => each.charCodeAt(0))], name)));
const root = document.querySelector(".checker");
root.result = null;
const facts = { dataTransfer: data, bubbles: true, cancelable: true };
root.querySelector(".drop").dispatchEvent(new DragEvent("drop", facts));"""


def dropped(driver: Any, *paths: Path) -> tuple[dict[str, Any], str]:
    """The verdict after these files are dropped together, and what is shown of it."""
    coded = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths]
    driver.execute_script(DROP, coded)
    result, shown = driver.execute_async_script(WAIT)
    return result, shown


@pytest.fixture(scope="module")
def beside(files: Path) -> tuple[Path, Path, Path]:
    """An instance with a side file, that file, and an answer."""
    problem = make_instance(102, 99, 3, missing=0.0)
    problem.save(files / "big.json")
    solution.save(solve(problem, "max-compute"), files / "big-answer.json")
    (side,) = files.glob("big.*.npz")
    return files / "big.json", side, files / "big-answer.json"


def test_a_side_file_is_read_with_its_instance(
    driver: Any, files: Path, beside: tuple[Path, Path, Path]
) -> None:
    problem, side, answer = beside
    opened(driver, files / "empty.html")
    result, _ = dropped(driver, problem, answer)
    assert not result["accepted"]
    assert f'is in the side file "{side.name}": give that file too' in result["line"]
    result, _ = dropped(driver, side)  # the others are there still
    assert result["accepted"], result["refusals"]
    assert side.name in part(driver, "given").text


def test_a_damaged_side_file_is_refused_in_one_line(
    driver: Any, files: Path, beside: tuple[Path, Path, Path]
) -> None:
    problem, side, answer = beside
    whole = side.read_bytes()
    opened(driver, files / "empty.html")
    for place in (3, len(whole) // 2, len(whole) - 12, len(whole) - 60):
        side_of_another = files / "damaged.npz"
        side_of_another.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        result, shown = dropped(driver, problem, side_of_another, answer)
        assert not result["accepted"], place
        assert len(result["refusals"]) == 1
        assert "side file" in shown


def test_a_file_that_does_not_fit_is_refused_before_it_is_read(driver: Any, files: Path) -> None:
    opened(driver, files / "empty.html")
    huge = files / "huge.json"
    with huge.open("wb") as file:
        file.truncate(2**26 + 1)
    part(driver, "solution").send_keys(str(files / "s.json"))
    part(driver, "instance").send_keys(str(huge))
    driver.implicitly_wait(0)
    for _ in range(500):
        if shown := part(driver, "verdict").text:
            break
        time.sleep(0.02)
    assert shown == "✗ REFUSED: huge.json: 67,108,865 bytes, more than the 67,108,864 that are read"
    assert "huge" not in part(driver, "given").text


def test_a_check_can_be_stopped(driver: Any, files: Path) -> None:
    opened(driver, files / "full.html")
    driver.execute_async_script(WAIT)
    driver.execute_script(
        """for (const name of ["run", "stop"]) document.querySelector(`[data-part=${name}]`).click();"""
    )
    assert part(driver, "verdict").text.startswith("Stopped")
    assert part(driver, "run").is_enabled()


def test_it_fits_a_phone(driver: Any, files: Path) -> None:
    browsers.as_phone(driver, 360)
    driver.get(f"file://{files / 'full.html'}?phone")
    driver.execute_async_script(WAIT)
    wide, small = driver.execute_script(
        """const texts = [...document.querySelectorAll("p, td, dd, label, button")];
        const sizes = texts.map(each => parseFloat(getComputedStyle(each).fontSize));
        return [document.documentElement.scrollWidth, Math.min(...sizes)];"""
    )
    assert wide <= 360
    assert small >= 12
    assert part(driver, "run").size["height"] >= 44


CONTRAST = """const linear = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
const colour = text => text.match(/[0-9.]+/g).map(Number);
const ground = element => {
  for (; element; element = element.parentElement) {
    const found = colour(getComputedStyle(element).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found;
  }
};
return ["p", ".drop p", "[data-part=run]", ".verdict", "td", "thead th", "summary"].map(where => {
  const element = document.querySelector(where);
  const [one, two] = [colour(getComputedStyle(element).color), ground(element)].map(luminance).sort((a, b) => b - a);
  return (one + .05) / (two + .05);
});"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read(driver: Any, files: Path, scheme: str) -> None:
    """Contrast of 4.5 at least, as WCAG 2 has it for text."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    opened(driver, files / "full.html")
    driver.execute_async_script(WAIT)
    assert min(driver.execute_script(CONTRAST)) >= 4.5


def test_everything_has_a_name_and_can_be_reached_by_keys(driver: Any, files: Path) -> None:
    opened(driver, files / "full.html")
    driver.execute_async_script(WAIT)
    labels = driver.execute_script(
        "return [...document.querySelectorAll('input')].map(each => each.labels[0]?.textContent.trim())"
    )
    assert labels == ["Instance", "Solution"]
    assert part(driver, "verdict").get_attribute("role") == "status"
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    reached = []
    for _ in range(8):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        reached.append(
            driver.execute_script(
                "return document.activeElement.dataset.part || document.activeElement.tagName"
            )
        )
    assert {"instance", "solution", "run", "SUMMARY"} <= set(reached)
