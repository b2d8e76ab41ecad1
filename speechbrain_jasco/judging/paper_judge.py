"""A judge that is asked exactly as the authors' script asks.

    answer --their prompt--> reply, no orientation in it?
                               --their second prompt--> reformatted reply

Its verdicts are what each reply says by itself. What the script makes of
all of them together, one score leaking into the next row, is
``paper_mode.follow``'s.

Authors
 * The speechbrain_jasco developers, 2026
"""

from speechbrain_jasco.judging.item import Verdict
from speechbrain_jasco.judging.paper_mode import as_read_back
from speechbrain_jasco.judging.paper_parser import (
    explanation_of,
    find_orientation,
    find_rating,
    find_reformatted,
)
from speechbrain_jasco.judging.paper_prompt import (
    SHA256,
    SYSTEM,
    load_prompts,
)

ORIENTATION_NAMES = {"N": "neither", "A": "audio", "S": "speech", "G": "both"}
# A reply is kept once its second question is answered, so that a kill loses
# the open ones of this many at most.
CHUNK = 64


class PaperJudge:
    """The authors' prompts + a case -> generator -> the authors' reading.

    Arguments
    ---------
    name : str
        Column name of this judge in every result.
    generator : object
        Gives the replies (``speechbrain_jasco/integrations/reply.py``).
    data_folder : str
        A clone of the authors' repository, which holds their prompts.

    Example
    -------
    >>> class Named:
    ...     def config(self):
    ...         return {"model": "any"}
    >>> PaperJudge("any", Named(), "What_Are_They_Doing").config()["judge"]
    'PaperJudge'
    """

    mode = "paper"
    # Its replies are in the authors' format, and there is one to every row,
    # also to those without an answer.
    official = True

    def __init__(self, name, generator, data_folder):
        self.name = name
        self.generator = generator
        self.data_folder = data_folder

    def config(self):
        """Everything a verdict depends on, JSON-able (dict)."""
        return {
            "judge": type(self).__name__,
            "generator": self.generator.config(),
            "prompt": {"system": SYSTEM, **SHA256},
        }

    def check(self):
        """Fail now rather than later if prompts or model are not to be had."""
        load_prompts(self.data_folder)
        self.generator.check()

    def unload(self):
        """Free the model's memory."""
        self.generator.unload()

    def judge(self, items, on_verdict):
        """Judge answers.

        Arguments
        ---------
        items : list of JudgeItem
            What to judge.
        on_verdict : callable
            ``on_verdict(index, verdict)``, as soon as it is there.
        """
        prompts = load_prompts(self.data_folder)
        for start in range(0, len(items), CHUNK):
            chats = [
                _chat(prompts.judge.format(**_fields(item)))
                for item in items[start : start + CHUNK]
            ]
            waiting = self._ask(chats, start, on_verdict)
            self._ask_again(waiting, prompts.reformat, on_verdict)

    def _ask(self, chats, start, on_verdict):
        """Ask for verdicts; returns index -> reply without an orientation."""
        waiting = {}

        def on_reply(i, reply):
            if reply.status == "ok" and needs_reformat(reply.text):
                waiting[start + i] = reply
            else:
                on_verdict(start + i, _verdict(reply))

        self.generator.complete(chats, on_reply)
        return waiting

    def _ask_again(self, waiting, prompt, on_verdict):
        """Ask what orientation the explanations mean."""
        indices = list(waiting)
        chats = [
            _chat(prompt.format(explanation=explanation_of(reply.text)))
            for reply in waiting.values()
        ]

        def on_reply(i, second):
            on_verdict(indices[i], _verdict(waiting[indices[i]], second))

        if chats:
            self.generator.complete(chats, on_reply)


def needs_reformat(reply):
    """Whether the script asks a second time.

    Arguments
    ---------
    reply : str
        The judge's reply.

    Returns
    -------
    bool
        Not for a reply that the script cannot read: it crashes on it.

    Example
    -------
    >>> [needs_reformat(r) for r in ["Good.", "Orientation: Good", "None"]]
    [True, False, False]
    """
    return find_orientation(reply) is None and not any(_read_as_nan([reply]))


def read_reply(reply, reformat=None):
    """What one reply says by itself, in the authors' format.

    Arguments
    ---------
    reply : str
        The judge's reply.
    reformat : str, optional
        Its reply to the second question.

    Returns
    -------
    Verdict
        ``ok`` where rating and orientation are both in it.

    Example
    -------
    >>> read_reply("Rating: 2\\nOrientation: Good")[:3]
    ('ok', 2, 'both')
    >>> read_reply("Score 2. Orientation: Good")[:3]
    ('unparsed', None, 'both')
    """
    letter = find_orientation(reply) or find_reformatted(reformat)
    rating = find_rating(reply)
    orientation = ORIENTATION_NAMES.get(letter)
    usable = rating is not None and orientation is not None
    return Verdict(
        "ok" if usable else "unparsed",
        rating,
        orientation,
        reply,
        explanation_of(reply),
        reformat=reformat,
    )


def _verdict(reply, second=None):
    """Make one verdict of one or two replies."""
    seconds = reply.seconds + (second.seconds if second else 0)
    for part in (reply, second):
        if part is not None and part.status != "ok":
            return Verdict(
                part.status, explanation=part.reason, seconds=seconds
            )
    reformat = second.text if second else None
    return read_reply(reply.text, reformat)._replace(seconds=seconds)


def _chat(text):
    """The two messages of every request."""
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": text},
    ]


def _fields(item):
    """Fill the prompt's fields; what pandas takes for NaN is written so."""
    fields = {
        "audio_sound": item.audio_sound,
        "spoken_text": item.spoken_text,
        "question": item.question,
        "audio_only_target": item.audio_only_target,
        "speech_only_target": item.speech_only_target,
        "reference": item.tgt_text,
        "keywords": item.target_keywords,
        "prediction": item.prediction,
    }
    nan = _read_as_nan(list(fields.values()))
    return {
        name: "nan" if missing else text
        for (name, text), missing in zip(fields.items(), nan, strict=True)
    }


def _read_as_nan(texts):
    """Which cells pandas reads as missing values (list of bool)."""
    # A last row of plain text keeps numbers from being ones.
    cells = [*texts, "text"]
    table = as_read_back(list(range(len(cells))), cells)
    return table["reply"].isna().tolist()[:-1]
