"""The report's page in headless Chromium (Debian: chromium, chromium-driver).

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from urllib.parse import quote

import pytest
from report_case import ScriptedJudge, run_case, run_paper_case

selenium = pytest.importorskip("selenium", reason="needs pip install selenium")

from chromium import (  # noqa: E402
    choose,
    clips_listed,
    forget,
    opened,
    text,
    wait,
)
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

READY = "return document.documentElement.dataset.ready === 'yes'"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    judges = [ScriptedJudge("mild"), ScriptedJudge("<i>strict</i>", shift=2)]
    return run_case(tmp_path_factory.mktemp("case"), judges, n_clips=8)[1]


@pytest.fixture
def page(browser, folder):
    """The page, fresh; afterwards: no error, no request but for files."""
    with opened(browser, folder / "index.html"):
        wait(browser, READY)
        yield browser


def test_loads_and_shows_everything(page):
    assert page.execute_script("return scrollY") == 0
    assert clips_listed(page) == 8
    assert text(page, "#count") == "128 answers, 8 clips"
    rows = page.find_elements(By.CSS_SELECTOR, "#results tbody tr")
    assert len(rows) == 2 * 4
    panels = page.find_elements(By.CSS_SELECTOR, "#dependence-panels svg")
    assert len(panels) == 3  # two judges and the average
    assert len(page.find_elements(By.CSS_SELECTOR, "#curve polyline")) == 2
    assert len(page.find_elements(By.CSS_SELECTOR, "#heat button")) == 16
    assert len(page.find_elements(By.CSS_SELECTOR, ".answer")) == 16


def test_hostile_texts_are_text_wherever_one_looks(page):
    for _ in range(8):
        for more in page.find_elements(By.CSS_SELECTOR, ".verdict details"):
            page.execute_script("arguments[0].open = true", more)
        count = page.execute_script(
            "return document.querySelectorAll('img, iframe, object, embed,"
            " b, i:not([class]), [onerror], [onclick], [onload]').length"
        )
        assert count == 0
        page.find_element(By.TAG_NAME, "body").send_keys("j")
    scripts = page.execute_script("return document.scripts.length")
    assert scripts == 2
    # Not the text itself: half a surrogate pair does not reach the driver.
    for part in ("<script>window.pwned = 1</script>", "{{ 7 * 7 }}"):
        assert page.execute_script(
            "return document.getElementById('clip').textContent"
            ".includes(arguments[0])",
            part,
        )


def test_a_hundred_thousand_letters_do_not_widen_the_page(page):
    page.find_element(By.ID, "text").send_keys("xxxxxxxxxx")
    wait(page, "return location.hash.includes('text=')")
    assert "more characters" in page.execute_script(
        "return document.getElementById('clip').textContent"
    )
    for width in (1200, 390):
        page.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {
                "width": width,
                "height": 800,
                "deviceScaleFactor": 1,
                "mobile": width < 500,
            },
        )
        wide = "return document.documentElement.scrollWidth - innerWidth"
        assert page.execute_script(wide) <= 0
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_players_play(page):
    page.find_element(By.TAG_NAME, "body").send_keys(" ")
    audio = "document.querySelector('audio')"
    wait(page, f"return {audio}.currentTime > 0.05")
    assert page.execute_script(f"return {audio}.error") is None
    assert page.execute_script(f"return {audio}.duration") == pytest.approx(1)
    # A picture of many colours does not pack into a few bytes.
    size = "return document.querySelector('canvas').toDataURL().length"
    assert page.execute_script(size) > 5000


def test_a_missing_recording_is_told(browser, folder, page):
    wavs = folder.parent.parent / "wavs"
    wavs.rename(wavs.with_name("elsewhere"))
    try:
        browser.refresh()
        wait(browser, "return document.querySelector('.why') !== null")
        assert "No recording to play" in text(browser, ".player .why")
    finally:
        wavs.with_name("elsewhere").rename(wavs)
        forget(browser)  # it names the file it did not find


@pytest.mark.parametrize(
    ("show", "holds"),
    [
        ("failures", lambda vs: not any(scored(v) for v in vs)),
        ("speech", lambda vs: any(v[2] == "speech" for v in vs)),
        ("unjudged", lambda vs: any(v[0] != "ok" for v in vs)),
        (
            "disagreements",
            lambda vs: len({tuple(v[1:3]) for v in vs if v[0] == "ok"}) > 1,
        ),
    ],
)
def test_filters_show_what_they_say(page, show, holds):
    data = json.loads(
        page.execute_script(
            "return document.getElementById('data').textContent"
        )
    )
    expected = sum(
        holds([judge[c][p] for judge in system])
        for system in data["verdicts"]
        for c in range(8)
        for p in range(8)
    )
    choose(page, "show", show)
    assert 0 < expected < 128
    assert text(page, "#count").startswith(f"{expected} answers,")


def scored(verdict):
    """Whether a verdict gives points."""
    return verdict[0] == "ok" and verdict[2] == "both" and verdict[1] > 0


def test_an_address_leads_to_clip_and_filter(browser, folder, page):
    address = (folder / "index.html").as_uri()
    system = quote("<b>bold</b> | $x_1$")
    browser.get("about:blank")
    browser.get(f"{address}#clip=c5&show=failures&system={system}")
    wait(browser, READY)
    assert text(browser, "#clip h3") == "Clip c5"
    assert (
        browser.find_element(By.ID, "show").get_attribute("value") == "failures"
    )
    names = browser.find_elements(By.CSS_SELECTOR, ".answers h3")
    assert [name.text for name in names] == ["<b>bold</b> | $x_1$"]
    browser.execute_script("location.hash = 'clip=c2'")
    wait(
        browser,
        "return document.querySelector('#clip h3')?.textContent === 'Clip c2'",
    )


@pytest.mark.parametrize(
    "address",
    [
        "clip=%3Cscript%3Ewindow.pwned%3D11%3C/script%3E",
        "show=constructor&system=__proto__&clip=%F0%9F",
        "clip=c1&text=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
    ],
)
def test_hostile_addresses_do_nothing(browser, folder, page, address):
    browser.get("about:blank")
    browser.get(f"{(folder / 'index.html').as_uri()}#{address}")
    wait(browser, READY)
    assert browser.execute_script("return document.images.length") == 0


def test_keys_and_map_choose_clips(page):
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys("j")
    assert text(page, "#clip h3") == "Clip c1"
    body.send_keys("k")
    assert text(page, "#clip h3") == "Clip c0"
    cell = page.find_element(
        By.CSS_SELECTOR, "#heat [data-clip='3'][data-system='1']"
    )
    cell.send_keys(Keys.ARROW_DOWN)
    active = page.switch_to.active_element
    assert active.get_attribute("data-clip") == "4"
    active.send_keys(Keys.ENTER)
    assert text(page, "#clip h3") == "Clip c4"
    body.send_keys("/")
    assert page.switch_to.active_element.get_attribute("id") == "text"


def test_light_dark_and_colours(page):
    paper = "return getComputedStyle(document.body).backgroundColor"
    bar = "return getComputedStyle(document.querySelector('rect.audio')).fill"
    before = page.execute_script(paper), page.execute_script(bar)
    page.find_element(By.TAG_NAME, "body").send_keys("t")
    assert page.execute_script(paper) != before[0]
    page.find_element(By.TAG_NAME, "body").send_keys("t")
    Select(page.find_element(By.ID, "colours")).select_by_value("safe")
    assert page.execute_script(bar) == "rgb(230, 159, 0)"
    assert before[1] == "rgb(214, 39, 40)"  # the paper's
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    page.execute_script("localStorage.clear()")
    page.refresh()
    assert page.execute_script(paper) == "rgb(20, 23, 26)"
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.fixture(scope="module")
def paper_folder(tmp_path_factory):
    return run_paper_case(tmp_path_factory.mktemp("paper"))[1]


def test_mode_paper_shows_where_the_modes_differ(browser, paper_folder):
    """Every row of paper_vs_robust.csv and no other, with both readings."""
    with opened(browser, paper_folder / "index.html"):
        wait(browser, READY)
        assert "mode paper" in text(browser, "header p")
        assert text(browser, "#count") == "16 answers, 2 clips"
        assert len(browser.find_elements(By.CSS_SELECTOR, ".answer")) == 8
        assert len(browser.find_elements(By.CSS_SELECTOR, ".answer .why")) == 3
        choose(browser, "show", "modes")
        assert text(browser, "#count") == "6 answers, 2 clips"
        shown = browser.find_elements(By.CSS_SELECTOR, ".answer")
        numbers = [s.find_element(By.CSS_SELECTOR, ".number") for s in shown]
        assert [number.text for number in numbers] == ["2", "3", "4"]
        chips = browser.find_elements(By.CSS_SELECTOR, ".answer .chip")
        assert [chip.text for chip in chips] == ["2 both", "1 both", "1 ?"]
        notes = browser.find_elements(By.CSS_SELECTOR, ".answer .why")
        for note, start in zip(
            notes,
            (
                "Modes differ: paper 2 both, robust unparsed; leak",
                "Modes differ: paper 1 both, robust unparsed; substring digit",
                "Modes differ: paper 1 ?, robust unparsed; reformat",
            ),
            strict=True,
        ):
            assert note.text.startswith(start)
