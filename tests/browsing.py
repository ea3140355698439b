"""A headless Chromium for the tests of pages; they skip with a reason where there is none."""

import json
import shutil
import subprocess
import tarfile

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def started(folder):
    """A browser with its profile and its downloads in a folder. Whoever starts it quits it."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))


def visit(driver, address, width=1280, height=1000, theme="light"):
    """Open an address anew, in a window of a size, in a theme."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get("about:blank")
    driver.get(address)


def check_console(driver):
    """Nothing severe was said on the console."""
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def axe(folder):
    """The source of axe-core, which looks for what keeps people out of a page; skips where it cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    command = [npm, "pack", "axe-core@4.10.3", "--silent"]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("axe-core cannot be had from the npm registry")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


def check_access(driver, source):
    """axe-core finds nothing serious on the page."""
    driver.execute_script(source)
    found = driver.execute_async_script("axe.run().then((found) => arguments[0](found.violations))")
    serious = [
        (rule["id"], [node["target"] for node in rule["nodes"]])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert serious == [], json.dumps(serious)
