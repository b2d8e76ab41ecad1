"""What was judged and said, as the report needs it.

Authors
 * The speechbrain_jasco developers, 2026
"""

from dataclasses import dataclass, field

from speechbrain_jasco.judging.aggregation import Aggregation


@dataclass
class Evidence:
    """What was judged, and what the judges said.

    Arguments
    ---------
    systems : dict
        System name -> predictions (``systems.read_systems``).
    verdicts : dict
        (system, judge name) -> table (``evaluation.run_panel``).
    ids : list of str
        Clips that count.
    clips : list of Clip, optional
        Where the recordings are; without them by the predictions.
    aggregation : Aggregation, optional
        How judges become a panel.
    repeats : dict, optional
        (system, judge name) -> list of tables, one per repeat
        (``evaluation.read_repeats``); without them ``verdicts`` is all that
        was said.
    """

    systems: dict
    verdicts: dict
    ids: list
    clips: list | None = None
    aggregation: Aggregation = field(default_factory=Aggregation)
    repeats: dict | None = None

    def said(self, system, judge):
        """What a judge said of a system, repeat by repeat.

        Arguments
        ---------
        system, judge : str
            Their names.

        Returns
        -------
        list of pandas.DataFrame
        """
        key = system, judge
        return self.repeats[key] if self.repeats else [self.verdicts[key]]
