"""ESC-50 as it is distributed, as a sound bank.

2000 clips of 5 s in 50 classes (Piczak, ACM Multimedia 2015;
karolpiczak/ESC-50). The folder is a clone or the unpacked archive:
``meta/esc50.csv`` and ``audio/``. Only the classes that agree with a sound of
the project are used. A source recording was cut into several clips; the first
of each source is taken, so that no source is on both sides of a split.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building.file_bank import (
    FileBank,
    Recording,
    check_sound,
    read_meta,
)

COLUMNS = ["filename", "category", "esc10", "src_file", "take"]

# Category of ESC-50 -> sound_id.
CATEGORIES = {
    "chainsaw": "chainsaw",
    "chirping_birds": "birds",
    "church_bells": "church_bell",
    "clapping": "applause",
    "clock_tick": "clock",
    "crackling_fire": "campfire",
    "crickets": "crickets",
    "dog": "dog",
    "door_wood_knock": "knocking",
    "engine": "engine",
    "fireworks": "fireworks",
    "frog": "frogs",
    "hand_saw": "saw",
    "helicopter": "helicopter",
    "keyboard_typing": "keyboard",
    "rain": "rain",
    "sea_waves": "surf",
    "siren": "siren",
    "thunderstorm": "thunder",
    "train": "train",
    "vacuum_cleaner": "vacuum_cleaner",
    "water_drops": "dripping",
    "wind": "wind",
}


class Esc50Bank(FileBank):
    """ESC-50 (CC BY-NC 3.0; its subset ESC-10 CC BY 3.0).

    Arguments
    ---------
    folder : str or Path
        The data set, unpacked.
    commercial : bool
        Whether to keep to ESC-10, whose licence allows commercial use.

    Example
    -------
    >>> Esc50Bank("ESC-50").config()["bank"]
    Traceback (most recent call last):
    ...
    FileNotFoundError: ESC-50/meta/esc50.csv: no such table; expected ...
    """

    name = "esc50"

    def __init__(self, folder, commercial=False):
        super().__init__(folder)
        self.commercial = commercial

    def read_rows(self):
        """Read the table of clips.

        Returns
        -------
        list of (str, Recording)

        Raises
        ------
        FileNotFoundError
            If there is no table.
        ValueError
            If a column is missing.
        """
        table = read_meta(self.folder / "meta" / "esc50.csv", COLUMNS)
        table = table[table["category"].isin(CATEGORIES)]
        if self.commercial:
            table = table[table["esc10"] == "True"]
        table = table.sort_values("take").drop_duplicates("src_file")
        return [
            (
                f"audio/{row.filename}",
                Recording(
                    CATEGORIES[row.category],
                    f"{self.name}/{row.filename}",
                    "CC-BY-3.0" if row.esc10 == "True" else "CC-BY-NC-3.0",
                    f"ESC-50, Freesound {row.src_file}",
                ),
            )
            for row in table.itertuples(index=False)
        ]

    def load(self, recording):
        """Read one clip, without the zeros that fill it up to 5 s.

        Arguments
        ---------
        recording : Recording
            One of ``recordings()``.

        Returns
        -------
        numpy.ndarray [S]
            Mono, 16 kHz, float32.

        Raises
        ------
        FileNotFoundError, ValueError
            As for every bank of files.
        """
        sound = np.trim_zeros(super().load(recording), "b")
        return check_sound(sound, recording.name)
