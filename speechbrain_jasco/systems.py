"""Predictions of one or several systems, and the clips they should answer.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from speechbrain.utils.logger import get_logger

from speechbrain_jasco.dataio import N_INSTRUCTIONS, read_predictions

logger = get_logger(__name__)


def read_systems(predictions):
    """Read the predictions of one or several systems.

    Arguments
    ---------
    predictions : str, Path or dict
        A CSV file, or system name -> CSV file. A single file's system is
        named after its folder.

    Returns
    -------
    dict
        System name -> pandas.DataFrame of ``dataio.read_predictions``.

    Raises
    ------
    ValueError
        If a file is not usable.
    """
    if not isinstance(predictions, dict):
        path = Path(predictions)
        predictions = {path.resolve().parent.name: path}
    if not predictions:
        raise ValueError("predictions: {} names no system. Give one at least.")
    return {
        str(name): read_predictions(path) for name, path in predictions.items()
    }


def expected_clips(systems, clips=None):
    """Agree on the clips that every system should have answered.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    clips : list of Clip, optional
        The data set; by default the clips that any system has.

    Returns
    -------
    list of str
        Clip ids.

    Raises
    ------
    ValueError
        If a system has a clip that the data set lacks.
    """
    if clips is None:
        return list(
            dict.fromkeys(
                clip for table in systems.values() for clip in table["id"]
            )
        )
    known = [clip.id for clip in clips]
    for name, table in systems.items():
        unknown = table["id"][~table["id"].isin(known)]
        if len(unknown):
            raise ValueError(
                f"{name}, row {unknown.index[0] + 1}: the data set lacks the "
                f"ids {list(unknown.unique()[:10])}. Give the data_folder that "
                "the predictions were made with, or remove the rows."
            )
    return known


def warn_of_gaps(systems, ids):
    """Say which systems have fewer answers than expected.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    ids : list of str
        The expected clips.
    """
    for name, table in systems.items():
        n_prompts = table["prompt_index"].nunique()
        if n_prompts != N_INSTRUCTIONS:
            logger.warning(
                "%s: %d prompts, the benchmark has %d: its Best-Mean is not "
                "comparable.",
                name,
                n_prompts,
                N_INSTRUCTIONS,
            )
        per_clip = table.groupby("id").size().reindex(ids, fill_value=0)
        short = per_clip[per_clip < n_prompts]
        if len(short):
            logger.warning(
                "%s: %d clips have fewer than %d prompts (%s); %d answers "
                "are missing.",
                name,
                len(short),
                n_prompts,
                ", ".join(short.index[:10]),
                int((n_prompts - short).sum()),
            )
