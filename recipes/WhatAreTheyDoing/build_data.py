"""Build clips of joint audio-speech co-reasoning, with stems and a manifest.

    triples --+
    sounds  --+--> plan --> speech --> clips --> clips.csv, failures.csv,
    voices  --+                                  DATASET_CARD.md

Run from this folder:

    python build_data.py hparams/build_data.yaml
    python build_data.py hparams/build_data.yaml --preset small \
        --output_folder results/small

    python build_data.py hparams/propose_triples.yaml  # new triples
    python build_data.py hparams/check_triples.yaml    # the paper's checks

A killed build goes on where it stopped, and what it writes does not depend on
the number of workers. A built folder is a ``data_folder`` for the other
scripts: ``python infer.py hparams/infer_cascade.yaml --data_folder
results/built --split test_unseen``.

How to read this file: ``main`` from top to bottom, then the YAML; the work is
in ``speechbrain_jasco/building/``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import sys

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.building.build import build
from speechbrain_jasco.building.card import write_card
from speechbrain_jasco.building.recipe import Recipe
from speechbrain_jasco.building.shards import write_shards
from speechbrain_jasco.building.triples import read_triples

logger = get_logger(__name__)


def main(argv):
    """Build the data set that a YAML describes.

    Arguments
    ---------
    argv : list of str
        YAML file and overrides.

    Returns
    -------
    Path or str
        The manifest; None for a shard; the report on triples.
    """
    hparams_file, _, overrides = sb.parse_arguments(argv)
    with open(hparams_file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )
    if "run" in hparams:  # triples are proposed or checked, nothing is built
        report = hparams["run"](hparams["output_folder"])
        print(f"\n{report}\n\nReport: {hparams['output_folder']}")
        return report
    if hparams["preset"] not in hparams["presets"]:
        raise ValueError(
            f"got the preset {hparams['preset']!r}; expected one of "
            f"{', '.join(hparams['presets'])}."
        )
    recipe = Recipe(
        triples=read_triples(hparams["triples_folder"]),
        bank=hparams["bank"],
        speech=hparams["speech"],
        voice_splits=hparams["voice_splits"],
        rooms=hparams["rooms"],
        ranges=hparams["ranges"],
        size=hparams["presets"][hparams["preset"]],
        seed=hparams["seed"],
    )
    folder = hparams["output_folder"]
    built = build(recipe, folder, hparams["parallel"], hparams["shard"])
    if built.manifest is None:
        logger.info("Shard %s is done; %s", hparams["shard"], folder)
        return None
    write_card(recipe, built)
    if hparams["webdataset"]:
        write_shards(built.rows, folder)
    logger.info(
        "Wrote %d clips, %d failed: %s",
        len(built.rows),
        len(built.failures),
        built.manifest,
    )
    return built.manifest


if __name__ == "__main__":
    main(sys.argv[1:])
