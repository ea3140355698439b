"""The explorer in a real browser: drag, slide, tabs, links, exports, both themes, a telephone's width, the keyboard."""

import time

import numpy as np
import pytest

from linbyol.explorer import explorer
from tests.browsing import axe, check_access, check_console, started, visit


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "explorer.html").write_text(explorer())
    driver = started(folder)
    driver.folder, driver.address = folder, (folder / "explorer.html").as_uri()
    yield driver
    driver.quit()


def opened(driver, link="", **window):
    """The page at an address, after its first frame; nothing was said on the console."""
    visit(driver, driver.address + link, **window)
    settled(driver)
    check_console(driver)
    return driver


def settled(driver):
    """Wait for a frame and for the rest after it; the state."""
    frames = driver.execute_script("return linbyol.frames.length")
    for _ in range(200):
        time.sleep(0.05)
        now = driver.execute_script("return linbyol.frames.length")
        if now and now == frames:
            break
        frames = now
    time.sleep(0.3)
    return driver.execute_script("return linbyol.state")


def drag(driver, path):
    """Press at the first point of the plane, given as shares of its size, and move to the others."""
    box = driver.execute_script(
        "const b = document.getElementById('plane').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]"
    )
    for kind, (x, y) in (
        ("mousePressed", path[0]),
        *(("mouseMoved", point) for point in path),
        ("mouseReleased", path[-1]),
    ):
        at = {"x": box[0] + x * box[2], "y": box[1] + y * box[3]}
        driver.execute_cdp_cmd(
            "Input.dispatchMouseEvent", {"type": kind, "button": "left", "buttons": 1, "clickCount": 1, **at}
        )


def slide(driver, name, value):
    driver.execute_script(
        "const x = document.getElementById(`slider-${arguments[0]}`); x.value = arguments[1];"
        "x.dispatchEvent(new Event('input', { bubbles: true }));", name, value,
    )  # fmt: skip
    return settled(driver)


def test_a_drag_moves_the_start_and_the_verdict(browser):
    driver = opened(browser, "#eta=0.1")
    drag(driver, [(0.5, 0.5), (0.6, 0.4), (0.8, 0.2)])
    state = settled(driver)
    assert state["verdict"] == "survives"
    assert state["y"]["p"] > 0.4
    drag(driver, [(0.8, 0.2), (0.15, 0.88)])
    state = settled(driver)
    assert state["y"]["p"] < 0.1
    assert state["verdict"] == "collapses"
    assert driver.find_element("id", "verdict").text == state["sentence"]


def test_a_slider_moves_its_constant_and_marks_its_terms(browser):
    driver = opened(browser)
    state = slide(driver, "eta", 0.3)
    assert state["k"]["eta"] == 0.3
    assert state["condition"] == "threshold"
    marked = driver.execute_script(
        "return [...document.querySelectorAll('#letters .moved')].map((x) => x.dataset.uses)"
    )
    assert len(marked) == 3
    assert all("eta" in uses.split() for uses in marked)
    numbers = driver.execute_script("return document.querySelector('#numbers').textContent")
    assert "0.3" in numbers


def test_eigenvalues_stay_in_order(browser):
    driver = opened(browser)
    assert slide(driver, "lambda_d", 2.5)["k"]["lambda_s"] >= 2.5
    assert slide(driver, "lambda_s", 0.7)["k"]["lambda_d"] <= 0.7
    assert slide(driver, "sigma2", 1.0)["k"]["lambda_s"] == pytest.approx(1.7)


def test_a_link_brings_everything_back(browser):
    driver = opened(browser, "#tab=byol&ema=1&eta=0.12&tau=0.3&p=0.4&s=0.35&beta=1.5&t1=100")
    first = driver.execute_script("return linbyol.state")
    assert (first["ema"], first["k"]["eta"], first["y"], first["t1"]) == (
        True,
        0.12,
        {"p": 0.4, "s": 0.35, "tau": 0.3},
        100,
    )
    slide(driver, "alpha_p", np.log10(2.5))
    before, link = settled(driver), driver.execute_script("return location.hash")
    assert opened(driver, link).execute_script("return linbyol.state") == before


LINKS = [
    *("#eta=hello&p=&s=NaN&tab=nonsense", "#%E0%A4%A", "#eta=1e99&p=-1e99&s=-3&lambda_d=-1", "#eta=0.5&lambda_s=0.01"),
    *("#s=0", "#eta=0", "#eta=0.5&alpha_p=20", "#tau=-1&p=-0.3"),
]


@pytest.mark.parametrize("link", LINKS)
def test_nonsense_in_a_link_is_a_defined_picture(browser, link):
    driver = opened(browser, link)
    state = driver.execute_script("return linbyol.state")
    values = [*state["y"].values(), *state["k"].values()]
    assert all(isinstance(value, int | float) and np.isfinite(value) for value in values)
    assert state["k"]["lambda_s"] >= state["k"]["lambda_d"] > 0
    assert driver.find_element("id", "verdict").text.startswith("It ")


def test_every_tab_and_preset_draws(browser):
    driver = opened(browser)
    for tab in driver.execute_script("return Object.keys(TABS)"):
        driver.execute_script("document.querySelector(`#tabs [data-tab=${arguments[0]}]`).click()", tab)
        assert settled(driver)["tab"] == tab
        assert (
            driver.execute_script(
                "return new Set(document.getElementById('plane').getContext('2d').getImageData(0, 0, 600, 300).data)"
                ".size"
            )
            > 8
        )
    for name in driver.execute_script("return Object.keys(PRESETS)"):
        driver.execute_script(
            "const x = document.getElementById('presets'); x.value = arguments[0];x.dispatchEvent(new Event('change'))",
            name,
        )
        assert settled(driver)["verdict"] in ("survives", "collapses"), name
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_what_is_exported(browser):
    driver = opened(browser, "#p=0.2&s=0.3")
    driver.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(driver.folder)})
    for kind in ("png", "svg", "csv"):
        driver.find_element("id", f"export-{kind}").click()
    for _ in range(100):
        if all((driver.folder / f"linbyol.{kind}").exists() for kind in ("png", "svg", "csv")):
            break
        time.sleep(0.05)
    time.sleep(0.2)
    assert (driver.folder / "linbyol.png").read_bytes().startswith(b"\x89PNG")
    svg = (driver.folder / "linbyol.svg").read_text()
    assert svg.startswith("<svg ")
    assert svg.count("<g ") == svg.count("</g>")
    rows = np.genfromtxt(driver.folder / "linbyol.csv", delimiter=",", names=True)
    assert rows.dtype.names == ("t", "p", "s", "tau", "K")
    space = {}
    exec(driver.find_element("id", "python").text, space)
    assert np.abs(rows["p"] - np.asarray(space["y"].p)).max() < 1e-4
    assert np.abs(rows["s"] - np.asarray(space["y"].s)).max() < 1e-4


def test_the_keyboard_moves_the_start(browser):
    driver = opened(browser)
    before = driver.execute_script("return linbyol.state")["y"]
    driver.find_element("id", "plane").send_keys("\ue014\ue014\ue013")  # right, right, up
    after = settled(driver)["y"]
    assert after["p"] > before["p"]
    assert after["s"] > before["s"]


def test_what_the_constants_decide_is_not_computed_again_while_dragging(browser):
    """Frames stay short: the edge of the basin and the fixed points are those of before, the trajectory is not."""
    driver = opened(browser, "#eta=0.1")
    driver.execute_script("window.before = [found.edge, found.points, found.path, linbyol.frames.length]")
    drag(driver, [(x, 0.5 + 0.3 * np.sin(9 * x)) for x in np.linspace(0.2, 0.9, 25)])
    settled(driver)
    kept = "found.edge === before[0] && found.points === before[1]"
    assert driver.execute_script(f"return [{kept}, found.path === before[2], linbyol.frames.length > before[3]]") == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [200, 390, 1280])
def test_nothing_runs_over_the_edge(browser, width, theme):
    driver = opened(browser, width=width, height=900, theme=theme)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    paper = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[theme]


def test_numbers_in_the_browser_are_those_of_the_library(browser):
    from linbyol.equations import Commuting, Modes, modes_flow

    driver, rng = opened(browser), np.random.default_rng(0)
    for _ in range(100):
        y = dict(zip(("p", "s", "tau"), rng.uniform(-1, 1, 3), strict=True))
        k = dict(zip(Commuting._fields, rng.uniform(0.1, 2, 5), strict=True))
        found = driver.execute_script("return linbyol.rates('modes', arguments[0], arguments[1])", y, k)
        assert found == pytest.approx(modes_flow(Modes(**y), Commuting(**k))._asdict(), rel=1e-12, abs=1e-12)


def test_axe_finds_nothing_serious(browser, tmp_path):
    source = axe(tmp_path)
    for theme in ("light", "dark"):
        check_access(opened(browser, theme=theme), source)
