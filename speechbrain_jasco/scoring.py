r"""Verdicts -> ``scores.json``: every number, computed once.

    verdict tables --> summarize --> systems
                  \-> Cube ------> intervals, comparisons, order effect,
                                   variance, agreement

Authors
 * The speechbrain_jasco developers, 2026
"""

from importlib.metadata import version

from speechbrain_jasco.journal import content_key
from speechbrain_jasco.judging.aggregation import Aggregation
from speechbrain_jasco.metrics.bootstrap import resample_counts
from speechbrain_jasco.metrics.comparison import draw_flips
from speechbrain_jasco.metrics.correction import correct
from speechbrain_jasco.metrics.cube import make_cube
from speechbrain_jasco.metrics.instruments import (
    agreement_of,
    order_effects,
    variance_of,
)
from speechbrain_jasco.metrics.order_effect import describe_prompts
from speechbrain_jasco.metrics.paper_summary import paper_scores, paper_tables
from speechbrain_jasco.metrics.people import compare_with_people
from speechbrain_jasco.metrics.summary import (
    AVERAGE,
    PANEL,
    robust_scores,
    robust_tables,
    system_grids,
)
from speechbrain_jasco.metrics.uncertainty import (
    Sample,
    add_intervals,
    compare_systems,
)

VERSIONS_OF = ("speechbrain_jasco", "speechbrain", "torch", "transformers")


class Scoring:
    """How verdicts become numbers.

    Arguments
    ---------
    aggregation : Aggregation, optional
        How repeats of a judge, and judges, become one verdict.
    n_draws : int
        Resamples of the bootstrap, and permutations of the tests.
    seed : int
        Of both.
    alpha : float
        Level of the tests; intervals are of 95 % throughout.
    instructions : list of list of dict
        Known instructions, to find the pairs among a system's prompts
        (``metrics/order_effect.py``).

    Raises
    ------
    ValueError
        If there are too few draws or alpha is no probability.

    Example
    -------
    >>> Scoring(n_draws=1000).config()["alpha"]
    0.05
    """

    def __init__(
        self,
        aggregation=None,
        n_draws=10000,
        seed=1234,
        alpha=0.05,
        instructions=(),
    ):
        if n_draws < 100:
            raise ValueError(f"n_draws is {n_draws}; give 100 or more.")
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is {alpha}; give one between 0 and 1.")
        self.aggregation = aggregation or Aggregation()
        self.n_draws = n_draws
        self.seed = seed
        self.alpha = alpha
        self.instructions = [entry for known in instructions for entry in known]

    def config(self):
        """For the record in ``scores.json`` (dict)."""
        return {
            "n_draws": self.n_draws,
            "seed": self.seed,
            "alpha": self.alpha,
            "aggregation": self.aggregation.config(),
        }

    def sample(self, cube, n_judges):
        """Draw the resamples that all intervals and tests share.

        Arguments
        ---------
        cube : Cube
            Verdicts of the judges and of the panel, if there is one.
        n_judges : int
            How many of its judges are judges.

        Returns
        -------
        Sample
        """
        n_clips = len(cube.ids)
        return Sample(
            cube,
            n_judges,
            resample_counts(n_clips, self.n_draws, self.seed),
            draw_flips(n_clips, self.n_draws, self.seed),
            self.alpha,
        )


def score(
    systems,
    verdicts,
    ids,
    scoring=None,
    mode="robust",
    repeats=None,
    ratings=None,
):
    """Turn verdicts into scores.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    verdicts : dict
        (system, judge name) -> table, from ``run_panel``.
    ids : list of str
        Clips that count.
    scoring : Scoring, optional
        How.
    mode : str
        See ``evaluation.mode_of``.
    repeats : dict, optional
        (system, judge name) -> list of tables, one per repeat.
    ratings : pandas.DataFrame, optional
        Of people (``human_ratings.find_ratings``).

    Returns
    -------
    dict
        ``scores.json``.

    Raises
    ------
    ValueError
        If a judge has a name that its results need for something else.
    """
    scoring = scoring or Scoring()
    reserved = {judge for _, judge in verdicts} & {PANEL, AVERAGE}
    if reserved:
        raise ValueError(f"a judge is named {reserved}. Give it another name.")
    if mode == "paper":
        result, tables = paper_scores(verdicts), paper_tables(verdicts)
    else:
        tables = robust_tables(verdicts, ids, scoring.aggregation)
        result = robust_scores(tables, scoring.aggregation)
    prompts = {
        name: describe_prompts(
            dict(zip(table["prompt_index"], table["prompt"], strict=True)),
            scoring.instructions,
        )
        for name, table in systems.items()
    }
    cube = make_cube(tables, ids)
    n_judges = len(dict.fromkeys(judge for _, judge in verdicts))
    sample = scoring.sample(cube, n_judges)
    repeats = repeats or {key: [table] for key, table in verdicts.items()}
    add_intervals(result, sample)
    judges = cube.of(cube.judges[:n_judges])
    human = None
    if ratings is not None:
        human = compare_with_people(ratings, sample, scoring.aggregation)
    return {
        "dataset": {"sha256": _dataset_sha256(systems), "n_clips": len(ids)},
        "mode": mode,
        "versions": {package: version(package) for package in VERSIONS_OF},
        "scoring": scoring.config(),
        "systems": result,
        "comparisons": compare_systems(result, sample),
        "prompts": prompts,
        "order_effect": order_effects(prompts, sample),
        "variance": variance_of(judges, repeats, prompts),
        "agreement": agreement_of(sample, repeats, result, systems),
        "human": human,
    }


def add_quality(scores, quality, verdicts, ids):
    """Add what probes said of the judges, and the scores corrected by it.

    Arguments
    ---------
    scores : dict
        From ``score``; changed in place.
    quality : dict
        Judge name -> entry of ``judge_quality.json``.
    verdicts : dict
        From ``run_panel``.
    ids : list of str
        Clips that count.
    """
    for system, result in scores["systems"].items():
        grids = system_grids(system, verdicts, ids)
        for judge, entry in quality.items():
            result["judges"][judge]["corrected"] = correct(grids[judge], entry)
    scores["judge_quality"] = {
        judge: {k: v for k, v in entry.items() if k != "calibration"}
        for judge, entry in quality.items()
    }


def _dataset_sha256(systems):
    """Hash what the clips are compared with, independent of row order."""
    columns = [
        "id",
        "audio_sound",
        "spoken_text",
        "target_keywords",
        "tgt_text",
    ]
    rows = {
        tuple(row)
        for table in systems.values()
        for row in table[columns].to_numpy().tolist()
    }
    return content_key(sorted(rows))
