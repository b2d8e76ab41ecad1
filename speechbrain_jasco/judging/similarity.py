"""A judge without a language model: sentence similarity and a small rule.

    answer -> clauses -> what they do  --cosines-->  evidence -> verdict
                 \\-> what it says it heard  --^

1. The answer is cut in clauses. Quotes, the spoken text, clauses that tell
   what was heard, reasons and refusals are set aside; the rest is the action.
2. No action: 0, neither.
3. Each orientation gets evidence, a weighted sum of two to four numbers
   (``WEIGHTS``); the one with most of it wins. It is a conditional logit, so
   exp(evidence) is proportional to the probability.
4. Only ``both`` can score: 2 if the action holds a keyword or its cosine to
   the reference reaches ``full_score``, else 1.

The weights are fitted by ``benchmarks/calibrate_similarity.py`` on authored
answers to clips of our own, never on the official set. The judge knows no
negation ("they are not bowling") and its 1s are less sure than its 0s and 2s.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
from pathlib import Path

from speechbrain_jasco.dataio import is_missing
from speechbrain_jasco.judging import reading as answer_reading
from speechbrain_jasco.judging.item import Verdict
from speechbrain_jasco.judging.reading import (
    MAX_CHARACTERS,
    has_keyword,
    read_answer,
    strip_frame,
)

WEIGHTS = {
    # audio and speech: cosine of the action to ...
    "target": 6.3,  # the answer that this modality alone suggests
    "own": 4.2,  # the sounds or words that the answer itself reports
    # both
    "reference": 7.2,  # cosine of the action to the reference answer
    "keyword": 1.3,  # the action holds a keyword (0 or 1)
    "joint": 5.1,  # how near it is to both modalities: the lesser cosine
    "both": -0.6,  # constant: what resembles nothing is not "both"
    # neither, open only where nothing announces an action ("A dog barks.")
    "no_action": 1.2,  # constant
    "restated": 2.2,  # cosine of the supposed action to the sound
    "report": 2.5,  # the answer reports sounds or words (0 or 1)
    "hedged": 0.9,  # a word such as "probably" introduces it (0 or 1)
}


class SimilarityJudge:
    """Judges in seconds, the same every time, and says why.

    Arguments
    ---------
    name : str
        Column name of this judge in every result.
    embedder : object
        ``load()``, ``config()`` and ``embed(texts) -> Tensor [n, D]`` of unit
        rows, e.g. ``integrations.sentence_embedding.SentenceEmbedder``.
    weights : dict, optional
        Replaces some of ``WEIGHTS``.
    full_score : float
        Cosine to the reference from which on an answer without a keyword is a
        2.

    Raises
    ------
    ValueError
        If a weight has an unknown name.

    Example
    -------
    >>> judge = SimilarityJudge("similarity", None, weights={"keyword": 2.0})
    >>> judge.weights["keyword"]
    2.0
    """

    def __init__(self, name, embedder, weights=None, full_score=0.7):
        unknown = set(weights or {}) - set(WEIGHTS)
        if unknown:
            raise ValueError(
                f"unknown weights {sorted(unknown)}; expected some of "
                f"{', '.join(WEIGHTS)}."
            )
        self.name = name
        self.embedder = embedder
        self.weights = {**WEIGHTS, **(weights or {})}
        self.full_score = full_score

    def config(self):
        """Everything a verdict depends on, JSON-able (dict)."""
        # The patterns matter as much as the weights, so the code is part.
        files = [Path(__file__), Path(answer_reading.__file__)]
        code = b"".join(file.read_bytes() for file in files)
        return {
            "judge": type(self).__name__,
            "embedder": self.embedder.config(),
            "weights": self.weights,
            "full_score": self.full_score,
            "code_sha256": hashlib.sha256(code).hexdigest(),
        }

    def check(self):
        """Fail now rather than later if the model is not to be had."""
        self.load()

    def load(self):
        """Load the embedder."""
        self.embedder.load()

    def unload(self):
        """Keep the embedder: it is small and may be shared."""

    def judge(self, items, on_verdict):
        """Judge answers.

        Arguments
        ---------
        items : list of JudgeItem
            What to judge.
        on_verdict : callable
            ``on_verdict(index, verdict)``, in order.
        """
        for index, evidence in enumerate(self.measure(items)):
            on_verdict(index, self._verdict(items[index], evidence))

    def measure(self, items):
        """Read answers and compare them, all sentences in one go.

        Arguments
        ---------
        items : list of JudgeItem
            What to judge.

        Returns
        -------
        list of (Reading, dict)
            The dict maps each orientation that is open to its evidence: name
            of the weight -> number. It is empty where there is no action.
        """
        readings = [
            read_answer(item.prediction, item.spoken_text) for item in items
        ]
        pairs = list(zip(items, readings, strict=True))
        texts = {text for pair in pairs for text in _texts(*pair).values()}
        # Sorted by length: a batch is padded to its longest sentence.
        order = sorted(texts, key=lambda text: (len(text), text))
        rows = self.embedder.embed(order) if order else []
        vectors = dict(zip(order, rows, strict=True))
        return [
            (reading, self._evidence(item, reading, vectors))
            for item, reading in pairs
        ]

    def _evidence(self, item, reading, vectors):
        """Numbers that speak for each orientation (dict of dicts)."""
        if not reading.action:
            return {}
        texts = _texts(item, reading)
        action = vectors[texts["action"]]
        # Rounded: the size of a batch must not decide a verdict.
        cosine = {
            name: round(float(action @ vectors[text]), 4) if text else 0.0
            for name, text in texts.items()
        }
        evidence = {
            modality: {
                "target": cosine[modality],
                "own": cosine[f"own {given}"],
            }
            for modality, given in (("audio", "sounds"), ("speech", "words"))
        }
        evidence["both"] = {
            "reference": cosine["reference"],
            "keyword": float(has_keyword(reading.action, item.keywords)),
            "joint": min(
                max(cosine["audio"], cosine["sounds"]),
                max(cosine["speech"], cosine["words"]),
            ),
            "both": 1.0,
        }
        if not reading.announced:
            evidence["neither"] = {
                "no_action": 1.0,
                "restated": cosine["sounds"],
                "report": float(bool(reading.sounds or reading.words)),
                "hedged": float(reading.hedged),
            }
        return evidence

    def _verdict(self, item, measured):
        """Weigh the evidence for one answer (Verdict)."""
        reading, evidence = measured
        if is_missing(item.prediction):
            return Verdict("no_prediction")
        cut = ""
        if len(item.prediction) > MAX_CHARACTERS:
            cut = (
                f" Read: the first and last {MAX_CHARACTERS // 2} of "
                f"{len(item.prediction)} characters."
            )
        if not evidence:
            return Verdict("ok", 0, "neither", "", f"No action found.{cut}")
        sums = {
            orientation: sum(self.weights[name] * x for name, x in part.items())
            for orientation, part in evidence.items()
        }
        winner = max(sums, key=sums.get)
        rating = 0
        if winner == "both":
            both = evidence["both"]
            full = both["keyword"] or both["reference"] >= self.full_score
            rating = 2 if full else 1
        why = (
            f"Action read: {reading.action[:200]!r}. {_explain(sums, evidence)}"
        )
        return Verdict("ok", rating, winner, "", f"{why}{cut}")


def _texts(item, reading):
    """The sentences that matter to one answer, frames left out (dict)."""
    if not reading.action:
        return {}
    return {
        "action": reading.action[:1000],
        "reference": strip_frame(item.tgt_text),
        "audio": strip_frame(item.audio_only_target),
        "speech": strip_frame(item.speech_only_target),
        "sounds": item.audio_sound,
        "words": item.spoken_text,
        "own sounds": reading.sounds[:500],
        "own words": reading.words[:500],
    }


def _explain(sums, evidence):
    """Name the orientations by evidence, each with its numbers (str)."""
    parts = []
    for orientation in sorted(sums, key=sums.get, reverse=True):
        numbers = ", ".join(
            f"{name} {x:.2f}" for name, x in evidence[orientation].items()
        )
        parts.append(f"{orientation} {sums[orientation]:.2f} ({numbers})")
    return f"Evidence: {'; '.join(parts)}."
