"""Real recordings out of Debian packages, as a sound bank.

Games and teaching programs in Debian ship recordings under free licences.
Packages are fetched once as data (``debian_packages.py``), the files named
below are taken out, converted to 16 kHz mono and kept in the user's cache.

The files were chosen by name, spectrogram and duration (what is shorter than
0.8 s becomes a machine gun when it is looped); most are 11 or 22 kHz.

Authors
 * The speechbrain_jasco developers, 2026
"""

import shutil
from pathlib import Path

import numpy as np
import soundfile
from filelock import FileLock
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.building.debian_packages import (
    Package,
    get_package,
    read_members,
)
from speechbrain_jasco.building.file_bank import Recording, read_sound
from speechbrain_jasco.building.sound_bank import FolderBank, write_table
from speechbrain_jasco.dataio import SAMPLE_RATE_HZ
from speechbrain_jasco.journal import content_key
from speechbrain_jasco.starter import cache_folder

logger = get_logger(__name__)

PACKAGES = {
    package.name: package
    for package in (
        Package(
            "scratch",
            "1.4.0.6~dfsg1-6.1",
            "36c582eb93110f64f06c4e685c41e933ccba2fa68db12f79b10bfe840b21fc10",
        ),
        Package(
            "scorched3d-data",
            "44+dfsg-8",
            "b0be0a6d561966a62b1f135e0e6f5681c85f12e34ecad5777cb1af9fbcb7f1da",
        ),
        Package(
            "simutrans-pak64",
            "121.0-1",
            "46c8420e162941e6d87382b43c508b1dbf48015fcd782f0c4425952ba72745cc",
        ),
        Package(
            "micropolis-data",
            "0.0.20071228-10",
            "8d30b1cd0eb340f42ae71ea596a28bbdd57111afa1f381755d8c445a5e8e7b5c",
        ),
        Package(
            "tuxpaint-stamps-default",
            "2022.06.04-1",
            "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
        ),
    )
}
SMALL = ("scratch", "scorched3d-data", "simutrans-pak64", "micropolis-data")

# Package and folder -> licence and holder (as debian/copyright has them), files.
SCRATCH = "usr/share/scratch/Media/Sounds"
SCORCHED = "usr/share/games/scorched3d/data/globalmods"
FILES = {
    ("scratch", SCRATCH): (
        "CC-BY-SA-3.0",
        "Massachusetts Institute of Technology",
        {
            "bubbling": ("Effects/Bubbles.wav",),
            "church_bell": ("Effects/BellToll.wav",),
            "crickets": ("Animal/Crickets.wav",),
            "crowd": ("Human/PartyNoise.wav",),
            "drum": (
                "Music Loops/Drum.mp3",
                "Music Loops/DrumMachine.mp3",
                "Music Loops/DrumSet1.mp3",
                "Music Loops/DrumSet2.mp3",
            ),
            "guitar": (
                "Instruments/GuitarStrum.wav",
                "Music Loops/GuitarChords1.mp3",
                "Music Loops/GuitarChords2.mp3",
            ),
            "hooves": ("Animal/HorseGallop.wav",),
            "keyboard": ("Effects/Typing.mp3",),
            "motorcycle": ("Effects/MotorcyclePassing.wav",),
            "sewing_machine": ("Effects/SewingMachine.mp3",),
        },
    ),
    ("scorched3d-data", f"{SCORCHED}/none/data/wav/misc"): (
        "GPL-2.0-or-later",
        "Gavin Camp",
        {
            "birds": (
                "birds1.wav",
                "birds2.wav",
                "birdchirp1.wav",
                "birdchirp2.wav",
                "birdchirp5.wav",
            ),
            "frogs": ("frogs.wav",),
            "helicopter": ("apache_1.wav",),
            "rain": ("rain.wav",),
            "surf": ("oceanwaves.wav",),
            "thunder": ("thunder.wav", "thunder2.wav", "thunder3.wav"),
        },
    ),
    ("scorched3d-data", f"{SCORCHED}/apoc/data/wav"): (
        "CC-BY-SA-3.0",
        "Apocalypse mod team",
        {
            "dog": ("misc/dog2.wav", "misc/dog3.wav"),
            "helicopter": ("misc/helicopter.wav",),
            "siren": ("misc/firetruck.wav", "misc/policecar.wav"),
            "thunder": (
                "explosions/lightningbolt.wav",
                "explosions/thunder.wav",
            ),
        },
    ),
    ("simutrans-pak64", "usr/share/games/simutrans/pak/sound"): (
        "Artistic-1.0",
        "Hansjoerg Malthaner",
        {
            "boat_horn": ("boat-horn.wav",),
            "seagulls": ("seagulls.wav",),
            "wind": ("arctic.wav",),
        },
    ),
    ("micropolis-data", "usr/share/games/micropolis/res/sounds"): (
        "GPL-3.0-or-later",
        "Electronic Arts",
        {"siren": ("siren.wav",)},
    ),
    ("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps"): (
        "GPL-2.0-only",
        "Bill Kendrick",
        {
            "birds": ("animals/birds/blackbird.ogg", "animals/birds/lark.ogg"),
            "dog": ("animals/mammals/dogs/dog.ogg",),
            "drum": ("hobbies/music/percussion/drumkit.ogg",),
            "fireworks": ("seasonal/newyears/fireworks.ogg",),
            "frogs": ("animals/amphibians/frog.ogg",),
            "kettle": ("household/kettle.ogg",),
            "saw": ("household/tools/saw.ogg",),
            "seagulls": ("animals/birds/seagull.ogg",),
            "siren": ("vehicles/emergency/firetruck.ogg",),
            "thunder": ("naturalforces/lightningbolt.ogg",),
            "vacuum_cleaner": ("household/vacuum_cleaner.ogg",),
        },
    ),
}
VERSION = 1  # to be raised when the conversion changes


class DebianBank(FolderBank):
    """Recordings out of Debian packages.

    Arguments
    ---------
    packages : tuple of str
        Of ``PACKAGES``; as it stands the small ones (63 MB to fetch).
        ``tuxpaint-stamps-default`` has 12 recordings more and 161 MB.
    debs : str or Path, optional
        A folder with the packages, where there is no apt.

    Example
    -------
    >>> DebianBank().folder.name[:14]
    'debian-sounds-'
    """

    name = "debian"

    def __init__(self, packages=SMALL, debs=None):
        self.packages = tuple(packages)
        self.debs = debs
        unknown = sorted(set(self.packages) - set(PACKAGES))
        if unknown:
            raise ValueError(
                f"got the packages {unknown}; expected some of "
                f"{', '.join(PACKAGES)}."
            )
        pins = [PACKAGES[name] for name in self.packages]
        used = [f for f in FILES.items() if f[0][0] in self.packages]
        key = content_key([pins, used, VERSION])[:12]
        super().__init__(cache_folder() / f"debian-sounds-{key}")

    def read_rows(self):
        """Fetch and convert the packages if need be, and read the table.

        Returns
        -------
        list of (str, Recording)

        Raises
        ------
        RuntimeError, ValueError
            If a package cannot be had, or is not as it was.
        """
        self.fetch()
        return super().read_rows()

    def fetch(self):
        """Fetch and convert, once; who asks meanwhile waits."""
        if self.folder.is_dir():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.folder}.lock"):
            if self.folder.is_dir():
                return
            work = Path(f"{self.folder}.partial")
            shutil.rmtree(work, ignore_errors=True)
            (work / "bank").mkdir(parents=True)
            try:
                rows = []
                for package in self.packages:
                    rows += convert(package, work, self.debs)
                write_table(work / "bank", rows)
                (work / "bank").rename(self.folder)
            finally:
                shutil.rmtree(work, ignore_errors=True)
        logger.info("Recordings of Debian are ready in %s", self.folder)

    def config(self):
        """Everything a recording depends on, JSON-able (dict)."""
        return {"bank": type(self).__name__, "content": self.folder.name}


def convert(package, work, debs=None):
    """Take the recordings out of a package, as 16 kHz mono wavs.

    Arguments
    ---------
    package : str
        Its name.
    work : Path
        For the package; the wavs go into ``bank`` in it.
    debs : str or Path, optional
        A folder with the packages.

    Returns
    -------
    list of (str, Recording)
        The rows of the bank's table.

    Raises
    ------
    RuntimeError, ValueError
        If the package cannot be had, or is not as it was.
    """
    logger.info("Taking recordings out of Debian's %s", package)
    deb = get_package(PACKAGES[package], work, debs)
    rows = []
    for (name, folder), (licence, holder, sounds) in FILES.items():
        if name != package:
            continue
        wanted = {
            f"{folder}/{file}": sound_id
            for sound_id, files in sounds.items()
            for file in files
        }
        for member, data in sorted(read_members(deb, wanted).items()):
            file = f"{package}/{member[len(folder) + 1 :]}"
            file = file.rpartition(".")[0] + ".wav"
            convert_sound(data, Path(member).suffix, work, file)
            source = f"{holder}; Debian {package} {PACKAGES[package].version}"
            recording = Recording(wanted[member], file, licence, source)
            rows.append((file, recording))
    return rows


def convert_sound(data, suffix, work, file):
    """Write a recording as 16-bit wav, 16 kHz mono.

    Arguments
    ---------
    data : bytes
        The recording in any format that libsndfile reads.
    suffix : str
        Of its name: libsndfile knows mp3 by it.
    work : Path
        For the file as it was; ``bank`` in it holds the result.
    file : str
        Path of the result in ``bank``.
    """
    original = work / f"original{suffix}"
    original.write_bytes(data)
    sound = read_sound(original)
    # Resampling may overshoot; 16 bits would clip that.
    sound = sound / max(1.0, float(np.abs(sound).max()))
    path = work / "bank" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, SAMPLE_RATE_HZ, subtype="PCM_16")
