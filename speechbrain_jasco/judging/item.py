"""What a judge is asked and what it says: the two records of judging.

Authors
 * The speechbrain_jasco developers, 2026
"""

from dataclasses import dataclass
from typing import NamedTuple

RATINGS = (0, 1, 2)
ORIENTATIONS = ("audio", "speech", "both", "neither")


@dataclass(frozen=True)
class JudgeItem:
    """One answer to be judged, with everything a judge may look at.

    The judge never hears the clip: ``audio_sound`` and ``spoken_text`` are the
    data set's own description of it (arXiv 2409.14526, section II-C).

    Arguments
    ---------
    system : str
        Name of the system that answered.
    id : str
        Clip id.
    prompt_index : int
        Position of the instruction among the clip's instructions, from 0.
    question : str
        The instruction that was given with the clip.
    audio_sound : str
        Description of the background sound.
    spoken_text : str
        What is said.
    audio_only_target : str
        The answer that the sound alone suggests.
    speech_only_target : str
        The answer that the words alone suggest.
    target_keywords : str
        Comma-separated keywords of the reference.
    tgt_text : str
        The reference answer.
    prediction : str
        The system's answer: untrusted text.

    Example
    -------
    >>> item = JudgeItem(
    ...     system="cascade", id="1", prompt_index=0,
    ...     question="What are they doing?", audio_sound="rain",
    ...     spoken_text="Hold it higher.", audio_only_target="Walking.",
    ...     speech_only_target="Lifting something.",
    ...     target_keywords="umbrella, tent",
    ...     tgt_text="They are sharing an umbrella.", prediction="Unclear.")
    >>> item.keywords
    ['umbrella', 'tent']
    """

    system: str
    id: str
    prompt_index: int
    question: str
    audio_sound: str
    spoken_text: str
    audio_only_target: str
    speech_only_target: str
    target_keywords: str
    tgt_text: str
    prediction: str

    @property
    def keywords(self):
        """The keywords as a list (list of str)."""
        parts = (word.strip() for word in self.target_keywords.split(","))
        return [word for word in parts if word]


class Verdict(NamedTuple):
    """What one judge says of one answer.

    Arguments
    ---------
    status : str
        ``ok`` (both values below are set), ``unparsed`` (the reply holds no
        usable verdict), ``transport_error`` (no reply) or ``no_prediction``
        (there was nothing to judge).
    rating : int, optional
        0, 1 or 2.
    orientation : str, optional
        One of ``ORIENTATIONS``.
    reply : str
        The judge's raw text ("" where the judge writes none).
    explanation : str
        Why, in the judge's words, or the reason of a failure.
    seconds : float
        Time the judge took.
    reformat : str, optional
        The reply to a second question, which only the authors' procedure asks.
    expected_rating : float, optional
        Of a judge by label probability: the sum of P(r) * r.
    probabilities : dict, optional
        Of such a judge: field -> {value: probability}.

    Example
    -------
    >>> Verdict("ok", 2, "both").rating
    2
    """

    status: str
    rating: int | None = None
    orientation: str | None = None
    reply: str = ""
    explanation: str = ""
    seconds: float = 0.0
    reformat: str | None = None
    expected_rating: float | None = None
    probabilities: dict | None = None


# What a line of verdicts.jsonl has only where a judge has it.
OPTIONAL = ("reformat", "expected_rating", "probabilities")
