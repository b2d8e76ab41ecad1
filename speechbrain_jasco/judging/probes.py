"""Gold probes: answers of known verdict, made from a data set's own columns.

    clips.csv --> {kind} x {form} --> answers that a judge must get right

The reference must get 2/both, the answer that the sound alone suggests
0/audio, a mere report of sound and words 0/neither, and so on (``KINDS``), so
a judge is measured without annotators. Each comes verbatim, as the column has
it, and in three forms of what an auditory language model would say: the answer
after a preamble with sound and words, hedged, and before its reasons. A judge
that compares strings passes the verbatim probes and nothing else.

Every choice among wordings is a hash of the clip's id: the same manifest gives
the same probes, and a further clip changes no probe but those that quote
another clip.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import re
from typing import NamedTuple

import pandas as pd

from speechbrain_jasco.dataio import TEXT_COLUMNS
from speechbrain_jasco.judging.probe_wordings import (
    GENERIC,
    PLANTED,
    REFUSALS,
    REPORTS,
    WORDINGS,
)
from speechbrain_jasco.judging.reading import has_keyword, strip_frame

QUESTION = "What are the speakers doing, going by the sound and the words?"
VERBATIM = "verbatim"
SPOKEN = ("preamble", "hedged", "reordered")
FORMS = (VERBATIM, *SPOKEN)


class Truth(NamedTuple):
    """What a judge may say of a probe.

    Arguments
    ---------
    ratings : tuple of int
        Ratings that are right; the first is the nominal one.
    orientations : tuple of str
        Orientations that are right; a single one counts in the confusion.
    """

    ratings: tuple
    orientations: tuple

    @property
    def score(self):
        """The rating that counts: 0 unless the orientation is both (int)."""
        return self.ratings[0] if "both" in self.orientations else 0


KINDS = {
    "reference": Truth((2,), ("both",)),
    # By the rubric a 1, but a judge may find that the rest says it all.
    "no_keyword": Truth((1, 2), ("both",)),
    "audio_only": Truth((0,), ("audio",)),
    "speech_only": Truth((0,), ("speech",)),
    "no_action": Truth((0,), ("neither",)),
    "refusal": Truth((0,), ("neither",)),
    "planted": Truth((0,), ("neither",)),
    "generic": Truth((0,), ("speech", "neither")),
    "other_clip": Truth((0,), ("audio", "speech", "neither")),
}

_STARTS = re.compile(
    r"(?:They|The|There|Someone|Somebody|People|He|She|We|You|It|An?)\b"
)
# Words between which a noun phrase stands: it can become "something".
_BEFORE = set("a an the some their his her its on in at of with for to".split())
_BEFORE |= set("from over about into by or and under through".split())
_AFTER = set("or and of on in at with to from for over during by while".split())
_LIGHT = _BEFORE | _AFTER | {"something", "having", "doing", "using", "likely"}


def make_probes(clips):
    """Make every probe that the clips allow.

    Arguments
    ---------
    clips : list of Clip
        From ``dataio.read_clips``.

    Returns
    -------
    pandas.DataFrame
        One row per clip, kind and form: ``kind``, ``form``, ``id``, the texts
        of the clip and ``prediction``.
    """
    rows = []
    for clip in clips:
        texts = {column: getattr(clip, column) for column in TEXT_COLUMNS}
        for kind in KINDS:
            answer = verbatim(kind, clip, clips)
            if answer is None:
                continue
            for form in FORMS:
                prediction = (
                    answer
                    if form == VERBATIM
                    else spoken(kind, form, clip, answer)
                )
                rows.append(
                    {"kind": kind, "form": form, "id": clip.id, **texts}
                    | {"prediction": prediction}
                )
    return pd.DataFrame(rows)


def as_systems(probes):
    """Write probes as the predictions of systems, for ``run_panel``.

    Arguments
    ---------
    probes : pandas.DataFrame
        From ``make_probes``.

    Returns
    -------
    dict
        Form -> predictions; ``prompt_index`` is the kind's place in ``KINDS``.
    """
    place = {kind: i for i, kind in enumerate(KINDS)}
    table = probes.rename(columns={"prediction": "allm_output"}).assign(
        prompt=QUESTION, prompt_index=probes["kind"].map(place)
    )
    return {
        f"probes, {form}": table[table["form"] == form]
        for form in FORMS
        if (table["form"] == form).any()
    }


def verbatim(kind, clip, clips):
    """The bare answer of a kind.

    Arguments
    ---------
    kind : str
        Of ``KINDS``.
    clip : Clip
        The clip that is asked about.
    clips : list of Clip
        All clips, for an answer about another one.

    Returns
    -------
    str or None
        None where the clip allows no such answer.
    """
    if kind == "other_clip":
        other = other_clip(clip, clips)
        return None if other is None else other.tgt_text
    make = {
        "reference": lambda: clip.tgt_text,
        "no_keyword": lambda: without_keywords(clip.tgt_text, clip),
        "audio_only": lambda: clip.audio_only_target,
        "speech_only": lambda: clip.speech_only_target,
        "no_action": lambda: f"{clip.audio_sound}. {clip.spoken_text}",
        "refusal": lambda: pick(REFUSALS, clip.id, kind),
        "planted": lambda: pick(PLANTED, clip.id, kind),
        "generic": lambda: pick(GENERIC, clip.id, kind),
    }
    return make[kind]()


def spoken(kind, form, clip, answer):
    """An answer as an auditory language model would say it.

    Arguments
    ---------
    kind, form : str
        Of ``KINDS`` and ``SPOKEN``.
    clip : Clip
        The clip.
    answer : str
        The bare answer.

    Returns
    -------
    str
    """
    values = {"sound": _sound(clip), "words": _words(clip)}
    if kind in ("no_action", "refusal", "planted"):
        rest = "" if kind == "no_action" else answer
        wording = pick(REPORTS[form], clip.id, kind, form)
        return wording.format(**values, rest=rest).strip()
    wording = pick(WORDINGS[form], clip.id, kind, form)
    return wording.format(**values, claim=_clause(answer))


def pick(options, *seed):
    """Choose by a hash: the same seed, the same option.

    Arguments
    ---------
    options : sequence
        At least one.
    *seed : str
        What the choice depends on.

    Returns
    -------
    object

    Example
    -------
    >>> pick("abc", "clip 1") == pick("abc", "clip 1")
    True
    """
    digest = hashlib.sha256("\n".join(seed).encode()).digest()
    return options[int.from_bytes(digest[:8], "big") % len(options)]


def other_clip(clip, clips):
    """A clip whose reference is wrong here.

    Arguments
    ---------
    clip : Clip
        The clip that is asked about.
    clips : list of Clip
        Where to look.

    Returns
    -------
    Clip or None
        Shares no key word with the clip and, if there are such, neither sound
        nor words; None where all do.
    """
    others = [
        other
        for other in clips
        if not has_keyword(other.tgt_text, _keywords(clip))
        and not has_keyword(clip.tgt_text, _keywords(other))
    ]
    strangers = [
        other
        for other in others
        if other.audio_sound != clip.audio_sound
        and other.spoken_text != clip.spoken_text
    ]
    options = strangers or others
    return pick(options, clip.id, "other_clip") if options else None


def without_keywords(reference, clip):
    """The reference with "something" in place of its key words.

    Only where each stands as a noun phrase and enough remains to be an
    activity: "They are planning to build a sandcastle." is, "They are
    fishing." is not.

    Arguments
    ---------
    reference : str
        The reference answer.
    clip : Clip
        Gives the key words.

    Returns
    -------
    str or None

    Example
    -------
    >>> class Clip:
    ...     target_keywords = "sandcastle"
    >>> without_keywords("They are planning to build a sandcastle.", Clip)
    'They are planning to build something.'
    """
    key = [word for phrase in _keywords(clip) for word in phrase.split()]
    key = [word for word in key if word.lower() not in _BEFORE]
    tokens = reference.strip().rstrip(".").split()
    hits = [has_keyword(token, key) for token in tokens]
    if not any(hits) or not all(
        _stands_alone(tokens, i, hits) for i, hit in enumerate(hits) if hit
    ):
        return None
    marked = " ".join(
        "something" if hit else token
        for token, hit in zip(tokens, hits, strict=True)
    )
    text = re.sub(
        r"\b(?:(?:an?|the|some|their|his|her|its) )?"
        r"something(?:(?: or| and)?(?: an?| the)? something)*\b",
        "something",
        marked,
    )
    content = [
        word
        for word in re.findall(r"[\w-]+", strip_frame(text).lower())
        if word not in _LIGHT
    ]
    enough = len(content) >= 2 and text.count("something") == 1
    return f"{text}." if enough else None


def _stands_alone(tokens, i, hits):
    """Whether a key word is (the end or start of) a noun phrase (bool)."""
    verb = tokens[i].lower().endswith("ing")
    before = tokens[i - 1].lower() if i else ""
    after = tokens[i + 1].lower() if i + 1 < len(tokens) else "or"
    starts = before in _BEFORE or before.endswith("ing") or hits[i - 1]
    ends = after in _AFTER or (i + 1 < len(tokens) and hits[i + 1])
    return i > 0 and not verb and starts and ends


def _keywords(clip):
    """The key words of a clip (list of str)."""
    parts = (word.strip() for word in clip.target_keywords.split(","))
    return [word for word in parts if word]


def _sound(clip):
    """The sound as the object of a sentence: "waves crashing, seagulls"."""
    text = clip.audio_sound.strip(" .\n")
    text = re.sub(r"(?i)^(?:the )?sounds? of ", "", text)
    text = re.sub(r"\s*,\s*", ", ", text)
    return text[:1].lower() + text[1:]


def _words(clip):
    """The spoken text, ended by a mark."""
    text = clip.spoken_text.strip().strip("\"'“”")
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _clause(answer):
    """A sentence as the end of another one."""
    text = answer.strip().rstrip(".")
    return text[:1].lower() + text[1:] if _STARTS.match(text) else text
