"""The benchmark as plain records, for other evaluation tools.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import pandas as pd
import yaml

from speechbrain_jasco.dataio import TEXT_COLUMNS, read_clips, read_table


def read_instructions(path):
    """Read the instructions that go with every clip.

    Arguments
    ---------
    path : str or Path
        ``hparams/prompts/instructions.yaml`` or one like it, or a CSV with a
        column ``prompt`` such as the authors' ``evaluation/example.csv``.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If it holds no texts.
    """
    path = Path(path)
    if path.suffix == ".csv":
        return list(pd.unique(read_table(path, ["prompt"])["prompt"]))
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    texts = [entry.get("text") for entry in entries]
    if not texts or not all(texts):
        raise ValueError(
            f"{path}: expected a list of entries with a text. For the authors' "
            "own instructions give their evaluation/example.csv."
        )
    return [" ".join(text.split()) for text in texts]


def benchmark_samples(manifest, data_folder, instructions):
    """Combine every clip with every instruction.

    Arguments
    ---------
    manifest : str or Path
        ``clips.csv`` of the preparation.
    data_folder : str or Path
        Where the recordings are.
    instructions : list of str
        From ``read_instructions``.

    Returns
    -------
    list of dict
        ``id``, ``prompt_index``, ``prompt``, ``audio`` (as the manifest has
        it), ``path``, ``n_frames`` and the texts of the clip; all but the
        index are str.
    """
    return [
        {
            "id": clip.id,
            "prompt_index": index,
            "prompt": prompt,
            "audio": clip.audio,
            "path": str(clip.path),
            "n_frames": clip.n_frames,
            **{name: getattr(clip, name) for name in TEXT_COLUMNS},
        }
        for clip in read_clips(manifest, data_folder)
        for index, prompt in enumerate(instructions)
    ]
