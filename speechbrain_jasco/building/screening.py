"""Sift proposed triples by the checks that committed ones pass.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re

from speechbrain_jasco.building.leakage import MAX_LEAK, leak_scores, letters
from speechbrain_jasco.building.triple_checks import (
    MAX_RELATED,
    MAX_SAME_BEHAVIOUR,
    MAX_SINGLE_MODALITY,
)
from speechbrain_jasco.building.vectors import Vectors

FIELDS = ("line", "speech_only", "behaviour", "keywords")
WORDS_OF_A_LINE = (3, 9)
MAX_KEYWORDS = 3


class Screen:
    """Remembers what there is and refuses what is not new or not good.

    Arguments
    ---------
    triples : TripleSet
        What there is already.
    clips : list of Clip
        A test set nothing may be taken from; may be empty.
    embedder : object
        ``embed(texts) -> Tensor [n, D]`` of unit rows.
    """

    def __init__(self, triples, clips, embedder):
        self.triples = triples
        self.clips = clips
        self.vector = Vectors(embedder)
        self.behaviours = [triple.answers[0] for triple in triples.triples]
        self.pairs = {
            (t.sound_id, letters(triples.lines[t.line_id].text))
            for t in triples.triples
        }

    def sift(self, sound_id, proposals):
        """Look at what was proposed for a sound.

        Arguments
        ---------
        sound_id : str
            Of the triples.
        proposals : list of dict
            From a model: anything.

        Yields
        ------
        tuple
            Proposal, check and reason; the last two are None for one that is
            kept, whose fields are texts then.
        """
        for proposal in proposals:
            check, reason = self._form(proposal)
            if check is None:
                proposal = self._texts(proposal)
                check, reason = self._content(sound_id, proposal)
            if check is None:
                self.behaviours.append(proposal["behaviour"])
                self.pairs.add((sound_id, letters(proposal["line"])))
            yield proposal, check, reason

    def _form(self, proposal):
        """Whether there is a text in every field."""
        lacking = [f for f in FIELDS if not _is_text(proposal.get(f), f)]
        if lacking:
            return "fields", f"no text in {', '.join(lacking)}"
        return None, None

    def _texts(self, proposal):
        """The fields as they stand in a CSV file (dict)."""
        keywords = proposal["keywords"]
        if isinstance(keywords, str):
            keywords = keywords.split(",")
        texts = {f: " ".join(proposal[f].split()) for f in FIELDS[:-1]}
        kept = [word.strip().lower() for word in keywords if word.strip()]
        return {**texts, "keywords": ",".join(kept)}

    def _content(self, sound_id, proposal):
        """Check and reason of what is wrong, or two None."""
        line, behaviour = proposal["line"], proposal["behaviour"]
        low, high = WORDS_OF_A_LINE
        n_words = len(re.findall(r"[\w'-]+", line))
        if not low <= n_words <= high:
            return "line", f"{n_words} words, expected {low} to {high}"
        keywords = proposal["keywords"].split(",")
        absent = [word for word in keywords if word not in behaviour.lower()]
        if absent or len(keywords) > MAX_KEYWORDS:
            return "keywords", f"{keywords} for {behaviour!r}"
        if (sound_id, letters(line)) in self.pairs:
            return "duplicate", "this sound has this line already"
        return self._closeness(self.triples.sounds[sound_id], proposal)

    def _closeness(self, sound, proposal):
        """The same of what is too close to something."""
        line, behaviour = proposal["line"], proposal["behaviour"]
        nearest = self.vector.nearest
        alone = [*sound.audio_only, proposal["speech_only"]]
        for check, cosine, bound in (
            (
                "duplicate",
                nearest(behaviour, self.behaviours),
                MAX_SAME_BEHAVIOUR,
            ),
            ("related", nearest(line, sound.names), MAX_RELATED),
            ("one modality", nearest(behaviour, alone), MAX_SINGLE_MODALITY),
        ):
            if cosine > bound:
                return check, f"cosine {cosine:.2f}, at most {bound:.2f}"
        if self.clips:
            ours = sound.names, [line], [behaviour]
            score, index = leak_scores(ours, self.clips, self.vector).max(dim=0)
            if score > MAX_LEAK:
                clip_id = self.clips[index].id
                return "leak", f"{score:.2f} close to clip {clip_id}"
        return None, None


def _is_text(value, field):
    """Whether a field holds text, or a list of it for keywords (bool)."""
    if field == "keywords" and isinstance(value, list):
        texts = [word for word in value if isinstance(word, str)]
        return len(texts) == len(value) and any(map(str.strip, texts))
    # A line break or a bar would be taken for a separator by a CSV reader.
    return (
        isinstance(value, str) and bool(value.strip(" ,|")) and "|" not in value
    )
