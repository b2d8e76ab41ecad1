"""Whether authored triples copy a test set of other people.

Nothing is trained on the official clips, nor on what says the same in other
words. Of the three cosines to a foreign clip (sound, line, behaviour; the
largest among the wordings) the mean of the two largest is taken: who shares two
of three with it copies it. Sharing a sound alone is no copy.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch

from speechbrain_jasco.building.triple_checks import Finding
from speechbrain_jasco.building.vectors import Vectors

# Of all-MiniLM-L6-v2. The committed triples reach 0.74 to the official clips.
# Of 150 of our own triples put in other words around the same line, 96 % are
# above; of those that share sound and behaviour alone, reworded, 1 in 8.
MAX_LEAK = 0.75


def leak_scores(ours, clips, vector):
    """How much a triple takes from each of some clips.

    Arguments
    ---------
    ours : tuple of list of str
        Wordings of the sound, the line and the behaviour.
    clips : list of Clip
        The test set.
    vector : Vectors
        Embeds.

    Returns
    -------
    Tensor [n_clips]
    """
    theirs = (
        [clip.audio_sound for clip in clips],
        [clip.spoken_text for clip in clips],
        [clip.tgt_text for clip in clips],
    )
    cosines = [
        (vector(theirs_) @ vector(ours_).T).amax(dim=1)
        for ours_, theirs_ in zip(ours, theirs, strict=True)
    ]
    return torch.stack(cosines).topk(2, dim=0).values.mean(dim=0)


def leak_findings(triples, clips, embedder):
    """Compare all triples and sentences with a test set.

    Arguments
    ---------
    triples : TripleSet
        From ``read_triples``.
    clips : list of Clip
        The test set, e.g. the authors' 80 clips.
    embedder : object
        ``embed(texts) -> Tensor [n, D]`` of unit rows.

    Returns
    -------
    list of Finding
        They name our row and the id of the clip, and quote neither.
    """
    vector = Vectors(embedder)
    vector([text for t in triples.triples for text in t.answers])
    findings = []
    for triple in triples.triples:
        sound = triples.sounds[triple.sound_id]
        line = triples.lines[triple.line_id]
        ours = sound.names, [line.text], triple.answers
        score, index = leak_scores(ours, clips, vector).max(dim=0)
        if score > MAX_LEAK:
            reason = f"{score:.2f} close to clip {clips[index].id}"
            findings.append(Finding("leak", triple.triple_id, reason))
    spoken = [(line.line_id, line.text) for line in triples.lines.values()]
    spoken += [(s.sentence_id, s.text) for s in triples.sentences]
    said = {letters(clip.spoken_text): clip.id for clip in clips}
    for name, text in spoken:
        if letters(text) in said:
            reason = f"literally said in clip {said[letters(text)]}"
            findings.append(Finding("leak", name, reason))
    return findings


def letters(text):
    """Leave out case, spaces and punctuation.

    Arguments
    ---------
    text : str
        What is said.

    Returns
    -------
    str

    Example
    -------
    >>> letters("Sign here, please.") == letters("sign here please!")
    True
    """
    return "".join(char for char in text.casefold() if char.isalnum())
