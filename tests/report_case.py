"""A small evaluation with recordings and hostile texts, for the report's tests.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd
import torch
from speechbrain.dataio import audio_io

from speechbrain_jasco.dataio import PREDICTION_COLUMNS, Clip
from speechbrain_jasco.evaluation import evaluate
from speechbrain_jasco.judging.item import ORIENTATIONS, Verdict
from speechbrain_jasco.judging.replay import ReplayJudge
from speechbrain_jasco.scoring import Scoring

HOSTILE = [
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 2</script>",
    '"><img src=x onerror="window.pwned = 3">',
    "<svg/onload=window.pwned=4><iframe src=javascript:window.pwned=5>",
    "{{ 7 * 7 }} {% raw %} ${window.pwned = 6} `x`",
    "<!-- --!> <![CDATA[ ]]> </style></textarea></title>",
    "x" * 100_000,
    "\u202eright to left\u202c \u2066\u05d0\u05d1\u2069 \u200f\u200e",
    "half a pair \ud800, \udfff and \x00 \x1b[31m \u2028\u2029",
    '=HYPERLINK("http://x")',
    "javascript:window.pwned=7",
    "<a href='javascript:window.pwned=8' onclick='window.pwned=9'>x</a>",
]
N_PROMPTS = 8


class ScriptedJudge:
    """Rates by a fixed rule and explains itself with hostile texts."""

    def __init__(self, name, shift=0, repeats=1):
        self.name, self.shift, self.repeats = name, shift, repeats

    def config(self):
        return {"judge": "ScriptedJudge", "shift": self.shift}

    def check(self):
        """Always there."""

    def unload(self):
        """Nothing to free."""

    def judge(self, items, on_verdict):
        for i, item in enumerate(items):
            number = 7 * len(item.id) + 3 * item.prompt_index + i + self.shift
            why = HOSTILE[i % len(HOSTILE)]
            if number % 11 == 0:
                verdict = Verdict("unparsed", reply=why, explanation=why)
            else:
                verdict = Verdict(
                    "ok", number % 3, ORIENTATIONS[number % 4], why, why
                )
            on_verdict(i, verdict)


def write_case(folder, n_clips=6, systems=("plain", "<b>bold</b> | $x_1$")):
    """Write recordings and predictions; returns paths and clips."""
    clips, rows = [], []
    for c in range(n_clips):
        path = folder / "wavs" / f"a clip #{c}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        time = torch.arange(16000) / 16000
        wave = 0.3 * torch.sin(2 * torch.pi * (200 + 100 * c) * time)
        audio_io.save(str(path), wave[None], 16000)
        texts = [HOSTILE[(c + k) % len(HOSTILE)][:200] for k in range(6)]
        texts = [t.encode("utf-8", "replace").decode() for t in texts]
        clips.append(
            Clip(f"c{c}", f"wavs/a clip #{c}.wav", "16000", *texts, path)
        )
    paths = {}
    for s, system in enumerate(systems):
        rows = [
            {
                **{k: v for k, v in vars(clip).items() if k != "path"},
                "prompt": f"Prompt {p}?",
                "with_speech": "True",
                "allm_output": HOSTILE[(i + p + s) % len(HOSTILE)]
                if (i + p + s) % 9
                else "",
            }
            for i, clip in enumerate(clips)
            for p in range(N_PROMPTS)
        ]
        paths[system] = folder / f"predictions_{s}.csv"
        pd.DataFrame(rows)[PREDICTION_COLUMNS].to_csv(
            paths[system], index=False, errors="replace"
        )
    return paths, clips


def run_case(folder, judges=None, clips_known=True, **options):
    """Evaluate the case; returns scores, the report's folder, paths, clips."""
    paths, clips = write_case(folder, **options)
    judges = judges or [
        ScriptedJudge("mild"),
        ScriptedJudge("<i>strict</i>", shift=2),
    ]
    scores = evaluate(
        paths,
        judges,
        folder / "out",
        clips if clips_known else None,
        scoring=Scoring(n_draws=200),
        remark="<script>window.pwned = 10</script> Weak.",
    )
    return scores, folder / "out" / "report", paths, clips


# In mode paper the second takes the first's score, the third's rating is of
# a digit in "12", the fourth's orientation is unknown.
REPLIES = [
    "Rating: 2\nOrientation: Good",
    "Orientation: Good <b>",
    "Rating: 12\nOrientation: Good",
    "Rating: 1\nIt is hard to say.",
    *["Rating: 1\nOrientation: Audio-Oriented"] * 4,
]


def run_paper_case(folder):
    """Evaluate replies that exist already in mode paper, of 2 clips."""
    rows = [
        dict.fromkeys(PREDICTION_COLUMNS, "They are fishing.")
        | {"id": str(clip), "prompt": f"Prompt {p}?", "llama3_extract": reply}
        for clip in range(2)
        for p, reply in enumerate(REPLIES)
    ]
    path = folder / "judged.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    paths = {"one": path}
    judges = [ReplayJudge("llama", paths)]
    scores = evaluate(
        paths, judges, folder / "out", scoring=Scoring(n_draws=200)
    )
    return scores, folder / "out" / "report"
