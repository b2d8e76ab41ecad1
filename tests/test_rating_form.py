"""The rating sheet's form in headless Chromium: listen, rate, save, read back.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import time

import pytest
from report_case import HOSTILE, write_case

selenium = pytest.importorskip("selenium", reason="needs pip install selenium")

from chromium import opened, text, wait  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

from speechbrain_jasco.human_ratings import find_ratings  # noqa: E402
from speechbrain_jasco.human_sheet import HumanSheet  # noqa: E402
from speechbrain_jasco.systems import read_systems  # noqa: E402

N_ANSWERS = 44  # of 48; four are empty


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """Folder of a sheet with recordings, and the predictions."""
    folder = tmp_path_factory.mktemp("sheet")
    paths, clips = write_case(folder, n_clips=3)
    (folder / "out").mkdir()
    HumanSheet(n_answers=48).exchange(paths, clips, folder / "out")
    return folder / "out", paths


@pytest.fixture
def form(browser, sheet):
    with opened(browser, sheet[0] / "human_sheet.html"):
        yield browser


def rate(browser, item, rating, orientation):
    for field, value in (("rating", rating), ("orientation", orientation)):
        button = f"#{item} input[data-field={field}][value='{value}']"
        browser.execute_script(
            "document.querySelector(arguments[0]).click()", button
        )


def test_recordings_play(form):
    """From disk, past the policy, whatever is in the file's name."""
    players = form.find_elements(By.TAG_NAME, "audio")
    assert len(players) == N_ANSWERS
    for number in range(4):
        player = f"document.querySelectorAll('audio')[{number}]"
        players[number].send_keys(Keys.SPACE)  # as a person would
        wait(form, f"return {player}.currentTime > 0.05")
        assert form.execute_script(f"return {player}.error") is None
        seconds = form.execute_script(f"return {player}.duration")
        assert seconds == pytest.approx(1)


def test_the_policy_lets_in_nothing_else(form):
    """A sound from elsewhere, a script and a style of others are refused."""
    refused = form.execute_async_script(
        """
        const done = arguments[0], names = [];
        document.addEventListener("securitypolicyviolation", (event) => {
          names.push(event.effectiveDirective);
          if (names.length === 3) done(names.sort());
        });
        new Audio("http://127.0.0.1:9/x.wav").load();
        const script = document.createElement("script");
        script.textContent = "window.pwned = 1";
        const style = document.createElement("style");
        style.textContent = "body { display: none }";
        document.body.append(script, style);
        """
    )
    assert refused == ["media-src", "script-src-elem", "style-src-elem"]
    assert form.execute_script("return window.pwned") is None
    form.get_log("browser")  # names what was refused


def test_hostile_texts_are_text(form):
    found = "return document.querySelectorAll('img, iframe, svg, b').length"
    assert form.execute_script(found) == 0
    assert form.execute_script("return document.scripts.length") == 1
    body = form.find_element(By.TAG_NAME, "body").text
    assert HOSTILE[0] in body


def test_ratings_are_kept_saved_and_read_back(form, sheet, tmp_path):
    folder, paths = sheet
    form.execute_cdp_cmd(
        "Browser.setDownloadBehavior",
        {"behavior": "allow", "downloadPath": str(tmp_path)},
    )
    items = [
        s.get_attribute("id")
        for s in form.find_elements(By.TAG_NAME, "section")
    ]
    for number, item in enumerate(items):
        rate(form, item, number % 3, ("audio", "both")[number % 2])
    everything = f"{N_ANSWERS} of {N_ANSWERS} rated"
    assert text(form, "#count") == everything
    form.refresh()
    assert text(form, "#count") == everything  # the browser has kept them
    form.find_element(By.ID, "save").click()
    saved = tmp_path / "filled.csv"
    wait_for(saved)
    with saved.open(newline="") as fin:
        rows = list(csv.reader(fin))
    assert rows[0] == ["item", "rating", "orientation"]
    assert rows[1] == [items[0], "0", "audio"]
    HumanSheet(filled=saved).exchange(paths, None, folder)
    ratings = find_ratings(folder, read_systems(paths))
    assert len(ratings) == N_ANSWERS
    given = ratings.set_index("item").loc[items, "rating"].tolist()
    assert given == [number % 3 for number in range(N_ANSWERS)]


def wait_for(path, seconds=10):
    """Wait until a download is there."""
    end = time.monotonic() + seconds
    while not path.is_file():
        assert time.monotonic() < end, f"never: {path}"
        time.sleep(0.05)
