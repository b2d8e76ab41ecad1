"""Take the README's pictures of a report: wide, in the dark, on a phone.

    make demo
    python docs/screenshots.py recipes/WhatAreTheyDoing/results/demo/judge/report

They go beside this file. Needs selenium and Debian's chromium, chromium-driver.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import shutil
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

# Name -> width, height, light or dark, what the address names.
PICTURES = {
    "desktop": (1280, 900, "light", ""),
    "dark": (1280, 900, "dark", "#clip=2"),
    "phone": (390, 844, "light", "#clip=2"),
}
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def take(browser, page, name):
    """Take one picture.

    Arguments
    ---------
    browser : webdriver.Chrome
        The browser.
    page : Path
        ``index.html``.
    name : str
        Of ``PICTURES``.
    """
    width, height, theme, address = PICTURES[name]
    size = {"width": width, "height": height, "deviceScaleFactor": 1}
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {**size, "mobile": width < 500}
    )
    scheme = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [scheme]}
    )
    browser.get("about:blank")
    browser.get(page.as_uri() + address)
    browser.save_screenshot(str(Path(__file__).parent / f"report_{name}.png"))


def main():
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("report", type=Path, help="folder with index.html")
    page = parser.parse_args().report.resolve() / "index.html"
    if not page.is_file():
        parser.error(f"{page}: no such file; give the folder of a report")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    driver = Service(shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=driver) as browser:
        for name in PICTURES:
            take(browser, page, name)


if __name__ == "__main__":
    main()
