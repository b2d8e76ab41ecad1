"""Checks of the triples that need no language model.

    texts      crossing, keywords, wordings, splits, everyday sentences
    meanings   sound and line unrelated, behaviours told apart, no answer that
               one modality gives away (by sentence embeddings)
    sentences  none in two splits in other words

What is too close to other people's test sets is found by ``leakage.py``. Each
check returns findings, an empty list if all is well. The bounds are
cosines of all-MiniLM-L6-v2; what the committed triples reach is in brackets.

Authors
 * The speechbrain_jasco developers, 2026
"""

from collections import Counter, defaultdict
from itertools import combinations
from typing import NamedTuple

from speechbrain_jasco.building.vectors import Vectors

# A line must not speak of the scene of its sound (0.38).
MAX_RELATED = 0.40
# Behaviours of one sound, or of one line, are different ones (0.75).
MAX_SAME_BEHAVIOUR = 0.80
# The behaviour is not what the sound or the words suggest alone (0.74).
MAX_SINGLE_MODALITY = 0.80
# Two everyday sentences of different splits (0.55).
MAX_SENTENCE = 0.75

MIN_LINES_OF_A_SOUND = 5
MIN_CROSSED_LINES = 0.75  # share of the lines that occur with two sounds


class Finding(NamedTuple):
    """Something wrong: which check, what it is about, and why."""

    check: str
    name: str
    reason: str


def text_findings(triples):
    """Check what can be checked letter by letter.

    Arguments
    ---------
    triples : TripleSet
        From ``read_triples``.

    Returns
    -------
    list of Finding
    """
    return [
        *_crossing(triples),
        *_keywords(triples),
        *_wordings(triples),
        *_splits(triples),
    ]


def _crossing(triples):
    """Every sound has enough lines, most lines have two sounds."""
    lines_of = Counter(triple.sound_id for triple in triples.triples)
    sounds_of = Counter(triple.line_id for triple in triples.triples)
    for sound_id in triples.sounds:
        if lines_of[sound_id] < MIN_LINES_OF_A_SOUND:
            yield Finding(
                "crossing",
                sound_id,
                f"occurs with {lines_of[sound_id]} lines, expected "
                f"{MIN_LINES_OF_A_SOUND}; write more for this sound",
            )
    crossed = sum(sounds_of[line_id] >= 2 for line_id in triples.lines)
    if crossed < MIN_CROSSED_LINES * len(triples.lines):
        yield Finding(
            "crossing",
            "lines",
            f"{crossed} of {len(triples.lines)} lines occur with two sounds; "
            f"expected {MIN_CROSSED_LINES:.0%}",
        )


def _keywords(triples):
    """Keywords stand in the reference, in lower case."""
    for triple in triples.triples:
        for keyword in triple.keywords:
            if keyword not in triple.answers[0].lower():
                yield Finding(
                    "keywords",
                    triple.triple_id,
                    f"{keyword!r} is not in {triple.answers[0]!r}; keywords "
                    "are lower case and literal",
                )


def _wordings(triples):
    """No wording of a behaviour occurs twice, in any split."""
    seen = {}
    for triple in triples.triples:
        for answer in triple.answers:
            other = seen.setdefault(answer.casefold(), triple.triple_id)
            if other != triple.triple_id:
                yield Finding(
                    "wordings",
                    triple.triple_id,
                    f"{answer!r} is an answer of {other}, too",
                )


def _splits(triples):
    """Held-out pairs are made of a sound and a line that are trained."""
    train = [t for t in triples.triples if t.split == "train"]
    for field in ("sound_id", "line_id"):
        trained = {getattr(triple, field) for triple in train}
        for triple in triples.triples:
            value = getattr(triple, field)
            if triple.split == "test_unseen" and value not in trained:
                yield Finding(
                    "splits",
                    triple.triple_id,
                    f"{value} never occurs in a train triple",
                )


def meaning_findings(triples, embedder):
    """Check by sentence embeddings what a reader would notice.

    Arguments
    ---------
    triples : TripleSet
        From ``read_triples``.
    embedder : object
        ``embed(texts) -> Tensor [n, D]`` of unit rows.

    Returns
    -------
    list of Finding
    """
    vector = Vectors(embedder)
    vector(_texts(triples))
    findings = []
    for triple in triples.triples:
        sound = triples.sounds[triple.sound_id]
        line = triples.lines[triple.line_id]
        related = vector.nearest(line.text, sound.names)
        if related > MAX_RELATED:
            findings.append(
                _near("related", triple, related, "its sound and its line")
            )
        for name, texts in (
            ("sound alone", sound.audio_only),
            ("words alone", line.speech_only),
        ):
            cosine = vector.nearest(triple.answers[0], texts)
            if cosine > MAX_SINGLE_MODALITY:
                findings.append(_near(name, triple, cosine, "both answers"))
    return findings + _same_behaviour(triples, vector)


def _texts(triples):
    """Everything that is compared, to be embedded in one go."""
    texts = [triple.answers[0] for triple in triples.triples]
    for sound in triples.sounds.values():
        texts += sound.names + sound.audio_only
    for line in triples.lines.values():
        texts += [line.text, *line.speech_only]
    return texts


def _same_behaviour(triples, vector):
    """Two triples that share a sound or a line and end the same way."""
    findings = []
    for field in ("sound_id", "line_id"):
        groups = defaultdict(list)
        for triple in triples.triples:
            groups[getattr(triple, field)].append(triple)
        for group in groups.values():
            for one, two in combinations(group, 2):
                cosine = vector.nearest(one.answers[0], two.answers[:1])
                if cosine > MAX_SAME_BEHAVIOUR:
                    findings.append(
                        _near("behaviour", one, cosine, two.triple_id)
                    )
    return findings


def _near(check, triple, cosine, what):
    """A finding about a cosine that is too high."""
    return Finding(check, triple.triple_id, f"cosine {cosine:.2f}: {what}")


def sentence_findings(triples, embedder):
    """Look for everyday sentences that are in both splits in other words.

    Arguments
    ---------
    triples : TripleSet
        From ``read_triples``.
    embedder : object
        ``embed(texts) -> Tensor [n, D]`` of unit rows.

    Returns
    -------
    list of Finding
    """
    parts = {"train": [], "test_open": []}
    for sentence in triples.sentences:
        parts[sentence.split].append(sentence)
    if not all(parts.values()):
        return []
    cosines = (
        embedder.embed([s.text for s in parts["test_open"]])
        @ embedder.embed([s.text for s in parts["train"]]).T
    )
    return [
        Finding(
            "sentences",
            parts["test_open"][i].sentence_id,
            f"cosine {cosines[i, j]:.2f}: {parts['train'][j].sentence_id}",
        )
        for i, j in (cosines > MAX_SENTENCE).nonzero().tolist()
    ]
