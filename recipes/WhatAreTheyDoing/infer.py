"""Ask a system what the speakers are doing: clips x 8 instructions.

    data_folder --> clips.csv --+
                                +--> answerer --> predictions.csv
    8 instructions -------------+                 failures.csv

Run from this folder:

    python infer.py hparams/infer_cascade.yaml
    python infer.py hparams/infer_cascade.yaml \
        --data_folder What_Are_They_Doing --output_folder results/cascade

    torchrun --nproc_per_node 4 infer.py hparams/infer_salmonn.yaml ...

Under torchrun each GPU (on CPU with ``--distributed_backend gloo``: each
process) answers its share of the clips; the files are the same.

The instructions are the authors' where ``data_folder`` is their repository,
otherwise the project's own eight. A killed run goes on where it stopped.

How to read this file: ``main`` from top to bottom, then the YAML; the work is
in ``speechbrain_jasco/inference.py``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import sys

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml
from speechbrain.utils.distributed import run_on_main
from speechbrain.utils.logger import get_logger
from what_are_they_doing_prepare import (
    is_official,
    official_instructions,
    prepare_what_are_they_doing,
)

from speechbrain_jasco.dataio import read_clips
from speechbrain_jasco.inference import predict

logger = get_logger(__name__)


def main(argv):
    """Run the inference that a YAML describes.

    Arguments
    ---------
    argv : list of str
        YAML file and overrides.

    Returns
    -------
    Path
        ``predictions.csv``.
    """
    hparams_file, run_opts, overrides = sb.parse_arguments(argv)
    sb.utils.distributed.ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )
    data_folder = hparams["data_folder"]
    manifest = run_on_main(
        prepare_what_are_they_doing,
        args=[data_folder, hparams["output_folder"], hparams["download"]],
        kwargs={"split": hparams["split"]},
    )
    clips = read_clips(manifest, data_folder)[: hparams["limit"]]
    if is_official(data_folder):
        instructions = official_instructions(data_folder)
    else:
        instructions = [entry["text"] for entry in hparams["instructions"]]
    answerer = hparams["answerer"]
    answerer.check()
    predictions = predict(
        answerer,
        clips,
        instructions,
        hparams["output_folder"],
        hparams["clips_per_batch"],
        hparams["seed"],
    )
    logger.info("Wrote %s", predictions)
    return predictions


if __name__ == "__main__":
    main(sys.argv[1:])
