"""People as judges: a blinded sheet of answers out, their ratings back in.

    predictions --> human_sheet.csv, human_sheet.html --> filled by people
                                                              |
    scores.json <-- human_ratings.csv <-- checked line by line

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import numpy as np
import pandas as pd
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.dataio import TEXT_COLUMNS, write_table
from speechbrain_jasco.human_ratings import (
    RATINGS_FILE,
    answer_table,
    read_sheets,
)
from speechbrain_jasco.reporting.rating_form import rating_form
from speechbrain_jasco.reporting.tables import no_formula
from speechbrain_jasco.systems import read_systems

logger = get_logger(__name__)

SHEET, FORM = "human_sheet.csv", "human_sheet.html"


class HumanSheet:
    """Exchanges sheets with people.

    Arguments
    ---------
    n_answers : int
        How many answers to have rated, of all systems together.
    whole_clips : bool
        Whether to ask for all prompts of fewer clips, which Best-Mean needs,
        instead of one prompt each of many clips, which tells more of the mean.
    filled : str, Path or list, optional
        Filled sheets, one per rater, named after them; without, a sheet is
        written.
    seed : int
        Of the choice of the answers and of their order.
    """

    def __init__(
        self, n_answers=160, whole_clips=False, filled=None, seed=1234
    ):
        self.n_answers = n_answers
        self.whole_clips = whole_clips
        self.filled = [filled] if isinstance(filled, str | Path) else filled
        self.seed = seed

    def exchange(self, predictions, clips, folder):
        """Write a sheet, or read filled ones.

        Arguments
        ---------
        predictions : str, Path or dict
            See ``read_systems``.
        clips : list of Clip, optional
            For the audio.
        folder : str or Path
            Of the evaluation.

        Returns
        -------
        str
            What to do with the sheet; "" if ratings were read.
        """
        folder = Path(folder)
        answers = answer_table(read_systems(predictions))
        if self.filled:
            ratings = read_sheets(self.filled, folder / SHEET, answers)
            write_table(folder / RATINGS_FILE, ratings.astype(str))
            logger.info("Wrote %s", folder / RATINGS_FILE)
            return ""
        sheet = self.draw(answers)
        write_sheet(sheet, clips, folder)
        return (
            f"{len(sheet)} answers to rate. Open {folder / FORM} in a browser "
            f"(or fill {SHEET} in), one copy per rater, then run again with "
            "--filled FILE."
        )

    def draw(self, answers):
        """Choose the answers to rate.

        The same clips and prompts are drawn for all systems, each as likely
        as any other: from every clip in turn, a prompt that it has not had.

        Arguments
        ---------
        answers : pandas.DataFrame
            From ``answer_table``.

        Returns
        -------
        pandas.DataFrame
            Rows of it, shuffled.
        """
        rng = np.random.default_rng(self.seed)
        ids = rng.permutation(answers["id"].unique())
        n_prompts = answers["prompt_index"].max() + 1
        orders = [rng.permutation(n_prompts) for _ in ids]
        cells = pd.DataFrame(
            [
                (clip, int(prompt), place, turn)
                for place, (clip, order) in enumerate(
                    zip(ids, orders, strict=True)
                )
                for turn, prompt in enumerate(order)
            ],
            columns=["id", "prompt_index", "place", "turn"],
        )
        order = ["place", "turn"] if self.whole_clips else ["turn", "place"]
        cells = cells.sort_values(order)[["id", "prompt_index"]]
        n_cells = -(-self.n_answers // answers["system"].nunique())
        if self.whole_clips:
            n_cells = -(-n_cells // n_prompts) * n_prompts
        drawn = answers.merge(cells[:n_cells], on=["id", "prompt_index"])
        shuffled = rng.permutation(len(drawn))
        return drawn.iloc[shuffled].reset_index(drop=True)


def write_sheet(sheet, clips, folder):
    """Write the sheet as a table and as a form.

    Arguments
    ---------
    sheet : pandas.DataFrame
        From ``HumanSheet.draw``.
    clips : list of Clip, optional
        For the audio.
    folder : Path
        Where.
    """
    shown = ["item", "id", "prompt", *TEXT_COLUMNS, "allm_output"]
    table = sheet[shown].assign(rating="", orientation="")
    paths = {clip.id: clip.path for clip in clips or ()}
    form = rating_form(table.to_dict("records"), paths, folder)
    write_table(folder / SHEET, table.map(no_formula))
    (folder / FORM).write_text(form, "utf-8", errors="backslashreplace")
    logger.info("Wrote %s and %s", folder / SHEET, folder / FORM)
