"""The report in a real browser: search, choices, links, both themes, a telephone's width, print, no script."""

import pytest
from test_report import RESULTS, picture, result

from figures.report import write_report
from linbyol import claims
from tests.browsing import axe, check_access, check_console, started, visit

SHOWN = "return [...document.querySelectorAll('tr[id]')].filter((row) => row.offsetHeight).map((row) => row.id)"
CHOOSE = (
    "const [name, value] = arguments; const select = document.querySelector(`[data-filter=${name}]`);"
    "select.value = value; select.dispatchEvent(new Event('input', { bubbles: true }));"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "figures").mkdir()
    (folder / "figures" / "phase_plane.png").write_bytes(picture())
    found = [*RESULTS, result("B10", "holds", "holds", numbers={"gap": [0.001] * 40})]
    path = write_report(folder / "report.html", found, claims.environment(), folder / "figures")
    driver = started(folder)
    driver.address = path.as_uri()
    yield driver
    driver.quit()


def opened(driver, link="", **window):
    visit(driver, driver.address + link, **window)
    check_console(driver)
    return driver


def test_a_search_and_a_choice_leave_the_rows_that_match(browser):
    driver = opened(browser)
    assert len(driver.execute_script(SHOWN)) == 8
    search = driver.find_element("css selector", "[type=search]")
    search.send_keys("statement of b1")
    assert driver.execute_script(SHOWN) == ["B1", "B10"]
    assert driver.find_element("css selector", ".controls output").text == "2 of 8 claims"
    search.clear()
    driver.execute_script(CHOOSE, "status", "against what is expected")
    assert driver.execute_script(SHOWN) == ["B5", "B6"]
    driver.execute_script(CHOOSE, "status", "fails")
    assert driver.execute_script(SHOWN) == ["B2", "B5"]
    driver.execute_script(CHOOSE, "kind", "numeric")
    assert driver.execute_script(SHOWN) == ["B2", "B5"]
    search.send_keys("nothing has these words")
    assert driver.execute_script(SHOWN) == []
    assert driver.execute_script("return document.querySelectorAll('caption').length") == 2
    assert not any(caption.is_displayed() for caption in driver.find_elements("tag name", "caption"))


def test_a_link_to_a_claim_shows_it_whatever_is_chosen(browser):
    driver = opened(browser)
    driver.execute_script(CHOOSE, "status", "undecided")
    assert driver.execute_script(SHOWN) == ["B3"]
    driver.execute_script("location.hash = '#B7'")
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert len(driver.execute_script(SHOWN)) == 8
    top = driver.execute_script("return document.getElementById('B7').getBoundingClientRect().top")
    assert 0 <= top < 1000
    assert len(opened(browser, "#%E0%A4%A").execute_script(SHOWN)) == 8  # no address of anything


def test_it_fits_a_telephone_and_its_picture_is_decoded(browser):
    driver = opened(browser, width=390)
    wide, seen = driver.execute_script("return [document.documentElement.scrollWidth, document.body.clientWidth]")
    assert wide <= max(seen, 390)
    row = driver.execute_script("return document.getElementById('B10').getBoundingClientRect().width")
    assert row <= 390
    driver.execute_script("document.querySelector('img').scrollIntoView()")
    natural = (
        "document.querySelector('img').decode().then(() => arguments[0](document.querySelector('img').naturalWidth))"
    )
    assert driver.execute_async_script(natural) == 1520


def test_without_scripts_all_is_there_but_the_filter(browser):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver = opened(browser)
        rows = driver.find_elements("css selector", "tr[id]")
        assert len(rows) == 8
        assert all(row.is_displayed() for row in rows)
        assert not driver.find_element("css selector", ".controls").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_in_print_nothing_is_left_to_press(browser):
    driver = opened(browser)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not driver.find_element("css selector", ".controls").is_displayed()
    assert driver.find_element("id", "B10").is_displayed()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_axe_finds_nothing_serious(browser, tmp_path):
    source = axe(tmp_path)
    for theme in ("light", "dark"):
        check_access(opened(browser, theme=theme), source)
