"""The page to play with, in a real browser: it follows the hand, and what it proves holds outside of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import as_desktop, as_phone, chromium
from commands import run

import uara
from uara.p1 import check_certificate
from uara.p1.instance import Instance
from uara.pages import play_page

FILES = """const files = uaraPlay.files(), text = bytes => btoa(String.fromCharCode(...bytes));
return [text(files.instance), text(files.solution)];"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("play")
    play_page.write(folder / "play.html")
    with chromium(folder) as driver:
        driver.set_window_size(1280, 1000)
        driver.get((folder / "play.html").as_uri())
        yield driver


@pytest.mark.integration
class TestInABrowser:
    def checked(self, driver: Any) -> dict[str, Any]:
        """What the page's checker says of the network at rest."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(driver, 120).until(
            lambda _: driver.find_element("tag name", "body").get_attribute("data-state") == "checked"
        )
        return dict(driver.execute_script("return uaraPlay.result"))

    def saved(self, driver: Any, folder: Path) -> tuple[Path, Path]:
        """The two files that the page would save."""
        paths = (folder / "play.json", folder / "play_answer.json")
        for path, text in zip(paths, driver.execute_script(FILES), strict=True):
            path.write_bytes(base64.b64decode(text))
        return paths

    def test_what_it_shows_first_is_proven(self, driver: Any) -> None:
        result = self.checked(driver)
        assert result["accepted"]
        assert result["gap"] < 0.01
        assert driver.get_log("browser") == []

    def test_its_files_hold_outside(
        self, driver: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shown = self.checked(driver)
        instance, solution = self.saved(driver, tmp_path)
        verdict = check_certificate.check(instance.read_bytes(), solution.read_bytes())
        assert verdict.refusals == []
        assert run("verify", str(instance), str(solution)) == 0
        assert "exact arithmetic" in capsys.readouterr().out
        found = driver.execute_script("return [uaraPlay.answer.cost, uaraPlay.answer.bound]")
        problem = Instance.load(instance)
        best = uara.solve(problem, "exact", time_limit_s=60)
        constant = best.evaluation.objective_ms - best.evaluation.controllable_ms
        assert found[1] <= best.evaluation.controllable_ms * (1 + 1e-9)
        assert found[0] >= best.bound_ms - constant - 1e-9 * found[0]
        assert found[0] <= best.evaluation.controllable_ms * 1.01
        assert shown["objective"] == pytest.approx(found[0] + constant, rel=1e-9)

    def test_a_server_is_dragged_and_the_answer_follows(self, driver: Any) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        self.checked(driver)
        before = driver.execute_script(
            "return [uaraPlay.answer.cost, uaraPlay.answer.instance.servers.position_m[0]]"
        )
        server = driver.find_element("css selector", "g.server[data-number='0']")
        ActionChains(driver).click_and_hold(server).move_by_offset(60, 40).move_by_offset(
            20, 20
        ).release().perform()
        assert self.checked(driver)["accepted"]
        after = driver.execute_script(
            "return [uaraPlay.answer.cost, uaraPlay.answer.instance.servers.position_m[0]]"
        )
        assert after[1] != before[1]
        assert after[0] != before[0]

    def test_keys_move_and_buttons_change_the_network(self, driver: Any) -> None:
        from selenium.webdriver.common.keys import Keys

        self.checked(driver)
        phones = driver.execute_script("return uaraPlay.answer.association.length")
        x = driver.execute_script("return uaraPlay.answer.instance.devices.position_m[1][0]")
        phone = driver.find_element("css selector", "g.phone[data-number='1']")
        driver.execute_script("arguments[0].focus()", phone)
        phone.send_keys(Keys.ARROW_LEFT)
        self.checked(driver)
        assert driver.execute_script(
            "return uaraPlay.answer.instance.devices.position_m[1][0]"
        ) == pytest.approx(x - 10, abs=0.06)
        for button, count in (("more-phones", phones + 1), ("fewer-phones", phones)):
            driver.find_element("id", button).click()
            assert self.checked(driver)["accepted"]
            assert driver.execute_script("return uaraPlay.answer.association.length") == count

    @pytest.mark.parametrize("seed", range(6))
    def test_other_networks_and_starved_bands_are_never_proven_falsely(
        self, driver: Any, seed: int, tmp_path: Path
    ) -> None:
        band, weight = [2.5, 0.1, 0.05, 10.0, 0.2, 1.0][seed], [50, 0, 100, 20, 5, 50][seed]
        driver.execute_script(
            f"const n = newNetwork({1 + seed}, {3 + 6 * seed}, {seed}); n.band_mhz = {band}; n.weight = {weight};"
            "window.made = solveNetwork(n, [], 'full');"
        )
        text = "const files = filesOf(window.made), text = bytes => btoa(String.fromCharCode(...bytes));"
        paths = (tmp_path / "play.json", tmp_path / "play_answer.json")
        for path, content in zip(
            paths,
            driver.execute_script(f"{text} return [text(files.instance), text(files.solution)];"),
            strict=True,
        ):
            path.write_bytes(base64.b64decode(content))
        assert check_certificate.check(*(path.read_bytes() for path in paths)).refusals == []
        bound = driver.execute_script("return window.made.bound")
        solution = json.loads(paths[1].read_text())
        problem = Instance.load(paths[0])
        proven = uara.lower_bound(problem, uara.problem.parse_certificate(problem, solution["certificate"]))
        best = uara.solve(problem, "price")
        constant = best.evaluation.objective_ms - best.evaluation.controllable_ms
        true = proven - constant
        assert 0.999 * true <= bound <= true * (1 + 1e-9), (
            "where labels are cut off, less is shown than is proven"
        )
        assert bound <= best.evaluation.controllable_ms * (1 + 1e-9)

    def test_it_fits_a_phone_and_a_desk(self, driver: Any) -> None:
        for width in (390, 1280):
            if width == 390:
                as_phone(driver, width)
            else:
                as_desktop(driver)
            assert driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def test_the_page_asks_nothing_of_a_network() -> None:
    text = play_page.page()
    assert "default-src 'none'" in text
    assert "@" not in text.partition("<script>")[0].replace("@media", "")
    for sign in ("fetch(", "XMLHttpRequest", "https://", "src="):
        assert sign not in text


def test_the_command_writes_it_and_refuses_what_is_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("play", "-o", str(tmp_path / "a.html")) == 0
    assert (tmp_path / "a.html").stat().st_size > 50_000
    assert run("play", "-o", str(tmp_path / "a.txt")) == 2
    assert "a.txt" in capsys.readouterr().err
