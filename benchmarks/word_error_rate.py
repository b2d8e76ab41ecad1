"""How well does a recogniser hear the speech of a data set?

    python word_error_rate.py DATA_FOLDER [--source starter:whisper-base ...]

DATA_FOLDER is a clone of the authors' repository or a folder with the
project's ``clips.csv``. Reference and transcript lose case and punctuation
(Whisper's BasicTextNormalizer); the rate is jiwer's over all words.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import jiwer
from transformers.models.whisper.english_normalizer import BasicTextNormalizer

from speechbrain_jasco.dataio import read_audio, read_clips
from speechbrain_jasco.integrations.whisper_asr import WhisperRecogniser

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "WhatAreTheyDoing"


def measure(clips, source):
    """Transcribe the clips and compare.

    Arguments
    ---------
    clips : list of Clip
        The clips.
    source : str
        The Whisper model.

    Returns
    -------
    jiwer.WordOutput, float
        The alignment and the seconds it took to transcribe.
    """
    recogniser = WhisperRecogniser(source)
    recogniser.load()
    wavs = [read_audio(clip.path) for clip in clips]
    began = time.monotonic()
    heard = recogniser.transcribe(wavs)
    seconds = time.monotonic() - began
    plain = BasicTextNormalizer()
    words = [plain(clip.spoken_text).strip() for clip in clips]
    return jiwer.process_words(
        words, [plain(h).strip() for h in heard]
    ), seconds


def main():
    """Print one line per recogniser."""
    sys.path.insert(0, str(RECIPE))
    from what_are_they_doing_prepare import prepare_what_are_they_doing

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data_folder")
    parser.add_argument(
        "--source",
        nargs="+",
        default=["starter:whisper-base", "starter:whisper-tiny.en"],
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        manifest = prepare_what_are_they_doing(arguments.data_folder, folder)
        clips = read_clips(manifest, arguments.data_folder)
    for source in arguments.source:
        result, seconds = measure(clips, source)
        wrong = result.substitutions + result.deletions + result.insertions
        total = result.substitutions + result.deletions + result.hits
        print(
            f"{source}: {result.wer:.3f} ({wrong} of {total} words, "
            f"{len(clips)} clips, {seconds:.0f} s)"
        )


if __name__ == "__main__":
    main()
