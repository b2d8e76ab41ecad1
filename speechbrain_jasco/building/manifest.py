"""The manifest of a built data set: one row per clip.

The official columns that describe a clip, those of built data, and what it
takes to make the clip again. Several wordings stand in one cell, separated by
``|``, the first of them being the reference.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd

from speechbrain_jasco.dataio import CLIP_COLUMNS, write_table

BUILT_COLUMNS = [
    "split",
    "sound_wav",
    "speech_wav",
    "snr_db",
    "speech_onset_s",
    "voice",
    "sound_id",
    "seed",
    "licence",
]
# Wordings to train on, and what the clip is made of.
WORDINGS = ["sound_names", "audio_only_answers", "speech_only_answers"]
ORIGIN_COLUMNS = [
    *WORDINGS,
    "answers",
    "triple_id",
    "line_id",
    "recording",
    "source",
    "sound_start_s",
    "speech_s",
    "speech_wer",
    "room",
    "loudness_lufs",
]
COLUMNS = [*CLIP_COLUMNS, *BUILT_COLUMNS, *ORIGIN_COLUMNS]


def wordings(cell):
    """The wordings in a cell.

    Arguments
    ---------
    cell : str
        Separated by ``|``.

    Returns
    -------
    list of str

    Example
    -------
    >>> wordings("They are surfing.|Someone surfs.")
    ['They are surfing.', 'Someone surfs.']
    """
    return [part for part in cell.split("|") if part]


def texts(clip, triples, triple):
    """What a clip's row says of sound, words and behaviour.

    A clip for hearing has no behaviour: those cells stay empty.

    Arguments
    ---------
    clip : PlannedClip
        The clip.
    triples : TripleSet
        Where the texts are.
    triple : Triple, optional
        The clip's own.

    Returns
    -------
    dict
    """
    sound = triples.sounds[clip.sound_id]
    row = {
        "audio_sound": sound.names[0],
        "spoken_text": clip.text,
        "sound_names": "|".join(sound.names),
    }
    if triple:
        line = triples.lines[clip.line_id]
        row |= {
            "audio_only_target": sound.audio_only[0],
            "audio_only_answers": "|".join(sound.audio_only),
            "speech_only_target": line.speech_only[0],
            "speech_only_answers": "|".join(line.speech_only),
            "target_keywords": ",".join(triple.keywords),
            "tgt_text": triple.answers[0],
            "answers": "|".join(triple.answers),
        }
    return row


def write_manifest(path, rows):
    """Write rows with all columns, the missing cells empty.

    Arguments
    ---------
    path : Path
        ``clips.csv``.
    rows : list of dict
        One per clip.
    """
    table = pd.DataFrame(rows, columns=COLUMNS, dtype=object).fillna("")
    write_table(path, table)
