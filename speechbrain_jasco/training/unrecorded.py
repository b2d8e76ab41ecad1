"""Triples that nobody has recorded: more to reason over, nothing to hear.

    triples/unrecorded.csv --> rows of the manifest, split "unrecorded"
                                   |
    audio of other clips (not listened to)

A small LLM learns a few hundred behaviours by heart, and they crowd out all
others (docs/LOG.md, 2026-11-28). To write down a thousand more costs no
recording: such a row borrows the audio of another clip so that it fits into a
batch, and its words and names are always given (``ClipData``).

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from speechbrain_jasco.building.triples import read_triples
from speechbrain_jasco.dataio import read_table, row_name

UNRECORDED = "unrecorded"
COLUMNS = ["triple_id", "sound_id", "line_id", "answers"]


def unrecorded_rows(path, recorded, lent):
    """Reads triples as rows of the manifest.

    Arguments
    ---------
    path : str or Path
        ``unrecorded.csv``, beside the files of the recorded triples.
    recorded : list of dict
        Of the manifest, all splits: what is tested must not be among it.
    lent : list of dict
        Of the manifest: rows whose audio is borrowed, in turn.

    Returns
    -------
    list of dict
        Of the manifest; ``split`` is "unrecorded".

    Raises
    ------
    ValueError
        If a sound or line is unknown, or a pair is one of the recorded.
    """
    known = read_triples(Path(path).parent)
    pairs = {(t.sound_id, t.line_id) for t in known.triples}
    pairs |= {(row["sound_id"], row["line_id"]) for row in recorded}
    table = read_table(path, COLUMNS)
    rows = []
    for i, cells in enumerate(table[COLUMNS].to_dict("records")):
        pair = cells["sound_id"], cells["line_id"]
        there = pair[0] in known.sounds and pair[1] in known.lines
        if not there or pair in pairs:
            raise ValueError(
                f"{row_name(path, i)}: got the sound and line {pair}; expected "
                "some of sounds.csv and lines.csv that no other triple and no "
                "recorded clip has. Remove the row, or set `unrecorded: null`."
            )
        pairs.add(pair)
        said = {
            "id": f"{UNRECORDED}.{cells['triple_id']}",
            "split": UNRECORDED,
            "spoken_text": known.lines[pair[1]].text,
            "sound_names": "|".join(known.sounds[pair[0]].names),
            "tgt_text": cells["answers"].split("|")[0],
        }
        rows.append({**lent[i % len(lent)], **cells, **said})
    return rows
