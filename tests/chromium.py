"""Headless Chromium for tests (Debian: chromium, chromium-driver).

Authors
 * The speechbrain_jasco developers, 2026
"""

import contextlib
import json
import shutil
import time

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
]


def start(folder):
    """Start the browser.

    Arguments
    ---------
    folder : Path
        Gets its profile.

    Returns
    -------
    webdriver.Chrome
    """
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no chromium or chromedriver: apt install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in [*FLAGS, f"--user-data-dir={folder}"]:
        options.add_argument(flag)
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    return webdriver.Chrome(options=options, service=Service(driver))


@contextlib.contextmanager
def opened(browser, path):
    """Open a file; afterwards: no error, no request but for files."""
    browser.get("about:blank")
    forget(browser)
    browser.get(path.as_uri())
    yield
    assert browser.execute_script("return window.pwned") is None
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    for url in requests(browser):
        assert url.startswith(("file:", "data:", "blob:")), url


def forget(browser):
    """Empty the logs."""
    for log in ("browser", "performance"):
        browser.get_log(log)


def requests(browser):
    """Addresses of all requests since the log was read last."""
    messages = [
        json.loads(entry["message"])["message"]
        for entry in browser.get_log("performance")
    ]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def wait(browser, script, seconds=10):
    """Wait until a script says yes."""
    end = time.monotonic() + seconds
    while not browser.execute_script(script):
        assert time.monotonic() < end, f"never: {script}"
        time.sleep(0.05)


def text(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector).text


def choose(browser, name, value):
    Select(browser.find_element(By.ID, name)).select_by_value(value)
    wait(browser, f"return location.hash.includes('{name}=')")


def clips_listed(browser):
    return len(browser.find_elements(By.CSS_SELECTOR, "#clip-list li"))
