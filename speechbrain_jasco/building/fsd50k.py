"""FSD50K as it is distributed, as a sound bank.

51,197 Freesound clips with AudioSet labels (Fonseca et al., arXiv
2010.00475). The folder holds ``FSD50K.ground_truth``, ``FSD50K.metadata`` and
the audio folders. Every clip has a licence of its own, and only clips with an
allowed one are used. Labels are smeared upwards: a clip is used if exactly
one of its labels names a sound of the project and none a voice.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json

from speechbrain_jasco.building.file_bank import FileBank, Recording, read_meta
from speechbrain_jasco.building.licences import FREE, is_allowed, licence_of

COLUMNS = ["fname", "labels"]
VOICES = {"Human_voice", "Music"}

# Label of FSD50K -> sound_id.
LABELS = {
    "Applause": "applause",
    "Bark": "dog",
    "Boiling": "bubbling",
    "Camera": "shutter",
    "Chirp_and_tweet": "birds",
    "Church_bell": "church_bell",
    "Computer_keyboard": "keyboard",
    "Cricket": "crickets",
    "Drill": "drill",
    "Drip": "dripping",
    "Fire": "campfire",
    "Fireworks": "fireworks",
    "Frog": "frogs",
    "Frying_(food)": "frying",
    "Gull_and_seagull": "seagulls",
    "Hammer": "hammer",
    "Idling": "engine",
    "Knock": "knocking",
    "Motorcycle": "motorcycle",
    "Rain": "rain",
    "Sawing": "saw",
    "Siren": "siren",
    "Stream": "stream",
    "Thunder": "thunder",
    "Tick-tock": "clock",
    "Train": "train",
    "Waves_and_surf": "surf",
    "Wind": "wind",
}
# Instruments and chatter are music and voices themselves.
EXEMPT = {
    "Acoustic_guitar": "guitar",
    "Chatter": "crowd",
    "Drum_kit": "drum",
    "Piano": "piano",
}


def sound_of(labels):
    """Tell which sound a clip is, if it is one alone.

    Arguments
    ---------
    labels : str
        Its labels, comma-separated.

    Returns
    -------
    str or None
        The sound_id.

    Example
    -------
    >>> sound_of("Rain,Water"), sound_of("Rain,Thunder,Thunderstorm")
    ('rain', None)
    >>> sound_of("Rain,Speech,Human_voice"), sound_of("Chatter,Human_voice")
    (None, 'crowd')
    """
    labels = set(labels.split(","))
    names = {**LABELS, **EXEMPT}
    sounds = {names[label] for label in labels if label in names}
    if len(sounds) != 1 or (labels & VOICES and not labels & set(EXEMPT)):
        return None
    return sounds.pop()


class Fsd50kBank(FileBank):
    """FSD50K, the clips whose licence is allowed.

    Arguments
    ---------
    folder : str or Path
        The data set, unpacked.
    part : str
        ``dev`` or ``eval``; only the labels of ``eval`` are exhaustive.
    licences : tuple of str
        Patterns of allowed licences (``licences.is_allowed``); as it stands,
        those that allow commercial use.

    Example
    -------
    >>> Fsd50kBank("FSD50K", part="test")
    Traceback (most recent call last):
    ...
    ValueError: got the part 'test'; expected 'dev' or 'eval'.
    """

    def __init__(self, folder, part="dev", licences=FREE):
        super().__init__(folder)
        if part not in ("dev", "eval"):
            raise ValueError(
                f"got the part {part!r}; expected 'dev' or 'eval'."
            )
        self.part = part
        self.licences = tuple(licences)

    def read_rows(self):
        """Read labels and licences.

        Returns
        -------
        list of (str, Recording)

        Raises
        ------
        FileNotFoundError
            If a table is missing.
        ValueError
            If a column is missing, or a clip has no licence.
        """
        path = self.folder / "FSD50K.ground_truth" / f"{self.part}.csv"
        table = read_meta(path, COLUMNS)
        clips = self._clips_info()
        rows = []
        for row in table.itertuples(index=False):
            sound_id = sound_of(row.labels)
            if sound_id is None:
                continue
            if "license" not in clips.get(row.fname, {}):
                raise ValueError(
                    f"{path}: no licence of clip {row.fname} in the metadata; "
                    "unpack FSD50K.metadata of the same version."
                )
            clip = clips[row.fname]
            if is_allowed(clip["license"], self.licences):
                recording = Recording(
                    sound_id,
                    f"fsd50k/{self.part}/{row.fname}",
                    licence_of(clip["license"]),
                    f"FSD50K, Freesound {row.fname} by {clip['uploader']}",
                )
                path_in = f"FSD50K.{self.part}_audio/{row.fname}.wav"
                rows.append((path_in, recording))
        return rows

    def _clips_info(self):
        """Title, licence and uploader of each clip (dict)."""
        name = f"{self.part}_clips_info_FSD50K.json"
        path = self.folder / "FSD50K.metadata" / name
        if not path.is_file():
            raise FileNotFoundError(
                f"{path}: no such file; unpack FSD50K.metadata."
            )
        return json.loads(path.read_text(encoding="utf-8"))
