"""The judges of an evaluation that is done: their verdicts, no models.

``scores.json`` keeps every judge's settings, so that the verdicts in
``verdicts.jsonl`` can be found again, and a report rebuilt, on a machine that
has none of the judges.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from pathlib import Path

from speechbrain_jasco.judging.panel import FINAL, n_repeats


def describe_judges(judges):
    """Write down what finds a judge's verdicts again.

    Arguments
    ---------
    judges : list
        The panel.

    Returns
    -------
    dict
        ``judges`` of ``scores.json``: name -> ``config``, ``repeats``,
        ``mode`` and ``official``.
    """
    return {
        judge.name: {
            "config": judge.config(),
            "repeats": n_repeats(judge),
            "mode": getattr(judge, "mode", "robust"),
            "official": getattr(judge, "official", False),
        }
        for judge in judges
    }


class SavedJudge:
    """A judge that has said all it will say.

    Arguments
    ---------
    name : str
        Its name.
    entry : dict
        Of ``describe_judges``.

    Example
    -------
    >>> judge = SavedJudge("J", {"config": {"judge": "LLMJudge"},
    ...     "repeats": 2, "mode": "robust", "official": False})
    >>> judge.config(), judge.repeats
    ({'judge': 'LLMJudge'}, 2)
    """

    final = (*FINAL, "transport_error")  # nobody is there to be asked again

    def __init__(self, name, entry):
        self.name = name
        self.repeats = entry["repeats"]
        self.mode = entry["mode"]
        self.official = entry["official"]
        self._config = entry["config"]

    def config(self):
        """Everything a verdict depends on, JSON-able (dict)."""
        return self._config

    def check(self):
        """Called where verdicts are missing.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"{self.name}: some of these answers have no verdict in "
            "verdicts.jsonl. Give the predictions that were judged, or run "
            "the evaluation of these with its own YAML."
        )

    def judge(self, items, on_verdict):
        """Fail as ``check`` does: there is no model.

        Arguments
        ---------
        items : list of JudgeItem
            What to judge.
        on_verdict : callable
            Not called.
        """
        self.check()

    def unload(self):
        """Nothing to free."""


class SavedPanel:
    """The judges of an evaluation, read when they are needed.

    Arguments
    ---------
    folder : str or Path
        With ``scores.json`` and ``verdicts.jsonl``.
    """

    def __init__(self, folder):
        self.folder = folder

    def __iter__(self):
        judges = read_scores(self.folder).get("judges")
        if not judges:
            raise ValueError(
                f"{self.folder}: scores.json names no judges. Run the "
                "evaluation again with its own YAML; no answer is judged twice."
            )
        return iter([SavedJudge(*entry) for entry in judges.items()])


def read_scores(folder):
    """Read what an evaluation has found.

    Arguments
    ---------
    folder : str or Path
        Its output folder.

    Returns
    -------
    dict
        ``scores.json``.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    path = Path(folder) / "scores.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file. Give the --output_folder of an "
            "evaluation that has been run."
        )
    return json.loads(path.read_text(encoding="utf-8"))
