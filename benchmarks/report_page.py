"""How large is the report's page, and how soon can one use it?

    python report_page.py [--systems 20] [--judges 3] [--folder DIR]

Random verdicts on 80 clips of noise and 8 prompts, answers of 12 words and
explanations of 40. Seconds in Chromium are from the start of the navigation
until the page's script is done, the median of 5; they need selenium, chromium
and chromedriver. The bounds are 15 MB without audio, and 2 s.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from speechbrain.dataio import audio_io
from statistics_speed import make_inputs

from speechbrain_jasco.dataio import TEXT_COLUMNS, Clip
from speechbrain_jasco.reporting.evidence import Evidence
from speechbrain_jasco.reporting.page import write_page
from speechbrain_jasco.scoring import Scoring, score

SECONDS = "return performance.getEntriesByName('ready')[0].startTime / 1000"


def make_evidence(n_systems, n_judges, folder):
    """Draw answers, verdicts and recordings.

    Arguments
    ---------
    n_systems, n_judges : int
        How many.
    folder : Path
        Gets the recordings.

    Returns
    -------
    Evidence
    """
    systems, verdicts = make_inputs(n_systems, n_judges)
    rng = np.random.default_rng(0)

    def words(n, n_texts):
        letters = rng.integers(97, 123, (n_texts, n * 6), dtype=np.uint8)
        letters[:, 5::6] = 32
        return [row.tobytes().decode() for row in letters]

    for table in systems.values():
        table["allm_output"] = words(12, len(table))
    for table in verdicts.values():
        table["explanation"] = words(40, len(table))
        table["reply"] = ""
    ids = list(dict.fromkeys(next(iter(systems.values()))["id"]))
    clips = []
    for name in ids:
        path = folder / f"{name}.wav"
        audio_io.save(str(path), 0.1 * torch.randn(1, 7 * 16000), 16000)
        texts = dict(zip(TEXT_COLUMNS, words(8, 6), strict=True))
        clips.append(Clip(name, path.name, "112000", **texts, path=path))
    return Evidence(systems, verdicts, ids, clips)


def seconds_in_chromium(page, repeats=5):
    """Measure from navigation to a page that reacts.

    Arguments
    ---------
    page : Path
        ``index.html``.
    repeats : int
        How often; the median counts.

    Returns
    -------
    float
    """
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("--headless", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    driver = Service(shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=driver) as browser:
        times = []
        for _ in range(repeats):
            browser.get("about:blank")
            browser.get(page.as_uri())
            times.append(browser.execute_script(SECONDS))
    return statistics.median(times)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--systems", type=int, default=20)
    parser.add_argument("--judges", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    evidence = make_evidence(arguments.systems, arguments.judges, folder)
    scores = score(
        evidence.systems, evidence.verdicts, evidence.ids, Scoring(n_draws=200)
    )
    scores |= {"judges": {}, "remark": ""}
    start = time.perf_counter()
    page = write_page(scores, evidence, folder / "report")
    print(f"written in    {time.perf_counter() - start:6.2f} s")
    print(f"size          {page.stat().st_size / 1e6:6.2f} MB (bound 15)")
    print(f"ready in      {seconds_in_chromium(page):6.2f} s (bound 2)")
    print(page)


if __name__ == "__main__":
    main()
